package choice_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

func record(k *kernel.Kernel, p program, source choice.Source) (uint64, []choice.Deviation) {
	var r choice.Recorder
	var tracer choice.Tracer
	if f, ok := source.(following); ok {
		tracer = f.Tracer()
	}
	r.Begin(source, tracer)
	hash := p.run(k, &r, r.Tracer())
	return hash, r.Deviations()
}

func replay(k *kernel.Kernel, p program, list []choice.Deviation) (uint64, choice.Fit) {
	var r choice.Replay
	r.Begin(list, nil)
	hash := p.run(k, &r, r.Tracer())
	return hash, r.Fit()
}

func TestReplayRepeatsWhatWasRecorded(t *testing.T) {
	k := kernel.New()
	rapid.Check(t, func(t *rapid.T) {
		p := programs().Draw(t, "program")
		seed := rapid.Uint64().Draw(t, "seed")

		recorded, list := record(k, p, newDice(seed))

		require.Equal(t, p.run(k, newDice(seed), nil), recorded, "recording changes nothing")
		replayed, fit := replay(k, p, list)
		require.Equal(t, recorded, replayed)
		require.Empty(t, fit.Diverged)
		require.Empty(t, fit.Misfits)
		_, again := record(k, p, follow(list))
		require.Equal(t, list, again, "a replay deviates where the recorded run did")
	})
}

// following is a replay as the source of a recording: both must hear of the steps.
type following struct{ *choice.Replay }

func follow(list []choice.Deviation) following {
	r := &choice.Replay{}
	r.Begin(list, nil)
	return following{r}
}

func TestAddressesAreUnique(t *testing.T) {
	k := kernel.New()
	rapid.Check(t, func(t *rapid.T) {
		_, list := record(k, programs().Draw(t, "program"), newDice(rapid.Uint64().Draw(t, "seed")))
		seen := map[choice.Deviation]bool{}
		for _, d := range list {
			address := choice.Deviation{Actor: d.Actor, Point: d.Point, Object: d.Object, Occurrence: d.Occurrence, Value: min(d.Value, 1)}
			require.False(t, seen[address], "twice: %s", d)
			seen[address] = true
		}
	})
}

func TestAnEmptyListIsTheDefaultRun(t *testing.T) {
	k := kernel.New()
	rapid.Check(t, func(t *rapid.T) {
		p := programs().Draw(t, "program")
		hash, fit := replay(k, p, nil)
		require.True(t, fit.Exact())
		again, list := record(k, p, follow(nil))
		require.Equal(t, hash, again)
		require.Empty(t, list)
	})
}

func TestAnySublistIsAWholeRun(t *testing.T) {
	k := kernel.New()
	rapid.Check(t, func(t *rapid.T) {
		p := programs().Draw(t, "program")
		_, list := record(k, p, newDice(rapid.Uint64().Draw(t, "seed")))
		kept := slices.DeleteFunc(slices.Clone(list), func(choice.Deviation) bool { return rapid.Bool().Draw(t, "drop") })

		hash, fit := replay(k, p, kept)

		again, rest := record(k, p, follow(kept))
		require.Equal(t, hash, again)
		require.LessOrEqual(t, len(rest), len(kept), "what fits is all that deviates")
		require.GreaterOrEqual(t, len(rest), len(kept)-len(fit.Misfits)-dissolved(kept, rest))
	})
}

// dissolved counts the entries that name what the default does by itself in the shorter run.
func dissolved(kept, rest []choice.Deviation) int { return len(kept) - len(rest) }

func lockTwice(extra ...operation) program {
	body := []operation{{"lock", 0}, {"lock", 0}}
	return program{tasks: [][]operation{append(extra, body...), body}}
}

func TestReplayReportsWhatDoesNotFit(t *testing.T) {
	k := kernel.New()
	preempt := choice.Deviation{Actor: "task", Point: "unlock", Object: "setup:mutex", Occurrence: 1, Target: "task#2"}

	t.Run("fits", func(t *testing.T) {
		_, list := record(k, lockTwice(), follow([]choice.Deviation{preempt}))
		require.Len(t, list, 1)
		_, fit := replay(k, lockTwice(), list)
		require.True(t, fit.Exact(), fit.Diverged)
	})
	t.Run("never reached", func(t *testing.T) {
		late := preempt
		late.Occurrence = 7
		_, fit := replay(k, lockTwice(), []choice.Deviation{late})
		require.Len(t, fit.Misfits, 1)
		require.Equal(t, "this run came there 2 times", fit.Misfits[0].Problem)
		require.Equal(t, "decision 1 of 1 in the token: task#2 moves while task is at unlock setup:mutex (7th time); here: this run came there 2 times (the difference lies before the first decision)", fit.Diverged)
	})
	t.Run("operation that is not in the program", func(t *testing.T) {
		elsewhere := preempt
		elsewhere.Point = "close"
		_, fit := replay(k, lockTwice(), []choice.Deviation{elsewhere})
		require.Equal(t, "this run never came there", fit.Misfits[0].Problem)
	})
	t.Run("task that is not in the program", func(t *testing.T) {
		nobody := preempt
		nobody.Actor = "task#9"
		_, fit := replay(k, lockTwice(), []choice.Deviation{nobody})
		require.Equal(t, "this run never came there: nobody in it is task#9", fit.Misfits[0].Problem)
	})
	t.Run("target cannot move", func(t *testing.T) {
		toNobody := preempt
		toNobody.Target = "task#9"
		_, fit := replay(k, lockTwice(), []choice.Deviation{toNobody})
		require.Equal(t, "task#9 cannot move here; task, task#2 can", fit.Misfits[0].Problem)
	})
	t.Run("operation that is gone", func(t *testing.T) {
		unknown := preempt
		unknown.Point = "levitate"
		_, fit := replay(k, lockTwice(), []choice.Deviation{unknown})
		require.Equal(t, "this build has no operation of that name", fit.Misfits[0].Problem)
	})
	t.Run("changed code before a decision that still fits", func(t *testing.T) {
		_, list := record(k, lockTwice(), follow([]choice.Deviation{preempt}))
		_, fit := replay(k, lockTwice(operation{"lock", 1}), list)
		require.Empty(t, fit.Misfits)
		require.Contains(t, fit.Diverged, "what this run did before it differs")
	})
}
