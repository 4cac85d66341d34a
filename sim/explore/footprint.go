package explore

import "github.com/heddle-go/heddle/internal/kernel"

// access is what a step does to one object, with as much of the object's state as decides what it made possible.
type access struct {
	object     int32 // id in the run
	capacity   int32
	before     int32 // count of the object
	after      int32
	sent       int64 // of a channel, in all, after the step
	received   int64
	op         kernel.Op
	kind       kernel.ObjectKind
	heldBefore bool
	heldAfter  bool
	signal     bool // of a channel on which nobody ever sends
	strict     bool // see trace.stricter
	short      bool // it takes from a count that may have been too low before what it does not need to come after
}

// footprint is a range of the accesses of a trace, and what no object stands for.
type footprint struct {
	from, to int32
	objects  uint64 // a bit for each object; two may share one
	world    bool   // all state that tasks share with models and checks, by Inline and Observe of World
	shared   bool   // some of it: a shared object is among the accesses
	all      bool   // everything
}

// A mask tells quickly that two footprints have nothing in common. Its lower bits are those of the objects.
const (
	objectBits = 60
	stepBit    = 1 << 60 // that every step shows, for those that touch everything
	allBit     = 1 << 61 // that those show which touch everything
	sharedBit  = 1 << 62 // that those show which touch a shared object
	worldBit   = 1 << 63 // that those show which touch all of them
)

func bit(object int32) uint64 { return 1 << (uint32(object) % objectBits) }

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
func whole(a, b footprint) bool {
	return a.all || b.all || a.world && (b.world || b.shared) || b.world && a.shared
}

// relation is how a step depends on an earlier one of another actor.
type relation uint8

const (
	independent relation = iota
	enables              // the earlier one has made the later one possible: an order, but none that could be reversed
	conflicts            // either could have come first
)

// relate says how b, the later one, depends on a. Both touch the same object.
//
// The table of the kernel says what conflicts. What enables must be exact, and no more than one step for each unit: an edge
// too many would hide a race of what comes before the one with what comes after the other.
func relate(a, b *access) relation {
	unbuffered := a.kind == kernel.ChanObject && a.capacity == 0
	if a.kind == kernel.WaitGroupObject {
		return relateWaitGroup(a, b)
	}
	if a.looks() && b.looks() && (a.signal || a.capacity > 0) {
		return independent
	}
	if kernel.Conflicts(unbuffered, a.op, b.op) {
		return conflicts
	}
	switch {
	case a.misuse() || b.misuse():
		return conflicts
	case a.op == kernel.OpUnlock && b.op == kernel.OpLock,
		a.op == kernel.OpWUnlock && (b.op == kernel.OpRLock || b.op == kernel.OpAnnounce),
		a.op == kernel.OpRUnlock && b.op == kernel.OpDrain,
		a.op == kernel.OpOnceDone && b.op == kernel.OpOnce:
		return enables
	case a.op == kernel.OpLock && b.op == kernel.OpUnlock, a.op == kernel.OpDrain && b.op == kernel.OpWUnlock:
		// An unlock that its own task's lock does not precede is a misuse in the other order. The own lock is no race.
		return conflicts
	case (a.op == kernel.OpRLock || a.op == kernel.OpTryRLock) && b.op == kernel.OpRUnlock && (b.short || a.strict),
		a.op == kernel.OpRUnlock && (b.op == kernel.OpRLock || b.op == kernel.OpTryRLock) && a.strict:
		return conflicts
	case a.kind == kernel.ChanObject:
		return relateChan(a, b, unbuffered)
	}
	return independent
}

// looks says whether the step has found a channel as it is and left it so: that of another case of its select. (Who has arrived at an unbuffered one,
// and when, is seen by those who send there.)
func (a *access) looks() bool {
	return (a.op == kernel.OpSelect || a.op == kernel.OpTrySelect) && a.before == a.after && a.heldBefore == a.heldAfter
}

// misuse says whether the step has unlocked what was not locked, or taken a counter below zero.
func (a *access) misuse() bool {
	switch a.op {
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

// relateWaitGroup: additions commute; a wait, which is possible at zero only, races with what goes up and is enabled by what
// comes down.
func relateWaitGroup(a, b *access) relation {
	add, wait := a, b
	if a.misuse() || b.misuse() || a.op == kernel.OpAdd && b.op == kernel.OpAdd && (a.strict || a.after > a.before && b.short) {
		return conflicts
	}
	if a.op == kernel.OpWait {
		add, wait = b, a
	}
	switch {
	case add.op != kernel.OpAdd || wait.op != kernel.OpWait:
		return independent
	case add.after > add.before:
		return conflicts
	case add == a:
		return enables
	}
	return independent
}

// relateChan: the i-th send enables the i-th receive, which enables the send that takes its place in the buffer; a close, the
// receives that find nothing more. The partners at an unbuffered channel are told by Wake.
func relateChan(a, b *access, unbuffered bool) relation {
	aSends := a.op == kernel.OpSend || a.op == kernel.OpDeliver
	bSends := b.op == kernel.OpSend || b.op == kernel.OpDeliver
	closes := a.heldAfter && !a.heldBefore
	switch {
	case closes && b.op == kernel.OpRecv && b.heldBefore && (unbuffered || b.before == b.after):
		return enables
	case unbuffered:
		if a.strict && (a.op == kernel.OpSend && b.op == kernel.OpRecv || a.op == kernel.OpRecv && b.op == kernel.OpSend) {
			return conflicts
		}
	case aSends && b.op == kernel.OpRecv && a.after > a.before && b.after < b.before && a.sent == b.received:
		return enables
	case a.op == kernel.OpRecv && bSends && a.after < a.before && b.after > b.before && a.received+int64(a.capacity) == b.sent:
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

// commute says whether step a, which was possible, is the same after step b as before it.
func (t *trace) commute(a, b footprint) bool {
	if whole(a, b) {
		return false
	}
	if a.objects&b.objects == 0 {
		return true
	}
	for i := a.from; i < a.to; i++ {
		x := &t.accesses[i]
		for j := b.from; j < b.to; j++ {
			y := &t.accesses[j]
			if x.object == y.object && (relate(x, y) == conflicts || relate(y, x) == conflicts || y.after < x.takes()) {
				return false
			}
		}
	}
	return true
}

// relation says how a later step depends on an earlier one by what they touch.
func (t *trace) relation(a, b footprint) relation {
	if whole(a, b) {
		return conflicts
	}
	strongest := independent
	if a.objects&b.objects == 0 {
		return strongest
	}
	for i := a.from; i < a.to; i++ {
		x := &t.accesses[i]
		for j := b.from; j < b.to; j++ {
			if y := &t.accesses[j]; x.object == y.object {
				strongest = max(strongest, relate(x, y))
			}
		}
	}
	return strongest
}
