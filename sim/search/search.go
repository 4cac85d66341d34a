// Package search makes many runs of scenarios: within a budget, on several workers, in generations that learn from each other,
// until a property fails. What it reports is a function of the scenarios, the seed, the strategy and the number of runs, and of
// nothing else: not of the number of workers, and not of their speed.
package search

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// Config says what to search, how, and for how long.
type Config struct {
	Scenarios []*sim.Scenario
	Seed      string // any text
	Strategy  strategy.Strategy
	Runs      int64         // of each scenario; 0: as many as the duration allows
	Duration  time.Duration // of the whole search, if Runs is 0
	Workers   int           // 0: one for each core
	KeepGoing bool          // collect distinct failures; else stop at the first
	StopAt    []string      // the properties whose first failure ends a search that else keeps going
	Quiet     float64       // ends a scenario's search within the budget, once the chance that a run shows new behaviour is at most that; 0: never
	Options   sim.Options   // of every run

	// Progress, if not nil, is called a few times a second, from a goroutine of the search and never twice at once.
	Progress func(Progress)
}

// Progress is how far a search has come.
type Progress struct {
	Elapsed  time.Duration
	Runs     int64
	Steps    int64
	Failures int // reported so far
	Current  int // the index of the scenario whose runs are being made

	// Scenarios are the reports so far, in the order of the Config, each as of the end of a generation of runs: so they are a little behind.
	// They are copies, which nobody changes any more.
	Scenarios []*ScenarioReport
}

// SometimesRuns is after how many runs of a scenario it is a failure that one of its "sometimes" has never been seen.
const SometimesRuns = 10_000

// Sometimes is the property that a search violates if it has not seen what a good search must have seen.
const Sometimes = "sometimes"

// stuckAfter is how long a run may go without a step.
const stuckAfter = 10 * time.Second

// firstChunk is how many runs of a scenario the first round makes, so that in a short search each scenario has some.
const firstChunk = 16

// Run makes the search. It goes round the scenarios, a generation of runs of each in a round, so that a search that ends
// with its time has made about as many runs of each. It ends when the budget is spent, with the first failure unless
// KeepGoing is set, and when ctx is done: then the runs under way are completed, and Report.Interrupted is set.
//
// Stopping at the first failure means: all runs before the one that failed are part of the report and none after it.
// Every failure is replayed, from its seed and from its deviations, before it is reported.
//
// The error is a failure of a scenario's set-up, a [NondeterminismError], or a [StuckError]. The report is never nil, and
// holds what was found before the error. After a StuckError a goroutine is left behind that cannot be ended.
func Run(ctx context.Context, config Config) (*Report, error) {
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	s := &search{config: config, crew: newCrew(config.Workers), started: time.Now(), stuckAfter: stuckAfter}
	return s.run(ctx)
}

type search struct {
	config     Config
	crew       *crew
	lanes      []*lane
	started    time.Time
	stuckAfter time.Duration
	current    atomic.Int64 // index of the lane whose runs are being made
}

func (s *search) run(ctx context.Context) (*Report, error) {
	for _, sc := range s.config.Scenarios {
		l := newLane(sc, s.config)
		l.told.Store(l.snapshot())
		s.lanes = append(s.lanes, l)
	}
	if s.config.Runs <= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.config.Duration, errSpent)
		defer cancel()
	}
	end := s.crew.watch(s.stuckAfter, s.progress)
	err := s.rounds(ctx)
	end()
	var stuck *StuckError
	if !errors.As(err, &stuck) {
		s.crew.close()
	}

	report := &Report{Elapsed: time.Since(s.started)}
	report.Interrupted = ctx.Err() != nil && !errors.Is(context.Cause(ctx), errSpent)
	for _, l := range s.lanes {
		l.finish()
		report.Scenarios = append(report.Scenarios, l.report)
	}
	return report, err
}

// ends says whether a failure ends the search.
func (s *search) ends(f *sim.Failure) bool {
	return !s.config.KeepGoing || slices.Contains(s.config.StopAt, f.Property)
}

// progress tells how far the search is. It is called by the watch.
func (s *search) progress() {
	if s.config.Progress == nil {
		return
	}
	p := Progress{Elapsed: time.Since(s.started), Failures: int(s.crew.failures.Load()), Current: int(s.current.Load())}
	for _, w := range s.crew.workers {
		p.Runs += w.runs.Load()
		p.Steps += w.steps.Load()
	}
	for _, l := range s.lanes {
		p.Scenarios = append(p.Scenarios, l.ask())
	}
	s.config.Progress(p)
}

// kept is the number of failures that the lanes hold.
func (s *search) kept() int64 {
	n := 0
	for _, l := range s.lanes {
		n += len(l.report.Failures)
	}
	return int64(n)
}

var errSpent = errors.New("the time of the search is spent")

// rounds makes the runs.
func (s *search) rounds(ctx context.Context) error {
	for {
		left := false
		for i, l := range s.lanes {
			n := l.chunk(s.config.Runs)
			if n == 0 {
				continue
			}
			left = true
			if ctx.Err() != nil {
				return nil
			}
			s.current.Store(int64(i))
			done, err := s.generation(ctx, l, n)
			l.tell()
			if done || err != nil {
				return err
			}
		}
		if !left {
			return nil
		}
	}
}

// generation makes the next n runs of a scenario, all of one generation, and takes them into the report. done says that the
// search is over.
func (s *search) generation(ctx context.Context, l *lane, n int) (done bool, err error) {
	begun := time.Now()
	defer func() { l.report.Seconds += time.Since(begun).Seconds() }()
	b := l.batch(n, s.ends)
	if err := s.crew.all(func(w *worker) { w.work(ctx, b) }); err != nil {
		b.limit.Store(0) // for the workers that are not stuck
		return true, err
	}
	for i := range b.outcomes[:b.completed()] {
		o := &b.outcomes[i]
		if o.err != nil {
			return true, fmt.Errorf("%w (run %d, seed %s)", o.err, b.first+int64(i), seedText(o.plan.seed))
		}
		l.merge(o)
		if o.failure != nil {
			if done, err = s.failed(l, o); done || err != nil {
				return true, err
			}
		}
		if l.estimate.isQuiet {
			break // the runs after it do not count
		}
	}
	l.learn(s.crew)
	return false, nil
}

// failed takes the failure of the run that was merged last into the report, if it belongs there. done says that it ends the search.
func (s *search) failed(l *lane, o *outcome) (done bool, err error) {
	ends := s.ends(o.failure)
	slot := l.slot(o, ends)
	if slot < 0 {
		return false, nil
	}
	failure, err := s.verify(l, o)
	if err != nil {
		return true, err
	}
	l.keep(failure, slot)
	s.crew.failures.Store(s.kept())
	return ends, nil
}
