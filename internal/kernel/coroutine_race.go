//go:build race

package kernel

import (
	"runtime"
	"unsafe"
)

// Under the race detector a hub of coroutines would hide every race, because it orders everything. Here each task has a
// goroutine of its own, and hands over by channels that the detector does not see (RaceDisable). What orders tasks in the
// detector's eyes are only the edges that the primitives declare, as the native ones would. So that the kernel's own state is
// no race, everything here that runs on a task's goroutine is marked norace, and whatever asks foreign code (sources, models,
// handlers) is done by the hub, to which a task's edge leads, but from which none leads back.
const raceEnabled = true

// raceState are the cells of a buffered channel: the i-th send happens before the i-th receive, which happens before the send
// that fills the cell again.
type raceState struct {
	cells      []byte
	send, recv int
}

// raceCells bounds the cells of a channel; beyond it some edges are drawn that Go would not draw.
const raceCells = 64

// slot is what the other build parks threads in.
type slot struct {
	next    func() (struct{}, bool)
	yield   func(struct{}) bool
	entered bool
}

//go:norace
func (k *Kernel) exit(*Actor) *slot { return nil }

type coroutine struct {
	kernel  *Kernel
	task    *Actor
	wake    chan struct{}
	back    chan struct{}
	started bool
}

//go:norace
func (k *Kernel) takeCoroutine() *coroutine {
	return &coroutine{kernel: k, wake: make(chan struct{}), back: make(chan struct{})}
}

//go:norace
func (c *coroutine) main() {
	defer c.leave()
	c.kernel.perform(c.task)
}

//go:norace
func (c *coroutine) leave() {
	c.task.coroutine = nil
	runtime.RaceDisable()
	c.back <- struct{}{}
	runtime.RaceEnable()
}

//go:norace
func (c *coroutine) resume() {
	runtime.RaceDisable()
	if c.started {
		c.wake <- struct{}{}
	} else {
		c.started = true
		go c.main()
	}
	<-c.back
	runtime.RaceEnable()
}

//go:norace
func (k *Kernel) resume(t *Actor) {
	if t.coroutine == nil {
		t.coroutine = k.takeCoroutine()
		t.coroutine.task = t
	}
	k.handoff, k.actor, k.task = nil, t, t
	t.coroutine.resume()
	k.actor, k.task = k.root, nil
}

//go:norace
func (c *coroutine) yield() {
	runtime.RaceDisable()
	c.back <- struct{}{}
	<-c.wake
	runtime.RaceEnable()
}

//go:norace
func (k *Kernel) dismiss(*coroutine) {} // nothing is pooled

//go:norace
func (c *coroutine) abandon() {
	for { // it may be resumed, to find out
		c.yield()
	}
}

// serve does what the task has asked of the hub and, once it has come to a point or to its end, chooses who is next.
//
//go:norace
func (k *Kernel) serve(t *Actor) {
	for k.request != nil {
		f := k.request
		k.request = nil
		runtime.RaceAcquire(unsafe.Pointer(&k.steps))
		k.actor, k.task = t, nil
		k.answer = recovered(f)
		runtime.RaceReleaseMerge(unsafe.Pointer(&k.objects))
		k.resume(t)
	}
	if k.handoff = nil; !t.finished || !t.dying {
		k.handoff = k.next(nil, false) // its waits are linked, and it is not who acts here
	}
}

// recovered runs f and answers what it panicked with: that is for the task to see.
func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// onHub lets the hub run f. What f writes the task may read only in functions marked norace, unless it asks for the edge.
//
//go:norace
func (k *Kernel) onHub(f func()) {
	t := k.task
	k.request = f
	runtime.RaceReleaseMerge(unsafe.Pointer(&k.steps))
	t.coroutine.yield()
	answer := k.answer
	k.answer = nil
	if t.dying {
		t.deadOperation()
	}
	if answer != nil {
		panic(answer)
	}
}

//go:norace
func (k *Kernel) acquireHub() { runtime.RaceAcquire(unsafe.Pointer(&k.objects)) }

//go:norace
func raceAcquire(p unsafe.Pointer) { runtime.RaceAcquire(p) }

//go:norace
func raceRelease(p unsafe.Pointer) { runtime.RaceRelease(p) }

//go:norace
func raceReleaseMerge(p unsafe.Pointer) { runtime.RaceReleaseMerge(p) }

//go:norace
func raceChan(o *Object, send bool) {
	if o.race.cells == nil {
		o.race.cells = make([]byte, min(o.capacity, raceCells))
	}
	next := &o.race.recv
	if send {
		next = &o.race.send
	}
	cell := unsafe.Pointer(&o.race.cells[*next%len(o.race.cells)])
	*next++
	runtime.RaceAcquire(cell)
	runtime.RaceRelease(cell)
}
