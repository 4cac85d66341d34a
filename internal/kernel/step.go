package kernel

import "fmt"

// Steps: which actors can move, the point between two steps of a task, and who goes on from there.

// setReady records whether the task's operation is possible.
//
//go:norace
func (k *Kernel) setReady(a *Actor, ready bool) {
	a.ready = ready
	k.update(a)
}

// update puts the task into the set of the enabled, or takes it out.
//
//go:norace
func (k *Kernel) update(a *Actor) {
	if a.ready && a.stalls == 0 {
		k.enable(a)
	} else {
		k.disable(a)
	}
}

//go:norace
func (k *Kernel) enable(a *Actor) {
	if a.enabled < 0 {
		a.enabled = int32(len(k.enabled))
		k.enabled = append(k.enabled, a)
	}
}

//go:norace
func (k *Kernel) disable(a *Actor) {
	if i := a.enabled; i >= 0 {
		n := len(k.enabled) - 1
		moved := k.enabled[n]
		k.enabled[i] = moved
		moved.enabled = i
		k.enabled = k.enabled[:n]
		a.enabled = -1
	}
}

// point is the place between two steps of the current task: it announces what the task is about to do and returns when the
// task has been chosen to do it, which it only is when that is possible. ready says whether it is possible now; an
// operation that may become impossible, or possible, while others move is blocking.
//
//go:norace
func (k *Kernel) point(op Op, o *Object, ready, blocking bool) {
	t := k.task
	if t == nil {
		if !ready {
			panic("sched: " + op.String() + " would block, and this code runs outside any task")
		}
		k.touched(op, o)
		return
	}
	if t.dying {
		t.deadOperation()
	}
	t.Op, t.object = op, o
	if blocking {
		if len(t.waits) != 1 {
			t.waits = append(t.waits[:0], wait{})
		}
		w := &t.waits[0]
		w.object, w.op = o, op
	} else {
		t.waits = t.waits[:0]
	}
	k.await(t, ready, blocking)
}

// touch is the point before an operation, always possible, that does a second one to other objects as well.
//
//go:norace
func (k *Kernel) touch(op Op, o *Object, second Op, others ...*Object) {
	t := k.task
	if t == nil {
		k.touched(op, o)
		for _, other := range others {
			k.touched(second, other)
		}
		return
	}
	if t.dying {
		t.deadOperation()
	}
	t.Op, t.object = op, o
	t.waits = append(t.waits[:0], wait{object: o, op: op})
	for _, other := range others {
		t.waits = append(t.waits, wait{object: other, op: second})
	}
	k.await(t, true, false)
}

// await gives the other actors their turn. t.waits must hold what a blocking operation waits for.
//
//go:norace
func (k *Kernel) await(t *Actor, ready, blocking bool) {
	t.parts, t.partOp, k.parts = k.parts, k.partOp, nil
	if t.ready != ready {
		k.setReady(t, ready)
	}
	if !raceEnabled {
		next := k.next(t, blocking)
		if next == t {
			if t.listed {
				t.unlink()
			}
			return
		}
		k.handoff = next
	}
	if blocking && !t.listed {
		t.link()
	}
	if s := k.exit(t); s != nil {
		// The exchange itself stands here, not in a function: what returns on another stack than it was called on is a return that
		// the processor predicts wrong, so depth costs.
		if s.entered = !s.entered; s.entered {
			s.next()
		} else {
			s.yield(struct{}{})
		}
	} else {
		t.coroutine.yield()
	}
	if t.listed {
		t.unlink()
	}
	if t.dying {
		t.deadOperation()
	}
}

