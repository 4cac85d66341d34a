package explore

import "github.com/heddle-go/heddle/internal/kernel"

// access is what a step does to one object, with as much of the object's state as decides what it made possible.
type access struct {
	name       uint64 // of the object, the same in other runs
	object     int32  // id in the run
	capacity   int32
	before     int32 // count of the object
	after      int32
	sent       int32 // of a channel, in all, after the step
	received   int32
	event      int32 // whose access it is
	last       int32 // the access to the object before it, in trace.accesses; -1: none
	op         kernel.Op
	kind       kernel.ObjectKind
	heldBefore bool
	heldAfter  bool
	signal     bool // of a channel on which nobody sends
	strict     bool // its order to all others at the object matters: see trace.stricter
	sends      bool // it is that of a select that would send,
	receives   bool // or receive
}

// kinds is a set of kinds of objects. Unbuffered channels are a kind of their own here, and so is what a step may do to others.
type kinds uint32

const (
	allKinds   = ^kinds(0)
	groups     = kinds(1) << kernel.WaitGroupObject
	parks      = kinds(1) << 29 // a task that has arrived at an unbuffered channel must be told from one that has not
	models     = kinds(1) << 28 // what tasks share with models and checks
	others     = kinds(1) << 30 // a step that is planned may end or hold up any task, so that nothing may be put behind it
	unbuffered = kinds(1) << 31
)

// kindOf is the kind of the object.
func (a *access) kindOf() kinds {
	if a.kind == kernel.ChanObject && a.capacity == 0 {
		return unbuffered
	}
	return 1 << a.kind
}

// footprint is what a step touches: objects, and what no object stands for.
type footprint struct {
	accesses []access
	objects  uint64 // a bit for each object; two may share one
	world    bool   // all state that tasks share with models and checks, by Inline and Observe of World
	shared   bool   // some of it: a shared object is among the accesses
	all      bool   // everything
	guess    kinds  // what else it may touch: of a step that was not made where it is planned; see strictness.reaches
}

// A mask tells quickly that two footprints have nothing in common. Its lower bits are those of the objects.
const (
	objectBits = 60
	stepBit    = 1 << 60 // that every step shows, for those that touch everything
	allBit     = 1 << 61 // that those show which touch everything
	sharedBit  = 1 << 62 // that those show which touch a shared object
	worldBit   = 1 << 63 // that those show which touch all of them
)

func bit(name uint64) uint64 { return 1 << (name % objectBits) }

// shows is the mask of an earlier step, looksFor that of a later one: without a common bit they are independent.
func (f *footprint) shows() uint64 {
	mask := f.objects | stepBit
	if f.all {
		mask = ^uint64(0)
	}
	if f.world {
		mask |= worldBit
	}
	if f.shared {
		mask |= sharedBit
	}
	return mask
}

func (f *footprint) looksFor() uint64 {
	if f.guess != 0 {
		return ^uint64(0)
	}
	mask := f.objects | allBit
	if f.all {
		mask = ^uint64(0)
	}
	if f.world {
		mask |= worldBit | sharedBit
	}
	if f.shared {
		mask |= worldBit
	}
	return mask
}

// whole says whether they depend on each other by what no pair of their accesses shows.
func whole(a, b *footprint) bool {
	return a.all || b.all || a.world && (b.world || b.shared) || b.world && a.shared
}

// relationship is how a step depends on an earlier one of another actor.
type relationship uint8

const (
	independent relationship = iota
	enables                  // the earlier one has made the later one possible: an order, but none that could be reversed
	conflicts                // either could have come first
)

// relate says how b, the later one, depends on a. Both touch the same object.
//
// The table of the kernel says what conflicts. What enables must be exact, and no more than one step for each unit: an edge
// too many would hide a race of what comes before the one with what comes after the other. Where it is not simple, all conflicts:
// then what was done to an object is one sequence, and its state before any step of that is known (see walk.feasible).
func relate(a, b *access) relationship {
	switch {
	case a.signal && a.looks() && b.looks():
		return independent
	case a.strict:
		if a.op == b.op && (a.op == kernel.OpWait || a.op == kernel.OpLen) {
			return independent
		}
		return conflicts
	case a.kind == kernel.WaitGroupObject:
		return relateWaitGroup(a, b)
	case a.kind == kernel.RWMutexObject:
		return relateRWMutex(a, b)
	}
	meets := a.kindOf() == unbuffered
	switch {
	case kernel.Conflicts(meets, a.op, b.op):
		return conflicts
	case a.op == kernel.OpOnceDone && b.op == kernel.OpOnce:
		return enables
	case a.kind == kernel.ChanObject:
		return relateChan(a, b, meets)
	}
	return independent
}

// looks says whether the step has found a channel as it is and left it so: that of another case of its select.
func (a *access) looks() bool {
	return (a.op == kernel.OpSelect || a.op == kernel.OpTrySelect || a.op == kernel.OpRecv) && a.before == a.after && a.heldBefore == a.heldAfter
}

// misuse says whether the step has unlocked what was not locked, taken a counter below zero, or found that it sends to a closed channel.
func (a *access) misuse() bool {
	switch a.op {
	case kernel.OpSend:
		return a.heldBefore
	case kernel.OpUnlock, kernel.OpWUnlock:
		return a.heldBefore == a.heldAfter
	case kernel.OpRUnlock:
		return a.after == a.before
	}
	return a.kind == kernel.WaitGroupObject && (a.before < 0 || a.after < 0)
}

