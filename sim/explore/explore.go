// Package explore makes every run of a scenario that could come out differently: stateless model checking with dynamic
// partial-order reduction. Two runs that differ only in the order of steps which commute are one class, and of each class
// one run is made. What commutes is told by the kernel's table of dependences, so scenarios need to say nothing.
//
// It says that it is complete only if nothing was left out. What it takes for granted: that the scenario is a function of its
// decisions; that tasks share nothing but by operations of packages sched, clock and net, and with models and checks by
// World.Inline and World.Observe; that no outcome depends on the number of steps so far, but by its order; that random bytes are those
// of one data seed; and that time stands still while anything can move.
package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// Config says what to explore, and how far.
type Config struct {
	Scenario  *sim.Scenario
	Options   sim.Options
	Steps     int           // of a run; a longer one is cut off. 0: DefaultSteps
	Duration  time.Duration // 0: as long as it takes
	Bound     Bound         // what there is a bound on, if there is
	Most      int           // only runs with at most so many of these count
	KeepGoing bool          // collect distinct failures; else stop at the first
	Workers   int           // that make runs at the same time. 0: one

	// Progress, if not nil, is called a few times a second.
	Progress func(Progress)
}

// DefaultSteps is how many steps a run may have unless the configuration says otherwise.
const DefaultSteps = 10_000

// Progress is how far an exploration has come.
type Progress struct {
	Elapsed    time.Duration
	Executions int64
	Blocked    int64
	Steps      int64
	Failures   int
	Behind     float64 // share of the tree as it is planned now: a rough guide, since branches are added
}

// Estimate is how many runs the whole exploration would make if nothing were added to the tree as it is planned now.
func (p Progress) Estimate() float64 {
	if p.Behind <= 0 {
		return 0
	}
	return float64(p.Executions+p.Blocked) / p.Behind
}

// Report is what an exploration came to.
type Report struct {
	Scenario   string
	Executions int64 // runs that were made to their end: without a bound one for each class, or a few more where steps touch models
	Blocked    int64 // runs that were ended where a step was planned that is not possible, or all that could follow was explored
	Steps      int64
	Longest    int64    // steps of the longest run
	Cut        int64    // executions that were cut off at the limit of steps
	Limit      int      // of steps
	OneOrder   bool     // of steps for which the scenario says that it is enough, one order was made: a bound
	Complete   bool     // every class was explored, or with a bound all within it
	Whole      bool     // with a bound: every class was explored, also beyond it
	Left       []string // what was not: empty if complete
	Estimate   float64
	Elapsed    time.Duration
	Failures   []*search.Failure
	Faults     []sim.FaultCount // the ledger
}

// progressEvery is how often progress is told.
const progressEvery = 200 * time.Millisecond

// Run explores a scenario. It ends when everything was explored, with the first failure unless KeepGoing is set, when its time is
// spent, and when ctx is done. Every failure is repeated, from its decisions, before it is reported.
//
// The error is a failure of the scenario's set-up, says that the scenario is not deterministic, or is a [search.StuckError], after
// which a goroutine is left behind that cannot be ended. The report is never nil.
func Run(ctx context.Context, config Config) (*Report, error) {
	if config.Steps <= 0 {
		config.Steps = DefaultSteps
	}
	e := &exploration{config: config, started: time.Now(), report: &Report{Scenario: config.Scenario.Name, Limit: config.Steps}}
	for range max(config.Workers, 1) {
		e.runners = append(e.runners, sim.NewRunner())
	}
	err := search.Watched(config.Scenario, e.runners, func() error { return e.run(ctx) })
	if stuck := new(search.StuckError); errors.As(err, &stuck) {
		return &Report{Scenario: config.Scenario.Name, Limit: config.Steps, Elapsed: time.Since(e.started)}, err // the other is still in use
	}
	for _, runner := range e.runners {
		runner.Close()
	}
	e.report.Elapsed = time.Since(e.started)
	e.report.Complete = err == nil && len(e.report.Left) == 0
	return e.report, err
}

// searcher decides the runs of an exploration, one after another.
type searcher interface {
	choice.Source
	kernel.Listener
	first() bool // before the first run: whether there is one
	start()      // before each run
	next() bool  // after it: whether there is another
	stop()       // no more are wanted
	outcome() outcome
	decisions() (actors, values []int32) // of the last run: who moved, by step, and what was drawn
	behind() float64                     // the share of what is planned that was made
}

// outcome is what a searcher knows of a run.
type outcome struct {
	skipped bool       // it came to where all was explored
	cut     bool       // at the limit of steps
	ordered bool       // of some steps one order was made, since that is enough
	again   strictness // not none: no run so far counts, and the exploration begins anew, and strictly for these
	defect  string     // why the exploration is wrong; empty if it is not
}

