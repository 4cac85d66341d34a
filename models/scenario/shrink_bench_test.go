package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkShrinkAgent shrinks runs of the default scenario of about 1,000 steps. The agent violates nothing; what stands for
// a failure is that all takes very long, which needs certain inputs, faults and delays. The bar is five seconds for each.
func BenchmarkShrinkAgent(b *testing.B) {
	agent := scenario.SmallAgent()
	slow := &sim.Scenario{Name: agent.Name, Setup: func(w *sim.World) func() {
		main := agent.Setup(w)
		return func() {
			main()
			if w.Elapsed() > 4*time.Minute {
				w.Fail("slow", "it took %s", w.Elapsed())
			}
		}
	}}
	random, err := strategy.Parse("random")
	require.NoError(b, err)
	var failures []*search.Failure
	for seed := 0; len(failures) < 10; seed++ {
		report, err := search.Run(b.Context(), search.Config{Scenarios: []*sim.Scenario{slow}, Seed: fmt.Sprint(seed), Strategy: random, Runs: 1000})
		require.NoError(b, err)
		for _, f := range report.Failures() {
			if f.Steps >= 800 && f.Steps <= 1200 {
				failures = append(failures, f)
			}
		}
	}
	var replays, steps, replayed, inputs, faults, switches float64
	b.ResetTimer()
	for i := range b.N {
		_, result, err := shrink.Failure(b.Context(), slow, failures[i%len(failures)].Full, shrink.Limits{})
		require.NoError(b, err)
		require.Equal(b, shrink.Complete, result.Ended)
		replays += float64(result.Replays)
		steps += float64(result.Before.Steps)
		replayed += float64(result.Steps)
		inputs += float64(result.After.Inputs)
		faults += float64(result.After.Faults)
		switches += float64(result.After.Switches)
	}
	n := float64(b.N)
	b.ReportMetric(replays/n, "replays/op")
	b.ReportMetric(steps/n, "steps")
	b.ReportMetric(replayed/n, "replayed-steps")
	b.ReportMetric(inputs/n, "inputs-after")
	b.ReportMetric(faults/n, "faults-after")
	b.ReportMetric(switches/n, "switches-after")
}
