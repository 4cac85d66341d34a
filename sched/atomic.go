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
	keep[int64](a.object, &a.value)
	return a
}

// Load answers the value.
func (a *AtomicInt64) Load() int64 {
	a.backend.before(func() { a.point(kernel.OpLoad) })
	return a.value.Load()
}

// Store sets the value.
func (a *AtomicInt64) Store(v int64) {
	a.backend.before(func() { a.point(kernel.OpStore) })
	a.value.Store(v)
}

// Add adds delta and answers the new value.
func (a *AtomicInt64) Add(delta int64) int64 {
	a.backend.before(func() { a.point(kernel.OpAtomicAdd) })
	return a.value.Add(delta)
}

// Swap sets the value and answers the old one.
func (a *AtomicInt64) Swap(v int64) int64 {
	a.backend.before(func() { a.point(kernel.OpSwap) })
	return a.value.Swap(v)
}

// CompareAndSwap sets the value to v if it is old and says whether it did.
func (a *AtomicInt64) CompareAndSwap(old, v int64) bool {
	a.backend.before(func() { a.point(kernel.OpCompareAndSwap) })
	return a.value.CompareAndSwap(old, v)
}

// point is the one before an operation, and folds the value that the operation finds into the hash of the run.
func (a *AtomicInt64) point(op kernel.Op) {
	o := mustBeMade(a.object, "AtomicInt64")
	o.Atomic(op)
	o.Outcome(uint64(a.value.Load()))
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
	keep[bool](a.object, &a.value)
	return a
}

// Load answers the value.
func (a *AtomicBool) Load() bool {
	a.backend.before(func() { a.point(kernel.OpLoad) })
	return a.value.Load()
}

// Store sets the value.
func (a *AtomicBool) Store(v bool) {
	a.backend.before(func() { a.point(kernel.OpStore) })
	a.value.Store(v)
}

// Swap sets the value and answers the old one.
func (a *AtomicBool) Swap(v bool) bool {
	a.backend.before(func() { a.point(kernel.OpSwap) })
	return a.value.Swap(v)
}

// CompareAndSwap sets the value to v if it is old and says whether it did.
func (a *AtomicBool) CompareAndSwap(old, v bool) bool {
	a.backend.before(func() { a.point(kernel.OpCompareAndSwap) })
	return a.value.CompareAndSwap(old, v)
}

// point is the one before an operation, and folds the value that the operation finds into the hash of the run.
func (a *AtomicBool) point(op kernel.Op) {
	o := mustBeMade(a.object, "AtomicBool")
	o.Atomic(op)
	o.Outcome(number(a.value.Load()))
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
	keep[*T](a.object, &a.value)
	return a
}

// Load answers the pointer.
func (a *AtomicPointer[T]) Load() *T {
	a.backend.before(func() { a.point(kernel.OpLoad) })
	return a.value.Load()
}

// Store sets the pointer.
func (a *AtomicPointer[T]) Store(p *T) {
	a.backend.before(func() { a.point(kernel.OpStore) })
	a.value.Store(p)
}

// Swap sets the pointer and answers the old one.
func (a *AtomicPointer[T]) Swap(p *T) *T {
	a.backend.before(func() { a.point(kernel.OpSwap) })
	return a.value.Swap(p)
}

// CompareAndSwap sets the pointer to p if it is old and says whether it did.
func (a *AtomicPointer[T]) CompareAndSwap(old, p *T) bool {
	a.backend.before(func() { a.point(kernel.OpCompareAndSwap) })
	return a.value.CompareAndSwap(old, p)
}

// point is the one before an operation. A pointer is no value that a hash could hold; whether there is one is.
func (a *AtomicPointer[T]) point(op kernel.Op) {
	o := mustBeMade(a.object, "AtomicPointer")
	o.Atomic(op)
	o.Outcome(number(a.value.Load() != nil))
}

// keep lets the state of a run show what an atomic holds.
func keep[V any](o *kernel.Object, value interface{ Load() V }) {
	if o != nil && o.Kernel().Inspected() {
		o.Kernel().Keep(o, func(int) []string { return []string{kernel.ValueText(value.Load())} })
	}
}

func number(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
