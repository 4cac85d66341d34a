package scenario_test

import (
	"bytes"
	"iter"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkSmallAgent is whole runs of the default scenario, all checks on (those by porcupine as often as a search does
// them), under the random strategy. x-pull is the cost of a step in round trips of a bare iter.Pull, measured in the same run.
func BenchmarkSmallAgent(b *testing.B) {
	b.ReportAllocs()
	steps := runs(b)
	perStep := float64(b.Elapsed().Nanoseconds()) / float64(steps)
	b.ReportMetric(perStep, "ns/step")
	b.ReportMetric(float64(steps)/float64(b.N), "steps/run")
	b.ReportMetric(perStep/roundTrip(), "x-pull")
}

// BenchmarkChecks is the same, and prints which part of its time goes to the checks: x-run is the time of checking over that of
// running, by a profile of both. All that a Monitor and its histories do is checking.
func BenchmarkChecks(b *testing.B) {
	var content bytes.Buffer
	require.NoError(b, pprof.StartCPUProfile(&content))
	runs(b)
	pprof.StopCPUProfile()
	p, err := profile.Parse(&content)
	require.NoError(b, err)
	var checking, running float64
	for _, sample := range p.Sample {
		part := &running
		for _, location := range sample.Location {
			for _, line := range location.Line {
				if f := line.Function.Name; strings.Contains(f, "heddle/models.(*Monitor)") || strings.Contains(f, "heddle/models.(*History") {
					part = &checking
				}
			}
		}
		*part += float64(sample.Value[0])
	}
	b.ReportMetric(checking/running, "x-run")
}

// runs makes b.N runs and answers their steps. The timer stands still when it returns.
func runs(b *testing.B) (steps int64) {
	random, err := strategy.Parse("random")
	require.NoError(b, err)
	source := random.Source()
	runner := sim.NewRunner()
	agent := scenario.SmallAgent()
	b.ResetTimer()
	for i := range b.N {
		source.Begin(uint64(i), 1000)
		result, err := runner.Run(agent, sim.RunConfig{Source: source, DataSeed: uint64(i)})
		require.NoError(b, err)
		steps += result.Steps
	}
	b.StopTimer()
	return steps
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
