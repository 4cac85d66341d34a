package sim_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// uniform decides at random: the source of tests that want any schedule.
type uniform struct{ *rand.PCG }

func (u uniform) Schedule(_ *choice.Actor, enabled, _ []*choice.Actor) int {
	return int(u.Uint64() % uint64(len(enabled)))
}

func (u uniform) Value(_ choice.Site, n int) int { return int(u.Uint64() % uint64(n)) }

func seeded(seed uint64) choice.Source { return uniform{rand.NewPCG(seed, 0)} }

// run runs main once as a scenario's main task and requires that nothing is violated.
func run(t *testing.T, main func(w *sim.World)) { runSeed(t, 1, main) }

func runSeed(t *testing.T, seed uint64, main func(w *sim.World)) {
	result := resultOf(t, seed, main)
	require.Nil(t, result.Failure, "seed %d", seed)
}

func resultOf(t *testing.T, seed uint64, main func(w *sim.World)) sim.Result {
	sc := &sim.Scenario{Name: t.Name(), Setup: func(w *sim.World) func() { return func() { main(w) } }}
	result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: seeded(seed), DataSeed: seed, MaxSteps: 100_000})
	require.NoError(t, err)
	return result
}
