package strategy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sharesOf counts which part decides how many of n runs from the first on.
func sharesOf(t require.TestingT, m Strategy, s *Shares, n int) map[string]int {
	counts := map[string]int{}
	for run := range int64(n) {
		part := s.Part(m, run, scramble(uint64(run)))
		require.False(t, part.IsMix())
		counts[part.Name()]++
	}
	return counts
}

// generation gives the shares a whole generation in which each run of a part finds so much.
func generation(m Strategy, s *Shares, finds map[string]int) {
	for run := range int64(Generation) {
		part := s.Part(m, run, scramble(uint64(run)))
		s.Add(m, part, finds[part.Name()])
	}
}

func TestTheMixGoesToWhatFindsNewBehaviour(t *testing.T) {
	const runs = 8_000
	m := mix()
	var s Shares
	even := map[string]int{"random": runs * 7 / 32, "guided": runs * 11 / 32, "pos": runs * 7 / 32, "pct:3": runs * 7 / 32}
	requireNear := func(want map[string]int) {
		t.Helper()
		got := sharesOf(t, m, &s, runs)
		require.Len(t, got, len(want))
		for name, n := range want {
			require.InDelta(t, n, got[name], runs/40, name)
		}
	}
	requireNear(even)
	for i := range Generation - 1 {
		s.Add(m, m.parts[i%4], []int{0, 0, 30, 10}[i%4])
	}
	requireNear(even) // the generation is not whole
	s.Add(m, m.parts[3], 10)
	requireNear(map[string]int{"random": runs / 8, "guided": runs * 2 / 8, "pos": runs/8 + runs*3/8*3/4, "pct:3": runs/8 + runs*3/8/4})
	generation(m, &s, nil)
	requireNear(map[string]int{"random": runs / 8, "guided": runs * 2 / 8, "pos": runs / 8, "pct:3": runs * 4 / 8}) // what is older is forgotten
}

func TestEachPartOfTheMixHasAPlaceOfItsOwn(t *testing.T) {
	m := mix()
	rapid.Check(t, func(t *rapid.T) {
		var s Shares
		for range rapid.IntRange(0, 3).Draw(t, "generations") {
			generation(m, &s, map[string]int{
				"random": rapid.IntRange(0, 1<<20).Draw(t, "random"), "guided": rapid.IntRange(0, 3).Draw(t, "guided"), "pos": rapid.IntRange(0, 1).Draw(t, "pos"),
			})
		}
		counts := sharesOf(t, m, &s, 800)
		for _, part := range m.parts {
			require.GreaterOrEqual(t, counts[part.Name()], 100, part.Name())
		}
		require.Equal(t, "random", s.Part(m, 8, 0).Name(), "in the place of the runs that are measured")
	})
}
