//go:build !race

package kernel

import (
	"iter"
	"unsafe"
)

const raceEnabled = false

type raceState struct{}

// coroutine runs tasks, one after another. It is pooled from run to run.
type coroutine struct {
	kernel     *Kernel
	task       *Actor
	next       func() (struct{}, bool)
	switchBack func(struct{}) bool
	dead       bool
}

func (k *Kernel) takeCoroutine() *coroutine {
	if n := len(k.pool); n > 0 {
		c := k.pool[n-1]
		k.pool = k.pool[:n-1]
		return c
	}
	c := &coroutine{kernel: k}
	c.next, _ = iter.Pull(c.loop)
	return c
}

// loop performs the task that the coroutine was given and, once that has ended, goes straight on with the next one if that
// has not started yet; else it puts itself into the pool.
func (c *coroutine) loop(yield func(struct{}) bool) {
	c.switchBack = yield
	k := c.kernel
	for {
		t := c.task
		k.perform(t)
		t.coroutine = nil
		c.task = nil
		if k.handoff = nil; !t.dying {
			k.task, k.actor = nil, k.root
			if next := k.next(nil, false); next != nil && next.coroutine == nil {
				next.coroutine, c.task = c, next
				k.actor, k.task = next, next
				continue
			} else {
				k.handoff = next
			}
		}
		k.pool = append(k.pool, c)
		yield(struct{}{})
	}
}

func (c *coroutine) resume() { c.next() }

func (c *coroutine) yield() { c.switchBack(struct{}{}) }

// abandon never returns: the task stays where it is for ever.
func (c *coroutine) abandon() {
	for {
		c.switchBack(struct{}{})
	}
}

func (k *Kernel) serve(*Actor) {}

func (k *Kernel) onHub(f func()) { f() }

func (k *Kernel) acquireHub() {}

func raceAcquire(unsafe.Pointer)      {}
func raceRelease(unsafe.Pointer)      {}
func raceReleaseMerge(unsafe.Pointer) {}
func raceChan(*Object, bool)          {}
