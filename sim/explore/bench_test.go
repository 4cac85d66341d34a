package explore

import (
	"testing"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// straight lets whoever moved go on, and else the first who can.
type straight struct{}

func (straight) Schedule(current *choice.Actor, enabled, _ []*choice.Actor) int {
	for i, a := range enabled {
		if a == current {
			return i
		}
	}
	return 0
}

func (straight) Value(choice.Site, int) int { return 0 }

// BenchmarkExecution is an execution of an exploration against a bare run of the same program, which decides nothing and looks at
// nothing. allocs-beyond are those that the bare run has not.
func BenchmarkExecution(b *testing.B) {
	for _, c := range []struct {
		name    string
		program program
	}{{"readers-13", readers(13)}, {"filesystem-26", filesystem(26)}} {
		b.Run(c.name, func(b *testing.B) {
			runner := sim.NewRunner()
			defer runner.Close()
			bare := func(n int) time.Duration {
				begin := time.Now()
				for range n {
					if _, err := runner.Run(c.program.scenario, sim.RunConfig{Source: straight{}}); err != nil {
						b.Fatal(err)
					}
				}
				return time.Since(begin) / time.Duration(n)
			}
			x := newWalk(newPlan(0), 0)
			x.first()
			explore := func(n int) {
				for range n {
					x.start()
					if _, err := runner.Run(c.program.scenario, sim.RunConfig{Source: x, Listener: x}); err != nil {
						b.Fatal(err)
					}
					if !x.next() { // begin anew with the same memory
						x.plan.over = false
						x.plan.begin()
						x.first()
					}
				}
			}
			explore(10_000)
			bareAllocs := testing.AllocsPerRun(100, func() { bare(1) })
			allocs := testing.AllocsPerRun(500, func() { explore(1) })
			per := bare(1000)
			b.ResetTimer()
			explore(b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(per), "x-bare")
			b.ReportMetric(allocs-bareAllocs, "allocs-beyond")
		})
	}
}
