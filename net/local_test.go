package net_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// window is how many transmissions the in-process network holds for each direction of a connection.
const window = 256

// hold lets the host wait in Receive until the gate is closed, which a handler must not do: it stands for a busy one.
func (n *network) hold() (gate *sched.Chan[struct{}]) {
	gate = sched.NewChan[struct{}](n.Scheduler, 0)
	n.receive = func(net.Peer[string], string) { gate.Recv() }
	return gate
}

func TestCloseOfTheNetworkEndsEverything(t *testing.T) {
	onLocal(t, func(n *network) {
		there := newHost(n.Side)
		require.NoError(n, n.listen("there", there))
		a, b := n.dial("a"), n.dial("b")
		c, err := n.Dial(context.Background(), "there", "c")
		require.NoError(n, err)
		for _, conn := range []net.Conn[string, string]{a, b, c} {
			n.Go(func() {
				_, err := conn.Receive()
				require.ErrorIs(n, err, net.ErrClosed)
			})
		}

		for range 2 {
			n.Go(n.local.Close)
		}
		n.local.Close()

		require.ElementsMatch(n, []string{"a closed", "b closed"}, n.rest(), "it has heard when Close returns")
		require.Equal(n, []string{"accept c", "c closed"}, there.rest())
		n.Join()
		n.ended(a)
		require.NoError(n, a.Close())
		_, err = n.Dial(context.Background(), here, "late")
		require.ErrorIs(n, err, net.ErrRefused)
		require.ErrorIs(n, n.listen("late", newHost(n.Side)), net.ErrClosed)
		n.local.Do(here, func() { n.Errorf("something ran after Close") })
	})
}

func TestCloseOfTheNetworkDuringADial(t *testing.T) {
	onLocal(t, func(n *network) {
		n.Go(n.local.Close)
		c, err := n.Dial(context.Background(), here, "a")
		if err == nil {
			n.Join()
			n.ended(c)
		} else if !isAny(err, net.ErrReset, net.ErrRefused) {
			require.NoError(n, err)
		}
		n.Join()
		if heard := n.rest(); len(heard) > 0 {
			require.Equal(n, []string{"accept a", "a closed"}, heard)
		}
	})
}

func TestDoRunsBetweenTheCallsOfAHandler(t *testing.T) {
	onLocal(t, func(n *network) {
		n.local.Do("nowhere", func() { n.Errorf("nobody listens there") })
		c := n.dial("a")
		ran := sched.NewChan[struct{}](n.Scheduler, 1)
		n.Go(func() { require.NoError(n, c.Send(context.Background(), "hello")) })
		n.local.Do(here, func() {
			n.call("do", func() {})
			n.local.Do(here, func() { // as a handler's own timers might
				n.call("do", func() {})
				ran.Send(struct{}{})
			})
		})
		ran.Recv()
		n.Join()
		require.NoError(n, c.Close())
		n.hearsAnyway("do", "do", "a: hello", "a closed")
	})
}

// TestAHandlerMayPutOffMoreThanAnyWindow without waiting for itself.
func TestAHandlerMayPutOffMoreThanAnyWindow(t *testing.T) {
	onLocal(t, func(n *network) {
		ran := 0
		n.inside(func() {
			for range 2 * window {
				n.local.Do(here, func() { ran++ })
			}
		})
		n.inside(func() { require.Equal(n, 2*window, ran) })
	})
}

func TestADiallerThatDoesNotReadLosesTheConnection(t *testing.T) {
	onLocal(t, func(n *network) {
		c := n.dial("a")
		n.inside(func() {
			for i := range 2 * window {
				n.sessions[c.Session().ID].peer.Send(fmt.Sprint(i))
			}
		})
		n.hears("a closed")
		for i := range window {
			n.receives(c, fmt.Sprint(i))
		}
		n.ended(c)
	})
}

// TestABusyHostHoldsUpNobodyForLonger than they have agreed to wait, and nobody who closes.
func TestABusyHostHoldsUpNobodyForLonger(t *testing.T) {
	onLocal(t, func(n *network) {
		gate := n.hold()
		a, b := n.dial("a"), n.dial("b")
		n.Go(func() { // fills the window, and waits
			var err error
			for err == nil {
				err = a.Send(context.Background(), "x")
			}
			require.ErrorIs(n, err, net.ErrClosed)
		})
		n.hears("a: x")
		for i := range 2 * window {
			ctx, cancel := sched.WithCancel(n.Scheduler, context.Background())
			if i%2 == 0 {
				cancel()
			} else {
				n.Go(cancel)
			}
			_, err := n.Dial(ctx, here, "c")
			require.ErrorIs(n, err, context.Canceled)
		}
		require.NoError(n, b.Send(context.Background(), "a window of its own"))
		require.NoError(n, a.Close(), "it wakes Send")
		require.NoError(n, b.Close())
		n.Join()
		gate.Close()
		n.settle()
		for id, s := range n.sessions {
			require.True(n, s.closed, "session %s %s", id, s.name)
		}
		n.rest()
	})
}

// TestBothSidesCloseUnderLoad is both ends of a connection being closed while others keep the host busy.
func TestBothSidesCloseUnderLoad(t *testing.T) {
	onLocal(t, func(n *network) {
		n.receive = echo
		a, b := n.dial("a"), n.dial("b")
		stop, cancel := sched.WithCancel(n.Scheduler, context.Background())
		for range 2 {
			n.Go(func() {
				for range window {
					if a.Send(stop, "x") != nil {
						return
					}
				}
			})
		}
		require.NoError(n, b.Send(context.Background(), "bye"))
		n.Go(func() { require.NoError(n, b.Close()) })
		n.Go(cancel)
		n.Join()
		require.NoError(n, a.Close())
		n.settle()
		n.rest()
		for _, s := range n.sessions {
			require.True(n, s.closed)
		}
	})
}

// TestASimulatedRunOnALocalNetworkIsDeterministic with several acceptors, whose order is no map's.
func TestASimulatedRunOnALocalNetworkIsDeterministic(t *testing.T) {
	scenario := &sim.Scenario{Name: "local", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		return func() {
			n := net.NewLocal[string, string](s)
			for i := range 6 {
				at := net.Address(fmt.Sprint(i))
				if err := n.Listen(at, quiet{}); err != nil {
					w.Fail("listen", "%v", err)
				}
				for range 3 {
					if _, err := n.Dial(context.Background(), at, ""); err != nil {
						w.Fail("dial", "%v", err)
					}
				}
			}
			n.Close()
		}
	}}
	hashes := map[uint64]bool{}
	for range 8 {
		result, err := sim.NewRunner().Run(scenario, sim.RunConfig{Source: conformance.Random(7), DataSeed: 7})
		require.NoError(t, err)
		require.Nil(t, result.Failure)
		hashes[result.Hash] = true
	}
	require.Len(t, hashes, 1)
}

// quiet is a handler that does nothing.
type quiet struct{}

func (quiet) Accept(net.SessionID, string, net.Peer[string]) (string, error) { return "", nil }
func (quiet) Receive(net.SessionID, string)                                  {}
func (quiet) Closed(net.SessionID)                                           {}
