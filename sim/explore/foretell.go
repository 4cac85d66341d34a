package explore

import (
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
)

// memory is what steps that were made have touched and led to, over all runs. Where a step that would touch what one of the same name has touched
// leads to a class in which the search was, it does lead there: in that class it is a step that no other one comes after, so what the search had
// done otherwise is what it has done now, and the actor has but one next step.
type memory struct {
	touched map[uint64][]footprint // by identity and ordinal
	movers  map[uint64][]mover     // by class: who can move there
	leads   map[uint64]uint64      // by class and actor: the class that its step leads to
}

// mover is an actor that can move in a state.
type mover struct {
	path uint64
	task bool
}

func newMemory() memory {
	return memory{map[uint64][]footprint{}, map[uint64][]mover{}, map[uint64]uint64{}}
}

// remember takes down a step that was made, and that it leads on from that class. One that has completed the operation of somebody else
// cannot be foretold.
func (m memory) remember(class uint64, a *kernel.Actor, e *event, summand uint64) {
	m.leads[kernel.Mix(class, a.PathHash())] = class + summand
	name := e.place()
	if e.time() || e.woke != e.wokeTo || slices.ContainsFunc(m.touched[name], e.alike) {
		return
	}
	f := e.footprint
	f.accesses = slices.Clone(f.accesses)
	m.touched[name] = append(m.touched[name], f)
}

// alike says whether two steps have touched the same, in the same way.
func (e *event) alike(f footprint) bool {
	return e.world == f.world && e.shared == f.shared && e.all == f.all && slices.EqualFunc(e.accesses, f.accesses, func(a, b access) bool {
		return a.same(&b) && a.after-a.before == b.after-b.before && a.heldBefore == b.heldBefore && a.heldAfter == b.heldAfter
	})
}

// same says whether the two do the same to the same object.
func (a *access) same(b *access) bool {
	return a.name == b.name && a.op == b.op && a.sends == b.sends && a.receives == b.receives
}

// moves takes down that the actor moves in a state, if it is not known who can.
func (m memory) moves(class uint64, a *kernel.Actor) {
	if _, known := m.movers[class]; !known {
		m.movers[class] = []mover{{a.PathHash(), a.Kind == kernel.TaskActor}}
	}
}

// ends takes down that nobody can move in a state.
func (m memory) ends(class uint64) { m.movers[class] = nil }

// place is a number for the place of the step in the program: its actor and how often that had moved, operation and object.
func (e *event) place() uint64 { return kernel.Mix(e.identity, uint64(e.ordinal)) }

// visit takes down who can move in the state that the run has come to, and where that leads as far as it is known.
func (b *bounded) visit(enabled, armed []*kernel.Actor) {
	movers, known := b.past.movers[b.class]
	for _, list := range [...][]*kernel.Actor{armed, enabled} {
		for _, a := range list {
			path := a.PathHash()
			if !known {
				movers = append(movers, mover{path, a.Kind == kernel.TaskActor})
			}
			step := kernel.Mix(b.class, path)
			if _, known := b.past.leads[step]; !known {
				if to, ok := b.foretell(a); ok {
					b.past.leads[step] = to
				}
			}
		}
	}
	b.past.movers[b.class] = movers
}

// through says whether all that can follow from a state is known to be tried, or was, at no more cost: path is who has the turn.
func (b *bounded) through(class, path uint64, used int32) bool {
	if b.tried(class, path, used) {
		return true
	}
	movers, ok := b.past.movers[class]
	if !ok || b.bound == Delays {
		return false
	}
	if !slices.ContainsFunc(movers, func(m mover) bool { return m.path == path }) {
		path = 0
	}
	before := b.try(class, path, used)
	for _, m := range movers {
		cost, next := int32(0), path
		if m.task {
			next = m.path
			if path != 0 && next != path {
				cost = 1
			}
		}
		if int(used+cost) > b.most {
			continue
		}
		if to, ok := b.past.leads[kernel.Mix(class, m.path)]; !ok || !b.through(to, next, used+cost) {
			b.undo(before)
			return false
		}
	}
	return true
}

// foretell says which class the next step of the actor leads to, if it is one in which the search was.
func (b *bounded) foretell(a *kernel.Actor) (class uint64, ok bool) {
	i, from, stricter := len(b.events), len(b.accesses), b.stricter
	b.events = append(b.events, event{})
	b.begin(i, a)
	b.current = -1
	e := &b.events[i]
	e.actors, e.prev, e.waker, e.ordinal = b.kernel.Actors(), -1, -1, 0
	if int(a.ID) < len(b.lastOf) {
		if e.prev = b.lastOf[a.ID] - 1; e.prev >= 0 {
			e.ordinal = b.events[e.prev].ordinal + 1
		}
		if e.op == kernel.OpResume {
			e.waker = b.wokenBy[a.ID] - 1
		}
	}
	announced := len(b.accesses) - from
	for _, f := range b.past.touched[e.place()] {
		if !b.fits(e, f, announced) {
			continue
		}
		b.open(i)
		b.enabling = b.enabling[:0]
		b.relateAll(i, e, func(int) bool { return true })
		b.close(i)
		class = b.class + b.summand(i)
		b.clocks = b.clocks[:e.clock]
		if _, ok = b.past.movers[class]; ok {
			break
		}
	}
	b.events, b.accesses, b.stricter = b.events[:i], b.accesses[:from], stricter
	return class, ok
}

// fits makes that what the event touches, if it begins with what the event announces, and the rest has no state.
func (b *bounded) fits(e *event, f footprint, announced int) bool {
	if len(f.accesses) < announced {
		return false
	}
	b.accesses = b.accesses[:int(e.from)+announced]
	for j := range f.accesses {
		was := &f.accesses[j]
		if j >= announced {
			if was.kind != kernel.SharedObject && was.kind != kernel.ConnObject {
				return false
			}
			b.accesses = append(b.accesses, *was)
			continue
		}
		is := &b.accesses[int(e.from)+j]
		if !is.same(was) {
			return false
		}
		is.after, is.heldAfter, is.strict, is.last = is.before+was.after-was.before, is.heldBefore, was.strict, -1
		if was.heldBefore != was.heldAfter {
			is.heldAfter = was.heldAfter
		}
		if int(is.object) < len(b.heads) {
			is.last = b.heads[is.object] - 1
		}
		b.count(is)
	}
	e.footprint = f
	e.accesses = b.accesses[e.from:len(b.accesses):len(b.accesses)]
	return true
}
