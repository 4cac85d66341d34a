package search

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// mostFailures bounds how many distinct failures of a scenario are kept.
const mostFailures = 100

// lane is what a search knows of one scenario. Only the coordinator touches it; workers see the batch it gives out, and the watch what
// it tells.
type lane struct {
	scenario *sim.Scenario
	strategy strategy.Strategy
	seed     uint64
	options  sim.Options
	lengths  strategy.Lengths
	corpus   strategy.Corpus
	lessons  strategy.Experience
	shares   strategy.Shares
	reached  reached // by any run, for the shares
	estimate estimate
	hash     uint64
	faults   map[string]int // index into report.Faults
	seen     map[string]int // index into report.Sometimes
	known    map[string]int // signature of a failure: index into report.Failures
	batches  batch          // reused
	report   *ScenarioReport

	asked atomic.Bool // the watch wants to know how far this is
	told  atomic.Pointer[ScenarioReport]
}

func newLane(sc *sim.Scenario, config Config) *lane {
	l := &lane{
		scenario: sc, strategy: config.Strategy, seed: firstSeed(config.Seed, sc.Name), options: config.Options,
		faults: map[string]int{}, seen: map[string]int{}, known: map[string]int{},
		report: &ScenarioReport{
			Name: sc.Name, Strategy: config.Strategy.Name(), FirstSeed: config.Seed,
			Faults: []sim.FaultCount{}, Guarantees: []Guarantee{}, Sometimes: []Seen{}, Failures: []*Failure{},
		},
	}
	l.estimate.quiet = config.Quiet
	for _, id := range sc.Sometimes {
		l.see(id, 0)
	}
	return l
}

// chunk is how many runs to make next: what is left of the generation, and of the budget if there is one; none once it is quiet.
func (l *lane) chunk(budget int64) int {
	if l.estimate.isQuiet {
		return 0
	}
	n := strategy.Generation - l.report.Runs%strategy.Generation
	if l.report.Runs == 0 {
		n = firstChunk
	}
	if budget > 0 {
		n = min(n, budget-l.report.Runs)
	}
	return int(n)
}

// batch is the next n runs, ready to be worked on.
func (l *lane) batch(n int, ends func(*sim.Failure) bool) *batch {
	l.batches.begin(l, n, ends)
	return &l.batches
}

// reached is a set of what runs have come to, bounded by mostSpecies: what does not fit is never new.
type reached map[choice.Feature]struct{}

// add takes what a run has come to and answers how much of that is new.
func (r *reached) add(all []choice.Reached) (found int) {
	if *r == nil {
		*r = reached{}
	}
	for _, one := range all {
		if _, ok := (*r)[one.Feature]; !ok && len(*r) < mostSpecies {
			(*r)[one.Feature] = struct{}{}
			found++
		}
	}
	return found
}

// merge takes the next run into the report.
func (l *lane) merge(o *outcome) {
	r := l.report
	r.Runs++
	r.Steps += o.steps
	r.Choices += o.choices
	r.Abandoned += int64(o.abandoned)
	l.lengths.Add(o.choices)
	l.guarantee(o)
	if p := &o.plan; p.strategy.IsGuided() {
		l.corpus.Add(strategy.Beginning{Seed: p.seed, Length: p.length, Forks: p.known.Forks}, o.reached)
	}
	if l.strategy.IsMix() {
		l.shares.Add(l.strategy, o.plan.strategy, l.reached.add(o.reached))
	}
	if o.plan.measured {
		l.estimate.add(o)
	}
	l.hash = mergeHash(l.hash, o.hash)
	for _, f := range o.faults {
		i, ok := l.faults[f.Fault]
		if !ok {
			i = len(r.Faults)
			l.faults[f.Fault] = i
			r.Faults = append(r.Faults, sim.FaultCount{Fault: f.Fault})
		}
		sum := &r.Faults[i]
		sum.Armed += f.Armed
		sum.Fired += f.Fired
		sum.Effect += f.Effect
	}
	for _, id := range o.sometimes {
		l.see(id, 1)
	}
	if o.failure != nil {
		r.Failed++
	}
}

