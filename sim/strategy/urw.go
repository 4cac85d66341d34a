package strategy

import (
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// urw is the uniform random walk over schedules: Zhao, Wolff, Mathur and Roychoudhury, "Selectively Uniform Concurrency Testing",
// ASPLOS 2025. An actor is picked with a chance proportional to the number of steps that it has yet to make, so that every
// interleaving is as likely as any other, where random takes those with a long tail of one task far too often. Of n tasks that
// make one step each and one that makes many, all the places in the long one are tried alike.
//
// Where it departs from the paper:
//
//   - The numbers of steps are not those of one run made for it but means over the last generation, by the names on the spawn
//     path (see [Lessons]); until then it is random. An actor that has made more than was expected counts for one step.
//   - A task counts for those that it has yet to spawn, a connection for its deliveries, as the paper has it for threads; a
//     spawn takes from the parent what the child is expected to make.
//   - Uniformity holds for what the counts say and where nothing blocks. An actor that is blocked is out of the draw, and
//     what it then still has to make is drawn against fewer others. Above all, steps on the far side of a rest, at which
//     only time can move, are counted although they cannot interleave with those on this side.
//   - Faults and values are drawn as by random.
//
// It is fair with a probability: who has least to do waits for about as many choices as there are steps left.
type urw struct {
	generator generator
	strikes   strikes
	choices   int64
	forecast  forecast
}

func (u *urw) Begin(seed uint64, length int64) {
	u.generator = generator(seed)
	u.choices = 0
	u.strikes.begin(&u.generator, length)
	u.forecast.begin(Weights{}, nil)
}

// Learn implements [Learner].
func (u *urw) Learn(known Known, lessons *Lessons) { u.forecast.begin(known.Weights, lessons) }

func (u *urw) Choices() int64 { return u.choices }

func (u *urw) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	u.choices++
	if len(armed) > 0 {
		if i := u.strikes.next(&u.generator, armed); i >= 0 {
			return len(enabled) + i
		}
	}
	if !u.forecast.informed {
		return u.generator.below(len(enabled))
	}
	for _, a := range enabled {
		u.see(a)
	}
	sum := 0
	for _, a := range enabled {
		sum += u.weight(a)
	}
	drawn := u.generator.below(sum)
	for i, a := range enabled {
		if drawn -= u.weight(a); drawn < 0 {
			return i
		}
	}
	return len(enabled) - 1
}

// weight is what is expected of the actor, at least the step that it is about to make.
func (u *urw) weight(a *choice.Actor) int {
	slot, _ := u.forecast.of(a)
	return max(int(slot.steps), unit)
}

func (u *urw) see(a *choice.Actor) *ahead {
	slot, begot := u.forecast.of(a)
	if begot {
		u.forecast.pass(a, slot)
	}
	return slot
}

// Moved implements [choice.Follower].
func (u *urw) Moved(a *choice.Actor) {
	if scheduled(a) {
		u.forecast.made(a, u.see(a), true, false)
	}
}

// scheduled says whether the actor is one of those that an order is drawn for.
func scheduled(a *choice.Actor) bool {
	return a.Kind != kernel.FaultActor && a.Kind != kernel.ClockActor
}

func (u *urw) Value(_ choice.Site, n int) int { return u.generator.below(n) }
