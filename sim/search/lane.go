package search

import (
	"fmt"
	"sort"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// mostFailures bounds how many distinct failures of a scenario are kept.
const mostFailures = 100

// lane is what a search knows of one scenario. Only the coordinator touches it; workers see the batch it gives out.
type lane struct {
	scenario *sim.Scenario
	strategy strategy.Strategy
	seed     uint64
	lengths  strategy.Lengths
	hash     uint64
	faults   map[string]int // index into report.Faults
	seen     map[string]int // index into report.Sometimes
	known    map[string]int // signature of a failure: index into report.Failures
	batches  batch          // reused
	report   *ScenarioReport
}

func newLane(sc *sim.Scenario, config Config) *lane {
	l := &lane{
		scenario: sc, strategy: config.Strategy, seed: firstSeed(config.Seed, sc.Name),
		faults: map[string]int{}, seen: map[string]int{}, known: map[string]int{},
		report: &ScenarioReport{
			Name: sc.Name, Strategy: config.Strategy.Name(), FirstSeed: config.Seed, TraceHash: seedText(0),
			Faults: []sim.FaultCount{}, Sometimes: []Seen{}, Failures: []*Failure{},
		},
	}
	for _, id := range sc.Sometimes {
		l.see(id, 0)
	}
	return l
}

// chunk is how many runs to make next: what is left of the generation, and of the budget if there is one.
func (l *lane) chunk(budget int64) int {
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
func (l *lane) batch(n int, stopAtFailure bool) *batch {
	l.batches.begin(l, n, stopAtFailure)
	return &l.batches
}

// merge takes the next run into the report.
func (l *lane) merge(o *outcome) {
	r := l.report
	r.Runs++
	r.Steps += o.steps
	r.Choices += o.choices
	r.Abandoned += int64(o.abandoned)
	l.lengths.Add(o.choices)
	l.hash = mergeHash(l.hash, o.hash)
	r.TraceHash = seedText(l.hash)
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

func (l *lane) see(id string, runs int64) {
	i, ok := l.seen[id]
	if !ok {
		i = len(l.report.Sometimes)
		l.seen[id] = i
		l.report.Sometimes = append(l.report.Sometimes, Seen{ID: id})
	}
	l.report.Sometimes[i].Runs += runs
}

// isNew says whether no failure like this one has been kept, and counts it.
func (l *lane) isNew(f *sim.Failure) bool {
	s := signature(f.Property, f.Message)
	if i, ok := l.known[s]; ok {
		l.report.Failures[i].Runs++
		return false
	}
	if len(l.report.Failures) == mostFailures {
		return false
	}
	l.known[s] = len(l.report.Failures)
	return true
}

// signature is what failures with one cause have in common: the property, and the message without its numbers.
func signature(property, message string) string {
	return property + ": " + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, message)
}

// checkSometimes fails the search if it had budget enough and has not seen what it must have seen.
func (l *lane) checkSometimes() {
	r := l.report
	sort.SliceStable(r.Faults, func(i, j int) bool { return r.Faults[i].Fault < r.Faults[j].Fault })
	if r.Runs < SometimesRuns {
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
