package choice_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

func task(id int32) *choice.Actor     { return &choice.Actor{ID: id, Kind: kernel.TaskActor} }
func delivery(id int32) *choice.Actor { return &choice.Actor{ID: id, Kind: kernel.DeliveryActor} }

// story lets the policy choose n times among actors that can always move, and answers who moved.
func story(p *choice.Policy, n int, enabled ...*choice.Actor) []int32 {
	var moved []int32
	var current *choice.Actor
	for range n {
		current = enabled[p.Decide(current, enabled)]
		p.Moved(current)
		moved = append(moved, current.ID)
	}
	return moved
}

func TestPolicyKeepsToTheTaskThatRuns(t *testing.T) {
	require.Equal(t, []int32{1, 1, 1, 1}, story(&choice.Policy{}, 4, task(3), task(1), delivery(2)))
}

func TestPolicyGoesOnWithTheNextTaskInOrderOfCreation(t *testing.T) {
	var p choice.Policy
	one, two, three := task(1), task(2), task(3)
	story(&p, 1, two, three)
	require.Equal(t, []int32{3}, story(&p, 1, three, one))
	require.Equal(t, []int32{1}, story(&p, 1, one, two))
}

func TestPolicyReturnsToATaskThatADeliveryInterrupted(t *testing.T) {
	var p choice.Policy
	one, two, message := task(1), task(2), delivery(3)
	story(&p, 1, one, two)
	story(&p, 1, message)
	require.Equal(t, 1, p.Decide(message, []*choice.Actor{two, one}))
}

func TestPolicyTakesTheTurnFromASpinner(t *testing.T) {
	moved := story(&choice.Policy{}, 3*choice.Quantum, task(1), task(2))
	require.Contains(t, moved[choice.Quantum:choice.Quantum+2], int32(2))
	require.Equal(t, int32(1), moved[3*choice.Quantum-1])
}

func TestPolicyStarvesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p choice.Policy
		enabled := []*choice.Actor{task(1), delivery(2), delivery(3), task(4)}
		var current *choice.Actor
		last := map[int32]int{}
		id := int32(5)
		bear := rapid.IntRange(0, 3).Draw(t, "what is born by each step")
		const steps = 20 * choice.Quantum
		for step := range steps {
			current = enabled[p.Decide(current, enabled)]
			p.Moved(current)
			last[current.ID] = step
			if current.ID > 4 { // moves once
				for i, a := range enabled {
					if a == current {
						enabled = append(enabled[:i], enabled[i+1:]...)
						break
					}
				}
			}
			if len(enabled) < 10 {
				switch bear {
				case 1:
					enabled = append(enabled, delivery(id))
				case 2:
					enabled = append(enabled, task(id))
				case 3:
					enabled = append(enabled, task(id), delivery(id+1))
				}
			}
			id += 2
		}
		for id := range int32(4) {
			require.Less(t, steps-last[id+1], 14*choice.Quantum, "actor %d", id+1)
		}
	})
}

func TestPolicyIgnoresTheOrderOfTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		actors := []*choice.Actor{task(1), task(2), delivery(3), delivery(4), task(5)}
		var p, q choice.Policy
		var current *choice.Actor
		for range rapid.IntRange(1, 50).Draw(t, "choices") {
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(actors), 1, 5, func(a *choice.Actor) int32 { return a.ID }).Draw(t, "enabled")
			turned := rapid.Permutation(some).Draw(t, "in another order")
			a, b := some[p.Decide(current, some)], turned[q.Decide(current, turned)]
			require.Equal(t, a.ID, b.ID)
			current = rapid.SampledFrom(some).Draw(t, "moves")
			p.Moved(current)
			q.Moved(current)
		}
	})
}

func BenchmarkPolicy(b *testing.B) {
	enabled := []*choice.Actor{task(1), task(2), task(3), task(4)}
	var p choice.Policy
	var current *choice.Actor
	b.ReportAllocs()
	for b.Loop() {
		current = enabled[p.Decide(current, enabled)]
		p.Moved(current)
	}
}
