package explore

import (
	"github.com/heddle-go/heddle/internal/kernel"
)

// note is a step that could be made instead of one that was: a fault, or what that has made impossible.
type note struct {
	at   int32
	wait int32 // in walk.waits; -1: it touches everything, as far as is known
	name uint64
	op   kernel.Op
}

// look notes what else could move at the new step i: faults, each of which is tried, timers and deliveries.
func (x *walk) look(i int, enabled, armed []*kernel.Actor) {
	for _, a := range armed {
		x.notes = append(x.notes, note{int32(i), -1, x.actorName(a), a.Op})
	}
	for _, a := range enabled {
		if a.Kind != kernel.TaskActor {
			x.dues = append(x.dues, a.ID)
		}
	}
	if x.kernel.Stalls() > 0 {
		x.kernel.Tasks(func(a *kernel.Actor) {
			if a.Stalled() {
				x.dues = append(x.dues, ^a.ID)
			}
		})
	}
}

// due are the timers and deliveries that could move at step i and, as ^id, the tasks that were stalled.
func (x *walk) due(i int) []int32 {
	to := len(x.dues)
	if i+1 < len(x.marks) {
		to = int(x.marks[i+1].dues)
	}
	return x.dues[x.marks[i].dues:to]
}

// Halt implements kernel.Listener. What the task could have done instead of the step under way, which ends it or holds it up, and what
// it was waiting for, would never be seen to race. (Faults strike at each step, also when the task has moved.)
func (x *walk) Halt(a *kernel.Actor) {
	i := x.current
	if i < 0 || x.over || x.events[i].fixed || x.events[i].actor == a.ID || x.events[i].kind == kernel.FaultActor || a.Parked() {
		return
	}
	under := x.events[i]
	world, shared, all, touched, wakes := x.world, x.shared, x.all, x.touched, x.wakes
	x.halted = append(x.halted[:0], x.accesses[under.from:]...)
	x.accesses, x.touched, x.wakes, x.depth = x.accesses[:under.from], nil, nil, i
	x.asIf(a, true)
	x.events = append(x.events[:i], under)
	x.events[i].from = int32(len(x.accesses))
	x.accesses = append(x.accesses, x.halted...)
	x.events[i].halts = true
	x.world, x.shared, x.all, x.touched, x.wakes, x.current, x.depth = world, shared, all, touched, wakes, i, i+1
	x.halted = x.halted[:0]
}

// others notes that all who can move, but one, could have moved instead of step i.
func (x *walk) others(i int, but int32) {
	next := len(x.events)
	x.kernel.Tasks(func(a *kernel.Actor) {
		if a.Enabled() && a.ID != but && !x.idle(a) {
			x.instead(i, next, a)
		}
	})
	if x.mixed {
		for _, id := range x.due(i) {
			if id >= 0 && id != but && x.kernel.Actor(id).Enabled() {
				x.instead(i, next, x.kernel.Actor(id))
			}
		}
	}
}

// instead notes that the actor could have moved instead of step i. next is where no event is.
func (x *walk) instead(i, next int, a *kernel.Actor) {
	x.notes = append(x.notes, note{int32(i), int32(len(x.waits)), x.actorName(a), a.Op})
	x.waits = append(x.waits, x.announce(next, a))
}

// announce is what the actor would do as step i.
func (x *walk) announce(i int, a *kernel.Actor) event {
	x.events = append(x.events[:i], event{})
	x.begin(i, a)
	e := &x.events[i]
	e.prev = -1
	if int(a.ID) < len(x.lastOf) {
		e.prev = x.lastOf[a.ID] - 1
	}
	e.waker, e.all = -1, x.all
	e.world = a.Kind == kernel.DeliveryActor || a.Kind == kernel.TimerActor && a.Node() == nil // code of models, which no table knows
	e.accesses = x.accesses[e.from:len(x.accesses):len(x.accesses)]
	for _, b := range e.accesses {
		e.objects |= bit(b.name)
	}
	x.current = -1
	x.events = x.events[:i]
	return *e
}

// waiting finds the races of the tasks that are blocked, as if they had gone on: another one may have taken from them what they
// wait for. (Those that are parked at an unbuffered channel have made a step to arrive there.) It is called where no task could
// move: at the end, before time advances, and where all that could was explored.
func (x *walk) waiting() {
	x.kernel.Tasks(func(a *kernel.Actor) {
		if (!a.Ready() || x.idle(a)) && !a.Parked() {
			x.asIf(a, false)
		}
	})
}

// unstruck finds the races of the faults that are still armed at the end, where none can strike: any last step has made it the end.
func (x *walk) unstruck() {
	x.kernel.Armed(func(a *kernel.Actor) { x.asIf(a, false) })
}

// asIf finds the races of the next step of the actor as if it were made now; with instead, it is noted that it could be, if it could.
func (x *walk) asIf(a *kernel.Actor, instead bool) {
	i := x.depth
	races, accesses := len(x.races), len(x.accesses)
	x.late = ^int32(len(x.waits))
	x.events = append(x.events[:i], event{})
	x.begin(i, a)
	for j := range x.accesses[accesses:] { // as it was before the step under way, if one is
		b := &x.accesses[accesses+j]
		for k := range x.halted {
			if h := &x.halted[k]; h.object == b.object {
				b.before, b.heldBefore = h.before, h.heldBefore
			}
		}
	}
	x.settle()
	x.open(i)
	x.order(i, x.racing)
	keep := len(x.races) > races
	if instead {
		if possible, _ := x.feasible(i, &x.events[i]); possible {
			x.notes = append(x.notes, note{int32(i), int32(len(x.waits)), x.actorName(a), a.Op})
			keep = true
		}
	}
	if keep {
		x.waits = append(x.waits, x.events[i])
	}
	x.unsettle(i)
	if !keep {
		x.accesses = x.accesses[:accesses]
	}
	x.events = x.events[:i]
}
