package kernel

// What a search that reduces by partial order needs to know of a run, beside its decisions: the whole footprint of each step.
// Most of it an actor announces before the step. The rest shows in its course: what is done outside of any task, the partner
// whose operation is completed, and what no object stands for.

// Listener hears of the steps of a run and of what they touch. It must change nothing, but may stop the run.
type Listener interface {
	Begin(k *Kernel)        // the set-up is done; steps follow
	Step(a *Actor)          // the step before has ended, and a makes the next
	Touch(op Op, o *Object) // the step under way does this too
	TouchWorld()            // it reads or writes what no object stands for, or every shared one
	TouchAll()              // its order to any other step matters
	Halt(a *Actor)          // it is about to end the task a, or to hold it up
	Wake(a *Actor)          // it completes the operation of a, which was parked
	Over()                  // no step follows; the tasks are still as they were
}

//go:norace
func (k *Kernel) touched(op Op, o *Object) {
	if k.listener != nil && o != nil {
		k.listener.Touch(op, o)
	}
}

// Touch says that the step under way does this to the object, beside what its actor has announced.
//
//go:norace
func (k *Kernel) Touch(op Op, o *Object) {
	if raceEnabled && k.listener != nil && k.task != nil && !k.task.dying {
		k.onHub(func() { k.touched(op, o) })
		return
	}
	k.touched(op, o)
}

// TouchWorld says that the step under way reads or writes what no object stands for, or any of the shared objects.
//
//go:norace
func (k *Kernel) TouchWorld() {
	if k.listener != nil {
		k.listener.TouchWorld()
	}
}

// TouchAll says that the order of the step under way to any other matters.
//
//go:norace
func (k *Kernel) TouchAll() { k.touchAll() }

//go:norace
func (k *Kernel) touchAll() {
	if k.listener != nil {
		k.listener.TouchAll()
	}
}

//go:norace
func (k *Kernel) halt(a *Actor) {
	if k.listener == nil {
		return
	}
	if raceEnabled && k.task != nil && !k.task.dying {
		k.onHub(func() { k.listener.Halt(a) })
		return
	}
	k.listener.Halt(a)
}

// Conflicts is the table of dependences: whether the order of two operations on one object can matter. unbuffered says that
// it is a channel of capacity 0.
func Conflicts(unbuffered bool, a, b Op) bool {
	if unbuffered && (a == OpClose && b == OpRecv || a == OpRecv && b == OpClose) {
		return true
	}
	return conflicts[a][b]
}

// Parked says whether the task has arrived at a channel and waits there for a partner.
//
//go:norace
func (a *Actor) Parked() bool { return a.parked }

// Enabled says whether the actor can be chosen.
//
//go:norace
func (a *Actor) Enabled() bool { return a.enabled >= 0 }

// Elsewhere calls f for the objects that a step at o touches through others: those at which a task is parked that waits at o,
// too, and may be made to go on there. That is o itself if it would both send and receive there.
//
//go:norace
func (o *Object) Elsewhere(f func(*Object)) {
	if o.kind != ChanObject {
		return
	}
	for _, t := range o.kernel.live { // not the list of o: who has just parked is linked only when another task goes on
		if !t.parked || len(t.waits) < 2 {
			continue
		}
		for i := range t.waits {
			if t.waits[i].object == o {
				t.others(i, f)
			}
		}
	}
}

//go:norace
func (a *Actor) others(i int, f func(*Object)) {
	for j := range a.waits {
		if j != i {
			f(a.waits[j].object)
		}
	}
}

// OnlyClosed promises that nobody ever sends on the channel, such as that of a context's Done: whoever waits there only waits for its
// end, and who came first makes no difference.
//
//go:norace
func (o *Object) OnlyClosed() { o.signal = true }

// IsOnlyClosed says whether OnlyClosed was promised.
//
//go:norace
func (o *Object) IsOnlyClosed() bool { return o.signal }

// Held says whether a mutex is locked, or a channel closed.
//
//go:norace
func (o *Object) Held() bool { return o.held }

// Sends says whether the i-th arm of the select that the actor is about to do would send.
//
//go:norace
func (a *Actor) Sends(i int) bool { return i < len(a.waits) && a.waits[i].op == OpSend }

// Idle says whether the step that the task is about to make would only park it: it receives, at channels one of which at least is unbuffered, and finds
// nothing there.
//
//go:norace
func (a *Actor) Idle() bool {
	if a.parked || a.Op != OpSelect && a.Op != OpRecv {
		return false
	}
	parks := false
	for i := range a.waits {
		o := a.waits[i].object
		switch {
		case o.held:
			return false
		case o.capacity == 0:
			parks = true
		case a.waits[i].op == OpSend && (o.count < o.capacity || o.partner(OpRecv, a) != nil), a.waits[i].op == OpRecv && (o.count > 0 || o.partner(OpSend, a) != nil):
			return false
		}
	}
	return parks
}

// Parts are those of the context that it announces which the next step of the actor touches, see AtomicAt, and what it does to the first.
//
//go:norace
func (a *Actor) Parts() ([]*Object, Op) { return a.parts, a.partOp }

// Choice is the answer of a source that lets the actor of that number move; -1 if it cannot.
//
//go:norace
func (k *Kernel) Choice(id int32) int {
	if int(id) >= k.made {
		return -1
	}
	switch a := k.arena[id]; {
	case a.enabled >= 0:
		return int(a.enabled)
	case a.armed >= 0:
		return max(len(k.enabled), 1) + int(a.armed) // with nothing enabled, time could pass instead
	case a == k.clock && len(k.enabled) == 0:
		return 0
	}
	return -1
}

// Others is how many actors were made that are no tasks, beside the set-up and the clock.
//
//go:norace
func (k *Kernel) Others() int { return k.others }

// Actor is the actor of that number, which must have been made in this run.
//
//go:norace
func (k *Kernel) Actor(id int32) *Actor { return k.arena[id] }

// Objects is how many objects were made so far in this run. They are numbered by their creation.
//
//go:norace
func (k *Kernel) Objects() int32 { return k.objects }

// Armed calls f for every fault rule that may strike.
//
//go:norace
func (k *Kernel) Armed(f func(*Actor)) {
	for _, a := range k.armed {
		f(a)
	}
}

// Stalled says whether a stall holds up the task.
//
//go:norace
func (a *Actor) Stalled() bool { return a.stalls > 0 }

// Stalls is how many stalls, of tasks and of nodes, are in force.
//
//go:norace
func (k *Kernel) Stalls() int32 { return k.stalls }

// SetOneOrder says whether one order of the steps that follow is enough for who makes all of them.
//
//go:norace
func (k *Kernel) SetOneOrder(on bool) { k.oneOrder = on }

// OneOrder says whether one order is enough.
//
//go:norace
func (k *Kernel) OneOrder() bool { return k.oneOrder }
