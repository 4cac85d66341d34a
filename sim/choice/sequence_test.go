package choice_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

func TestASequenceCountsItsGaps(t *testing.T) {
	s := choice.NewSequence([]choice.Choice{{Gap: 2, Answer: 3}, {Gap: -1, Answer: -1}, {Answer: 9}, {Gap: 1, Answer: 1}})
	var answers []int
	for range 7 {
		answers = append(answers, s.Value(choice.Site{}, 5))
	}
	require.Equal(t, []int{0, 0, 3, 0, 4, 0, 1}, answers)
	require.Zero(t, s.Value(choice.Site{}, 5), "after the last one everything goes by default")
}

// Whatever the list, it makes a run, the same one each time; and the empty list makes the default run.
func TestEverySequenceFitsEveryRun(t *testing.T) {
	entry := rapid.Custom(func(t *rapid.T) choice.Choice {
		return choice.Choice{Gap: rapid.IntRange(-1, 20).Draw(t, "gap"), Answer: rapid.IntRange(-1, 20).Draw(t, "answer")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, list := programs().Draw(t, "program"), rapid.SliceOf(entry).Draw(t, "sequence")
		var recorder choice.Recorder
		recorder.Begin(choice.NewSequence(list), nil)
		hash := p.run(kernel.New(), &recorder, recorder.Tracer())
		require.Equal(t, hash, p.run(kernel.New(), choice.NewSequence(list), nil))
		require.LessOrEqual(t, len(recorder.Deviations()), len(list), "nothing departs from the default but the entries")
	})
}

// The policy gives way after so many choices, which short programs do not come to.
func TestAnEmptySequenceIsTheDefaultForLong(t *testing.T) {
	busy := slices.Repeat([]operation{{kind: "lock"}}, 2*choice.Quantum)
	p := program{tasks: [][]operation{busy, busy, {{kind: "sleep", on: 1}}}}
	var recorder choice.Recorder
	recorder.Begin(choice.NewSequence(nil), nil)
	p.run(kernel.New(), &recorder, recorder.Tracer())
	require.Empty(t, recorder.Deviations())
}
