package shrink

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// TestATurnedRaceComesTheOtherWayRound: the run is the same up to the first step of the race, and then the other one's task moves.
func TestATurnedRaceComesTheOtherWayRound(t *testing.T) {
	turnedRound, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		replayer, err := search.NewReplayer(program(t), choice.Token{Strategy: "random", Seed: seed})
		require.NoError(t, err)
		defer replayer.Close()
		random, err := strategy.Parse("random")
		require.NoError(t, err)
		source := random.Source()
		source.Begin(seed, 0)
		e := &explainer{ctx: t.Context(), world: world{replayer: replayer}}
		w := &e.world
		w.recorder.Begin(source, nil)
		recorded, err := w.recorded(w.run(&w.recorder, w.recorder.Tracer(), 0))
		require.NoError(t, err)
		e.list = recorded.Taken
		_, e.whole, err = e.told(e.list)
		require.NoError(t, err)

		for _, r := range e.whole.races() {
			require.Less(t, r.first, r.then)
			_, other, err := e.turn(r)
			require.NoError(t, err)
			for i := range r.first {
				require.True(t, e.whole.moments[i].is(&other.moments[i]), "step %d of %d", i, r.first)
			}
			tried++
			if other.moments[r.first].actor == e.whole.moments[r.then].actor {
				turnedRound++
			}
		}
	})
	require.Greater(t, turnedRound, tried/4, "of all races: in the others the task could not go on before")
	t.Log(turnedRound, tried)
}
