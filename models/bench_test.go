package models_test

import (
	"testing"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkSmallAgent is a step of the agent's scenario with all checks on.
func BenchmarkSmallAgent(b *testing.B) {
	s, err := strategy.Parse("random")
	if err != nil {
		b.Fatal(err)
	}
	runner, source := sim.NewRunner(), s.Part(0).Source()
	steps := int64(0)
	for b.Loop() {
		seed := uint64(steps)*0x9e3779b97f4a7c15 + 1
		source.Begin(seed, 2000)
		result, err := runner.Run(scenario.SmallAgent(), sim.RunConfig{Source: source, DataSeed: seed, MaxSteps: 200_000})
		if err != nil {
			b.Fatal(err)
		}
		steps += result.Steps
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
}
