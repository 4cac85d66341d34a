package simtest_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/simtest"
	"github.com/heddle-go/heddle/sim/strategy"
)

const turns = 21

// cost is what something took: by the clock, and of processors. On a busy machine the second says more.
type cost struct{ wall, cpu time.Duration }

// against reports the median of what one costs beside the other, measured in turns.
func against(b *testing.B, one, other func() cost) {
	var wall, cpu []float64
	one()
	other()
	for b.Loop() {
		wall, cpu = wall[:0], cpu[:0]
		for i := range turns {
			var x, y cost
			if i%2 == 0 {
				x, y = one(), other()
			} else {
				y, x = other(), one()
			}
			wall = append(wall, float64(x.wall)/float64(y.wall))
			cpu = append(cpu, float64(x.cpu)/float64(y.cpu))
		}
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	b.ReportMetric(wall[turns/2], "x-search")
	b.ReportMetric(cpu[turns/2], "x-search-cpu")
	b.ReportMetric(0, "ns/op")
}

// here is what f costs in this process.
func here(b *testing.B, f func()) cost {
	used := func() time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	begin, before := time.Now(), used()
	f()
	return cost{time.Since(begin), used() - before}
}

// BenchmarkRun is a test against the search that it makes (bar: 1.1 x).
func BenchmarkRun(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as heddle run does
	mix, err := strategy.Parse(strategy.Default)
	if err != nil {
		b.Fatal(err)
	}
	counter := &sim.Scenario{Name: "counter", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		mu, done, n := sched.NewMutex(s), sched.NewWaitGroup(s), 0
		return func() {
			done.Add(3)
			for range 3 {
				s.Go("counter", func() {
					defer done.Done()
					mu.Lock()
					n++
					mu.Unlock()
				})
			}
			done.Wait()
		}
	}}
	for _, runs := range []int64{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("runs=%d", runs), func(b *testing.B) {
			tests := []testing.InternalTest{{Name: "TestCounter", F: func(t *testing.T) { simtest.Run(t, counter, simtest.Runs(runs)) }}}
			again := max(1, 10_000/int(runs))
			test := func() {
				for range again {
					if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, tests) {
						b.Fatal("the test fails")
					}
				}
			}
			bare := func() {
				for range again {
					report, err := search.Run(context.Background(), search.Config{Scenarios: []*sim.Scenario{counter}, Seed: "1", Strategy: mix, Runs: runs})
					if err != nil || len(report.Failures()) > 0 {
						b.Fatal(err, report.Failures())
					}
				}
			}
			against(b, func() cost { return here(b, test) }, func() cost { return here(b, bare) })
		})
	}
}

// BenchmarkBesideHeddleRun is the process of a test, once built, against heddle run of the same runs (bar: 1.1 x).
func BenchmarkBesideHeddleRun(b *testing.B) {
	for name, runs := range map[string]string{"small-agent": "1000", "litmus/ab-ba-deadlock-fixed": "20000"} {
		b.Run(name, func(b *testing.B) {
			m := newModule(b, "\nfunc TestIt(t *testing.T) {\n\tfor _, sc := range scenario.All() {\n\t\tif sc.Name == \""+name+"\" {\n\t\t\tsimtest.Run(t, sc)\n\t\t}\n\t}\n}\n")
			m.edit("import (", "import (\n\t\"github.com/heddle-go/heddle/models/scenario\"")
			test := m.binary()
			heddle := filepath.Join(filepath.Dir(m.dir), "heddle")
			if output, status := m.run("go", "build", "-o", heddle, "github.com/heddle-go/heddle/cmd/heddle"); status != 0 {
				b.Fatal(output)
			}
			run := func(name string, args ...string) func() cost {
				return func() cost {
					c := exec.Command(name, args...)
					c.Dir = m.dir
					begin := time.Now()
					if output, err := c.CombinedOutput(); err != nil {
						b.Fatalf("%v\n%s", err, output)
					}
					return cost{time.Since(begin), c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
				}
			}
			against(b, run(test, "-test.run=TestIt", "-heddle.runs="+runs), run(heddle, "run", name, "--runs", runs, "--seed", "1"))
		})
	}
}
