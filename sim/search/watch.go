package search

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/heddle-go/heddle/sim"
)

// watchEvery is how often the watch looks at the workers and reports progress.
const watchEvery = 200 * time.Millisecond

// StuckError says that a run has made no step for too long: a task waits for something outside the simulation, such as a native
// lock held by a parked task, or never comes to a point.
type StuckError struct {
	Scenario string
	Seed     string // of the run; empty if it has none
	After    time.Duration
	Stack    string // of the goroutines that belong to runs and are not parked
}

// Error is one line; the stack is apart.
func (e *StuckError) Error() string {
	run := "a run"
	if e.Seed != "" {
		run = "the run of seed " + e.Seed
	}
	return fmt.Sprintf("scenario %s is stuck: no step for %s in %s (a native lock or channel in a task? an endless loop?)", e.Scenario, e.After, run)
}

// Watched lets job, which makes runs of a scenario with the runners, go on until it ends, and answers its error; or a [StuckError] as
// soon as none has made a step for too long. One of them must be in a run all the time, but for moments.
func Watched(sc *sim.Scenario, runners []*sim.Runner, job func() error) error {
	done := make(chan error, 1)
	go func() { done <- job() }()
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	since := time.Now()
	poke := func() (silent bool) {
		silent = true
		for _, r := range runners {
			silent = silent && r.Poked()
		}
		if !silent {
			for _, r := range runners {
				r.Poke()
			}
		}
		return silent
	}
	poke()
	for {
		select {
		case err := <-done:
			return err
		case now := <-ticker.C:
			if !poke() {
				since = now
			} else if now.Sub(since) >= stuckAfter {
				return &StuckError{Scenario: sc.Name, After: stuckAfter, Stack: runningStacks()}
			}
		}
	}
}

// watch looks at the workers from outside until end is called: it reports a run that has made no step for limit, and lets
// tick run each time.
func (c *crew) watch(limit time.Duration, tick func()) (end func()) {
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		since := make([]patience, len(c.workers))
		for {
			select {
			case <-stop:
				return
			case now := <-ticker.C:
				tick()
				for i, w := range c.workers {
					if since[i].lost(w, now, limit) {
						a := since[i].attempt
						c.stuck <- &StuckError{Scenario: a.scenario.Name, Seed: seedText(a.seed), After: limit, Stack: runningStacks()}
						return
					}
				}
			}
		}
	})
	return func() {
		close(stop)
		wait.Wait()
	}
}

// patience is how long a worker has been without a step.
type patience struct {
	attempt *attempt
	since   time.Time
}

// lost asks for a sign of life and says whether there has been none for the limit.
func (p *patience) lost(w *worker, now time.Time, limit time.Duration) bool {
	a := w.running.Load()
	if a == nil || a != p.attempt || !w.runner.Poked() {
		p.attempt, p.since = a, now
		if a != nil {
			w.runner.Poke()
		}
		return false
	}
	return now.Sub(p.since) >= limit
}

// runningStacks are the stacks of the goroutines that are inside the simulator and are not parked there.
func runningStacks() string {
	const most = 1 << 28 // bytes; the stacks of a hundred thousand parked tasks
	size := 1 << 20
	buffer := make([]byte, size)
	n := runtime.Stack(buffer, true)
	for n == size && size < most {
		size *= 2
		buffer = make([]byte, size)
		n = runtime.Stack(buffer, true)
	}
	buffer = buffer[:n]
	var kept []string
	for _, g := range strings.Split(string(buffer), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if strings.Contains(g, "/internal/kernel.(*Kernel)") && !strings.Contains(head, "[coroutine") {
			kept = append(kept, g)
		}
	}
	return strings.Join(kept, "\n\n")
}
