package sim_test

import (
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// Benchmarks of the simulator against what it stands on. Each measures both in turns and reports the median of the ratios.

const turns = 21

// median of the turns of f.
func median(f func() float64) float64 {
	results := make([]float64, turns)
	for i := range results {
		results[i] = f()
	}
	slices.Sort(results)
	return results[turns/2]
}

// roundTrip is the time of a bare iter.Pull round trip, there and back, over n of them.
func roundTrip(n int) time.Duration {
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		for yield(struct{}{}) {
		}
	})
	defer stop()
	next()
	begin := time.Now()
	for range n {
		next()
	}
	return time.Since(begin) / time.Duration(n)
}

// randomly is a source of the random strategy.
func randomly(b *testing.B) strategy.Source {
	random, err := strategy.Parse("random")
	if err != nil {
		b.Fatal(err)
	}
	return random.Source()
}

// ring is a program whose tasks each make rounds of blocking operations: they lock one of two mutexes and pass tokens round
// a ring of unbuffered and buffered channels. It returns when they have ended.
func ring(s sched.Scheduler, tasks, rounds int) {
	ring := make([]*sched.Chan[int], tasks)
	for i := range ring {
		ring[i] = sched.NewChan[int](s, i%2)
	}
	locks := []sched.Mutex{sched.NewMutex(s), sched.NewMutex(s)}
	done := sched.NewWaitGroup(s)
	done.Add(tasks)
	for i := range tasks {
		s.Go("busy", func() {
			defer done.Done()
			for n := range rounds {
				mu := &locks[(i+n)%2]
				mu.Lock()
				mu.Unlock()
				if i == 0 {
					ring[0].Send(n)
					ring[tasks-1].Recv()
				} else {
					ring[i-1].Recv()
					ring[i].Send(n)
				}
			}
		})
	}
	done.Wait()
}

// busy is the ring as a scenario.
func busy(tasks, rounds int) *sim.Scenario {
	return &sim.Scenario{Name: "busy", Setup: func(w *sim.World) func() {
		return func() { ring(w.Host().Scheduler(), tasks, rounds) }
	}}
}

// BenchmarkStep is one scheduling step with blocking mutexes and channels (bar: 1.5 round trips, no allocation). x-goroutines is
// the time of the whole program against that of the same program on bare goroutines.
func BenchmarkStep(b *testing.B) {
	for _, tasks := range []int{3, 4, 8, 16} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			source, runner := randomly(b), sim.NewRunner()
			run := func(rounds int) (steps int64) {
				source.Begin(uint64(rounds), 0)
				result, err := runner.Run(busy(tasks, rounds), sim.RunConfig{Source: source, MaxSteps: 1 << 40})
				if err != nil || result.Failure != nil {
					b.Fatal(err, result.Failure)
				}
				return result.Steps
			}
			perRound := run(1000) / 1000
			rounds := b.N/int(perRound)/turns + 1
			run(rounds)
			fastest := math.Inf(1)
			b.ReportAllocs()
			b.ResetTimer()
			ratio := median(func() float64 {
				begin := time.Now()
				steps := run(rounds)
				perStep := float64(time.Since(begin)) / float64(steps)
				fastest = min(fastest, perStep)
				b.StopTimer()
				defer b.StartTimer()
				return perStep / float64(roundTrip(max(10_000, rounds*int(perRound))))
			})
			begin := time.Now()
			run(rounds)
			simulated := time.Since(begin)
			begin = time.Now()
			ring(sched.Goroutines(), tasks, rounds)
			b.ReportMetric(float64(simulated)/float64(time.Since(begin)), "x-goroutines")
			b.ReportMetric(ratio, "x-pull")
			b.ReportMetric(fastest, "ns/step")
		})
	}
}

// BenchmarkWorld is a world with three tasks that do next to nothing, set up and torn down (bar: 2 us beyond its steps).
func BenchmarkWorld(b *testing.B) {
	for _, tasks := range []int{0, 3, 8} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			source, runner := randomly(b), sim.NewRunner()
			empty := &sim.Scenario{Name: "empty", Setup: func(w *sim.World) func() {
				s := w.Host().Scheduler()
				mu := sched.NewMutex(s)
				return func() {
					for range tasks {
						s.Go("task", func() {
							mu.Lock()
							mu.Unlock()
						})
					}
				}
			}}
			var steps int64
			b.ReportAllocs()
			for b.Loop() {
				source.Begin(1, 0)
				result, err := runner.Run(empty, sim.RunConfig{Source: source})
				if err != nil || result.Failure != nil {
					b.Fatal(err, result.Failure)
				}
				steps = result.Steps
			}
			step := median(func() float64 {
				begin := time.Now()
				source.Begin(1, 0)
				result, err := runner.Run(busy(max(tasks, 2), 500), sim.RunConfig{Source: source})
				if err != nil {
					b.Fatal(err)
				}
				return float64(time.Since(begin)) / float64(result.Steps)
			})
			perRun := float64(b.Elapsed()) / float64(b.N)
			b.ReportMetric(float64(steps), "steps/run")
			b.ReportMetric((perRun-float64(steps)*step)/1000, "us-beyond-steps")
		})
	}
}

// BenchmarkWorkers is two runners on two goroutines against one (bar: 1.8, where two bare coroutines reach 2: on a machine
// that does other work they do not).
func BenchmarkWorkers(b *testing.B) {
	if runtime.GOMAXPROCS(0) < 2 {
		b.Skip("one processor")
	}
	const runs, rounds = 200, 20
	speedup := func(work func()) float64 {
		timed := func(workers int) time.Duration {
			var group sync.WaitGroup
			begin := time.Now()
			for range workers {
				group.Go(work)
			}
			group.Wait()
			return time.Since(begin)
		}
		return median(func() float64 { return 2 * float64(timed(1)) / float64(timed(2)) })
	}
	work := func() {
		source, runner := randomly(b), sim.NewRunner()
		for seed := range uint64(runs) {
			source.Begin(seed, 0)
			if _, err := runner.Run(busy(4, rounds), sim.RunConfig{Source: source}); err != nil {
				b.Error(err)
			}
		}
	}
	for b.Loop() {
		work()
	}
	b.ReportMetric(speedup(work), "x-one-worker")
	b.ReportMetric(speedup(func() { roundTrip(runs * rounds * 30) }), "x-one-pull")
}

// BenchmarkTeardown is what it costs to unwind tasks that are blocked for ever, a run that fails.
func BenchmarkTeardown(b *testing.B) {
	source, runner := randomly(b), sim.NewRunner()
	stuck := &sim.Scenario{Name: "stuck", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		c := sched.NewChan[int](s, 0)
		return func() {
			for range 8 {
				s.Go("task", func() { c.Recv() })
			}
			sched.Yield(s)
			w.Fail("wanted", "the end")
		}
	}}
	b.ReportAllocs()
	for b.Loop() {
		source.Begin(1, 0)
		if _, err := runner.Run(stuck, sim.RunConfig{Source: source}); err != nil {
			b.Fatal(err)
		}
	}
}
