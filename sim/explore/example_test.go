package explore_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/explore"
)

// counter counts to two, with two tasks that add one each.
func counter(name string, add func(n *sched.AtomicInt64)) *sim.Scenario {
	return &sim.Scenario{
		Name: name,
		Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
			return func() {
				done.Add(2)
				for range 2 {
					s.Go("adder", func() {
						defer done.Done()
						add(n)
					})
				}
				done.Wait()
				if n.Load() != 2 {
					w.Fail("counted", "two increments made %d", n.Load())
				}
			}
		},
	}
}

// An exploration finds the bug that there is, and shows that there is none where it was mended: it has made every run that could come out
// differently.
func ExampleRun() {
	for _, sc := range []*sim.Scenario{
		counter("in-two-steps", func(n *sched.AtomicInt64) { n.Store(n.Load() + 1) }),
		counter("in-one-step", func(n *sched.AtomicInt64) { n.Add(1) }),
	} {
		report, err := explore.Run(context.Background(), explore.Config{Scenario: sc, KeepGoing: true})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(report.Scenario, "- complete:", report.Complete, "- runs:", report.Executions)
		for _, f := range report.Failures {
			fmt.Printf("%s: %s, in %d of them\n", f.Property, f.Message, f.Runs)
		}
	}
	// Output:
	// in-two-steps - complete: true - runs: 4
	// counted: two increments made 1, in 2 of them
	// in-one-step - complete: true - runs: 2
}
