package explore

import "slices"

// Who wakes a branch, beside events.
const (
	nobody  = -1
	theLate = -2
)

// gather lists what comes after event k and is not preceded by it.
func (x *walk) gather(k int) {
	x.nothing()
	for j := k + 1; j < x.depth; j++ {
		if x.events[j].time() {
			return
		}
		if !x.precedes(k, j) {
			m := gathered{x.events[j].name, x.masks[j], int32(j)}
			x.moved = append(x.moved, m)
			x.movedNames |= nameBit(m.name)
			x.movedMasks |= m.shows
		}
	}
}

// nothing is gathered.
func (x *walk) nothing() { x.moved, x.movedNames, x.movedMasks = x.moved[:0], 0, 0 }

// nameBit tells quickly that names are not the same. Two may share one.
func nameBit(name uint64) uint64 { return 1 << (name & 63) }

// precede makes x.clock what precedes the late event, of what was gathered, when event k does not come before it.
func (x *walk) precede(k int, late *event) {
	x.clock = x.clock[:0]
	for range x.lastOf {
		x.clock = append(x.clock, 0)
	}
	if late.prev > int32(k) {
		x.joinClock(late.prev)
	} else if late.prev < 0 {
		if maker := x.maker(late.actor); maker > int32(k) {
			x.joinClock(maker)
		}
	}
	if late.waker > int32(k) {
		x.joinClock(late.waker)
	}
	mask := late.looksFor()
	for i := len(x.moved) - 1; i >= 0; i-- {
		if x.moved[i].shows&mask == 0 {
			continue
		}
		j := x.moved[i].at
		e := &x.events[j]
		if e.actor != late.actor && x.clock[e.actor] <= j && (relation(&e.footprint, &late.footprint) != independent || late.mayTouch(&e.footprint)) {
			x.joinClock(j)
		}
	}
}

func (x *walk) joinClock(j int32) {
	e := &x.events[j]
	for a, v := range x.clocks[e.clock : e.clock+e.width] {
		x.clock[a] = max(x.clock[a], v)
	}
}

// needed says whether an event precedes, or is, the late one.
func (x *walk) needed(j int32, late *event) bool {
	return j == theLate || j >= 0 && x.clock[x.events[j].actor] > j && late != nil
}

// weak says whether the branch goes on sleeping, or can come first, while what was gathered is done and then the late event, if it is
// not nil. by is who makes the same step or wakes it.
func (x *walk) weak(b *branch, late *event) (weak bool, by int32) {
	if late != nil && late.name != b.name && !x.moves(b.name) && !sleeps(&b.footprint, &late.footprint) {
		return false, theLate // or an earlier one, which does not matter here
	}
	return x.waker(b, late)
}

// moves says whether an event of that actor was gathered.
func (x *walk) moves(name uint64) bool {
	return x.movedNames&nameBit(name) != 0 && slices.ContainsFunc(x.moved, func(m gathered) bool { return m.name == name })
}

// waker is weak where it matters who is the first to wake the branch.
func (x *walk) waker(b *branch, late *event) (weak bool, by int32) {
	if mask := b.looksFor(); x.movedNames&nameBit(b.name) != 0 || x.movedMasks&mask != 0 {
		for i := range x.moved {
			m := &x.moved[i]
			if m.name == b.name {
				return x.begins(b, int(m.at)), m.at
			}
			if m.shows&mask != 0 && !sleeps(&b.footprint, &x.events[m.at].footprint) {
				return false, m.at
			}
		}
	}
	switch {
	case late == nil:
		return true, nobody
	case late.name == b.name:
		return true, theLate
	case !sleeps(&b.footprint, &late.footprint):
		return false, theLate
	}
	return true, nobody
}

// begins says whether the values of event j begin with those of the branch.
func (x *walk) begins(b *branch, j int) bool {
	if len(b.values) == 0 {
		return true
	}
	draws := x.drawn(j)
	if len(draws) < len(b.values) {
		return false
	}
	for i, v := range b.values {
		if draws[i].v != v {
			return false
		}
	}
	return true
}
