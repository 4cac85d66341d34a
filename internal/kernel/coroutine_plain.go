//go:build !race

package kernel

import (
	"iter"
	"slices"
	"unsafe"
)

const raceEnabled = false

type raceState struct{}

// coroutine is a thread of control: one of the pooled ones that perform tasks, or the hub. While it does not run it is parked
// in a slot.
//
// A slot is what iter.Pull makes: a place that holds one parked thread, and exchanges it for the one that asks. As there are
// as many slots as pooled threads, and one thread runs, every other one is parked in some slot; so any thread can switch to
// any other directly, in one exchange, where going through a hub takes two. iter.Pull wants its two functions called in turn,
// which a slot keeps account of; it does not matter to it which thread calls them.
type coroutine struct {
	kernel *Kernel
	task   *Actor
	slot   *slot      // nil: it runs
	home   *slot      // that it was made with
	visit  *coroutine // woken without a task, it parks where this one is
}

type slot struct {
	next    func() (struct{}, bool)
	yield   func(struct{}) bool
	entered bool
}

func (s *slot) exchange() {
	if s.entered = !s.entered; s.entered {
		s.next()
	} else {
		s.yield(struct{}{})
	}
}

// switchTo parks the thread, which must be the running one, and lets another run.
func (c *coroutine) switchTo(other *coroutine) {
	s := other.slot
	c.slot, other.slot = s, nil
	s.exchange()
}

func (k *Kernel) takeCoroutine() *coroutine {
	if n := len(k.pool); n > 0 {
		c := k.pool[n-1]
		k.pool = k.pool[:n-1]
		return c
	}
	s := &slot{}
	c := &coroutine{kernel: k, slot: s, home: s}
	s.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		s.yield = yield
		c.loop()
	})
	return c
}

// loop performs the task that the thread was given and, once that has ended, goes straight on with the next one if that has
// not started yet; else it puts itself into the pool.
func (c *coroutine) loop() {
	k := c.kernel
	for {
		t := c.task
		k.perform(t)
		t.coroutine, c.task = nil, nil
		var next *Actor
		if !t.dying {
			k.task, k.actor = nil, k.root
			next = k.next(nil, false)
		}
		if next != nil && next.coroutine == nil {
			next.coroutine, c.task = c, next
			k.actor, k.task = next, next
			continue
		}
		k.pool = append(k.pool, c)
		c.passOn(next)
		for c.task == nil { // woken by dismiss
			if c.visit == nil {
				return
			}
			c.switchTo(c.visit)
		}
	}
}

// dismiss ends a pooled thread. A thread's end lets go on who is parked in the slot that the thread was made with, which must be
// the hub; so it is first exchanged with the one that sits there. (If that one was abandoned, the thread stays.)
func (k *Kernel) dismiss(c *coroutine) {
	if c.slot != c.home {
		i := slices.IndexFunc(k.pool, func(other *coroutine) bool { return other.slot == c.home })
		if i < 0 {
			return
		}
		other := k.pool[i]
		c.visit, other.visit = other, &k.hub
		k.hub.switchTo(c)
		c.visit, other.visit = nil, nil
	}
	k.hub.switchTo(c)
}

// passOn lets the chosen task go on, or the hub if there is none.
func (c *coroutine) passOn(next *Actor) {
	k := c.kernel
	if next == nil {
		c.switchTo(&k.hub)
		return
	}
	k.prepare(next)
	c.switchTo(next.coroutine)
}

// prepare gives the task a thread and makes it the acting one.
func (k *Kernel) prepare(t *Actor) {
	if t.coroutine == nil {
		t.coroutine = k.takeCoroutine()
		t.coroutine.task = t
	}
	k.actor, k.task = t, t
}

// resume is the hub's: it returns when nothing is left that could be chosen, or the task has gone back to the hub.
func (k *Kernel) resume(t *Actor) {
	k.handoff = nil
	k.prepare(t)
	k.hub.switchTo(t.coroutine)
	k.actor, k.task = k.root, nil
}

// exit makes ready to park the running task in favour of the one that was chosen, and answers the slot to do it with.
func (k *Kernel) exit(t *Actor) *slot {
	other := &k.hub
	if next := k.handoff; next != nil {
		k.handoff = nil
		k.prepare(next)
		other = next.coroutine
	}
	s := other.slot
	t.coroutine.slot, other.slot = s, nil
	return s
}

// yield parks the running thread, in favour of the task that was chosen.
func (c *coroutine) yield() {
	next := c.kernel.handoff
	c.kernel.handoff = nil
	c.passOn(next)
}

// abandon never returns: the task stays where it is for ever.
func (c *coroutine) abandon() {
	for {
		c.switchTo(&c.kernel.hub)
	}
}

func (k *Kernel) serve(*Actor) {}

func (k *Kernel) onHub(f func()) { f() }

func (k *Kernel) acquireHub() {}

func raceAcquire(unsafe.Pointer)      {}
func raceRelease(unsafe.Pointer)      {}
func raceReleaseMerge(unsafe.Pointer) {}
func raceChan(*Object, bool)          {}
