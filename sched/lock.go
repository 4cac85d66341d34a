package sched

import (
	"sync"
	"sync/atomic"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Mutex is sync.Mutex. It must not be copied after first use.
type Mutex struct {
	backend backend
	native  sync.Mutex
	object  *kernel.Object
}

// NewMutex makes an unlocked mutex.
func NewMutex(s Scheduler) Mutex {
	return Mutex{backend: backendOf(s), object: object(s, kernel.MutexObject)}
}

// Lock locks the mutex, waiting until it is free.
func (m *Mutex) Lock() {
	m.backend.either(func() { m.native.Lock() }, func() { mustBeMade(m.object, "Mutex").Lock() })
}

// TryLock locks the mutex if it is free and says whether it did.
func (m *Mutex) TryLock() bool {
	if m.backend == native {
		return m.native.TryLock()
	}
	return mustBeMade(m.object, "Mutex").TryLock()
}

// Unlock unlocks the mutex. To unlock one that is not locked is a fatal error in production, a panic in a simulation.
func (m *Mutex) Unlock() {
	m.backend.either(func() { m.native.Unlock() }, func() { mustBeMade(m.object, "Mutex").Unlock() })
}

// RWMutex is sync.RWMutex: a writer that waits keeps new readers out. It must not be copied after first use.
type RWMutex struct {
	backend backend
	native  sync.RWMutex
	object  *kernel.Object
}

// NewRWMutex makes an unlocked reader/writer mutex.
func NewRWMutex(s Scheduler) RWMutex {
	return RWMutex{backend: backendOf(s), object: object(s, kernel.RWMutexObject)}
}

// Lock locks for writing.
func (m *RWMutex) Lock() {
	m.backend.either(func() { m.native.Lock() }, func() { mustBeMade(m.object, "RWMutex").WLock() })
}

// TryLock locks for writing if that is possible at once and says whether it did.
func (m *RWMutex) TryLock() bool {
	if m.backend == native {
		return m.native.TryLock()
	}
	return mustBeMade(m.object, "RWMutex").TryWLock()
}

// Unlock unlocks for writing.
func (m *RWMutex) Unlock() {
	m.backend.either(func() { m.native.Unlock() }, func() { mustBeMade(m.object, "RWMutex").WUnlock() })
}

// RLock locks for reading.
func (m *RWMutex) RLock() {
	m.backend.either(func() { m.native.RLock() }, func() { mustBeMade(m.object, "RWMutex").RLock() })
}

// TryRLock locks for reading if that is possible at once and says whether it did.
func (m *RWMutex) TryRLock() bool {
	if m.backend == native {
		return m.native.TryRLock()
	}
	return mustBeMade(m.object, "RWMutex").TryRLock()
}

// RUnlock unlocks for reading.
func (m *RWMutex) RUnlock() {
	m.backend.either(func() { m.native.RUnlock() }, func() { mustBeMade(m.object, "RWMutex").RUnlock() })
}

// WaitGroup is sync.WaitGroup. It must not be copied after first use.
type WaitGroup struct {
	backend backend
	native  sync.WaitGroup
	object  *kernel.Object
}

// NewWaitGroup makes a wait group whose counter is zero.
func NewWaitGroup(s Scheduler) WaitGroup {
	return WaitGroup{backend: backendOf(s), object: object(s, kernel.WaitGroupObject)}
}

// Add adds delta to the counter. It panics if that becomes negative.
func (g *WaitGroup) Add(delta int) {
	g.backend.either(func() { g.native.Add(delta) }, func() { mustBeMade(g.object, "WaitGroup").Add(delta) })
}

// Done takes one from the counter.
func (g *WaitGroup) Done() { g.Add(-1) }

// Wait waits for the counter to be zero.
func (g *WaitGroup) Wait() {
	g.backend.either(func() { g.native.Wait() }, func() { mustBeMade(g.object, "WaitGroup").Wait() })
}

// Once is sync.Once. It must not be copied after first use.
type Once struct {
	done    atomic.Uint32 // in production: the native one has returned
	backend backend
	native  sync.Once
	object  *kernel.Object
}

// NewOnce makes a Once that has not run.
func NewOnce(s Scheduler) Once {
	return Once{backend: backendOf(s), object: object(s, kernel.OnceObject)}
}

// Do runs f if no Do of this Once has; otherwise it waits until that one has returned.
func (o *Once) Do(f func()) {
	if o.done.Load() == 0 {
		o.do(f)
	}
}

func (o *Once) do(f func()) {
	if o.backend == native {
		o.native.Do(f)
		o.done.Store(1)
		return
	}
	mustBeMade(o.object, "Once").Once(f)
}
