package search

import (
	"sync/atomic"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// crew is the workers of a search. Scenario code runs on them only, so that the coordinator can give up on one that is stuck.
type crew struct {
	workers  []*worker
	failures atomic.Int64     // reported so far
	stuck    chan *StuckError // at most one
}

func newCrew(n int) *crew {
	c := &crew{stuck: make(chan *StuckError, 1)}
	for range n {
		c.workers = append(c.workers, &worker{runner: sim.NewRunner(), sources: map[string]strategy.Source{}})
	}
	return c
}

// close gives back what the runners keep. A crew with a worker that is stuck cannot be closed.
func (c *crew) close() {
	for _, w := range c.workers {
		w.runner.Close()
	}
}

// all lets every worker do the job and waits for them. The error is that of a worker that is stuck.
func (c *crew) all(job func(*worker)) error { return c.do(c.workers, job) }

// one lets a single worker do the job and waits for it.
func (c *crew) one(job func(*worker)) error { return c.do(c.workers[:1], job) }

func (c *crew) do(workers []*worker, job func(*worker)) error {
	done := make(chan struct{}, len(workers))
	for _, w := range workers {
		go func() {
			job(w)
			done <- struct{}{}
		}()
	}
	for range workers {
		select {
		case <-done:
		case stuck := <-c.stuck:
			return stuck
		}
	}
	return nil
}
