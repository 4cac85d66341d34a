package search

import (
	"context"
	"sync/atomic"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// worker makes runs, one at a time.
type worker struct {
	runner   *sim.Runner
	sources  map[string]strategy.Source // by name of strategy
	lessons  *strategy.Lessons          // of the batch under way; nil: not wanted
	recorder choice.Recorder
	replay   choice.Replay
	orders   *orders // of measured runs

	running atomic.Pointer[attempt] // the run under way; nil between runs
	runs    atomic.Int64            // completed for a report
	steps   atomic.Int64
	_       [64]byte // counters of two workers share no cache line
}

// attempt identifies a run under way.
type attempt struct {
	scenario *sim.Scenario
	seed     uint64
}

// work makes runs of the batch until none is left.
func (w *worker) work(ctx context.Context, b *batch) {
	w.begin(b)
	for o := b.claim(ctx); o != nil; o = b.claim(ctx) {
		w.make(b, o)
	}
}

// begin gets ready for the runs of a batch.
func (w *worker) begin(b *batch) {
	if w.lessons == nil && b.learns {
		w.lessons = &strategy.Lessons{}
	}
}

// make makes one run as its plan says.
func (w *worker) make(b *batch, o *outcome) {
	source := w.source(o.plan, w.lessons)
	w.run(b.scenario, o, sim.RunConfig{Source: source, DataSeed: dataSeed(o.plan.seed)})
	o.choices = source.Choices()
	b.finish(o)
	w.runs.Add(1)
	w.steps.Add(o.steps)
}

// source is the source that the plan asks for, at the beginning of its run. It adds what it learns to lessons, unless that is nil.
func (w *worker) source(p plan, lessons *strategy.Lessons) strategy.Source {
	source, ok := w.sources[p.strategy.Name()]
	if !ok {
		source = p.strategy.Source()
		w.sources[p.strategy.Name()] = source
	}
	source.Begin(p.seed, p.length)
	if learner, ok := source.(strategy.Learner); ok {
		learner.Learn(p.known, lessons)
	}
	return source
}

// run makes one run, keeps what a search needs of what it came to, and answers all of it.
func (w *worker) run(sc *sim.Scenario, o *outcome, config sim.RunConfig) sim.Result {
	config.Options, config.Reached = o.plan.options, o.plan.reached
	if o.plan.measured {
		if w.orders == nil {
			w.orders = &orders{}
		}
		w.orders.begin()
		config.Listener = w.orders
	}
	w.running.Store(&o.attempt)
	result, err := w.runner.Run(sc, config)
	w.running.Store(nil)
	o.steps, o.hash, o.elapsed, o.failure, o.err, o.abandoned = result.Steps, result.Hash, result.Elapsed, result.Failure, err, result.Abandoned
	o.actors = int64(result.Actors)
	o.faults = append(o.faults[:0], result.Faults...)
	o.sometimes = append(o.sometimes[:0], result.Sometimes...)
	o.reached = append(o.reached[:0], result.Reached...)
	if o.plan.measured {
		o.orders = append(o.orders[:0], w.orders.pairs...)
	}
	return result
}
