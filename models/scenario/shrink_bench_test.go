package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// ledger is a program of six tasks that book under a lock, about a thousand steps in all. Two of its bookings are read in one
// critical section and written in another.
func ledger() *sim.Scenario { return ledgerOf(80) }

func ledgerOf(rounds int) *sim.Scenario {
	return &sim.Scenario{Name: "ledger", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		mutex, done := sched.NewMutex(s), sched.NewWaitGroup(s)
		balance := 0
		return func() {
			done.Add(6)
			for i := range 6 {
				w.Host().Go("clerk", func() {
					defer done.Done()
					for round := range rounds {
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
			if balance != 6*rounds {
				w.Fail("balance", "it is %d after %d bookings of 1", balance, 6*rounds)
			}
		}
	}}
}

// slowAgent is the default scenario with a failure: the agent violates nothing, so what stands for one is that all takes very long, which
// needs certain inputs, faults and delays.
func slowAgent() *sim.Scenario {
	agent := scenario.SmallAgent()
	return &sim.Scenario{Name: agent.Name, Setup: func(w *sim.World) func() {
		main := agent.Setup(w)
		return func() {
			main()
			if w.Elapsed() > 4*time.Minute {
				w.Fail("slow", "it took %s", w.Elapsed())
			}
		}
	}}
}

// BenchmarkShrink makes failures of about 1,000 steps smaller that the random strategy has found, and explains them. x-bar is the time of
// shrinking beside the bar: 1 s for a small program, 5 s for the agent, on one core. x-run is the time of a replay beside that of a run that is
// only made.
func BenchmarkShrink(b *testing.B) {
	for _, c := range []struct {
		name     string
		scenario *sim.Scenario
		bar      time.Duration
	}{
		{"small-program", ledger(), time.Second},
		{"agent", slowAgent(), 5 * time.Second},
	} {
		b.Run(c.name, func(b *testing.B) {
			failures := aboutThousandSteps(b, c.scenario, 10)
			total := map[string]float64{}
			var shrinking, explaining time.Duration
			b.ResetTimer()
			for i := range b.N {
				begun := time.Now()
				small, result, err := shrink.Failure(b.Context(), c.scenario, failures[i%len(failures)].Full, shrink.Limits{})
				shrinking += time.Since(begun)
				require.NoError(b, err)
				require.Equal(b, shrink.Complete, result.Ended)
				begun = time.Now()
				_, err = shrink.Explain(b.Context(), c.scenario, small.Full, shrink.Limits{})
				explaining += time.Since(begun)
				require.NoError(b, err)
				for metric, value := range map[string]int64{
					"replays/op": int64(result.Replays), "replayed-steps": result.Steps, "steps": result.Before.Steps, "steps-after": result.After.Steps,
					"inputs-after": int64(result.After.Inputs), "faults-after": result.After.Faults,
					"switches-before": int64(result.Before.Switches), "switches-after": int64(result.After.Switches),
				} {
					total[metric] += float64(value)
				}
			}
			for metric, sum := range total {
				b.ReportMetric(sum/float64(b.N), metric)
			}
			b.ReportMetric(shrinking.Seconds()/float64(b.N)/c.bar.Seconds(), "x-bar")
			b.ReportMetric(explaining.Seconds()/float64(b.N), "explain-s")
			b.ReportMetric(shrinking.Seconds()/total["replays/op"]/bareRun(b, c.scenario), "x-run")
		})
	}
}

// aboutThousandSteps are failures of 800 to 1,200 steps.
func aboutThousandSteps(b *testing.B, sc *sim.Scenario, n int) (failures []*search.Failure) {
	random, err := strategy.Parse("random")
	require.NoError(b, err)
	for seed := 0; len(failures) < n; seed++ {
		report, err := search.Run(b.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: fmt.Sprint(seed), Strategy: random, Runs: 1000})
		require.NoError(b, err)
		for _, f := range report.Failures() {
			if f.Steps >= 800 && f.Steps <= 1200 {
				failures = append(failures, f)
			}
		}
	}
	return failures
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

// spinner is a task that waits, without ever resting, for somebody who may have been told that it is not worth while.
func spinner() *sim.Scenario {
	return &sim.Scenario{Name: "spinner", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		late, done := sched.NewAtomicBool(s, false), sched.NewAtomicBool(s, false)
		return func() {
			w.Host().Go("helper", func() {
				if !late.Load() {
					done.Store(true)
				}
			})
			late.Store(true)
			for !done.Load() {
			}
		}
	}}
}

// BenchmarkShrinkLong makes failures of a million steps smaller. x-replays is the time beside that of one replay of the failure.
func BenchmarkShrinkLong(b *testing.B) {
	for _, sc := range []*sim.Scenario{spinner(), ledgerOf(80_000)} {
		b.Run(sc.Name, func(b *testing.B) {
			random, err := strategy.Parse("random")
			require.NoError(b, err)
			report, err := search.Run(b.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: "1", Strategy: random, Runs: 100})
			require.NoError(b, err)
			require.Len(b, report.Failures(), 1)
			failure := report.Failures()[0]
			begun := time.Now()
			_, err = search.Replay(sc, failure.Full, nil)
			require.NoError(b, err)
			replay := time.Since(begun)
			b.ResetTimer()
			var result shrink.Result
			for range b.N {
				_, result, err = shrink.Failure(b.Context(), sc, failure.Full, shrink.Limits{Steps: 100_000_000})
				require.NoError(b, err)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/replay.Seconds(), "x-replays")
			b.ReportMetric(float64(result.Replays), "replays/op")
			b.ReportMetric(float64(result.Steps), "replayed-steps")
			b.ReportMetric(float64(result.Before.Steps), "steps")
			b.ReportMetric(float64(result.Before.Switches), "switches-before")
			b.ReportMetric(float64(result.After.Switches), "switches-after")
		})
	}
}
