package command

import "time"

// Observer is told what a queue does, for logs, metrics and models. Observe must not block, use a primitive of package sched or call the queue; it
// is called by many tasks at once.
type Observer interface {
	Observe(Transition)
}

// Transition is one of the types of this package that follow, by value.
type Transition interface{ transition() }

type (
	// Executing: a command is about to be executed, for the first time or again.
	Executing struct{ Command Command }
	// Paused: the command could not be executed, or not be read or stored, because of Err, which is temporary; it is tried again after Delay.
	Paused struct {
		Key     Key
		Command Command // zero if it could not be read
		Err     error
		Delay   time.Duration
	}
	// WorkerPanicked: the executor has panicked with Cause, and debug.Stack shows where. The worker of the key goes on or, if it is Critical, has
	// ended: its commands stay.
	WorkerPanicked struct {
		Key      Key
		Cause    any
		Critical bool
	}
)

func (Executing) transition()      {}
func (Paused) transition()         {}
func (WorkerPanicked) transition() {}

func (q *Queue[T]) observe(t Transition) {
	if o := q.env.Observer; o != nil {
		o.Observe(t)
	}
}
