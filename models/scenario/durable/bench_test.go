package durable_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/models/scenario/durable"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// fourMembers decides that there are four members, and leaves everything else to a source.
type fourMembers struct{ choice.Source }

func (s fourMembers) Value(site choice.Site, n int) int {
	if site.Name == "members" {
		return 3
	}
	return s.Source.Value(site, n)
}

// BenchmarkGroupRecovery is whole runs with four members under the random strategy, with stores in memory and with SQLite on simulated disks; with faults and
// crashes, and without.
func BenchmarkGroupRecovery(b *testing.B) {
	for _, c := range []struct {
		name     string
		scenario *sim.Scenario
		options  sim.Options
	}{
		{"memory", scenario.GroupRecovery(), sim.Options{}},
		{"memory, no faults", scenario.GroupRecovery(), sim.Options{NoFaults: true}},
		{"sqlite", durable.GroupRecovery(), sim.Options{}},
		{"sqlite, no faults", durable.GroupRecovery(), sim.Options{NoFaults: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			random, err := strategy.Parse("random")
			require.NoError(b, err)
			source, runner, steps := random.Source(), sim.NewRunner(), int64(0)
			defer runner.Close()
			b.ResetTimer()
			start := time.Now()
			for i := range b.N {
				source.Begin(uint64(i), 1000)
				result, err := runner.Run(c.scenario, sim.RunConfig{Source: fourMembers{source}, DataSeed: uint64(i), Options: c.options, MaxSteps: 10_000_000})
				require.NoError(b, err)
				require.Nil(b, result.Failure)
				steps += result.Steps
			}
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "runs/s")
			b.ReportMetric(float64(steps)/float64(b.N), "steps/run")
		})
	}
}
