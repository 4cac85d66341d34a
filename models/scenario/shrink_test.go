package scenario_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// fewestSwitches is how many context switches the litmus tests need, beside those of the default policy.
var fewestSwitches = map[string]int{
	"litmus/lost-update":                   1,
	"litmus/lost-update-atomic":            1,
	"litmus/lost-update-semaphore":         1,
	"litmus/double-checked-initialisation": 1,
	"litmus/aba":                           1,
	"litmus/ab-ba-deadlock":                1,
	"litmus/lost-wake-up":                  2, // the default lets the loader be done before the reader begins
	"litmus/full-queue-deadlock":           1,
	"litmus/dining-philosophers":           2, // the third philosopher is blocked by the first
	"litmus/timer-stop":                    2,
	"litmus/livelock":                      1,
}

// foundByRandom are failures of a scenario that the random strategy finds.
func foundByRandom(t testing.TB, sc *sim.Scenario, seeds int) (found []*search.Failure) {
	random, err := strategy.Parse("random")
	require.NoError(t, err)
	for seed := range seeds {
		report, err := search.Run(t.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: fmt.Sprint(seed), Strategy: random, Runs: 20_000})
		require.NoError(t, err)
		require.Len(t, report.Failures(), 1)
		found = append(found, report.Failures()[0])
	}
	return found
}

func TestEveryLitmusTestShrinksToItsFewestContextSwitches(t *testing.T) {
	litmus := 0
	for _, sc := range scenario.All() {
		if sc.Fails == "" {
			continue
		}
		litmus++
		t.Run(sc.Name, func(t *testing.T) {
			require.Contains(t, fewestSwitches, sc.Name)
			for _, f := range foundByRandom(t, sc, 10) {
				small, result, err := shrink.Failure(t.Context(), sc, f.Full, shrink.Limits{})
				require.NoError(t, err)
				require.Equal(t, f.Property, small.Property)
				require.Equal(t, shrink.Complete, small.Ended)
				require.LessOrEqual(t, small.Switches, fewestSwitches[sc.Name], "of seed %s: %v", f.Seed, small.Full.Deviations)
				require.False(t, result.Before.Less(result.After))
				for range 2 {
					replayed, err := search.Replay(sc, small.Full, nil)
					require.NoError(t, err)
					require.True(t, replayed.Same)
					require.True(t, replayed.Fit.Exact(), replayed.Fit.Diverged)
					require.Equal(t, small.Hash, fmt.Sprintf("%016x", replayed.Hash))
				}
			}
		})
	}
	require.Equal(t, len(fewestSwitches), litmus)
}
