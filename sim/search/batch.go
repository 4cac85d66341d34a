package search

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// plan is all that decides a run, beside its scenario and its data seed.
type plan struct {
	strategy strategy.Strategy // a single one
	seed     uint64
	length   int64          // of a run, as learnt; 0: unknown
	known    strategy.Known // what else was learnt
	reached  bool           // what it comes to is wanted
	measured bool           // it is a draw of how much is left: see Behaviour
	options  sim.Options
}

// outcome is what a run came to.
type outcome struct {
	index     int64 // within its batch
	plan      plan
	attempt   attempt
	done      bool
	steps     int64
	elapsed   time.Duration
	choices   int64
	actors    int64
	hash      uint64
	abandoned int
	faults    []sim.FaultCount
	sometimes []string
	reached   []choice.Reached // if that is wanted
	orders    []uint64         // of a measured one
	failure   *sim.Failure
	err       error
}

// batch is some runs of a scenario that workers share out among themselves. Runs are begun in the order of their index, and each
// that is begun is completed, so those that are done are the first so many.
type batch struct {
	scenario *sim.Scenario
	learns   bool  // workers keep the lessons of the runs
	first    int64 // index of the first run
	outcomes []outcome
	next     atomic.Int64            // run to begin next, from 0 within the batch
	limit    atomic.Int64            // runs from here on do not matter any more
	ends     func(*sim.Failure) bool // says whether a failure ends the search
}

// begin takes the next n runs of the lane. It is the only place where what was learnt enters a run.
func (b *batch) begin(l *lane, n int, ends func(*sim.Failure) bool) {
	b.scenario, b.learns, b.first, b.ends = l.scenario, l.strategy.Learns(), l.report.Runs, ends
	if cap(b.outcomes) < n {
		b.outcomes = make([]outcome, n, strategy.Generation)
	}
	b.outcomes = b.outcomes[:n]
	for i := range b.outcomes {
		o := &b.outcomes[i]
		index := b.first + int64(i)
		seed := runSeed(l.seed, index)
		part := l.shares.Part(l.strategy, index, seed)
		p := plan{strategy: part, seed: seed, length: l.lengths.Draw(part, seed), measured: measured(part, index), options: l.options}
		p.reached = p.measured || part.IsGuided() || l.strategy.IsMix()
		p.known.Weights = l.lessons.Draw(part, seed)
		if part.IsGuided() {
			begun := l.corpus.Plan(p.seed, p.length)
			p.seed, p.length, p.known.Forks = begun.Seed, begun.Length, begun.Forks
		}
		*o = outcome{
			index: int64(i), plan: p, attempt: attempt{scenario: l.scenario, seed: p.seed},
			faults: o.faults[:0], sometimes: o.sometimes[:0], reached: o.reached[:0], orders: o.orders[:0],
		}
	}
	b.next.Store(0)
	b.limit.Store(int64(n))
}

// claim is the next run that a worker should make; nil if there is none.
func (b *batch) claim(ctx context.Context) *outcome {
	if ctx.Err() != nil {
		return nil
	}
	i := b.next.Add(1) - 1
	if i >= b.limit.Load() {
		return nil
	}
	return &b.outcomes[i]
}

// finish notes that the run is complete. After a failure that ends the search, later runs need not be begun.
func (b *batch) finish(o *outcome) {
	o.done = true
	if o.err == nil && (o.failure == nil || !b.ends(o.failure)) {
		return
	}
	for {
		limit := b.limit.Load()
		if o.index+1 >= limit || b.limit.CompareAndSwap(limit, o.index+1) {
			return
		}
	}
}

// completed is how many runs of the batch count, once all workers are done with it.
func (b *batch) completed() int {
	n := 0
	for n < int(b.limit.Load()) && b.outcomes[n].done {
		n++
	}
	return n
}
