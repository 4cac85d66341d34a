package explore

import (
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
)

// race is a pair of events of which the later one could have come first.
type race struct {
	first   int32
	late    int32 // see walk.late
	handled bool
	settled bool    // whatever else a run does, that it begins with the reversal is planned
	cover   *branch // that goes on sleeping through the reversal in the run before; nil: there was none
}

// race notes that the late event, the last, could have come before event k, with which it conflicts. It answers false if it could
// not, so that it is k, or what came in between, that has made it possible. What may or may not have been possible is noted,
// and counts as an enabling all the same, so that it hides no race with what is before k.
func (x *walk) race(k int) bool {
	late := &x.events[len(x.events)-1]
	possible, certain := x.feasible(k, late)
	if possible {
		x.races = append(x.races, race{first: int32(k), late: x.late})
	}
	return possible && certain
}

func (x *walk) lateOf(r *race) *event {
	if r.late < 0 {
		return &x.waits[^r.late]
	}
	return &x.events[r.late]
}

// feasible says whether the late event, the last, is possible before event k and after what comes between them and k does not
// precede; and whether that is certain.
func (x *walk) feasible(k int, late *event) (possible, certain bool) {
	moves := late.prev > int32(k)
	if late.kind != kernel.TaskActor {
		if moves || late.kind == kernel.FaultActor || slices.Contains(x.due(k), late.actor) {
			return true, true
		}
		return x.mayEnable(k, late), false
	}
	if !moves && slices.Contains(x.due(k), ^late.actor) {
		return false, true
	}
	switch late.op {
	case kernel.OpLock, kernel.OpAnnounce, kernel.OpRLock, kernel.OpOnce, kernel.OpDrain, kernel.OpWait, kernel.OpSend, kernel.OpRecv, kernel.OpSelect:
	default:
		return true, true
	}
	anew := !late.parked && late.prev >= 0 && x.events[late.prev].parks // it had arrived before, but what it could go on with was taken
	for i := range late.accesses {
		b := &late.accesses[i]
		own := b.op == late.op
		if late.op == kernel.OpSelect {
			own = b.sends || b.receives // others are touched through it
		}
		if own && x.admits(k, late, b) {
			return true, !anew
		}
	}
	return len(late.accesses) == 0, true
}

// mayEnable says whether something after event k that it does not precede may have enabled the late event: what made its actor, or what
// depends on it.
func (x *walk) mayEnable(k int, late *event) bool {
	if maker := int(x.maker(late.actor)); late.prev < 0 && maker > k && !x.precedes(k, maker) {
		return true
	}
	for j := k + 1; j < len(x.events)-1; j++ {
		if !x.precedes(k, j) && relation(&x.events[j].footprint, &late.footprint) != independent {
			return true
		}
	}
	return false
}

// admits says whether the object lets the operation through there.
func (x *walk) admits(k int, late *event, b *access) bool {
	count, held, changed := b.before, b.heldBefore, false
	sum := int32(0)
	for at := b.last; at >= 0 && x.accesses[at].event >= int32(k); at = x.accesses[at].last {
		a := &x.accesses[at]
		count = a.before
		if !changed {
			held = a.heldBefore
		}
		if a.event > int32(k) && !x.precedes(k, int(a.event)) {
			sum += a.after - a.before
			if !changed && a.heldAfter != a.heldBefore {
				held, changed = a.heldAfter, true
			}
		}
	}
	count += sum
	switch b.op {
	case kernel.OpLock, kernel.OpAnnounce, kernel.OpRLock, kernel.OpOnce:
		return !held
	case kernel.OpDrain, kernel.OpWait:
		return count == 0
	}
	if held || b.capacity == 0 && !late.parked && !(x.lazy && b.signal) {
		return true
	}
	return count < b.capacity && (b.op == kernel.OpSend || b.sends) || count > 0 && (b.op == kernel.OpRecv || b.receives)
}
