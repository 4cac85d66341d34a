package strategy_test

import (
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// counter reads and writes in two steps, so that some interleaving loses an increment.
var counter = &sim.Scenario{
	Name: "counter",
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		return func() {
			done.Add(2)
			for range 2 {
				s.Go("adder", func() {
					defer done.Done()
					n.Store(n.Load() + 1)
				})
			}
			done.Wait()
			if n.Load() != 2 {
				w.Fail("counted", "two increments made %d", n.Load())
			}
		}
	},
}

// A strategy has a name. Its source decides one run after another, each from a seed alone.
func ExampleParse() {
	pct, err := strategy.Parse("pct:2")
	if err != nil {
		fmt.Println(err)
		return
	}
	source, runner := pct.Source(), sim.NewRunner()
	defer runner.Close()
	var length int64 // nobody knows yet
	for seed := range uint64(1000) {
		source.Begin(seed, length)
		result, err := runner.Run(counter, sim.RunConfig{Source: source})
		if err != nil {
			fmt.Println(err)
			return
		}
		if result.Failure != nil {
			fmt.Println(pct.Name(), "finds:", result.Failure.Message)
			break
		}
		length = source.Choices()
	}
	// Output: pct:2 finds: two increments made 1
}

// What pct promises of a program of 3 actors and 100 choices: each run finds a bug of depth 2 with that chance, whatever the bug is.
func ExampleGuarantee() {
	fmt.Printf("1 in %.0f\n", 1/strategy.Guarantee(2, 3, 100))
	// Output: 1 in 300
}
