package net

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/heddle-go/heddle/sched"
)

// localWindow is how many transmissions a connection of Local holds in each direction before its sender waits.
const localWindow = 256

// Local is an in-process network. Each acceptor is one task, which makes all calls of its handler (file local_acceptor.go);
// connections are channels. Its methods may be called by any task, and all but Close by handlers.
type Local[Out, In any] struct {
	scheduler sched.Scheduler
	mu        sched.Mutex
	acceptors map[Address]*acceptor[Out, In]
	order     []*acceptor[Out, In] // the same, as they came
	closed    bool
}

// NewLocal makes an in-process network on which nobody listens.
func NewLocal[Out, In any](s sched.Scheduler) *Local[Out, In] {
	return &Local[Out, In]{scheduler: s, mu: sched.NewMutex(s), acceptors: map[Address]*acceptor[Out, In]{}}
}

// Listen registers the handler of an address. It fails if there is one, or the network is closed.
func (n *Local[Out, In]) Listen(at Address, h Handler[Out, In]) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("listen at %q: %w", at, ErrClosed)
	}
	if n.acceptors[at] != nil {
		return fmt.Errorf("listen at %q: the address is in use", at)
	}
	a := newAcceptor(n.scheduler, h)
	n.acceptors[at] = a
	n.order = append(n.order, a)
	n.scheduler.Go("acceptor", a.serve)
	return nil
}

// Do runs f as one of the acceptor's events, between calls of its handler: how a handler's own timers get to it. It does not
// wait for f. Nothing happens if nobody listens at the address, or the network is closed.
func (n *Local[Out, In]) Do(at Address, f func()) {
	if a := n.acceptor(at); a != nil {
		a.post(f)
	}
}

// Close ends all sessions, of which the handlers hear. When it returns nothing calls a handler any more; so a handler must not
// call it.
func (n *Local[Out, In]) Close() {
	n.mu.Lock()
	n.closed = true
	acceptors := n.order
	n.mu.Unlock()
	for _, a := range acceptors {
		a.stop()
	}
	for _, a := range acceptors {
		a.done.Recv()
	}
}

// acceptor is who listens at the address; nil for nobody.
func (n *Local[Out, In]) acceptor(at Address) *acceptor[Out, In] {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	return n.acceptors[at]
}

// Dial connects to the handler that listens at the address.
func (n *Local[Out, In]) Dial(ctx context.Context, to Address, credential string) (Conn[Out, In], error) {
	a := n.acceptor(to)
	if a == nil {
		return nil, fmt.Errorf("dial %q: %w", to, ErrRefused)
	}
	c := newLocalConn(n.scheduler, a)
	accepted := sched.NewChan[error](n.scheduler, 1)
	a.post(func() { accepted.Send(a.accept(c, credential)) })
	answer, cancelled, stopped := sched.Recv(accepted), sched.Recv(sched.Done(ctx)), sched.Recv(a.done)
	switch sched.Select3(&answer, &cancelled, &stopped) {
	case 0:
		if answer.Value != nil {
			return nil, fmt.Errorf("dial %q: %w: %w", to, ErrHandshake, answer.Value)
		}
		return c, nil
	case 1:
		_ = c.Close()
		return nil, ctx.Err()
	default:
		return nil, fmt.Errorf("dial %q: %w", to, ErrReset)
	}
}

// localConn is a connection of Local: the dialler's Conn and, as localPeer, the handler's.
type localConn[Out, In any] struct {
	acceptor *acceptor[Out, In]
	session  Session
	window   *sched.Chan[struct{}] // holds one item for each transmission that waits for the acceptor
	in       *sched.Chan[In]       // closed with the connection, so that what is in it still arrives
	ended    *sched.Chan[struct{}]
	mu       sched.Mutex
	closed   bool // in and ended are: no more goes either way

	// Of the acceptor's task.
	served  bool // the handler has accepted, and has not been told Closed
	hungUp  bool // the handler has closed its end
	ordinal int  // among the sessions of the acceptor
}

func newLocalConn[Out, In any](s sched.Scheduler, a *acceptor[Out, In]) *localConn[Out, In] {
	var id [16]byte
	s.Read(id[:])
	return &localConn[Out, In]{
		acceptor: a, session: Session{ID: SessionID(hex.EncodeToString(id[:]))}, mu: sched.NewMutex(s),
		window: sched.NewChan[struct{}](s, localWindow), in: sched.NewChan[In](s, localWindow), ended: sched.NewChan[struct{}](s, 0),
	}
}

// Session is what the handshake has agreed.
func (c *localConn[Out, In]) Session() Session { return c.session }

// Send hands one transmission to the acceptor; it waits while that has too many.
func (c *localConn[Out, In]) Send(ctx context.Context, out Out) error {
	if _, _, ended := c.ended.TryRecv(); ended {
		return ErrClosed
	}
	room, ended, cancelled := sched.Send(c.window, struct{}{}), sched.Recv(c.ended), sched.Recv(sched.Done(ctx))
	switch sched.Select3(&room, &ended, &cancelled) {
	case 1:
		return ErrClosed
	case 2:
		return ctx.Err()
	}
	c.acceptor.post(func() { c.acceptor.receive(c, out) })
	return nil
}

// Receive waits for the next transmission.
func (c *localConn[Out, In]) Receive() (In, error) {
	in, ok := c.in.Recv()
	if !ok {
		return in, ErrClosed
	}
	return in, nil
}

// Close ends the session on this side; the handler hears of it after what was sent before.
func (c *localConn[Out, In]) Close() error {
	if c.end() {
		c.acceptor.post(func() { c.acceptor.closed(c) })
	}
	return nil
}

// end lets nothing more go either way, and says whether that is new.
func (c *localConn[Out, In]) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.closed = true
	c.ended.Close() // first: once Receive has failed, so does Send
	c.in.Close()
	return true
}

// localPeer is the handler's end of a localConn.
type localPeer[Out, In any] struct{ conn *localConn[Out, In] }

// Send never waits: a dialler that does not read loses the connection, as behind a full window it would.
func (p localPeer[Out, In]) Send(in In) {
	c := p.conn
	c.mu.Lock()
	lost := !c.closed && !c.in.TrySend(in)
	c.mu.Unlock()
	if lost {
		p.Close()
	}
}

// Close ends the session; the handler hears of it after the call that it is in.
func (p localPeer[Out, In]) Close() {
	p.conn.hungUp = true
	_ = p.conn.Close()
}
