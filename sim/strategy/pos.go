package strategy

import "github.com/heddle-go/heddle/sim/choice"

// pos is partial-order sampling: Yuan, Yang and Gu, "Partial Order Aware Concurrency Sampling", CAV 2018. Every pending step has
// a random priority and the highest that is possible is made. Then the steps that race with it draw again, so that one race
// says nothing of the next. Schedules that differ only in the order of independent steps are one partial order, and where a random
// walk spends its runs on those, pos needs a chance of about 1/n, not 2^-n, to let a step of one task come after n of another's.
//
// Which steps race is the kernel's table of dependence ([choice.Conflict]). Where it departs from the paper:
//
//   - A priority is a hash of the seed, the actor, its operation and object, and how often the actor has drawn: random, and
//     nothing to keep for a step that nobody asks about. Actors whose ids are equal modulo redraws draw together.
//   - Only steps that are possible draw again. One that is blocked waits for something that the step did or did not bring
//     about: that is no race but an enabling.
//   - A step without an alternative is not seen. What raced with it was not possible, and its own actor has another one by then.
//   - Deliveries and due timers are actors, too. Faults and values are drawn as by random.
//
// It is fair with a probability: a step at priority u of 1 waits for about 1/(1-u) others.
type pos struct {
	generator generator
	strikes   strikes
	choices   int64
	seed      uint64          // of the priorities
	last      int32           // id of the actor chosen last
	drawn     [redraws]uint32 // how often, by id
}

// redraws is more than there are tasks and connections at a time, and a power of two.
const redraws = 1 << 10

func (p *pos) Begin(seed uint64, length int64) {
	p.generator = generator(seed)
	p.seed = p.generator.next()
	p.strikes.begin(&p.generator, length)
	p.choices, p.last = 0, 0
	clear(p.drawn[:])
}

func (p *pos) Choices() int64 { return p.choices }

func (p *pos) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	p.choices++
	if current != nil && current.ID != p.last { // it has moved without a choice
		p.redraw(current)
	}
	if len(armed) > 0 {
		if i := p.strikes.next(&p.generator, armed); i >= 0 {
			p.made(armed[i], enabled)
			return len(enabled) + i
		}
	}
	i := p.highest(enabled)
	p.made(enabled[i], enabled)
	return i
}

// highest is the position of the actor with the highest priority.
func (p *pos) highest(enabled []*choice.Actor) int {
	best, highest := 0, uint64(0)
	for i, a := range enabled {
		if priority := p.priority(a); priority > highest {
			best, highest = i, priority
		}
	}
	return best
}

func (p *pos) priority(a *choice.Actor) uint64 {
	step := uint64(a.ID)<<40 ^ uint64(a.Op)<<32
	if o := a.Object(); o != nil {
		step ^= uint64(o.ID())
	}
	return scramble(p.seed + step*0x9E3779B97F4A7C15 + uint64(p.drawn[a.ID%redraws])*0xD1B54A32D192ED03)
}

// made lets those draw again that race with a step, and the one that makes it.
func (p *pos) made(a *choice.Actor, enabled []*choice.Actor) {
	for _, other := range enabled {
		if other != a && choice.Conflict(a, other) {
			p.redraw(other)
		}
	}
	p.redraw(a)
	p.last = a.ID
}

func (p *pos) redraw(a *choice.Actor) { p.drawn[a.ID%redraws]++ }

func (p *pos) Value(_ choice.Site, n int) int { return p.generator.below(n) }
