// Package session has session variables (seed 003, "SessionVar
// compare-and-swap"): a place for one value that takes time to make, which one
// task fills and any number wait for, and which only a holder of that very
// variable can remove.
//
//	v, created := slot.GetOrCreate(s)
//	if created {
//		... make the value, then: v.Fill(value)
//	} else {
//		... unlock, wait on v.Ready(), lock, and look at the slot again
//	}
//	...
//	slot.Remove(v) // does nothing if another variable has taken v's place
//
// A Slot has no lock of its own: it is part of a state that has one, so that a
// removal and what else must happen with it are one critical section.
package session

import (
	"fmt"

	"github.com/heddle-go/heddle/sched"
)

// Slot holds at most one variable. The zero value is an empty slot. All methods,
// and those of its variables except ID and Ready, need the lock that guards it.
type Slot[T any] struct {
	current *Var[T]
	last    uint64
}

// Var is a variable that is, or was, in a Slot: unfilled, then filled for good.
type Var[T any] struct {
	id     uint64
	ready  *sched.Chan[struct{}]
	value  T
	filled bool
}

// GetOrCreate returns the variable in the slot. If there is none it puts a new
// one, unfilled, with an id above all earlier ones of the slot: whoever created
// it owes a Fill (property L5).
func (s *Slot[T]) GetOrCreate(scheduler sched.Scheduler) (v *Var[T], created bool) {
	if s.current != nil {
		return s.current, false
	}
	s.last++
	s.current = &Var[T]{id: s.last, ready: sched.NewChan[struct{}](sched.Named(scheduler, "session variable"), 0)}
	return s.current, true
}

// Get returns the variable in the slot, nil if there is none.
func (s *Slot[T]) Get() *Var[T] { return s.current }

// Remove empties the slot if v is in it, judged by the id, and reports whether it
// was (property S3): a late removal leaves the variable of a newer session alone.
func (s *Slot[T]) Remove(v *Var[T]) bool {
	if s.current == nil || s.current.id != v.id {
		return false
	}
	s.current = nil
	return true
}

// ID identifies the variable within its slot; ids rise from 1.
func (v *Var[T]) ID() uint64 { return v.id }

// Ready is closed once the variable is filled, and can be selected on.
func (v *Var[T]) Ready() *sched.Chan[struct{}] { return v.ready }

// Fill gives the variable its value and wakes all who wait. It panics if the
// variable is filled already.
func (v *Var[T]) Fill(value T) {
	if v.filled {
		panic(fmt.Sprintf("session: variable %d is filled twice", v.id))
	}
	v.value, v.filled = value, true
	v.ready.Close()
}

// Read returns the value, and whether there is one yet; it never waits.
func (v *Var[T]) Read() (value T, filled bool) { return v.value, v.filled }