type exploration struct {
	config  Config
	runners []*sim.Runner
	started time.Time

	mu     sync.Mutex // of what follows
	report *Report
	told   time.Time
	over   bool // no more runs are wanted
	err    error

	// Of the setting that is explored.
	setting setting
	tallies [2]tally // of the search without a bound, and of the one with it
	within  bool     // all within the bound was explored
	whole   bool     // every class was explored
	beyond  bool     // the search of all classes has found a failure, so that the one within the bound must say whether that is in it
	ended   bool     // no more runs count
	again   strictness
}

// tally is what a search has come to.
type tally struct {
	executions, blocked, cut int64
}

// The searches of an exploration.
const (
	ofAll = iota
	inBound
)

// run explores one setting after the other, each from its beginning when it shows in the middle that runs must be told apart more strictly. Those
// before it are at their end: nothing of the kind has shown in them.
func (e *exploration) run(ctx context.Context) error {
	r, strict := e.report, strictness{}
	r.Whole = e.config.Bound != Unbounded
	for values := (setting{}); values != nil && !e.over; {
		failures, faults := e.kept()
		e.begin(values)
		following := e.round(ctx, strict).next()
		if !e.again.none() {
			strict.add(e.again)
			r.Failures, r.Faults = failures, faults
			continue
		}
		t := e.tallied()
		r.Executions, r.Blocked, r.Cut, r.Whole = r.Executions+t.executions, r.Blocked+t.blocked, r.Cut+t.cut, r.Whole && e.whole
		values = following
	}
	if r.Cut > 0 {
		e.left(nil, fmt.Sprintf("%d of %d executions were cut off at %d steps", r.Cut, r.Executions, r.Limit))
	}
	return e.err
}

// kept is what the report has of failures and faults, for when runs turn out not to count.
func (e *exploration) kept() (failures []*search.Failure, faults []sim.FaultCount) {
	for _, f := range e.report.Failures {
		was := *f
		failures = append(failures, &was)
	}
	return failures, slices.Clone(e.report.Faults)
}

// begin begins with a setting.
func (e *exploration) begin(s setting) {
	e.setting, e.tallies, e.again = s, [2]tally{}, strictness{}
	e.within, e.whole, e.beyond, e.ended = false, false, false, false
}

// tallied is what the search of the setting has come to that has come to its end; without one, all together.
func (e *exploration) tallied() tally {
	a, b := e.tallies[ofAll], e.tallies[inBound]
	switch {
	case e.whole:
		return a
	case e.within:
		return b
	}
	return tally{a.executions + b.executions, a.blocked + b.blocked, a.cut + b.cut}
}

// round lets each worker make runs of the setting until there are no more, and answers what its set-up has drawn. With a bound there are two
// searches, since nobody knows beforehand which one is sooner at its end: the one within the bound, which is one worker's, since what it leaves out
// is what it was at before; and that of all classes, of which there may be far fewer than interleavings, or far more. The first worker makes the
// runs of the first one and all others those of the second; if it is alone, a run of each in turn. That of all classes can only say that nothing fails: where
// something does, it is left to the other to find it within the bound.
func (e *exploration) round(ctx context.Context, strict strictness) (drawn setting) {
	p := newPlan(strict, e.setting)
	var within *bounded
	var wait sync.WaitGroup
	for i, runner := range e.runners {
		var searches [2]searcher
		if e.config.Bound != Unbounded && i == 0 {
			within = newBounded(e.config.Bound, e.config.Most, e.config.Steps, strict, e.setting)
			searches[inBound] = within
		}
		if searches[inBound] == nil || len(e.runners) == 1 {
			searches[ofAll] = newWalk(p, e.config.Steps)
		}
		wait.Go(func() { e.work(ctx, searches, runner) })
	}
	wait.Wait()
	if within != nil && len(within.values) > len(p.setUp) { // the other has not come to the end of a run
		return within.values
	}
	return p.setUp
}

func (e *exploration) work(ctx context.Context, searches [2]searcher, runner *sim.Runner) {
	var more [2]bool
	for kind, x := range searches {
		more[kind] = x != nil && x.first()
	}
	for going := true; going && (more[ofAll] || more[inBound]); {
		for kind, x := range searches {
			if !more[kind] {
				continue
			}
			if going = e.goesOn(ctx, x) && e.made(kind, x, runner); !going {
				break
			}
			if more[kind] = x.next(); !more[kind] {
				e.through(kind)
			}
		}
	}
	for _, x := range searches {
		if x != nil {
			x.stop()
		}
	}
}

// made makes a run, and says whether others follow.
func (e *exploration) made(kind int, x searcher, runner *sim.Runner) bool {
	x.start()
	result, err := runner.Run(e.config.Scenario, e.runConfig(x))
	return e.count(kind, x, runner, result, err)
}

