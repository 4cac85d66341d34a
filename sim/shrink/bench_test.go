package shrink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// ledger is a program of six tasks that book under a lock, about a thousand steps in all. Two of its bookings are read in one
// critical section and written in another.
func ledger() *sim.Scenario {
	return &sim.Scenario{Name: "ledger", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		mutex, done := sched.NewMutex(s), sched.NewWaitGroup(s)
		balance := 0
		return func() {
			done.Add(6)
			for i := range 6 {
				w.Host().Go("clerk", func() {
					defer done.Done()
					for round := range 80 {
						mutex.Lock()
						before := balance
						if i%3 == 0 && round == 40 {
							mutex.Unlock()
							mutex.Lock()
						}
						balance = before + 1
						mutex.Unlock()
					}
				})
			}
			done.Wait()
			if balance != 480 {
				w.Fail("balance", "it is %d after 480 bookings of 1", balance)
			}
		}
	}}
}

// BenchmarkSmallProgram shrinks failures of about 1,000 steps that the random strategy has found. The bar is a second for each.
// x-run is the time of a replay beside that of a run that is only made.
func BenchmarkSmallProgram(b *testing.B) {
	sc := ledger()
	random, err := strategy.Parse("random")
	require.NoError(b, err)
	var failures []*search.Failure
	for seed := range 20 {
		report, err := search.Run(b.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: fmt.Sprint(seed), Strategy: random, Runs: 1000})
		require.NoError(b, err)
		failures = append(failures, report.Failures()...)
	}
	require.Len(b, failures, 20)
	var replays, steps, before, after float64
	b.ResetTimer()
	for i := range b.N {
		small, result, err := shrink.Failure(b.Context(), sc, failures[i%len(failures)].Full, shrink.Limits{})
		require.NoError(b, err)
		require.Equal(b, shrink.Complete, small.Ended)
		replays += float64(result.Replays)
		steps += float64(result.Before.Steps)
		before += float64(result.Before.Switches)
		after += float64(result.After.Switches)
	}
	n := float64(b.N)
	b.ReportMetric(replays/n, "replays/op")
	b.ReportMetric(steps/n, "steps")
	b.ReportMetric(before/n, "switches-before")
	b.ReportMetric(after/n, "switches-after")
	b.ReportMetric(b.Elapsed().Seconds()/replays/bareRun(b, sc), "x-run")
}

// bareRun is the seconds of a run under the random strategy.
func bareRun(b *testing.B, sc *sim.Scenario) float64 {
	const runs = 300
	random, err := strategy.Parse("random")
	require.NoError(b, err)
	source, runner := random.Source(), sim.NewRunner()
	defer runner.Close()
	begun := time.Now()
	for seed := range uint64(runs) {
		source.Begin(seed, 1000)
		_, err := runner.Run(sc, sim.RunConfig{Source: source})
		require.NoError(b, err)
	}
	return time.Since(begun).Seconds() / runs
}
