package strategy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim/choice"
)

func TestAForkedRunIsAnotherFromTheForkOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, length := rapid.Uint64().Draw(t, "seed"), rapid.Int64Range(0, 100).Draw(t, "length")
		at := rapid.IntRange(0, 200).Draw(t, "at")
		other := rapid.Uint64().Filter(func(other uint64) bool { return other != seed }).Draw(t, "other seed")
		fork := Fork{At: int64(at), Seed: other}
		whole, forked := &guided{}, &guided{}
		whole.Begin(seed, length)
		forked.Begin(seed, length)
		forked.Learn(Known{Forks: []Fork{fork}}, nil)

		before, after := play(whole, 150), play(forked, 150)

		require.Equal(t, before[:at], after[:at])
		require.NotEqual(t, before[at:], after[at:])

		forked.Begin(seed, length)
		require.Equal(t, before, play(forked, 150), "the next run has no fork")
	})
}

func TestATokenTellsTheForksOfAGuidedRun(t *testing.T) {
	guided, err := Parse("guided")
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		var forks []Fork
		at := rapid.Int64Range(0, 1000).Draw(t, "first")
		for range rapid.IntRange(0, mostForks).Draw(t, "forks") {
			forks = append(forks, Fork{at, rapid.Uint64().Draw(t, "seed")})
			at += rapid.Int64Range(1, 1000).Draw(t, "later")
		}
		known := Known{Forks: forks}
		text := known.Encode()
		require.Equal(t, len(forks) == 0, text == "")
		read, err := guided.Decode(text)
		require.NoError(t, err)
		require.Equal(t, known, read)

		text += string(rapid.SliceOfN(rapid.Byte(), 1, 7).Draw(t, "damage"))
		_, err = guided.Decode(text)
		require.EqualError(t, err, "what its strategy had learnt is damaged", "not a whole fork")
	})
	full := make([]Fork, mostForks+1)
	for i := range full {
		full[i].At = int64(i)
	}
	for _, forks := range [][]Fork{full, {{7, 1}, {7, 2}}, {{7, 1}, {6, 2}}} {
		_, err = guided.Decode(Known{Forks: forks}.Encode())
		require.EqualError(t, err, "what its strategy had learnt is damaged", "%d forks, not in rising order or too many", len(forks))
	}
}

func reached(at int64, features ...uint64) (all []choice.Reached) {
	for _, f := range features {
		all = append(all, choice.Reached{Feature: choice.Feature{Number: f}, At: at})
	}
	return all
}

func TestACorpusBeginsRunsWhereFewHaveCome(t *testing.T) {
	var c Corpus
	require.Equal(t, Beginning{Seed: 7, Length: 9}, c.Plan(7, 9), "nothing is known")
	for seed := range uint64(300) {
		c.Add(Beginning{Seed: 1000 + seed, Length: 5}, reached(20, 1, 2, 3))
	}
	c.Add(Beginning{Seed: 42, Length: 5, Forks: []Fork{{10, 11}, {33, 12}, {50, 13}}}, append(reached(20, 1), reached(33, 4)...))
	rare, fresh := 0, 0
	for seed := range uint64(1000) {
		switch p := c.Plan(seed, 9); {
		case p.Seed == 42:
			rare++
			require.Equal(t, []Fork{{10, 11}, {33, p.Forks[1].Seed}}, p.Forks, "forks at the place or behind it are gone")
			require.EqualValues(t, 5, p.Length, "as it was when that run was planned")
		case p.Seed == seed:
			fresh++
			require.Empty(t, p.Forks)
		}
	}
	require.InDelta(t, 250, fresh, 50, "one of four begins anew")
	require.Greater(t, rare, 600, "nearly all others are where one of 301 has come")

	forks := make([]Fork, mostForks)
	for i := range forks {
		forks[i].At = int64(i)
	}
	var full Corpus
	full.Add(Beginning{Seed: 1, Forks: forks}, reached(1000, 1))
	require.Equal(t, Beginning{Seed: 3}, full.Plan(3, 0), "with that many forks a run begins anew")
}

func TestACorpusIsBounded(t *testing.T) {
	var c Corpus
	for i := range uint64(mostFeatures + 10) {
		c.Add(Beginning{Seed: i}, reached(1, i))
	}
	require.Len(t, c.index, mostFeatures)
	for i := range uint64(100) {
		c.Add(Beginning{Seed: i}, reached(1, 0))
	}
	require.Len(t, c.kinds[0][0].ways, mostWays)
}
