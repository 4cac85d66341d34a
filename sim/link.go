package sim

import (
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// event is what travels on a link: a transmission, the opening or the closing of the session.
type event[T any] struct {
	value   T
	refusal error // of an opening that was refused
	opening bool
	closing bool
	due     time.Duration
	number  int64 // of its Message, if somebody watches
}

// link carries events one way, in order. Its head is an actor as soon as it is due.
type link[T any] struct {
	world   *World
	queue   []event[T]
	actor   *kernel.Actor
	timer   *kernel.Timer
	shared  *kernel.Object // the state of the connection
	deliver func(event[T])
}

func (l *link[T]) init(w *World, name string, o, shared *kernel.Object, deliver func(event[T])) {
	l.world, l.shared, l.deliver = w, shared, deliver
	l.actor = w.kernel.NewActor(kernel.DeliveryActor, name, kernel.OpDeliver, o, l.fire)
}

func (l *link[T]) push(e event[T], delay time.Duration) {
	e.due = l.world.kernel.Now() + delay
	l.queue = append(l.queue, e)
	if len(l.queue) == 1 {
		l.schedule()
	}
}

func (l *link[T]) schedule() {
	wait := l.queue[0].due - l.world.kernel.Now()
	if wait <= 0 {
		l.world.kernel.Enable(l.actor)
		return
	}
	if l.timer == nil {
		l.timer = l.world.kernel.NewTimer(nil, "delay", nil, func() {
			l.world.kernel.Touch(kernel.OpTouch, l.shared)
			l.world.kernel.Enable(l.actor)
		})
	}
	l.timer.Set(wait)
}

func (l *link[T]) fire() {
	l.world.kernel.Touch(kernel.OpTouch, l.shared)
	e := l.queue[0]
	l.queue = append(l.queue[:0], l.queue[1:]...)
	l.world.kernel.Disable(l.actor)
	if len(l.queue) > 0 {
		l.schedule()
	}
	l.deliver(e)
}

func (l *link[T]) clear() {
	l.queue = l.queue[:0]
	l.world.kernel.Disable(l.actor)
	if l.timer != nil {
		l.timer.Cancel()
	}
}
