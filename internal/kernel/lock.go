package kernel

// Lock, TryLock and Unlock are the operations of a mutex.
//
//go:norace
func (o *Object) Lock() {
	o.kernel.point(OpLock, o, !o.held, true)
	o.held = true
	if o.first != nil {
		o.refresh()
	}
	raceAcquire(o.address())
}

// TryLock locks the mutex if it is free.
//
//go:norace
func (o *Object) TryLock() bool {
	o.kernel.point(OpTryLock, o, true, false)
	if o.held {
		o.kernel.outcome(0)
		return false
	}
	o.kernel.outcome(1)
	o.held = true
	if o.first != nil {
		o.refresh()
	}
	raceAcquire(o.address())
	return true
}

// Unlock panics with Go's words if the mutex is not locked.
//
//go:norace
func (o *Object) Unlock() {
	o.kernel.point(OpUnlock, o, true, false)
	if !o.held {
		panic("sync: unlock of unlocked mutex")
	}
	raceRelease(o.address())
	o.held = false
	if o.first != nil {
		o.refresh()
	}
}

// RLock waits while a writer is inside, or waiting to be: Go's rule, by which a waiting writer keeps new readers out.
//
//go:norace
func (o *Object) RLock() {
	o.kernel.point(OpRLock, o, !o.held, true)
	o.count++
	raceAcquire(o.address())
}

// TryRLock enters as a reader unless a writer is inside or waiting.
//
//go:norace
func (o *Object) TryRLock() bool {
	o.kernel.point(OpTryRLock, o, true, false)
	if o.held {
		o.kernel.outcome(0)
		return false
	}
	o.kernel.outcome(1)
	o.count++
	raceAcquire(o.address())
	return true
}

// RUnlock panics with Go's words if no reader is inside.
//
//go:norace
func (o *Object) RUnlock() {
	o.kernel.point(OpRUnlock, o, true, false)
	if o.count == 0 {
		panic("sync: RUnlock of unlocked RWMutex")
	}
	raceReleaseMerge(o.readers())
	o.count--
	if o.count == 0 && o.first != nil {
		o.refresh()
	}
}

// WLock announces the writer, which keeps new readers out, and in a second step waits for the readers inside.
//
//go:norace
func (o *Object) WLock() {
	o.kernel.point(OpAnnounce, o, !o.held, true)
	o.held = true
	if o.first != nil {
		o.refresh()
	}
	o.kernel.point(OpDrain, o, o.count == 0, true)
	o.done = true
	raceAcquire(o.address())
	raceAcquire(o.readers())
}

// TryWLock enters as a writer if nobody is inside.
//
//go:norace
func (o *Object) TryWLock() bool {
	o.kernel.point(OpTryWLock, o, true, false)
	if o.held || o.count > 0 {
		o.kernel.outcome(0)
		return false
	}
	o.kernel.outcome(1)
	o.held, o.done = true, true
	if o.first != nil {
		o.refresh()
	}
	raceAcquire(o.address())
	raceAcquire(o.readers())
	return true
}

// WUnlock panics with Go's words if no writer is inside.
//
//go:norace
func (o *Object) WUnlock() {
	o.kernel.point(OpWUnlock, o, true, false)
	if !o.done {
		panic("sync: Unlock of unlocked RWMutex")
	}
	raceRelease(o.address())
	o.held, o.done = false, false
	if o.first != nil {
		o.refresh()
	}
}

// Add changes the counter of a wait group. It panics with Go's words if that becomes negative.
//
//go:norace
func (o *Object) Add(delta int) {
	o.kernel.point(OpAdd, o, true, false)
	if delta < 0 {
		raceReleaseMerge(o.address())
	}
	o.count += int32(delta)
	if o.first != nil {
		o.refresh()
	}
	if o.count < 0 { // and stays so, as in Go
		panic("sync: negative WaitGroup counter")
	}
}

// Wait waits for the counter to be zero.
//
//go:norace
func (o *Object) Wait() {
	o.kernel.point(OpWait, o, o.count == 0, true)
	raceAcquire(o.address())
}

// Once runs f unless it has been run; a second caller waits for the first. As in Go, f counts as run even if it panics.
//
//go:norace
func (o *Object) Once(f func()) {
	if o.enterOnce() {
		return
	}
	defer o.leaveOnce()
	f()
}

//go:norace
func (o *Object) enterOnce() (done bool) {
	o.kernel.point(OpOnce, o, !o.held, true)
	if o.done {
		raceAcquire(o.address())
		return true
	}
	o.held = true
	if o.first != nil {
		o.refresh()
	}
	return false
}

//go:norace
func (o *Object) leaveOnce() {
	o.kernel.point(OpOnceDone, o, true, false)
	raceRelease(o.address())
	o.held, o.done = false, true
	if o.first != nil {
		o.refresh()
	}
}

// Atomic is the point before an operation on an atomic, or on anything else that a task reads or writes in one step. The
// caller does the operation afterwards and reports its outcome, which enters the hash.
//
//go:norace
func (o *Object) Atomic(op Op) {
	o.kernel.point(op, o, true, false)
	raceAcquire(o.address())
	raceReleaseMerge(o.address())
}

// AtomicAt is Atomic of an object that stands for more than the operation touches: for who wants the whole footprint of the step it does
// that to the first of these channels, and looks at the others.
//
//go:norace
func (o *Object) AtomicAt(op Op, does Op, parts []*Object) {
	o.kernel.does(does, parts)
	o.Atomic(op)
}

// does says what the next point does to which parts of what it announces.
//
//go:norace
func (k *Kernel) does(op Op, parts []*Object) {
	if k.task != nil {
		if !k.task.dying {
			k.parts, k.partOp = parts, op
		}
		return
	}
	for _, part := range parts {
		k.touched(op, part)
		op = OpSelect
	}
}

// Outcome folds what an operation has answered into the hash of the run.
//
//go:norace
func (o *Object) Outcome(v uint64) { o.kernel.outcome(v) }

// Cancel is the point before a context is cancelled: a store to the object, and a close of all these channels. Nobody sends to
// them, so that a close is to a receiver what a delivery is. above are those of the contexts that it derives from: whether one of them
// is cancelled first makes a difference.
//
//go:norace
func (o *Object) Cancel(closes []*Object, above []*Object) {
	o.kernel.does(OpSelect, above)
	o.kernel.touch(OpStore, o, OpDeliver, closes...)
	raceAcquire(o.address())
	raceReleaseMerge(o.address())
}
