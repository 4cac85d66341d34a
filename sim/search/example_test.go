package search_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// A counter is read and written in two steps. Some interleaving loses an increment; a search finds one.
func ExampleRun() {
	counter := &sim.Scenario{
		Name: "counter",
		Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
			return func() {
				done.Add(2)
				for range 2 {
					w.Host().Go("counter", func() {
						n.Store(n.Load() + 1)
						done.Done()
					})
				}
				done.Wait()
				if n.Load() != 2 {
					w.Fail("counted", "two increments made %d", n.Load())
				}
			}
		},
	}
	mix, err := strategy.Parse(strategy.Default)
	if err != nil {
		panic(err)
	}
	report, err := search.Run(context.Background(), search.Config{
		Scenarios: []*sim.Scenario{counter}, Seed: "any text", Strategy: mix, Runs: 1000,
	})
	if err != nil {
		panic(err)
	}
	for _, f := range report.Failures() {
		fmt.Printf("%s: %s\n", f.Property, f.Message)
		replayed, err := search.Replay(counter, f.Full, nil)
		fmt.Println("replays:", replayed.Same, err)
	}
	// Output:
	// counted: two increments made 1
	// replays: true <nil>
}