// takes is by how much the step lowers a count that must not become negative.
func (a *access) takes() int32 {
	switch {
	case a.op == kernel.OpRUnlock:
		return 1
	case a.op == kernel.OpAdd && a.after < a.before:
		return a.before - a.after
	}
	return 0
}

// relateRWMutex: readers commute, and the last of them to leave lets a writer in.
func relateRWMutex(a, b *access) relationship {
	switch {
	case a.op == kernel.OpRUnlock && b.op == kernel.OpRUnlock:
		return independent
	case kernel.Conflicts(false, a.op, b.op), a.op == kernel.OpDrain && b.op == kernel.OpWUnlock:
		return conflicts
	case a.op == kernel.OpWUnlock && (b.op == kernel.OpRLock || b.op == kernel.OpAnnounce), a.op == kernel.OpRUnlock && b.op == kernel.OpDrain:
		return enables
	}
	return independent
}

// relateWaitGroup: additions commute; a wait, which is possible at zero only, races with what goes up and is enabled by what
// comes down. (A race of the two asks for strictness.)
func relateWaitGroup(a, b *access) relationship {
	switch {
	case a.op == b.op:
		return independent
	case a.op == kernel.OpAdd && a.after > a.before, b.op == kernel.OpAdd && b.after > b.before:
		return conflicts
	case b.op == kernel.OpWait:
		return enables
	}
	return independent
}

// relateChan: the i-th send enables the i-th receive, which enables the send that takes its place in the buffer; a close, the
// receives that find nothing more. The partners at an unbuffered channel are told by Wake.
func relateChan(a, b *access, meets bool) relationship {
	aSends := a.op == kernel.OpSend || a.op == kernel.OpDeliver
	bSends := b.op == kernel.OpSend || b.op == kernel.OpDeliver
	closes := a.heldAfter && !a.heldBefore
	switch {
	case closes && b.op == kernel.OpRecv && b.heldBefore && (meets || b.before == b.after):
		return enables
	case meets: // who comes too early makes a step to arrive, and another one to go on
	case aSends && b.op == kernel.OpRecv && a.after > a.before && b.after < b.before && a.sent == b.received:
		return enables
	case a.op == kernel.OpRecv && bSends && a.after < a.before && b.after > b.before && a.received+a.capacity == b.sent:
		return enables
	}
	return independent
}

// peeks says whether the step can see who has arrived at an unbuffered channel and who has not yet.
func (a *access) peeks() bool {
	if a.kind != kernel.ChanObject || a.capacity != 0 {
		return false
	}
	switch a.op {
	case kernel.OpSelect, kernel.OpTrySelect, kernel.OpClose, kernel.OpLen:
		return true
	}
	return false
}

// sleeps says whether a step that was tried, or will be, before b sleeps on through it. Where one of them is a guess it may touch more: then it
// must be tried behind the other to be known.
func sleeps(tried, b *footprint) bool {
	return commute(tried, b) && !tried.mayTouch(b) && !b.mayTouch(tried)
}

// mayTouch says whether f is a guess, and may touch what b touches, or may.
func (f *footprint) mayTouch(b *footprint) bool {
	if f.guess == 0 {
		return false
	}
	if f.guess&b.guess != 0 || f.guess&models != 0 && (b.world || b.shared) {
		return true
	}
	for i := range b.accesses {
		if f.guess&reach(b.accesses[i].kind) != 0 {
			return true
		}
	}
	return false
}

// reach is the kind of an object, as it is counted for what steps touch beside what they announce.
func reach(kind kernel.ObjectKind) kinds {
	if kind == kernel.SharedObject {
		return models
	}
	return 1 << kind
}

// strictness is what a search has come to know of a program in the middle, so that it must begin anew.
type strictness struct {
	kinds kinds // of objects at which all operations conflict
	// By operation, what steps have touched beside what they announce: models and checks, and what these touch. The same step can
	// touch something else when it is made in another order.
	reaches [maxOps]kinds
}

const maxOps = 64

// foreseen says that no step is known to have touched more than it had announced.
func (s *strictness) foreseen() bool { return s.reaches == [maxOps]kinds{} }

func (s *strictness) none() bool { return *s == strictness{} }

// add puts together what two know.
func (s *strictness) add(other strictness) {
	s.kinds |= other.kinds
	for op, k := range other.reaches {
		s.reaches[op] |= k
	}
}

// beyond is what s knows and other does not.
func (s *strictness) beyond(other *strictness) (more strictness) {
	more.kinds = s.kinds &^ other.kinds
	for op, k := range s.reaches {
		more.reaches[op] = k &^ other.reaches[op]
	}
	return more
}

// commute says whether step a, which was possible, is the same after step b as before it.
func commute(a, b *footprint) bool {
	if whole(a, b) {
		return false
	}
	if a.objects&b.objects == 0 {
		return true
	}
	for i := range a.accesses {
		x := &a.accesses[i]
		for j := range b.accesses {
			y := &b.accesses[j]
			if x.name != y.name {
				continue
			}
			if x.kind == kernel.AtomicObject { // the table says all
				if kernel.Conflicts(false, x.op, y.op) {
					return false
				}
			} else if relate(x, y) == conflicts || relate(y, x) == conflicts {
				return false
			}
		}
	}
	return true
}

// relation says how a later step depends on an earlier one by what they touch.
func relation(a, b *footprint) relationship {
	if whole(a, b) {
		return conflicts
	}
	strongest := independent
	if a.objects&b.objects == 0 {
		return strongest
	}
	for i := range a.accesses {
		x := &a.accesses[i]
		for j := range b.accesses {
			if y := &b.accesses[j]; x.name == y.name {
				strongest = max(strongest, relate(x, y))
			}
		}
	}
	return strongest
}
