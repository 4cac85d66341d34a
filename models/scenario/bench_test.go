package scenario_test

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkSmallAgent is whole runs of the default scenario, all checks on (those by porcupine as often as a search does
// them), under the random strategy. x-pull is the cost of a step in round trips of a bare iter.Pull, measured in the same run.
func BenchmarkSmallAgent(b *testing.B) {
	var agent *sim.Scenario
	for _, sc := range scenario.All() {
		if sc.Name == "small-agent" {
			agent = sc
		}
	}
	require.NotNil(b, agent)
	random, err := strategy.Parse("random")
	require.NoError(b, err)
	source := random.Source()
	b.ReportAllocs()
	runner := sim.NewRunner()
	var steps int64
	b.ResetTimer()
	for i := range b.N {
		source.Begin(uint64(i), 1000)
		result, err := runner.Run(agent, sim.RunConfig{Source: source, DataSeed: uint64(i)})
		require.NoError(b, err)
		steps += result.Steps
	}
	b.StopTimer()
	perStep := float64(b.Elapsed().Nanoseconds()) / float64(steps)
	b.ReportMetric(perStep, "ns/step")
	b.ReportMetric(float64(steps)/float64(b.N), "steps/run")
	b.ReportMetric(perStep/roundTrip(), "x-pull")
}

// roundTrip is the nanoseconds of a bare iter.Pull round trip.
func roundTrip() float64 {
	const n = 1_000_000
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		for yield(struct{}{}) {
		}
	})
	defer stop()
	start := time.Now()
	for range n {
		next()
	}
	return float64(time.Since(start).Nanoseconds()) / n
}
