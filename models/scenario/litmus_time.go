package scenario

import (
	"context"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// Litmus programs whose bug is in how they handle time.

// lease is lost when it has not been renewed for its term.
type lease struct {
	mu      sched.Mutex
	clock   clock.Clock
	expiry  *clock.Timer
	renewal int // counts the renewals; an expiry belongs to one
	held    bool
	checked bool // an expiry compares the renewal that it was armed for
}

const leaseTerm = 10 * time.Second

// renew holds the lease for another term.
func (l *lease) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expiry != nil {
		l.expiry.Stop() // too late if it has fired and waits for the lock
	}
	l.held = true
	l.renewal++
	armed := l.renewal
	l.expiry = l.clock.AfterFunc(leaseTerm, func() { l.expire(armed) })
}

func (l *lease) expire(armed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.checked || armed == l.renewal {
		l.held = false
	}
}

// release gives the lease up and says whether it was still held.
func (l *lease) release() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expiry.Stop()
	return l.held
}

func timerStop(w *sim.World, fixed bool) func() {
	host := w.Host()
	l := &lease{mu: sched.NewMutex(sched.Named(host.Scheduler(), "lease")), clock: host.Clock(), checked: fixed}
	return func() {
		l.renew()
		if err := host.Clock().Sleep(context.Background(), leaseTerm); err != nil {
			return
		}
		l.renew()
		if err := host.Clock().Sleep(context.Background(), leaseTerm/2); err != nil {
			return
		}
		if !l.release() {
			w.Fail("lease-lost", "a lease of %v was lost %v after its renewal", leaseTerm, leaseTerm/2)
		}
	}
}
