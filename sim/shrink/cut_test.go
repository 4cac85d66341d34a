package shrink_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// auction is a seller who asks again and again, after as many other errands as inputs say, and fails if both others bid between her asking
// and her closing in one round. It takes two context switches, at the same round.
func auction(rounds int) *sim.Scenario {
	return &sim.Scenario{Name: "auction", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		book, bids := sched.NewMutex(s), sched.NewAtomicInt64(s, 0)
		var errands []bool
		for range rounds {
			errands = append(errands, w.Value("errand", 2) == 1)
		}
		return func() {
			bid := func() {
				for range 3 * rounds {
					bids.Add(1)
					book.Lock()
					book.Unlock()
				}
			}
			w.Host().Go("one", bid)
			w.Host().Go("two", bid)
			for _, errand := range errands {
				if errand {
					bids.Load()
				}
				book.Lock()
				asked := bids.Load()
				book.Unlock()
				first := bids.Load()
				book.Lock()
				second := bids.Load()
				book.Unlock()
				if asked < first && first < second {
					w.Fail("sold-twice", "two bids in one round")
					return
				}
			}
		}
	}}
}

// shrunkBy is what comes of a failure by some passes, and without one of them.
func shrunkBy(t *testing.T, sc *sim.Scenario, failure *search.Failure, passes ...string) shrink.Size {
	_, result, err := shrink.FailureBy(t.Context(), sc, failure.Full, passes...)
	require.NoError(t, err)
	return result.After
}

func TestAStretchIsCutOutWithAllDecisionsBehindIt(t *testing.T) {
	sc := auction(8)
	shorter := 0
	for seed := range 20 {
		failure := failureFrom(t, sc, seed)
		passes := []string{"rewrite", "drop blocks", "move one"}
		without := shrunkBy(t, sc, failure, passes...)
		with := shrunkBy(t, sc, failure, append(slices.Clone(passes), "cut out")...)
		require.False(t, without.Less(with))
		if with.Steps < without.Steps {
			shorter++
		}
	}
	require.Greater(t, shorter, 5, "of 20 failures")
}

func TestDecisionsBehindAnInputThatIsDroppedCountAnew(t *testing.T) {
	sc := auction(8)
	before, after := 0, 0
	for seed := range 20 {
		failure := failureFrom(t, sc, seed)
		passes := []string{"rewrite", "drop blocks"}
		before += shrunkBy(t, sc, failure, passes...).Inputs
		after += shrunkBy(t, sc, failure, append(passes, "drop and realign")...).Inputs
	}
	require.Less(t, after, before/2, "inputs left in all")
	t.Log(before, after)
}
