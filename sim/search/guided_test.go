package search

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// stairs is climbed by one run in 8^7, stair by stair; each says how high it came.
var stairs = &sim.Scenario{
	Name: "stairs",
	Setup: func(w *sim.World) func() {
		return func() {
			for stair := range uint64(7) {
				if w.Value("foot", 8) != 7 {
					return
				}
				w.Reached("stair", stair)
			}
			w.Fail("top", "somebody is up there")
		}
	},
}

func TestAGuidedSearchClimbsFromWhereFewHaveCome(t *testing.T) {
	climb := func(strategy string, workers int) *Report {
		report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{stairs}, Seed: "s", Strategy: parse(t, strategy), Runs: 10_000, Workers: workers})
		require.NoError(t, err)
		return report
	}
	require.Empty(t, climb("random", 2).Failures())
	report := climb("guided", 1)
	require.Equal(t, timeless(report), timeless(climb("guided", 3)), "what is learnt does not depend on the number of workers")
	require.Len(t, report.Failures(), 1)
	require.Equal(t, timeless(climb("mix", 1)), timeless(climb("mix", 3)), "nor who gets the free places of the mix")

	f := report.Failures()[0]
	require.Equal(t, "guided", f.Strategy)
	require.NotEmpty(t, f.Full.Learnt, "the forks by which it came so far")
	for _, form := range []choice.Token{f.Full, f.Full.BySeed()} {
		token, err := choice.ParseToken(form.String())
		require.NoError(t, err)
		replayed, err := Replay(stairs, token, nil)
		require.NoError(t, err)
		require.True(t, replayed.Same)
	}
}
