package search

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

func TestPCTGuaranteesWhatItsTheoremSays(t *testing.T) {
	l := newLane(correct, Config{Strategy: mix(t)})
	take := func(name string, actors, choices, length int64) {
		l.guarantee(&outcome{plan: plan{strategy: parse(t, name), length: length}, actors: actors, choices: choices})
	}
	take("random", 2, 3, 4)
	take("pct:3", 2, 11, 10) // longer than foreseen
	take("pct:3", 2, 10, 10)
	take("pct:3", 5, 1, 20)
	take("pct:2", 2, 0, 0) // nothing is learnt
	require.Equal(t, []Guarantee{
		{Strategy: "pct:3", Depth: 3, Runs: 3, Covered: 2, Actors: 5, Choices: 20, Chance: (1.0/(2*10*10) + 1.0/(5*20*20)) / 2},
		{Strategy: "pct:2", Depth: 2, Runs: 1},
	}, l.report.Guarantees)
}

func TestASearchTellsWhatPCTGuarantees(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{correct}, Seed: "g", Strategy: parse(t, "pct:2"), Runs: 4 * strategy.Generation})
	require.NoError(t, err)
	require.Len(t, report.Scenarios[0].Guarantees, 1)
	g := report.Scenarios[0].Guarantees[0]
	require.EqualValues(t, 4*strategy.Generation, g.Runs)
	require.Greater(t, g.Covered, g.Runs/4)
	require.LessOrEqual(t, g.Covered, g.Runs-strategy.Generation, "not those of the first generation")
	require.EqualValues(t, 5, g.Actors, "main, three adders, and time")
	require.GreaterOrEqual(t, g.Chance, strategy.Guarantee(2, g.Actors, g.Choices))
}
