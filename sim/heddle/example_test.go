package heddle_test

import (
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/heddle"
)

// The main package of a heddle command with a scenario of its own: go run of it takes run, explore, replay and all else.
func ExampleMain() {
	heddle.Main(&sim.Scenario{
		Name:       "counter",
		Summary:    "two tasks count",
		Properties: []sim.Property{{ID: "counted", Statement: "no increment is lost"}},
		Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
			return func() {
				done.Add(2)
				for range 2 {
					s.Go("increment", func() {
						defer done.Done()
						n.Store(n.Load() + 1)
					})
				}
				done.Wait()
				if got := n.Load(); got != 2 {
					w.Fail("counted", "two increments make %d", got)
				}
			}
		},
	})
}
