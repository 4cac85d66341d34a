package shrink_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// failureOf is the first failure of a scenario under the random strategy.
func failureOf(t testing.TB, sc *sim.Scenario) *search.Failure { return failureFrom(t, sc, 1) }

func failureFrom(t testing.TB, sc *sim.Scenario, seed int) *search.Failure {
	random, err := strategy.Parse("random")
	require.NoError(t, err)
	report, err := search.Run(t.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: fmt.Sprint(seed), Strategy: random, Runs: 10_000})
	require.NoError(t, err)
	require.Len(t, report.Failures(), 1)
	return report.Failures()[0]
}

func TestASetUpThatFailsIsNotTheFailure(t *testing.T) {
	picky := false // while a failure is looked for
	sc := &sim.Scenario{Name: "picky", Setup: func(w *sim.World) func() {
		v := w.Value("when", 40)
		if picky && 1 <= v && v <= 3 {
			panic("no configuration")
		}
		return func() {
			if v > 3 || picky && v > 0 {
				w.Fail("never", "it is %d", v)
			}
		}
	}}
	failure := failureOf(t, sc)
	picky = true
	small, _, err := shrink.Failure(t.Context(), sc, failure.Full, shrink.Limits{})
	require.NoError(t, err)
	require.Equal(t, "it is 4", small.Message)

	sc.Setup = func(*sim.World) func() { panic("none at all") }
	_, _, err = shrink.Failure(t.Context(), sc, failure.Full, shrink.Limits{})
	require.ErrorContains(t, err, "scenario picky panicked outside a task: none at all")
}
