package strategy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim/choice"
)

// Two tasks of 3 and 7 steps, each with its start: 120 interleavings.
func TestURWIsUniformOverInterleavings(t *testing.T) {
	p := program{"yx", "yyyxyy"}
	requireUniform(t, p.schedules(t, "urw", 24_000, ""), 120)
	require.Greater(t, chiSquare(p.schedules(t, "random", 24_000, "")), 10*bound(120), "random is not")
}

// The orders of three stores each, 20 of them, though one task has much to do in between.
func TestSURWIsUniformOverWhatInterestsIt(t *testing.T) {
	p := program{"xxx", "yyyyyyxyyyyyyxyyyyyyyx"}
	requireUniform(t, p.schedules(t, "surw", 10_000, "x"), 20)
	require.Greater(t, chiSquare(p.schedules(t, "random", 10_000, "x")), 10*bound(20), "random is not")
}

func TestSURWTakesEveryObjectInTurn(t *testing.T) {
	sites := map[int]int{}
	strategy, err := Parse("surw")
	require.NoError(t, err)
	var experience Experience
	experience.gathering.shared[3], experience.gathering.shared[9], experience.gathering.actors[0] = 1, 500, 1
	experience.gathering.steps[4][0], experience.gathering.steps[10][0] = 1, 1
	experience.Turn()
	for seed := range uint64(1000) {
		sites[experience.Draw(strategy, scramble(seed)).Site]++
	}
	require.InDelta(t, 500, sites[4], 100)
	require.InDelta(t, 500, sites[10], 100)
}

// The intended task may never come to the object: those that it keeps waiting must not wait for ever.
func TestSURWLetsGoOfATaskThatDoesNotCome(t *testing.T) {
	all := everybody()
	s := &surw{}
	s.Begin(1, 0)
	s.Learn(Known{Weights: Weights{Site: siteOf(all[1]), Steps: [classes]uint32{0: 1}}}, nil)
	for i := range 10 * choice.Quantum {
		s.intended = all[0].ID
		a := all[s.Schedule(nil, all[:2], nil)]
		s.Moved(a)
		if a == all[1] {
			require.GreaterOrEqual(t, i, choice.Quantum-1)
			return
		}
	}
	require.Fail(t, "the writer never moved")
}

func TestNothingIsLearntBeforeAGenerationIsWhole(t *testing.T) {
	strategy, err := Parse("urw")
	require.NoError(t, err)
	var experience Experience
	lessons := &Lessons{}
	lessons.actors[5], lessons.steps[0][5] = 4, 10
	experience.Add(lessons)
	require.Equal(t, Lessons{}, *lessons, "taken")
	known := experience.Draw(strategy, 1)
	require.False(t, known.known())
	experience.Turn()
	known = experience.Draw(strategy, 1)
	require.EqualValues(t, 40, known.Steps[5], "2.5 steps in sixteenths")
	experience.Turn()
	known = experience.Draw(strategy, 1)
	require.False(t, known.known(), "what is older is forgotten")
}

func TestWeightsSurviveTheirText(t *testing.T) {
	urw, err := Parse("urw")
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		w := Weights{Site: rapid.IntRange(0, sites).Draw(t, "site")}
		for range rapid.IntRange(0, 20).Draw(t, "classes") {
			w.Steps[rapid.IntRange(0, classes-1).Draw(t, "class")] = rapid.Uint32().Draw(t, "steps")
		}
		text := Known{Weights: w}.Encode()
		read, err := urw.Decode(text)
		require.NoError(t, err)
		require.Equal(t, Known{Weights: w}, read)

		// What is damaged is refused or read as something else; it does no harm.
		b := []byte(text)
		if len(b) > 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		}
		if _, err := urw.Decode(string(b)); err != nil {
			require.EqualError(t, err, "what its strategy had learnt is damaged")
		}
	})
}
