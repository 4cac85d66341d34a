package shrink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/shrink"
)

// patience is a main task that asks, without ever resting, what its helper has seen: if that is the first of two doors it asks for ever, and
// after the second one, by default, many times.
func patience(times int) *sim.Scenario {
	return &sim.Scenario{Name: "patience", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		door, seen := sched.NewAtomicInt64(s, 0), sched.NewAtomicInt64(s, -1)
		return func() {
			w.Host().Go("helper", func() { seen.Store(door.Load()) })
			door.Store(1)
			door.Store(2)
			for n := 0; ; n++ {
				if what := seen.Load(); what == 0 || what == 2 && n >= times {
					return
				}
			}
		}
	}}
}

func TestARunWithoutAnEndIsJudgedByItsBeginning(t *testing.T) {
	for _, times := range []int{0, 50_000} { // so often, and it goes on for longer than the first limit, and ends all the same
		sc := patience(times)
		failure := failureOf(t, sc)
		require.Equal(t, sim.Steps, failure.Property)
		small, result, err := shrink.Failure(t.Context(), sc, failure.Full, shrink.Limits{})
		require.NoError(t, err)
		require.Equal(t, sim.Steps, small.Property)
		require.EqualValues(t, sim.DefaultMaxSteps, small.Steps, "it goes on for as long as any run may")
		require.Equal(t, 1, result.After.Switches, "at the first door")
		require.Less(t, result.Steps, int64(8*sim.DefaultMaxSteps))

		explanation, err := shrink.Explain(t.Context(), sc, small.Full, shrink.Limits{})
		require.NoError(t, err)
		require.Equal(t, small.Message, explanation.Message)
		require.Len(t, explanation.Needs, 1)
		require.Less(t, len(explanation.Story), 100)
	}
}

func TestOfALongListBeginningsAreTriedFirst(t *testing.T) {
	var long []choice.Deviation
	for n := range 2000 {
		long = append(long, to("a", n+1, "b"))
	}
	w := &world{fails: needs(long[0], long[3])}
	result, err := shrink.MinimiseBy(t.Context(), w, w.failure(t, long), shrink.Limits{}, "cut")
	require.NoError(t, err)
	require.Equal(t, long[:4], result.Best.Taken)
	require.Less(t, result.Replays, 10)
}
