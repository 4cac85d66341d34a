package strategy

import (
	"math"

	"github.com/heddle-go/heddle/sim/choice"
)

// fair goes round: in each round every actor that can move makes one stretch of steps, in an order drawn for the round. How long
// a stretch is at most, the quantum, is drawn log-uniformly for each run. The order is no list but a hash of round and id, so there
// is nothing to keep.
//
// An actor that can move all the time moves in every round. A round takes only actors that existed when it began, as that of
// [choice.Policy], so it ends whatever its steps beget. So the schedule is strongly bounded: between two stretches of an actor that
// could always go on, no other has more than two. (Random is fair too, but only with probability 1.)
//
// It is meant for what must happen in every fair schedule: liveness once faults are over. As a search it is poor, since the tasks
// advance together: what needs one of them far behind the others is not tried. Faults and values are drawn as by random.
type fair struct {
	generator generator
	strikes   strikes
	choices   int64
	quantum   int
	round     uint64 // seed of the order of this round
	reached   uint64 // key of the actor whose stretch it is; those below have had theirs
	horizon   int32  // highest id in this round
	last      int32  // id of the actor whose stretch it is
	streak    int    // choices of the stretch so far
}

// quantumWidth is the number of binary digits of a quantum.
const quantumWidth = 6

func (f *fair) Begin(seed uint64, length int64) {
	f.generator = generator(seed)
	f.strikes.begin(&f.generator, length)
	f.quantum = int(f.generator.logUniform(quantumWidth))
	f.choices, f.reached, f.horizon, f.last, f.streak = 0, math.MaxUint64, 0, 0, 0
}

func (f *fair) Choices() int64 { return f.choices }

func (f *fair) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	f.choices++
	if len(armed) > 0 {
		if i := f.strikes.next(&f.generator, armed); i >= 0 {
			return len(enabled) + i
		}
	}
	if f.streak < f.quantum {
		for i, a := range enabled {
			if a.ID == f.last {
				f.streak++
				return i
			}
		}
	}
	i := f.following(enabled)
	if i < 0 {
		f.round, f.reached, f.horizon = f.generator.next(), 0, highestID(enabled)
		i = f.following(enabled)
	}
	f.last, f.reached, f.streak = enabled[i].ID, f.key(enabled[i]), 1
	return i
}

// following is the position of the next actor of the round, -1 if the round is over.
func (f *fair) following(enabled []*choice.Actor) int {
	best, lowest := -1, uint64(math.MaxUint64)
	for i, a := range enabled {
		if key := f.key(a); a.ID <= f.horizon && key > f.reached && key <= lowest {
			best, lowest = i, key
		}
	}
	return best
}

// key is the place of an actor in the round, above 0.
func (f *fair) key(a *choice.Actor) uint64 {
	return scramble(f.round+uint64(a.ID)*0x9E3779B97F4A7C15) | 1
}

func highestID(actors []*choice.Actor) int32 {
	highest := int32(0)
	for _, a := range actors {
		highest = max(highest, a.ID)
	}
	return highest
}

func (f *fair) Value(_ choice.Site, n int) int { return f.generator.below(n) }
