package explore

import (
	"github.com/heddle-go/heddle/internal/kernel"
)

// precedes says whether event k happens before event i, or is it.
func (t *trace) precedes(k, i int) bool {
	e := &t.events[i]
	a := t.events[k].actor
	return int32(k) <= e.barrier || e.time() || a < e.width && t.clocks[e.clock+a] > int32(k)
}

// open makes room for the clock of event i and puts in what comes before it in its own task: the event before, the step that
// made the actor, and the step that completed its operation. Everything up to the last advance of time comes before it too, and is left out.
func (t *trace) open(i int) {
	e := &t.events[i]
	e.clock, e.width = int32(len(t.clocks)), e.actors+1
	if e.time() {
		e.width = 0 // all comes before it
		return
	}
	first := e.prev
	if first < 0 {
		first = t.maker(e.actor)
	}
	copied := int32(0)
	if first > e.barrier {
		f := &t.events[first]
		copied = f.width
		t.clocks = append(t.clocks, t.clocks[f.clock:f.clock+f.width]...)
	}
	for ; copied < e.width; copied++ {
		t.clocks = append(t.clocks, 0)
	}
	if e.waker > e.barrier {
		t.join(e, int(e.waker))
	}
}

// maker is the event that made the actor; -1: the set-up did.
func (t *trace) maker(actor int32) int32 {
	if actor <= t.setUp {
		return -1
	}
	return t.makerOf[actor]
}

// join lets event k happen before the one whose clock is open.
func (t *trace) join(e *event, k int) {
	other := &t.events[k]
	n := min(e.width, other.width)
	to, from := t.clocks[e.clock:e.clock+n], t.clocks[other.clock:other.clock+n]
	for a, v := range from {
		to[a] = max(to[a], v)
	}
}

// order completes the clock of event i, which must be open. race is called for every earlier event that i conflicts with and could
// have preceded, the latest first, and answers whether it really could have: else it is what made event i possible. Conflicts are found against the clock of the task alone, before any edge of the objects that the
// step touches is added: that an unlock enables a lock must not hide that two locks conflict.
func (t *trace) order(i int, race func(k int) bool) {
	e := &t.events[i]
	if e.time() {
		return
	}
	t.enabling = t.enabling[:0]
	t.low(i)
	if len(e.accesses) > 1 || t.wide > 0 {
		t.relateAll(i, e, race)
	} else if len(e.accesses) == 1 {
		t.relateOne(e, race)
	}
	t.close(i)
}

// close puts into the clock of event i what has enabled it, what those had done whose operations it has completed, and itself.
func (t *trace) close(i int) {
	e := &t.events[i]
	for _, k := range t.enabling {
		t.join(e, int(k))
	}
	for _, a := range t.woken[e.woke:e.wokeTo] {
		if last := t.lastOf[a.actor] - 1; last > e.barrier {
			t.join(e, int(last))
		}
	}
	t.clocks[e.clock+e.actor] = int32(i + 1)
}

// relateAll orders event i after those before it that it depends on.
func (t *trace) relateAll(i int, e *event, race func(k int) bool) {
	mask := e.looksFor()
	for k := i - 1; k > int(e.barrier); k-- {
		if t.masks[k]&mask == 0 {
			continue
		}
		other := &t.events[k]
		if t.clocks[e.clock+other.actor] > int32(k) {
			continue
		}
		t.related(e, k, relation(&other.footprint, &e.footprint), race)
	}
}

// relateOne is relateAll for an event that touches one object, where only objects relate the events.
func (t *trace) relateOne(e *event, race func(k int) bool) {
	b := &e.accesses[0]
	for at := b.last; at >= 0; {
		a := &t.accesses[at]
		if a.event <= e.barrier {
			return
		}
		if t.clocks[e.clock+t.events[a.event].actor] <= a.event {
			t.related(e, int(a.event), relate(a, b), race)
		}
		at = a.last
	}
}

func (t *trace) related(e *event, k int, r relationship, race func(k int) bool) {
	if r == conflicts && e.waits(&t.events[k]) {
		t.stricter.kinds |= groups
	}
	if r == conflicts && race(k) {
		t.join(e, k)
	} else if r != independent {
		t.enabling = append(t.enabling, int32(k))
	}
}

// waits says whether one of the two waits for a group that the other raises.
func (e *event) waits(other *event) bool {
	return (e.op == kernel.OpWait || other.op == kernel.OpWait) && len(e.accesses) > 0 && e.accesses[0].kind == kernel.WaitGroupObject
}

// raise is an addition to a count that comes neither before nor after another step.
type raise struct {
	event, left int32
}

// low asks for strictness if event i takes from a count what might not have been there in another order. What was there is at least
// what comes before i has left, less what others could have taken before they would need an addition that i does not.
func (t *trace) low(i int) {
	e := &t.events[i]
	for j := range e.accesses {
		a := &e.accesses[j]
		taken := a.takes()
		if taken == 0 || a.strict {
			continue
		}
		least := a.before
		t.raising = t.raising[:0]
		for k := int(e.barrier) + 1; k < i; k++ {
			if t.masks[k]&bit(a.name) == 0 || t.precedes(k, i) {
				continue
			}
			other := &t.events[k]
			for l := range other.accesses {
				if b := &other.accesses[l]; b.object == a.object {
					change := b.after - b.before
					least -= change
					least -= t.unmatched(k, -change)
				}
			}
		}
		if least < taken {
			t.stricter.kinds |= a.kindOf()
		}
	}
}

// unmatched is how much of what event k takes does not need to come after an addition that was seen.
func (t *trace) unmatched(k int, takes int32) int32 {
	if takes < 0 {
		t.raising = append(t.raising, raise{int32(k), -takes})
		return 0
	}
	for j := len(t.raising) - 1; j >= 0 && takes > 0; j-- {
		if r := &t.raising[j]; t.precedes(int(r.event), k) {
			n := min(takes, r.left)
			r.left, takes = r.left-n, takes-n
		}
	}
	return takes
}

// summand is what event i adds to a number for the Mazurkiewicz trace of the run so far: equal ones have the same steps in
// the same partial order.
func (t *trace) summand(i int) uint64 {
	e := &t.events[i]
	past := uint64(e.barrier + 1)
	if e.time() {
		past = uint64(i)
	}
	for a := range e.width {
		if last := t.clocks[e.clock+a]; last > 0 {
			p := &t.events[last-1]
			past += kernel.Scatter(kernel.Mix(p.identity, uint64(p.ordinal)))
		}
	}
	return kernel.Scatter(kernel.Mix(kernel.Mix(e.identity, uint64(e.ordinal)), past))
}
