package explore

import (
	"testing"
	"time"

	"github.com/heddle-go/heddle/sched"
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

// relay is a producer, a worker that selects, and a timer that ends it: about 20 steps.
func relay() program {
	return program{&sim.Scenario{Name: "relay", Setup: func(w *sim.World) func() {
		h := w.Host()
		s := h.Scheduler()
		work, results, quit := sched.NewChan[int](s, 1), sched.NewChan[int](s, 2), sched.NewChan[int](s, 1)
		timer := h.Clock().NewTimer(time.Second)
		produce := func() {
			work.Send(1)
			work.Send(2)
			quit.Send(1)
		}
		relay := func() {
			for {
				in, stop := sched.Recv(work), sched.Recv(quit)
				if sched.Select2(&in, &stop) == 1 {
					return
				}
				results.TrySend(in.Value)
			}
		}
		watch := func() {
			timer.C.Recv()
			for results.Len() > 0 {
				results.Recv()
			}
		}
		return func() {
			h.Go("producer", produce)
			h.Go("relay", relay)
			h.Go("watch", watch)
		}
	}}, func() string { return "" }, sim.Options{}, false}
}

// BenchmarkExecution is an execution of an exploration against a bare run of the same program, which decides nothing and looks at
// nothing. allocs-beyond are those that the bare run has not.
func BenchmarkExecution(b *testing.B) {
	for _, c := range []struct {
		name    string
		program program
	}{{"readers-13", readers(13)}, {"filesystem-26", filesystem(26)}, {"relay", relay()}} {
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
			x := newWalk(newPlan(strictness{}, nil), 0)
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
			explore(50_000) // until its memory suffices
			bareAllocs := testing.AllocsPerRun(100, func() { bare(1) })
			allocs := testing.AllocsPerRun(500, func() { explore(1) })
			per := bare(5000)
			b.ResetTimer()
			explore(b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(per), "x-bare")
			b.ReportMetric(allocs-bareAllocs, "allocs-beyond")
		})
	}
}

// BenchmarkWorkers is a whole exploration by two workers against one.
func BenchmarkWorkers(b *testing.B) {
	explore := func(workers int) time.Duration {
		begin := time.Now()
		report, err := Run(b.Context(), Config{Scenario: filesystem(26).scenario, Workers: workers})
		if err != nil || !report.Complete || report.Executions != 8192 || report.Blocked != 0 {
			b.Fatal(err, report)
		}
		return time.Since(begin)
	}
	var one, two time.Duration
	for b.Loop() {
		one += explore(1)
		two += explore(2)
	}
	b.ReportMetric(float64(one)/float64(two), "x-faster")
}
