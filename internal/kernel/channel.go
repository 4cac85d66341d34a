package kernel

// Arm is one case of a select. A nil Object is a nil channel: never ready.
type Arm struct {
	Object *Object
	Send   bool
	Slot   int32 // unbuffered: where the caller keeps the value, or wants it
}

//go:norace
func (a *Arm) op() Op {
	if a.Send {
		return OpSend
	}
	return OpRecv
}

// Exchange says how a channel operation went, and with it who moves the value.
type Exchange uint8

// The ways in which a channel operation ends.
const (
	Buffered  Exchange = iota // the caller puts the value into the buffer or takes it out
	Direct                    // the caller moves the value to, or from, the partner's slot
	Completed                 // a partner has moved the value to, or from, the caller's slot
	Closed                    // the channel is closed (and, receiving, drained)
)

// InitChan makes o a channel of that capacity.
//
//go:norace
func (k *Kernel) InitChan(o *Object, capacity int, label string) {
	k.InitObject(o, ChanObject, label)
	o.capacity = int32(capacity)
}

// Select does one of the operations, Go's way: which, if several are possible, is a decision. With nonblocking it answers
// -1 if none is possible. At an unbuffered channel a task first arrives and then, if no partner is there, parks; it can be
// met only by then, as in Go. peer is the partner's slot for Direct.
//
//go:norace
func (k *Kernel) Select(arms []Arm, nonblocking bool) (chosen int, how Exchange, peer int32) {
	t := k.task
	if t == nil {
		return k.outside(arms, nonblocking)
	}
	if t.dying {
		t.deadOperation()
	}
	op := OpSelect
	if nonblocking {
		op = OpTrySelect
	} else if len(arms) == 1 {
		op = arms[0].op()
	}
	t.Op, t.object = op, nil
	t.waits = t.waits[:0]
	for i := range arms {
		if o := arms[i].Object; o != nil {
			if t.object == nil {
				t.object = o
			}
			t.waits = append(t.waits, wait{object: o, op: arms[i].op(), slot: arms[i].Slot})
		}
	}
	k.await(t, nonblocking || t.possible(), !nonblocking)
	for {
		if n := k.count(arms, t); n > 0 {
			chosen = k.nth(arms, t, k.Value("select", t.object, n))
			how, peer = k.commit(arms[chosen], t)
			k.outcome(uint64(chosen))
			return chosen, how, peer
		}
		if nonblocking {
			k.outcome(^uint64(0))
			return -1, Buffered, 0
		}
		// No partner is there: park until one has come, or a channel is closed.
		t.parked = true
		raceReleaseParked(t)
		k.await(t, t.possible(), true)
		t.parked = false
		if t.completed {
			t.completed = false
			chosen = armOf(arms, int(t.chosen))
			raceAcquire(arms[chosen].Object.address())
			k.outcome(uint64(chosen))
			return chosen, Completed, 0
		}
	}
}

// armOf turns a position among the arms that are not nil into one among all.
//
//go:norace
func armOf(arms []Arm, position int) int {
	for i := range arms {
		if arms[i].Object != nil {
			if position == 0 {
				return i
			}
			position--
		}
	}
	return -1
}

// outside does a channel operation of code that is in no task, such as a timer's.
//
//go:norace
func (k *Kernel) outside(arms []Arm, nonblocking bool) (int, Exchange, int32) {
	for i := range arms {
		k.touched(OpTrySelect, arms[i].Object) // it looks whether that is possible
		if k.possibleArm(&arms[i], k.actor) {
			how, peer := k.commit(arms[i], k.actor)
			return i, how, peer
		}
	}
	if !nonblocking {
		panic("sched: a channel operation would block, and this code runs outside any task")
	}
	return -1, Buffered, 0
}

//go:norace
func (k *Kernel) possibleArm(arm *Arm, t *Actor) bool {
	o := arm.Object
	switch {
	case o == nil:
		return false
	case arm.Send:
		return o.held || o.count < o.capacity || o.partner(OpRecv, t) != nil
	default:
		return o.held || o.count > 0 || o.partner(OpSend, t) != nil
	}
}

//go:norace
func (k *Kernel) count(arms []Arm, t *Actor) int {
	n := 0
	for i := range arms {
		if k.possibleArm(&arms[i], t) {
			n++
		}
	}
	return n
}

//go:norace
func (k *Kernel) nth(arms []Arm, t *Actor, n int) int {
	for i := range arms {
		if k.possibleArm(&arms[i], t) {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return -1
}

// commit does a possible operation on the counts of the channel.
//
//go:norace
func (k *Kernel) commit(arm Arm, t *Actor) (Exchange, int32) {
	o := arm.Object
	if arm.Send {
		if o.held {
			return Closed, 0
		}
		if w := o.partner(OpRecv, t); w != nil {
			raceReleaseMerge(o.address())
			raceAcquire(o.address())
			return Direct, k.complete(w)
		}
		raceChan(o, true)
		o.count++
	} else {
		if w := o.partner(OpSend, t); w != nil && !o.held {
			raceReleaseMerge(o.address())
			raceAcquire(o.address())
			return Direct, k.complete(w)
		}
		if o.count == 0 {
			raceAcquire(o.address())
			return Closed, 0
		}
		raceChan(o, false)
		o.count--
	}
	if o.first != nil {
		o.refresh()
	}
	return Buffered, 0
}

// complete ends the operation of a parked partner: it goes on when it is chosen.
//
//go:norace
func (k *Kernel) complete(w *wait) int32 {
	p := w.task
	for i := range p.waits {
		if &p.waits[i] == w {
			p.chosen = int32(i)
		}
	}
	slot := w.slot
	if k.listener != nil {
		k.listener.Wake(p)
	}
	p.unlink()
	p.parked, p.completed = false, true
	p.Op, p.object = OpResume, nil
	k.setReady(p, true)
	return slot
}

// CloseChan closes the channel. It panics with Go's words if that has been done.
//
//go:norace
func (o *Object) CloseChan() {
	o.kernel.point(OpClose, o, true, false)
	if o.held {
		panic("close of closed channel")
	}
	raceReleaseMerge(o.address())
	o.held = true
	if o.first != nil {
		o.refresh()
	}
}

// LenChan is the number of elements in the buffer.
//
//go:norace
func (o *Object) LenChan() int {
	o.kernel.point(OpLen, o, true, false)
	o.kernel.outcome(uint64(o.count))
	return int(o.count)
}

// Grow gives a channel that has no bound of its own room for one more element.
//
//go:norace
func (o *Object) Grow() { o.capacity++ }

// Capacity is the capacity of the channel; Count the number of elements in its buffer. Neither is a point.
//
//go:norace
func (o *Object) Capacity() int { return int(o.capacity) }

// Count is the number of elements in the buffer of the channel.
//
//go:norace
func (o *Object) Count() int { return int(o.count) }

// raceReleaseParked tells the detector that what a parking task did happens before what its partner will do.
//
//go:norace
func raceReleaseParked(t *Actor) {
	if raceEnabled {
		for i := range t.waits {
			raceReleaseMerge(t.waits[i].object.address())
		}
	}
}
