// Package clock is time, injected: the wall clock in production, a node's virtual clock in a simulation.
package clock

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/sched"
)

// Clock tells the time and wakes. It is safe for concurrent use.
type Clock interface {
	// Now is the current time.
	Now() time.Time
	// NewTimer makes a timer that sends the time on its C after at least d.
	NewTimer(d time.Duration) *Timer
	// NewTicker makes a ticker that sends the time on its C every d, which must be positive. It panics if it is not.
	NewTicker(d time.Duration) *Ticker
	// AfterFunc makes a timer that runs f as a task of its own after at least d. Its C is nil.
	AfterFunc(d time.Duration, f func()) *Timer
	// Sleep waits for at least d, or until ctx is done; then it answers ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Timer is time.Timer. As since Go 1.23, nothing stale can be received from C after Stop or Reset has returned.
type Timer struct {
	C      *sched.Chan[time.Time]
	handle Handle
}

// Handle is what a Clock gives to a Timer: how to stop it and how to set it again.
type Handle interface {
	Stop() bool
	Reset(d time.Duration) bool
}

// MakeTimer is for implementations of Clock.
func MakeTimer(c *sched.Chan[time.Time], h Handle) *Timer { return &Timer{C: c, handle: h} }

// Stop prevents the timer from firing; it says whether it did.
//
// A simulated context calls it from the hub, which the race detector knows no edge to; what it reads never changes.
//
//go:norace
func (t *Timer) Stop() bool { return t.handle.Stop() }

// Reset makes the timer fire after d; it says whether the timer had been active.
func (t *Timer) Reset(d time.Duration) bool { return t.handle.Reset(d) }

// Ticker is time.Ticker: it drops ticks for a receiver that is slow. As since Go 1.23, nothing stale can be received from C after
// Stop or Reset has returned.
type Ticker struct {
	C      *sched.Chan[time.Time]
	handle TickerHandle
}

// TickerHandle is what a Clock gives to a Ticker: how to stop it and how to give it another interval.
type TickerHandle interface {
	Stop()
	Reset(d time.Duration)
}

// MakeTicker is for implementations of Clock.
func MakeTicker(c *sched.Chan[time.Time], h TickerHandle) *Ticker { return &Ticker{C: c, handle: h} }

// Stop ends the ticks. It does not close C.
func (t *Ticker) Stop() { t.handle.Stop() }

// Reset makes the ticker send every d from now on. It panics if d is not positive.
func (t *Ticker) Reset(d time.Duration) {
	CheckInterval(d)
	t.handle.Reset(d)
}

// CheckInterval panics if no ticker can have the interval d; it is for implementations of Clock.
func CheckInterval(d time.Duration) {
	if d <= 0 {
		panic(fmt.Sprintf("clock: the interval of a ticker must be positive, and %v is not", d))
	}
}

type wall struct{}

// Wall is the clock of the real world, for use with sched.Goroutines.
func Wall() Clock { return wall{} }

func (wall) Now() time.Time { return time.Now() }

func (wall) NewTimer(d time.Duration) *Timer {
	t := time.NewTimer(d)
	return &Timer{C: sched.FromNative(t.C), handle: t}
}

func (wall) NewTicker(d time.Duration) *Ticker {
	CheckInterval(d)
	t := time.NewTicker(d)
	return &Ticker{C: sched.FromNative(t.C), handle: t}
}

func (wall) AfterFunc(d time.Duration, f func()) *Timer {
	return &Timer{handle: time.AfterFunc(d, f)}
}

func (w wall) Sleep(ctx context.Context, d time.Duration) error { return Sleep(w, ctx, d) }

// Sleep waits on a timer of c: what an implementation's Sleep usually is.
func Sleep(c Clock, ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := c.NewTimer(d)
	defer timer.Stop()
	woken, cancelled := sched.Recv(timer.C), sched.Recv(sched.Done(ctx))
	if sched.Select2(&woken, &cancelled) == 1 {
		return ctx.Err()
	}
	return nil
}

// WithTimeout is context.WithTimeout by the clock c. The scheduler must be the clock's: Goroutines with Wall, or both of one
// simulated node.
func WithTimeout(c Clock, s sched.Scheduler, parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return WithDeadline(c, s, parent, c.Now().Add(d))
}

// WithDeadline is context.WithDeadline by the clock c; see WithTimeout.
func WithDeadline(c Clock, s sched.Scheduler, parent context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	if s.Kernel() == nil {
		return context.WithDeadline(parent, deadline)
	}
	return sched.WithAlarm(s, parent, deadline, func(expire func()) (stop func() bool) {
		d := deadline.Sub(c.Now())
		if d <= 0 {
			expire()
			return nil
		}
		return c.AfterFunc(d, expire).Stop
	})
}
