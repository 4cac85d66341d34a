package search

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

func TestACensusCountsWhatOnlyOneRunHasShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := rapid.SliceOfN(rapid.SliceOfNDistinct(rapid.Uint64Range(0, 300), 0, 4, rapid.ID[uint64]), 0, 120).Draw(t, "runs")
		var c census
		for _, species := range runs {
			c.add(species)
			c.look()
		}
		v := c.variety(0.05)

		shownBy, first := map[uint64]int{}, map[uint64]int64{}
		for i, species := range runs {
			for _, s := range species {
				if shownBy[s]++; shownBy[s] == 1 {
					first[s] = int64(i)
				}
			}
		}
		lone := 0
		for _, species := range runs {
			for _, s := range species {
				if shownBy[s] == 1 {
					lone++
					break
				}
			}
		}
		require.EqualValues(t, len(shownBy), v.Seen)
		if len(runs) > 0 {
			require.InDelta(t, float64(lone)/float64(len(runs)), v.ChanceOfNew, 1e-6)
		}
		for i, g := range v.Growth {
			seen, since := int64(0), int64(0)
			for _, at := range first {
				if at < g.Runs {
					seen++
				}
			}
			for _, species := range runs[g.Runs:] {
				for _, s := range species {
					if first[s] >= g.Runs {
						since++
						break
					}
				}
			}
			require.Equal(t, seen, g.Seen)
			require.Equal(t, since, c.since[i])
		}
	})
}

func TestGrowthIsNotedHalfAsManyRunsLaterEachTime(t *testing.T) {
	var c census
	var at []int64
	for range 100 {
		c.add(nil)
		if c.look() {
			at = append(at, c.runs)
		}
	}
	require.Equal(t, []int64{16, 24, 36, 54, 81}, at)
}

// The limit of Clopper and Pearson, against tables of it.
func TestClopperPearson(t *testing.T) {
	require.InDelta(t, 0.2589, clopperPearson(0, 10, 0.05), 1e-4)
	require.InDelta(t, 0.0295, clopperPearson(0, 100, 0.05), 1e-4)
	require.InDelta(t, 0.6066, clopperPearson(3, 10, 0.05), 1e-4)
	require.InDelta(t, 1, clopperPearson(10, 10, 0.05), 1e-9)
}

// Runs that show a few of many species, the later ones ever rarer: how often is the chance of a new one beyond the limit?
func TestTheLimitHoldsAsOftenAsItSays(t *testing.T) {
	const species, searches = 400, 400
	wrong, estimated, chance := 0, 0.0, 0.0
	for search := range uint64(searches) {
		g := rand.New(rand.NewPCG(search, 1))
		var c census
		seen := map[uint64]bool{}
		for range 300 {
			var shown []uint64
			for s := range uint64(species) {
				if g.IntN(int(4+s*s)) == 0 {
					shown = append(shown, s)
					seen[s] = true
				}
			}
			c.add(shown)
			c.look()
		}
		none := 1.0
		for s := range uint64(species) {
			if !seen[s] {
				none *= 1 - 1/float64(4+s*s)
			}
		}
		v := c.variety(0.05)
		if 1-none > v.AtMost {
			wrong++
		}
		estimated += v.ChanceOfNew / searches
		chance += (1 - none) / searches
	}
	require.LessOrEqual(t, wrong, searches*5/100)
	require.InDelta(t, chance, estimated, chance/10, "Good and Turing are right on average")
}

func TestACensusIsBounded(t *testing.T) {
	var c census
	for i := range uint64(mostSpecies) {
		c.add([]uint64{i, (i + 1) % mostSpecies})
	}
	require.False(t, c.variety(0.05).Full)
	for i := range uint64(1000) {
		c.add([]uint64{1 << 40, 1<<41 + i})
	}
	v := c.variety(0.05)
	require.True(t, v.Full)
	require.EqualValues(t, mostSpecies, v.Seen)
	require.Empty(t, c.lone)
	require.InDelta(t, 1000.0/(mostSpecies+1000), v.ChanceOfNew, 1e-6, "what cannot be told apart counts as new")
}

func TestASearchEndsWhenItIsQuiet(t *testing.T) {
	until := func(sc *sim.Scenario, name string, quiet float64, workers int) ScenarioReport {
		report, err := Run(context.Background(), Config{
			Scenarios: []*sim.Scenario{sc}, Seed: "q", Strategy: parse(t, name), Runs: 20_000, Workers: workers, Quiet: quiet, KeepGoing: true,
		})
		require.NoError(t, err)
		return timeless(report)[0]
	}
	for _, name := range []string{"mix", "random"} {
		one := until(correct, name, 0.02, 1)
		require.True(t, one.Behaviour.Quiet)
		require.Less(t, one.Runs, int64(8000))
		require.EqualValues(t, 1, one.Runs%measuredShare, "it ends with a measured run")
		require.EqualValues(t, 1+(one.Runs-1-strategy.Generation)/measuredShare, one.Behaviour.Runs)
		require.LessOrEqual(t, one.Behaviour.Orders.AtMost, 0.02)
		require.Greater(t, one.Behaviour.Orders.AtMost, 0.01, "the limit of many looks, and not of one")
		require.Equal(t, one, until(correct, name, 0.02, 3))
		require.Equal(t, one.TraceHash, func() string {
			report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{correct}, Seed: "q", Strategy: parse(t, name), Runs: one.Runs, KeepGoing: true})
			require.NoError(t, err)
			return report.Scenarios[0].TraceHash
		}(), "the same runs as of a search of so many")
	}
	everNew := &sim.Scenario{Name: "ever-new", Setup: func(w *sim.World) func() {
		return func() { w.Reached("number", uint64(w.Value("which", 1<<30))) }
	}}
	loud := until(everNew, "mix", 0.02, 2)
	require.False(t, loud.Behaviour.Quiet)
	require.EqualValues(t, 20_000, loud.Runs)
	require.InDelta(t, 1, loud.Behaviour.States.ChanceOfNew, 0.01)
	require.Zero(t, loud.Behaviour.Orders.Seen)

	require.Nil(t, until(correct, "pct:3", 0.02, 2).Behaviour, "no run is drawn by random")
}

func TestMeasuredRunsOfTheMixAreThoseOfRandom(t *testing.T) {
	for _, name := range []string{"mix", "random"} {
		require.True(t, Estimates(parse(t, name)))
	}
	for _, name := range []string{"guided", "pct:2", "pos", "urw", "fair"} {
		require.False(t, Estimates(parse(t, name)))
	}
}
