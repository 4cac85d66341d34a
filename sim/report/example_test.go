package report_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
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

// searchOfCounter is a search of the counter, ready to be written.
func searchOfCounter(runs int64) (report.Search, error) {
	s := report.Search{Seed: "any text", Strategy: strategy.Default, Scenarios: []*sim.Scenario{counter}}
	mix, err := strategy.Parse(s.Strategy)
	if err != nil {
		return s, err
	}
	found, err := search.Run(context.Background(), search.Config{Scenarios: s.Scenarios, Seed: s.Seed, Strategy: mix, Runs: runs})
	if err != nil {
		return s, err
	}
	s.Reports = found.Scenarios
	return s, report.Locate(s.Scenarios, s.Reports)
}

// In a workflow of GitHub, what is written to standard output stands beside the line of the program that decides.
func ExampleWriteGitHub() {
	s, err := searchOfCounter(1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	var out strings.Builder
	if err := report.WriteGitHub(&out, s); err != nil {
		fmt.Println(err)
		return
	}
	annotation, _, _ := strings.Cut(out.String(), "%0Arun ") // which run it was, and the line that repeats it
	fmt.Println(annotation)
	// Output:
	// ::error file=sim/report/example_test.go,line=31,title=counter violates counted::two increments made 1%0Adecided at sim/report/example_test.go:31, step 15, by main
}
