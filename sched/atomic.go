package sched

import (
	"sync/atomic"

	"github.com/heddle-go/heddle/internal/kernel"
)

// AtomicInt64 is atomic.Int64. It must not be copied after first use.
type AtomicInt64 struct {
	backend backend
	value   atomic.Int64
	object  *kernel.Object
}

// NewAtomicInt64 makes one that holds v.
func NewAtomicInt64(s Scheduler, v int64) *AtomicInt64 {
	a := &AtomicInt64{backend: backendOf(s), object: object(s, kernel.AtomicObject)}
	a.value.Store(v)
	return a
}

// Load answers the value.
func (a *AtomicInt64) Load() int64 {
	if a.backend == native {
		return a.value.Load()
	}
	return a.simulate(kernel.OpLoad, a.value.Load)
}

// Store sets the value.
func (a *AtomicInt64) Store(v int64) {
	if a.backend == native {
		a.value.Store(v)
		return
	}
	a.simulate(kernel.OpStore, func() int64 { a.value.Store(v); return v })
}

// Add adds delta and answers the new value.
func (a *AtomicInt64) Add(delta int64) int64 {
	if a.backend == native {
		return a.value.Add(delta)
	}
	return a.simulate(kernel.OpAtomicAdd, func() int64 { return a.value.Add(delta) })
}

// Swap sets the value and answers the old one.
func (a *AtomicInt64) Swap(v int64) int64 {
	if a.backend == native {
		return a.value.Swap(v)
	}
	return a.simulate(kernel.OpSwap, func() int64 { return a.value.Swap(v) })
}

// CompareAndSwap sets the value to v if it is old and says whether it did.
func (a *AtomicInt64) CompareAndSwap(old, v int64) bool {
	if a.backend == native {
		return a.value.CompareAndSwap(old, v)
	}
	return a.simulate(kernel.OpCompareAndSwap, func() int64 { return number(a.value.CompareAndSwap(old, v)) }) == 1
}

func (a *AtomicInt64) simulate(op kernel.Op, f func() int64) int64 {
	o := mustBeMade(a.object, "AtomicInt64")
	o.Atomic(op)
	v := f()
	o.Outcome(uint64(v))
	return v
}

// AtomicBool is atomic.Bool. It must not be copied after first use.
type AtomicBool struct {
	backend backend
	value   atomic.Bool
	object  *kernel.Object
}

// NewAtomicBool makes one that holds v.
func NewAtomicBool(s Scheduler, v bool) *AtomicBool {
	a := &AtomicBool{backend: backendOf(s), object: object(s, kernel.AtomicObject)}
	a.value.Store(v)
	return a
}

// Load answers the value.
func (a *AtomicBool) Load() bool {
	if a.backend == native {
		return a.value.Load()
	}
	return a.simulate(kernel.OpLoad, a.value.Load)
}

// Store sets the value.
func (a *AtomicBool) Store(v bool) {
	if a.backend == native {
		a.value.Store(v)
		return
	}
	a.simulate(kernel.OpStore, func() bool { a.value.Store(v); return v })
}

// Swap sets the value and answers the old one.
func (a *AtomicBool) Swap(v bool) bool {
	if a.backend == native {
		return a.value.Swap(v)
	}
	return a.simulate(kernel.OpSwap, func() bool { return a.value.Swap(v) })
}

// CompareAndSwap sets the value to v if it is old and says whether it did.
func (a *AtomicBool) CompareAndSwap(old, v bool) bool {
	if a.backend == native {
		return a.value.CompareAndSwap(old, v)
	}
	return a.simulate(kernel.OpCompareAndSwap, func() bool { return a.value.CompareAndSwap(old, v) })
}

func (a *AtomicBool) simulate(op kernel.Op, f func() bool) bool {
	o := mustBeMade(a.object, "AtomicBool")
	o.Atomic(op)
	v := f()
	o.Outcome(uint64(number(v)))
	return v
}

// AtomicPointer is atomic.Pointer. It must not be copied after first use.
type AtomicPointer[T any] struct {
	backend backend
	value   atomic.Pointer[T]
	object  *kernel.Object
}

// NewAtomicPointer makes one that holds p.
func NewAtomicPointer[T any](s Scheduler, p *T) *AtomicPointer[T] {
	a := &AtomicPointer[T]{backend: backendOf(s), object: object(s, kernel.AtomicObject)}
	a.value.Store(p)
	return a
}

// Load answers the pointer.
func (a *AtomicPointer[T]) Load() *T {
	if a.backend == native {
		return a.value.Load()
	}
	a.point(kernel.OpLoad)
	return a.value.Load()
}

// Store sets the pointer.
func (a *AtomicPointer[T]) Store(p *T) {
	if a.backend == native {
		a.value.Store(p)
		return
	}
	a.point(kernel.OpStore)
	a.value.Store(p)
}

// Swap sets the pointer and answers the old one.
func (a *AtomicPointer[T]) Swap(p *T) *T {
	if a.backend == native {
		return a.value.Swap(p)
	}
	a.point(kernel.OpSwap)
	return a.value.Swap(p)
}

// CompareAndSwap sets the pointer to p if it is old and says whether it did.
func (a *AtomicPointer[T]) CompareAndSwap(old, p *T) bool {
	if a.backend == native {
		return a.value.CompareAndSwap(old, p)
	}
	a.point(kernel.OpCompareAndSwap)
	swapped := a.value.CompareAndSwap(old, p)
	a.object.Outcome(uint64(number(swapped)))
	return swapped
}

func (a *AtomicPointer[T]) point(op kernel.Op) { mustBeMade(a.object, "AtomicPointer").Atomic(op) }

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
