package net_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

const here = net.Address("here")

// network is one that the suite runs on, with a host that listens here.
type network struct {
	*conformance.Side
	*host
	net.Dialer[string, string]
	listen func(net.Address, net.Handler[string, string]) error
	inside func(f func())             // runs f as if it were one of the host's calls
	settle func()                     // returns when the host has heard of all that was under way
	finish func()                     // returns when the host will hear nothing more
	local  *net.Local[string, string] // nil: the simulated network, whose handlers cannot be held up
}

// onEach runs the test on every network there is: the in-process one on goroutines and under many schedules, and the
// simulated one without faults under many schedules. The test must have taken everything that its host has heard.
func onEach(t *testing.T, f func(*network)) {
	t.Run("local", func(t *testing.T) { onLocal(t, f) })
	t.Run("simulated network", func(t *testing.T) {
		conformance.Simulated(t, func(e *conformance.Side) {
			e.World.Heal()
			s := sim.NewNetwork[string, string](e.World)
			n := &network{Side: e, host: newHost(e), Dialer: s.Dialer(e.World.Node("dialler")), listen: s.Listen, inside: e.World.Inline}
			n.settle = func() { // time passes when nothing else can
				require.NoError(e, e.Clock.Sleep(context.Background(), time.Minute))
			}
			n.finish = n.settle
			n.run(f)
		})
	})
}

// onLocal is onEach on the in-process network only.
func onLocal(t *testing.T, f func(*network)) {
	conformance.Run(t, func(e *conformance.Side) {
		l := net.NewLocal[string, string](e.Scheduler)
		n := &network{Side: e, host: newHost(e), Dialer: l, listen: l.Listen, finish: l.Close, local: l}
		n.linger = func() { sched.Yield(e.Scheduler) }
		n.inside = func(f func()) {
			done := sched.NewChan[struct{}](e.Scheduler, 0)
			l.Do(here, func() {
				f()
				done.Close()
			})
			done.Recv()
		}
		n.settle = func() { n.inside(func() {}) }
		n.run(f)
	})
}

func (n *network) run(f func(*network)) {
	require.NoError(n, n.listen(here, n.host))
	f(n)
	n.finish()
	require.Empty(n, n.rest(), "what the host heard beyond what the test expects")
}

// dial connects to the host; the credential is what the host calls the session.
func (n *network) dial(credential string) net.Conn[string, string] {
	c, err := n.Dial(context.Background(), here, credential)
	require.NoError(n, err)
	n.hears("accept " + credential)
	return c
}

// host is a handler that notes what it is told and holds its network to the contract of net.Handler.
type host struct {
	side     *conformance.Side
	heard    *sched.Chan[string]
	linger   func()                                            // another task may run now, if the network's handlers are tasks
	accept   func(p net.Peer[string], credential string) error // nil: everybody is welcome
	receive  func(p net.Peer[string], in string)               // nil: it says nothing
	busy     atomic.Bool
	sessions map[net.SessionID]*session
}

type session struct {
	name   string
	peer   net.Peer[string]
	closed bool
}

func newHost(e *conformance.Side) *host {
	return &host{side: e, heard: sched.NewChan[string](e.Scheduler, 1<<16), linger: func() {}, sessions: map[net.SessionID]*session{}}
}

// call notes what a call says, and asserts that it is the only one.
func (h *host) call(what string, f func()) {
	assert.False(h.side, h.busy.Swap(true), "%s: during another call", what)
	h.heard.TrySend(what)
	h.linger()
	f()
	h.linger()
	h.busy.Store(false)
}

func (h *host) Accept(id net.SessionID, credential string, p net.Peer[string]) (grant string, err error) {
	h.call("accept "+credential, func() {
		assert.NotEmpty(h.side, id)
		assert.Nil(h.side, h.sessions[id], "a session id was used before")
		s := &session{name: credential, peer: p}
		h.sessions[id] = s
		if h.accept != nil {
			err = h.accept(p, credential)
		}
		s.closed = err != nil
	})
	return "granted to " + credential, err
}

func (h *host) Receive(id net.SessionID, in string) {
	s := h.open(id, "Receive")
	h.call(s.name+": "+in, func() {
		if h.receive != nil {
			h.receive(s.peer, in)
		}
	})
}

func (h *host) Closed(id net.SessionID) {
	s := h.open(id, "Closed")
	h.call(s.name+" closed", func() { s.closed = true })
}

// open is the session, which must have been accepted and not yet be closed.
func (h *host) open(id net.SessionID, call string) *session {
	s := h.sessions[id]
	if !assert.NotNil(h.side, s, "%s for a session that was not accepted", call) {
		return &session{name: "unknown"}
	}
	assert.False(h.side, s.closed, "%s for session %s, which is closed", call, s.name)
	return s
}

// hears waits for what the host is told, which must be this, in this order.
func (h *host) hears(want ...string) {
	for _, w := range want {
		heard, _ := h.heard.Recv()
		require.Equal(h.side, w, heard)
	}
}

// hearsAnyway is hears where order does not matter.
func (h *host) hearsAnyway(want ...string) {
	heard := make([]string, len(want))
	for i := range heard {
		heard[i], _ = h.heard.Recv()
	}
	require.ElementsMatch(h.side, want, heard)
}

// rest is what the host was told and nobody has asked about.
func (h *host) rest() (heard []string) {
	for {
		what, _, received := h.heard.TryRecv()
		if !received {
			return heard
		}
		heard = append(heard, what)
	}
}

// echo answers everything; after "bye" it hangs up, and then tries to say more.
func echo(p net.Peer[string], in string) {
	p.Send("echo " + in)
	if strings.HasPrefix(in, "bye") {
		p.Close()
		p.Send("too late")
		p.Close()
	}
}

// receives asserts what comes next on a connection.
func (n *network) receives(c net.Conn[string, string], want ...string) {
	for _, w := range want {
		in, err := c.Receive()
		require.NoError(n, err)
		require.Equal(n, w, in)
	}
}

// ended asserts that the connection is at its end for the dialler, and stays there.
func (n *network) ended(c net.Conn[string, string]) {
	for range 3 {
		in, err := c.Receive()
		require.ErrorIs(n, err, net.ErrClosed, "received %q", in)
		require.ErrorIs(n, c.Send(context.Background(), "late"), net.ErrClosed)
	}
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
