package shrink_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// counter reads and writes in two steps, so that some interleaving loses an increment.
var counter = &sim.Scenario{
	Name: "counter",
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		return func() {
			done.Add(3)
			for range 3 {
				s.Go("adder", func() {
					defer done.Done()
					n.Store(n.Load() + 1)
				})
			}
			done.Wait()
			if n.Load() != 3 {
				w.Fail("counted", "three increments made %d", n.Load())
			}
		}
	},
}

// What a search finds is made smaller, and then explained.
func ExampleFailure() {
	ctx := context.Background()
	random, err := strategy.Parse("random")
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := search.Run(ctx, search.Config{Scenarios: []*sim.Scenario{counter}, Seed: "1", Strategy: random, Runs: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	limits := shrink.Limits{Steps: shrink.UsualSteps}
	for _, f := range report.Failures() {
		small, result, err := shrink.Failure(ctx, counter, f.Full, limits)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Ended, "- smaller:", result.After.Less(result.Before), "- context switches:", result.After.Switches)
		why, err := shrink.Explain(ctx, counter, small.Full, limits)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(why.Message)
		for _, sentence := range why.Bug {
			fmt.Println(sentence)
		}
	}
	// Output:
	// complete - smaller: true - context switches: 1
	// three increments made 2
	// main/adder#3's start (step 8) until store setup:atomic (step 10) between main/adder's load setup:atomic (step 7) and store setup:atomic (step 12)
}
