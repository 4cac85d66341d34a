// Package sched is Go's concurrency with the scheduler injected: tasks, mutexes, channels with select, wait groups, once,
// atomics and cancellable contexts. Every primitive is made from a Scheduler. In production that is Goroutines, and a
// primitive is the native one behind a check; in a simulation it is a node's, and before every operation another task may
// run. Go code moves to it line by line:
//
//	go f()                     s.Go("worker", f)
//	var mu sync.Mutex          mu := sched.NewMutex(s)
//	c := make(chan int, 1)     c := sched.NewChan[int](s, 1)
//	c <- v; v, ok := <-c       c.Send(v); v, ok := c.Recv()
//	select { ... }             a, b := sched.Recv(c), sched.Send(d, v); switch sched.Select2(&a, &b) { ... }
//
// The semantics are Go's, to the words of the panics. A primitive that was not made from a Scheduler panics at its first
// use: silently native, it would hang a simulation. All of it is safe for concurrent use as its native counterpart is.
package sched

import (
	"crypto/rand"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Scheduler starts tasks, gives random bytes, and is what every primitive is made from. There are two kinds: Goroutines
// and the nodes of package sim.
type Scheduler interface {
	// Go starts f as a task. The name is a constant word for people and for the addresses of decisions; tasks may share it.
	Go(name string, f func())
	// Read fills p with random bytes: of the operating system in production, of the run's data seed in a simulation.
	Read(p []byte)
	// Kernel is the simulator's machine, nil in production.
	Kernel() *kernel.Kernel
}

type goroutines struct{}

// Goroutines is the scheduler of production: tasks are goroutines, primitives the native ones, randomness is crypto/rand.
func Goroutines() Scheduler { return goroutines{} }

func (goroutines) Go(_ string, f func())  { go f() }
func (goroutines) Read(p []byte)          { rand.Read(p) } // never fails (crypto/rand, since Go 1.24)
func (goroutines) Kernel() *kernel.Kernel { return nil }

// Yield lets other tasks run: a point of its own in a simulation, nothing in production.
func Yield(s Scheduler) {
	if k := s.Kernel(); k != nil {
		k.Yield()
	}
}

// backend says how a primitive was made. The zero value is that of one that was not.
type backend uint8

const (
	unmade backend = iota
	native
	simulated
)

func backendOf(s Scheduler) backend {
	if s.Kernel() == nil {
		return native
	}
	return simulated
}

// either does what the backend needs. It is a function of two others for the inliner, which counts a call of a parameter as a
// third of another call, and inlines then what the parameter is: so the code of an operation's callers has the check and the
// native fast path, as it would with the native primitive, where a plain if would be too much to inline.
func (b backend) either(onNative, simulate func()) {
	if b == native {
		onNative()
	} else {
		simulate()
	}
}

// before is what comes before an operation that is native but for its point. It is as either.
func (b backend) before(point func()) {
	if b != native {
		point()
	}
}

func object(s Scheduler, kind kernel.ObjectKind) *kernel.Object {
	k := s.Kernel()
	if k == nil {
		return nil
	}
	o := k.NewObject(kind, "")
	o.SetName(nameIn(s))
	return o
}

// Named is the scheduler for one primitive that people know by a name: sched.NewMutex(sched.Named(s, "journal")). Simulations call it so
// where they tell what happened. The name decides nothing; in production Named is s itself.
func Named(s Scheduler, name string) Scheduler {
	if s.Kernel() == nil {
		return s
	}
	return named{s, name}
}

type named struct {
	Scheduler
	name string
}

// nameIn is the name that Named has given; empty if it has not.
func nameIn(s Scheduler) string {
	if n, ok := s.(named); ok {
		return n.name
	}
	return ""
}

// mustBeMade panics for a primitive that no Scheduler made.
func mustBeMade(o *kernel.Object, name string) *kernel.Object {
	if o == nil {
		panicUnmade(name)
	}
	return o
}

// panicUnmade keeps the making of the words out of the code of those who call mustBeMade.
//
//go:noinline
func panicUnmade(name string) {
	panic("sched: use of a " + name + " that was not made with New" + name)
}
