package shrink

import (
	"slices"

	"github.com/heddle-go/heddle/sim/choice"
)

// Inputs that are drawn in a loop, so many times as another input says, lie in slots: the answers of one round of the loop have one
// occurrence. Dropping one restores its default and leaves the round itself. The passes here take rounds away: those that are needed
// move to the front, and fewer are asked for.

// Question is what a value is asked by: the address of a Value decision without its occurrence.
type Question struct{ Actor, Site, Object string }

func questionOf(d choice.Deviation) Question { return Question{d.Actor, d.Point, d.Object} }

// loop is a loop of the program in which values are drawn: all questions of an actor that it asked equally often.
type loop struct {
	actor, object string
	rounds        int
}

// loopOf is where a value was drawn; false if that was in no loop.
func (m *minimiser) loopOf(d choice.Deviation) (loop, bool) {
	rounds := m.best.Asked[questionOf(d)]
	return loop{d.Actor, d.Object, rounds}, d.Value > 0 && rounds > 1
}

// loops are those of which the list has a value.
func (m *minimiser) loops() (loops []loop) {
	for _, d := range m.list() {
		if l, ok := m.loopOf(d); ok && !slices.Contains(loops, l) {
			loops = append(loops, l)
		}
	}
	return loops
}

// slots are the rounds of a loop in which the list has a value, in order.
func (m *minimiser) slots(l loop) (slots []int) {
	for _, d := range m.list() {
		if of, ok := m.loopOf(d); ok && of == l {
			slots = append(slots, d.Occurrence)
		}
	}
	slices.Sort(slots)
	return slices.Compact(slots)
}

// moved is the list with each value of a loop in the round that to says, 0 for none.
func (m *minimiser) moved(l loop, to func(round int) int) (list []choice.Deviation) {
	for _, d := range m.list() {
		if of, ok := m.loopOf(d); ok && of == l {
			if d.Occurrence = to(d.Occurrence); d.Occurrence < 1 {
				continue
			}
		}
		list = append(list, d)
	}
	return list
}

// mostFree bounds to how many free rounds the values of one are moved.
const mostFree = 4

// closeGaps moves the values of each loop to its first rounds: all at once, else those of one round to an earlier one that has none.
func (m *minimiser) closeGaps() {
	for _, l := range m.loops() {
		slots := m.slots(l)
		m.propose(m.moved(l, func(round int) int { return slices.Index(slots, round) + 1 }))
		for i := 0; i < len(m.slots(l)) && !m.over(); i++ {
			slots, tried := m.slots(l), 0
			for free := 1; free < slots[i] && tried < mostFree; free++ {
				if slices.Contains(slots, free) {
					continue
				}
				tried++
				if m.propose(m.moved(l, func(round int) int {
					if round == slots[i] {
						return free
					}
					return round
				})) {
					break
				}
			}
		}
	}
}

// mostLower bounds the values that are tried in place of a higher one: counts are small.
const mostLower = 6

// shortenLoops lowers a value on which it depends how often others are asked for, or which tasks there are. What was drawn in later rounds
// moves up by as many rounds as there are fewer, which cuts rounds out; and what a task had to do that is no more is for its twin.
func (m *minimiser) shortenLoops() {
	for i := len(m.list()) - 1; i >= 0; i-- {
		for lower := 0; i < len(m.list()) && lower < min(m.list()[i].Value, mostLower) && !m.over(); lower++ {
			kept, matters := m.shorten(i, lower)
			if kept {
				lower = -1 // the list is another one
			} else if !matters {
				break
			}
		}
	}
}

// shorten lowers entry i, and says whether some way of cutting out what is no more was kept, and whether anything is no more.
func (m *minimiser) shorten(i, value int) (kept, matters bool) {
	loops := m.loops()
	if !slices.ContainsFunc(loops, func(l loop) bool { return l.actor == m.list()[i].Actor }) {
		return false, false
	}
	list := lowered(m.list(), i, value)
	digest := ^m.digest(list)
	if m.tried[digest] {
		return false, false
	}
	m.tried[digest] = true
	probe, ok := m.made(m.oracle.Record(list, m.maxSteps()))
	if !ok {
		return false, false
	}
	if folded := folded(list, probe.Actors); !slices.Equal(folded, list) {
		matters = true
		if m.propose(folded) {
			return true, true
		}
	}
	for _, l := range loops {
		fewer := m.fewer(l, probe)
		if fewer <= 0 {
			continue
		}
		matters = true
		for _, cut := range append([]int{0}, m.slots(l)...) {
			shifted := m.moved(l, func(round int) int {
				switch {
				case round <= cut:
					return round
				case round <= cut+fewer:
					return 0
				default:
					return round - fewer
				}
			})
			at := slices.Index(shifted, m.list()[i])
			if at < 0 {
				continue
			}
			shifted = lowered(shifted, at, value)
			if m.propose(shifted) || m.propose(folded(shifted, probe.Actors)) || m.realign(shifted) {
				return true, true
			}
		}
	}
	return false, matters
}

// lowered is the list with a lower value at i; 0 is none.
func lowered(list []choice.Deviation, i, value int) []choice.Deviation {
	if value == 0 {
		return without(list, i, i+1)
	}
	d := list[i]
	d.Value = value
	return with(list, i, d)
}

// fewer is by how many rounds a loop is shorter in another run.
func (m *minimiser) fewer(l loop, other Run) (fewer int) {
	for _, d := range m.list() {
		if of, ok := m.loopOf(d); ok && of == l {
			fewer = max(fewer, l.rounds-other.Asked[questionOf(d)])
		}
	}
	return fewer
}
