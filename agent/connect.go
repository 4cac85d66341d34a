package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// connectError is what a failed attempt leaves in the session variable.
type connectError struct {
	err error
	// expiry is zero if the error is not kept for later callers.
	expiry time.Time
}

// acquire is Client: get-or-create the session variable, then wait for it.
//
// The attempt runs in a task of its own, so that a caller who leaves takes it
// from nobody; every wait has the connect timeout.
func (r *routerState) acquire(ctx context.Context) (*Client, error) {
	var waited *session.Var[connection]
	var timer *clock.Timer
	for {
		v, c, err := r.lookup(waited)
		if v == nil {
			if timer != nil {
				timer.Stop()
			}
			return c, err
		}
		if timer == nil {
			timer = r.agent.env.Clock.NewTimer(r.agent.config.ConnectTimeout)
		}
		outcome := r.wait(ctx, v, timer)
		if outcome == WaitFilled {
			waited = v
			continue
		}
		timer.Stop()
		switch outcome {
		case WaitTimedOut:
			return nil, &protocol.Error{Kind: protocol.Timeout, Detail: fmt.Sprintf("no connection within %v", r.agent.config.ConnectTimeout)}
		case WaitCancelled:
			return nil, ctx.Err()
		default:
			return nil, ErrClosed
		}
	}
}

// wait waits until v is filled.
func (r *routerState) wait(ctx context.Context, v *session.Var[connection], timer *clock.Timer) WaitOutcome {
	filled, expired := sched.Recv(v.Ready()), sched.Recv(timer.C)
	cancelled, closed := sched.Recv(sched.Done(ctx)), sched.Recv(r.agent.closing)
	outcome := [...]WaitOutcome{WaitFilled, WaitTimedOut, WaitCancelled, WaitClosed}[sched.Select4(&filled, &expired, &cancelled, &closed)]
	if o := r.agent.env.Observer; o != nil {
		o.Observe(WaitEnded{r.router, v.ID(), outcome})
	}
	return outcome
}

// lookup answers from the session variable, or returns the variable to wait for.
// It starts an attempt if there is none, if the last error has expired, and if the
// connection is known to be lost: what is current need not wait for the disconnect
// handler of what was. waited is the variable that the caller has waited for; an
// error in it that is not kept is the answer to that wait.
func (r *routerState) lookup(waited *session.Var[connection]) (*session.Var[connection], *Client, error) {
	o := r.agent.env.Observer
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, ErrClosed
	}
	if waited != nil {
		if got, _ := waited.Read(); got.client == nil && got.failed.expiry.IsZero() {
			return nil, nil, got.failed.err
		}
	}
	for {
		now := r.agent.env.Clock.Now()
		v, created := r.clients.GetOrCreate(r.agent.env.Scheduler)
		if created && o != nil {
			o.Observe(ConnectStarted{r.router, v.ID(), now})
		}
		got, filled := v.Read()
		switch {
		case !filled:
			if o != nil {
				o.Observe(WaitStarted{r.router, v.ID()})
			}
			if created {
				r.agent.spawn("connect", func() { r.connect(v) })
			}
			return v, nil, nil
		case got.client != nil:
			if !got.client.lost.Load() {
				return nil, got.client, nil
			}
			r.removeVar(v, RemovedLost)
		case now.Before(got.failed.expiry):
			if o != nil {
				o.Observe(ErrorAnswered{r.router, v.ID(), got.failed.expiry, now})
			}
			return nil, nil, got.failed.err
		default:
			r.removeVar(v, RemovedExpired)
		}
	}
}

// connected is ConnectedClient.
func (r *routerState) connected() (*Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.clients.Get()
	if v == nil {
		return nil, nil
	}
	got, filled := v.Read()
	switch {
	case !filled:
		return nil, nil
	case got.client != nil:
		if got.client.lost.Load() {
			return nil, nil
		}
		return got.client, nil
	}
	now := r.agent.env.Clock.Now()
	if !now.Before(got.failed.expiry) {
		return nil, nil
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(ErrorAnswered{r.router, v.ID(), got.failed.expiry, now})
	}
	return nil, got.failed.err
}

// removeVar empties the session variable if v is still in it.
func (r *routerState) removeVar(v *session.Var[connection], reason RemovalReason) {
	removed := r.clients.Remove(v)
	o := r.agent.env.Observer
	switch {
	case o == nil:
	case removed:
		o.Observe(VariableRemoved{r.router, v.ID(), reason})
	default:
		kept := VariableKept{Router: r.router, Var: v.ID(), Reason: reason}
		if current := r.clients.Get(); current != nil {
			kept.Current = current.ID()
		}
		o.Observe(kept)
	}
}

// connect makes one attempt, and fills v whatever happens (property L5).
func (r *routerState) connect(v *session.Var[connection]) {
	a := r.agent
	ctx, cancel := clock.WithTimeout(a.env.Clock, a.env.Scheduler, a.ctx, a.config.ConnectTimeout)
	conn, err := a.env.Dialer.Dial(ctx, r.router.Address(), a.config.Credential.Encode())
	cancel()
	if err != nil {
		r.failConnect(v, dialError(err))
		return
	}
	service, err := protocol.DecodeGrant(conn.Session().Grant)
	if err != nil {
		conn.Close()
		r.failConnect(v, &protocol.Error{Kind: protocol.Transport, Detail: "bad handshake", Cause: err})
		return
	}
	if !r.publish(v, conn, service) {
		conn.Close()
	}
}

// publish makes a connection the router's current client. The client's tasks start
// here, so its disconnect handler cannot run before. It reports false, and the
// connection is late, if the agent was closed.
func (r *routerState) publish(v *session.Var[connection], conn protocol.Conn, service *protocol.ServiceID) bool {
	a := r.agent
	o := a.env.Observer
	c := newClient(r, v, conn, service)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		if o != nil {
			o.Observe(LateDialClosed{r.router, v.ID(), c.session.ID})
		}
		v.Fill(connection{failed: connectError{err: ErrClosed}})
		return false
	}
	a.sessionsMu.Lock()
	a.events.lock()
	a.sessions[c.session.ID] = c
	r.live = append(r.live, c)
	if o != nil {
		o.Observe(ClientPublished{r.router, v.ID(), c.session.ID, service})
	}
	r.emit(Event{Kind: Connected, Session: c.session.ID, Service: service})
	v.Fill(connection{client: c})
	a.events.unlock()
	a.sessionsMu.Unlock()
	c.start()
	return true
}

// failConnect leaves the error in v until it expires, or, with PersistError 0,
// empties the variable: then only who waits for it is answered with the error.
func (r *routerState) failConnect(v *session.Var[connection], err error) {
	o := r.agent.env.Observer
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		v.Fill(connection{failed: connectError{err: ErrClosed}})
		return
	}
	now := r.agent.env.Clock.Now()
	failed := connectError{err: err}
	if keep := r.agent.config.PersistError; keep > 0 {
		failed.expiry = now.Add(keep)
	}
	if o != nil {
		o.Observe(ConnectFailed{r.router, v.ID(), err, now, failed.expiry})
	}
	if failed.expiry.IsZero() {
		r.removeVar(v, RemovedFailed)
	}
	v.Fill(connection{failed: failed})
	r.ensureWorker()
}

// dialError is a dialer's error as one of the protocol.
func dialError(err error) error {
	var known *protocol.Error
	kind := protocol.Network
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, net.ErrHandshake):
		kind = protocol.Transport
	case errors.Is(err, context.DeadlineExceeded):
		kind = protocol.Timeout
	}
	return &protocol.Error{Kind: kind, Detail: "connect", Cause: err}
}
