package net

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/heddle-go/heddle/sched"
)

// localWindow is how many transmissions a connection of Local holds in each direction before its sender waits.
const localWindow = 256

// Local is an in-process network. Each acceptor is one task, which makes all calls of its handler; connections are channels.
type Local[Out, In any] struct {
	scheduler sched.Scheduler
	mu        sched.Mutex
	acceptors map[Address]*acceptor[Out, In]
	closed    bool
}

// NewLocal makes an in-process network on which nobody listens.
func NewLocal[Out, In any](s sched.Scheduler) *Local[Out, In] {
	return &Local[Out, In]{scheduler: s, mu: sched.NewMutex(s), acceptors: map[Address]*acceptor[Out, In]{}}
}

// acceptor calls a handler, one event after the other.
type acceptor[Out, In any] struct {
	handler Handler[Out, In]
	events  *sched.Chan[func()]
	done    *sched.Chan[struct{}]
	late    []func() // what the handler shall hear after the call that it is in
}

// Listen registers the handler of an address. It fails if there is one, or the network is closed.
func (n *Local[Out, In]) Listen(at Address, h Handler[Out, In]) error {
	a := &acceptor[Out, In]{handler: h, events: sched.NewChan[func()](n.scheduler, localWindow), done: sched.NewChan[struct{}](n.scheduler, 0)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("listen at %q: %w", at, ErrClosed)
	}
	if n.acceptors[at] != nil {
		return fmt.Errorf("listen at %q: the address is in use", at)
	}
	n.acceptors[at] = a
	n.scheduler.Go("acceptor", a.serve)
	return nil
}

// Do runs f as one of the acceptor's events, between calls of its handler: how a handler's own timers get to it.
func (n *Local[Out, In]) Do(at Address, f func()) {
	n.mu.Lock()
	a := n.acceptors[at]
	n.mu.Unlock()
	if a != nil {
		a.post(f)
	}
}

// Close ends all acceptors and with them all connections.
func (n *Local[Out, In]) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.closed = true
	for _, a := range n.acceptors {
		a.done.Close()
	}
	clear(n.acceptors)
}

// Dial connects to the handler that listens at the address.
func (n *Local[Out, In]) Dial(ctx context.Context, to Address, credential string) (Conn[Out, In], error) {
	n.mu.Lock()
	a := n.acceptors[to]
	n.mu.Unlock()
	if a == nil {
		return nil, fmt.Errorf("dial %q: %w", to, ErrRefused)
	}
	var id [16]byte
	n.scheduler.Read(id[:])
	c := &localConn[Out, In]{
		acceptor: a, session: Session{ID: SessionID(hex.EncodeToString(id[:]))},
		in: sched.NewChan[In](n.scheduler, localWindow), ended: sched.NewChan[struct{}](n.scheduler, 0), once: sched.NewOnce(n.scheduler),
	}
	accepted := sched.NewChan[error](n.scheduler, 1)
	a.post(func() {
		grant, err := a.handler.Accept(c.session.ID, credential, peer[Out, In]{c})
		if err != nil {
			err = fmt.Errorf("dial %q: %w: %w", to, ErrHandshake, err)
		}
		c.session.Grant, c.accepted = grant, err == nil
		accepted.Send(err)
	})
	answer, cancelled, stopped := sched.Recv(accepted), sched.Recv(sched.Done(ctx)), sched.Recv(a.done)
	switch sched.Select3(&answer, &cancelled, &stopped) {
	case 0:
		if answer.Value != nil {
			return nil, answer.Value
		}
		return c, nil
	case 1:
		a.post(c.end)
		return nil, ctx.Err()
	default:
		return nil, fmt.Errorf("dial %q: %w", to, ErrReset)
	}
}

func (a *acceptor[Out, In]) serve() {
	for {
		event, stopped := sched.Recv(a.events), sched.Recv(a.done)
		if sched.Select2(&event, &stopped) == 1 {
			return
		}
		event.Value()
		for len(a.late) > 0 {
			f := a.late[0]
			a.late = a.late[1:]
			f()
		}
	}
}

func (a *acceptor[Out, In]) post(event func()) {
	send, stopped := sched.Send(a.events, event), sched.Recv(a.done)
	sched.Select2(&send, &stopped)
}

// localConn is a connection of Local: the dialler's Conn and, for the handler, the Peer.
type localConn[Out, In any] struct {
	acceptor *acceptor[Out, In]
	session  Session
	in       *sched.Chan[In]
	ended    *sched.Chan[struct{}]
	once     sched.Once
	accepted bool // of the acceptor's task
}

func (c *localConn[Out, In]) Session() Session { return c.session }

func (c *localConn[Out, In]) Send(ctx context.Context, out Out) error {
	event := sched.Send(c.acceptor.events, func() {
		if _, _, ended := c.ended.TryRecv(); !ended {
			c.acceptor.handler.Receive(c.session.ID, out)
		}
	})
	ended, cancelled, stopped := sched.Recv(c.ended), sched.Recv(sched.Done(ctx)), sched.Recv(c.acceptor.done)
	if sched.TrySelect2(&ended, &stopped) >= 0 {
		return ErrClosed
	}
	switch sched.Select4(&event, &ended, &cancelled, &stopped) {
	case 0:
		return nil
	case 2:
		return ctx.Err()
	default:
		return ErrClosed
	}
}

func (c *localConn[Out, In]) Receive() (In, error) {
	in, ended, stopped := sched.Recv(c.in), sched.Recv(c.ended), sched.Recv(c.acceptor.done)
	if sched.Select3(&in, &ended, &stopped) == 0 {
		return in.Value, nil
	}
	if v, _, received := c.in.TryRecv(); received {
		return v, nil
	}
	return in.Value, ErrClosed
}

func (c *localConn[Out, In]) Close() error {
	c.once.Do(func() {
		c.ended.Close()
		c.acceptor.post(func() { c.acceptor.handler.Closed(c.session.ID) })
	})
	return nil
}

// end is Close, by the acceptor's own task, of a session whose dialler has given up.
func (c *localConn[Out, In]) end() {
	if c.accepted {
		c.once.Do(func() {
			c.ended.Close()
			c.acceptor.handler.Closed(c.session.ID)
		})
	}
}

// peer is the handler's view of a localConn.
type peer[Out, In any] struct{ conn *localConn[Out, In] }

// Send never waits: a dialler that does not read loses the connection, as behind a full window it would.
func (p peer[Out, In]) Send(in In) {
	if !p.conn.in.TrySend(in) {
		p.Close()
	}
}

// Close ends the session; the handler hears of it after the call that it is in.
func (p peer[Out, In]) Close() {
	c := p.conn
	c.once.Do(func() {
		c.ended.Close()
		c.acceptor.late = append(c.acceptor.late, func() { c.acceptor.handler.Closed(c.session.ID) })
	})
}