// next ends the current step and makes those of actors that are no tasks, until a task is chosen. It answers nil when the
// run is over or nothing can move. t is the task at whose point this happens, nil in the hub.
//
//go:norace
func (k *Kernel) next(t *Actor, blocking bool) *Actor {
	for {
		if k.onStep != nil {
			k.touchAll()
			if t != nil && blocking && !t.listed { // or it would miss what onStep does to what it waits for
				t.link()
			}
			k.outsideTasks(k.root, k.onStep, t)
		}
		if k.due {
			k.due = false
			if t != nil && blocking && !t.listed {
				t.link()
			}
			k.outsideTasks(k.root, k.onDue, t)
		}
		if k.stopped || len(k.dying) > 0 {
			return nil
		}
		var a *Actor
		switch n := len(k.enabled); {
		case n == 0:
			if !k.pending() || k.idle != nil && k.idle() {
				return nil
			}
			if k.onRest != nil && !k.rest(t, blocking) {
				return nil
			}
			if len(k.armed) == 0 {
				a = k.clock
			} else {
				a = k.pick(k.clockWait[:])
			}
		case n == 1 && len(k.armed) == 0:
			a = k.enabled[0]
		default:
			a = k.pick(k.enabled)
		}
		k.account(a)
		if k.steps == k.maxSteps && !k.atLimit(a, t) {
			return nil
		}
		if a.Kind == TaskActor {
			return a
		}
		if t != nil && blocking && !t.listed {
			t.link()
		}
		k.outsideTasks(a, a.fire, t)
	}
}

// rest runs onRest, and says whether the run goes on.
//
//go:norace
func (k *Kernel) rest(t *Actor, blocking bool) bool {
	if t != nil && blocking && !t.listed {
		t.link()
	}
	k.outsideTasks(k.root, k.onRest, t)
	return !k.stopped
}

// outsideTasks lets f run as the actor's, and then t be the acting task again, or none.
//
//go:norace
func (k *Kernel) outsideTasks(a *Actor, f func(), t *Actor) {
	k.actor, k.task = a, nil
	k.guarded(f)
	k.actor, k.task = t, t
	if t == nil {
		k.actor = k.root
	}
}

// guarded runs code that is no task's. What panics there is no failure of the program under test: it ends the run as broken.
//
//go:norace
func (k *Kernel) guarded(f func()) {
	defer k.caught()
	f()
}

//go:norace
func (k *Kernel) caught() {
	if p := recover(); p != nil && k.broken == nil {
		k.broken = PanicError(p)
		k.stopped = true
	}
}

// PanicError is what a panic that was just recovered says, in one line with its place.
func PanicError(p any) error { return fmt.Errorf("%s%s", Describe(p), firstPlace(NewCode().stack())) }

// Broken is the panic of code outside any task, which has ended the run; nil if there was none.
//
//go:norace
func (k *Kernel) Broken() error { return k.broken }

//go:norace
func (k *Kernel) pick(enabled []*Actor) *Actor {
	k.decisions++
	i := k.source.Schedule(k.last, enabled, k.armed)
	if i < len(enabled) {
		return enabled[i]
	}
	return k.armed[i-len(enabled)]
}

// account counts the step that a is about to make and folds it into the hash.
//
//go:norace
func (k *Kernel) account(a *Actor) {
	k.steps++
	k.previous, k.last = k.last, a
	if k.poked.Load() {
		k.poked.Store(false)
	}
	var id int32
	if a.object != nil {
		id = a.object.id
	}
	k.hash = mix(k.hash, uint64(a.ID)<<40|uint64(uint32(id))<<8|uint64(a.Op))
	if k.told {
		k.tell(a)
	}
}

// atLimit is asked before a makes the last step that the run may make, at a point of t, and says whether the run goes on. If it was to
// end or pause there, that is so; else there are too many.
//
//go:norace
func (k *Kernel) atLimit(a, t *Actor) bool {
	if k.steps != k.until {
		k.tooManySteps()
		return false
	}
	if k.reached = k.pause == nil; k.reached {
		k.Stop()
		return false
	}
	k.maxSteps = k.limit
	if a.Kind == TaskActor && (raceEnabled || a != t) {
		a.pausing, a.dying = true, true // so it pauses where it goes on, on its own stack, and nobody else pays for the question
		return true
	}
	k.makePause()
	return !k.stopped
}

//go:norace
func (k *Kernel) makePause() {
	if !k.pause() {
		k.Stop()
	}
}

//go:norace
func (k *Kernel) tooManySteps() {
	k.Fail("steps", fmt.Sprintf("no end after %d steps: a livelock, or a limit that is too low", k.maxSteps))
}
