package strategy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// Between two stretches of an actor that can always move no other has more than two.
func TestFairBoundsEveryWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fair{}
		f.Begin(rapid.Uint64().Draw(t, "seed"), 0)
		always, now := actors(kernel.TaskActor, 1)[0], actors(kernel.TaskActor, 2, 3, 4, 5)
		moves := map[int32]int{} // since always moved
		for range 2000 {
			enabled := []*choice.Actor{always}
			for _, a := range now {
				if rapid.Bool().Draw(t, "enabled") {
					enabled = append(enabled, a)
				}
			}
			a := enabled[f.Schedule(nil, enabled, nil)]
			if a == always {
				clear(moves)
				continue
			}
			moves[a.ID]++
			require.LessOrEqual(t, moves[a.ID], 2*f.quantum)
		}
	})
}

// Each step begets a new actor, which could move at once.
func TestFairEndsARoundThatGrows(t *testing.T) {
	f := &fair{}
	f.Begin(5, 0)
	enabled, moved := actors(kernel.TaskActor, 1, 2), 0
	for i := range 2000 {
		if a := enabled[f.Schedule(nil, enabled, nil)]; a.ID == 1 {
			moved++
		}
		enabled = append(enabled[:2:2], actors(kernel.DeliveryActor, int32(3+i))...)
	}
	require.Greater(t, moved, 100)
}