// through ends the exploration of a setting with a bound, once one of its searches has come to its end.
func (e *exploration) through(kind int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended || e.config.Bound == Unbounded || kind == ofAll && (e.beyond || e.tallies[ofAll].cut > 0) {
		return
	}
	e.whole, e.within, e.ended = kind == ofAll, kind == inBound, true
}

// goesOn says whether another run is wanted.
func (e *exploration) goesOn(ctx context.Context, x searcher) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	switch {
	case e.ended:
		return false
	case ctx.Err() != nil:
		e.left(x, "interrupted")
		e.ended, e.over = true, true
	case e.config.Duration > 0 && now.Sub(e.started) >= e.config.Duration:
		e.left(x, fmt.Sprintf("the time was spent: %v", e.config.Duration))
		e.ended, e.over = true, true
	case now.Sub(e.told) >= progressEvery:
		e.told = now
		if e.config.Progress != nil {
			e.config.Progress(e.progress(x))
		}
	}
	return !e.ended
}

// count takes a run into the report, and says whether others follow.
func (e *exploration) count(kind int, x searcher, runner *sim.Runner, result sim.Result, err error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return false
	}
	r, o := e.report, x.outcome()
	r.Steps += result.Steps
	r.Longest = max(r.Longest, result.Steps)
	r.OneOrder = r.OneOrder || o.ordered
	again := !o.again.none() && (result.Failure == nil || e.config.KeepGoing)
	switch {
	case err != nil:
		e.err = err
	case o.defect != "":
		e.err = fmt.Errorf("scenario %s cannot be explored: %s", e.config.Scenario.Name, o.defect)
	case again:
		e.again.add(o.again)
	case o.skipped:
		e.tallies[kind].blocked++
		return true
	case kind == ofAll && e.config.Bound != Unbounded && result.Failure != nil:
		e.beyond = true
		x.stop()
		return true
	default:
		e.tallies[kind].executions++
		if o.cut {
			e.tallies[kind].cut++
			return true
		}
		e.ledger(result.Faults)
		if result.Failure == nil {
			return true
		}
		var done bool
		if done, e.err = e.failed(x, runner, result); !done && e.err == nil {
			return true
		}
	}
	e.ended, e.over = true, !again
	return false
}

func (e *exploration) runConfig(x searcher) sim.RunConfig {
	// The tree stops a run at the limit itself: that it is too long violates nothing.
	return sim.RunConfig{Source: x, Listener: x, MaxSteps: int64(e.config.Steps) + 1, Options: e.config.Options}
}

// failed takes a failure into the report; done says that it ends the exploration.
func (e *exploration) failed(x searcher, runner *sim.Runner, result sim.Result) (done bool, err error) {
	for _, known := range e.report.Failures {
		if known.Property == result.Failure.Property && (known.Message == result.Failure.Message || len(e.report.Failures) >= maxFailures) {
			known.Runs++
			return false, nil
		}
	}
	failure, err := e.repeated(x, runner, result)
	if err != nil {
		return true, err
	}
	e.report.Failures = append(e.report.Failures, failure)
	if e.config.KeepGoing {
		return false, nil
	}
	e.left(x, "stopped at the first failure")
	return true, nil
}

// maxFailures is how many failures a report tells apart by their messages; beyond, by property only.
const maxFailures = 32

// left notes a reason for which the exploration is not complete.
func (e *exploration) left(x searcher, why string) {
	e.report.Left = append(e.report.Left, why)
	if x != nil {
		e.report.Estimate = e.progress(x).Estimate()
	}
}

// progress is how far the exploration has come. The settings that are left are taken to be like those before.
func (e *exploration) progress(x searcher) Progress {
	r, t := e.report, e.tallied()
	p := Progress{
		Elapsed: time.Since(e.started), Executions: r.Executions + t.executions, Blocked: r.Blocked + t.blocked, Steps: r.Steps, Failures: len(r.Failures),
	}
	made, here := float64(p.Executions+p.Blocked), float64(t.executions+t.blocked)
	if behind := x.behind(); behind > 0 && made > 0 {
		p.Behind = made / (made - here + here/behind) * e.setting.share()
	}
	return p
}

// ledger adds what the faults of a run did.
func (e *exploration) ledger(faults []sim.FaultCount) {
	for _, f := range faults {
		at := slices.IndexFunc(e.report.Faults, func(known sim.FaultCount) bool { return known.Fault == f.Fault })
		if at < 0 {
			e.report.Faults = append(e.report.Faults, f)
			continue
		}
		known := &e.report.Faults[at]
		known.Armed, known.Fired, known.Effect = known.Armed+f.Armed, known.Fired+f.Fired, known.Effect+f.Effect
	}
}
