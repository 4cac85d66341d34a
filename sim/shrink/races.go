package shrink

import (
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// race is two steps of different actors at one object that could have come in the other order.
type race struct{ first, then int }

// races are those of the run, the latest first. Of each step they have, for each object, the last step before it that it races with.
func (c *chronicle) races() (races []race) {
	at := map[int32][]int{} // moments that touched an object
	for j := range c.moments {
		m := &c.moments[j]
		for _, t := range m.touched {
			before := at[t.object]
			for k := len(before) - 1; k >= 0; k-- {
				first := &c.moments[before[k]]
				if first.actor != m.actor && first.at(t.object, func(op choice.Op) bool { return kernel.Conflicts(false, op, t.op) }) {
					if r := (race{before[k], j}); !slices.Contains(races[max(0, len(races)-len(m.touched)):], r) {
						races = append(races, r)
					}
					break
				}
			}
			at[t.object] = append(before, j)
		}
	}
	slices.SortStableFunc(races, func(a, b race) int { return b.first - a.first })
	return races
}

// at says whether the step did something to an object for which that holds.
func (m *moment) at(object int32, holds func(choice.Op) bool) bool {
	return slices.ContainsFunc(m.touched, func(t touch) bool { return t.object == object && holds(t.op) })
}

// meet is what two steps both touch; empty if nothing.
func (m *moment) meet(other *moment) string {
	for _, t := range m.touched {
		if other.at(t.object, func(op choice.Op) bool { return familyOf(op) == none || familyOf(op) != familyOf(t.op) }) {
			return t.name
		}
	}
	return ""
}

// turned is a source that repeats a run in which the second step of a race comes before the first: its actor moves until it has made it.
// Afterwards whoever's turn was first in the run that is repeated, and can move, does.
type turned struct {
	turns  map[uint64][]int32 // of each actor, when it moved
	made   map[uint64]int     // steps of each actor
	policy choice.Policy
	values choice.Replay
}

func (t *turned) begin(c *chronicle, list []choice.Deviation, r race, tracer choice.Tracer) {
	t.turns, t.made, t.policy = map[uint64][]int32{}, map[uint64]int{}, choice.Policy{}
	early := c.moments[r.then].actor
	for i := range c.moments[1:] {
		turn := int32(i+1) * 2
		if a := c.moments[i+1].actor; a == early && i+1 >= r.first && i+1 <= r.then {
			turn = int32(r.first)*2 - 1
		}
		t.turns[c.moments[i+1].actor] = append(t.turns[c.moments[i+1].actor], turn)
	}
	var values []choice.Deviation
	for _, d := range list {
		if d.Value > 0 {
			values = append(values, d)
		}
	}
	t.values.Begin(values, tracer)
}

// Moved implements [choice.Follower].
func (t *turned) Moved(a *choice.Actor) { t.made[a.PathHash()]++ }

// Schedule implements [choice.Source].
func (t *turned) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	chosen, first := t.policy.Decide(current, enabled), int32(-1)
	for i := range len(enabled) + len(armed) {
		a := at(i, enabled, armed)
		if turns, n := t.turns[a.PathHash()], t.made[a.PathHash()]; n < len(turns) && (first < 0 || turns[n] < first) {
			chosen, first = i, turns[n]
		}
	}
	t.policy.Moved(at(chosen, enabled, armed))
	return chosen
}

// Value implements [choice.Source].
func (t *turned) Value(site choice.Site, n int) int { return t.values.Value(site, n) }