// learn takes what the workers have learnt in the runs of a batch, once all of them count.
func (l *lane) learn(c *crew) {
	if !l.strategy.Learns() {
		return
	}
	for _, w := range c.workers {
		if w.lessons != nil {
			l.lessons.Add(w.lessons)
		}
	}
	if l.report.Runs%strategy.Generation == 0 {
		l.lessons.Turn()
	}
}

func (l *lane) see(id string, runs int64) {
	i, ok := l.seen[id]
	if !ok {
		i = len(l.report.Sometimes)
		l.seen[id] = i
		l.report.Sometimes = append(l.report.Sometimes, Seen{ID: id})
	}
	l.report.Sometimes[i].Runs += runs
}

// slot is where in the report the failure of the run belongs, -1 if nowhere. Of failures that are alike the one with the
// fewest steps is kept, the first of those; the others are counted. One that ends the search always has a place.
func (l *lane) slot(o *outcome, ends bool) int {
	s := Signature(o.failure.Property, o.failure.Message)
	if i, ok := l.known[s]; ok {
		kept := l.report.Failures[i]
		kept.Runs++
		if o.steps >= kept.Steps {
			return -1
		}
		return i
	}
	if len(l.report.Failures) >= mostFailures && !ends {
		return -1
	}
	l.known[s] = len(l.report.Failures)
	return len(l.report.Failures)
}

// keep puts a failure into its slot.
func (l *lane) keep(f *Failure, slot int) {
	if slot == len(l.report.Failures) {
		l.report.Failures = append(l.report.Failures, f)
		return
	}
	f.Runs = l.report.Failures[slot].Runs
	l.report.Failures[slot] = f
}

// Signature is what failures with one cause have in common: the property, and the first line of the message without its numbers and
// ids, that is without every word that holds a digit. What follows in other lines tells of the run.
func Signature(property, message string) string {
	message, _, _ = strings.Cut(message, "\n")
	words := strings.Fields(message)
	for i, word := range words {
		if strings.ContainsAny(word, "0123456789") {
			words[i] = "#"
		}
	}
	return property + ": " + strings.Join(words, " ")
}

// ask is what was told last of how far this is, for the watch; the next answer is a newer one.
func (l *lane) ask() *ScenarioReport {
	l.asked.Store(true)
	return l.told.Load()
}

// tell answers the watch, if it has asked: so a report is copied no oftener than somebody looks at it.
func (l *lane) tell() {
	if l.asked.CompareAndSwap(true, false) {
		l.told.Store(l.snapshot())
	}
}

// snapshot is the report so far. Nothing in it changes any more.
func (l *lane) snapshot() *ScenarioReport {
	r := *l.report
	r.Faults, r.Sometimes, r.Guarantees = slices.Clone(r.Faults), slices.Clone(r.Sometimes), slices.Clone(r.Guarantees)
	r.Failures = make([]*Failure, len(l.report.Failures))
	for i, f := range l.report.Failures {
		failure := *f
		r.Failures[i] = &failure
	}
	l.sumUp(&r)
	return &r
}

// sumUp completes a report with what is known of the runs as a whole.
func (l *lane) sumUp(r *ScenarioReport) {
	r.TraceHash = seedText(l.hash)
	r.Behaviour = l.estimate.behaviour()
	slices.SortFunc(r.Faults, func(a, b sim.FaultCount) int { return strings.Compare(a.Fault, b.Fault) })
}

// finish completes the report. It fails the search if it had budget enough and has not seen what it must have seen; without faults
// much of that cannot be seen.
func (l *lane) finish() {
	r := l.report
	l.sumUp(r)
	judged := l.options.Only == "" || l.options.Only == Sometimes
	if r.Runs < SometimesRuns || !judged || l.options.NoFaults {
		return
	}
	var never []string
	for _, s := range r.Sometimes {
		if s.Runs == 0 {
			never = append(never, s.ID)
		}
	}
	if len(never) > 0 {
		r.Failures = append(r.Failures, &Failure{
			Scenario: l.scenario.Name, Property: Sometimes,
			Message: fmt.Sprintf("not seen in %d runs: %s", r.Runs, strings.Join(never, ", ")),
		})
	}
}
