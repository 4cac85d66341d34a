package net_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

func TestASessionIsWhatTheHostGranted(t *testing.T) {
	onEach(t, func(n *network) {
		seen := map[net.SessionID]bool{}
		for i := range 4 {
			name := fmt.Sprint("n", i)
			c := n.dial(name)
			id := c.Session().ID
			require.NotEmpty(n, id)
			require.False(n, seen[id], "a session id was used before")
			seen[id] = true
			require.Equal(n, net.Session{ID: id, Grant: "granted to " + name}, c.Session())
			n.inside(func() { require.Equal(n, name, n.sessions[id].name) })
			require.NoError(n, c.Close())
			require.Equal(n, "granted to "+name, c.Session().Grant, "a session does not change")
			n.hears(name + " closed")
		}
	})
}

func TestTransmissionsArriveInOrderBothWays(t *testing.T) {
	const count = 60 // several times the window of the simulated network
	onEach(t, func(n *network) {
		n.receive = echo
		c := n.dial("a")
		n.Go(func() {
			for i := range count {
				require.NoError(n, c.Send(context.Background(), fmt.Sprint(i)))
			}
		})
		for i := range count {
			n.receives(c, fmt.Sprint("echo ", i))
			n.hears(fmt.Sprint("a: ", i))
		}
		n.Join()
		require.NoError(n, c.Close())
		n.hears("a closed")
	})
}

var errStranger = errors.New("who are you?")

func TestARefusalIsPermanentAndSaysWhy(t *testing.T) {
	onEach(t, func(n *network) {
		n.accept = func(p net.Peer[string], credential string) error {
			p.Send("hello") // as it might before it has looked
			if credential == "closed stranger" {
				p.Close()
			}
			return errStranger
		}
		for _, name := range []string{"stranger", "closed stranger"} {
			c, err := n.Dial(context.Background(), here, name)
			require.Nil(n, c)
			require.ErrorContains(n, err, string(here))
			require.ErrorIs(n, err, net.ErrHandshake)
			require.ErrorIs(n, err, errStranger)
			n.hears("accept " + name)
		}
		n.inside(func() {
			for _, s := range n.sessions { // the session has ended: nothing happens
				for range 300 {
					s.peer.Send("are you still there?")
				}
				s.peer.Close()
			}
		})
	})
}

func TestNobodyListens(t *testing.T) {
	onEach(t, func(n *network) {
		_, err := n.Dial(context.Background(), "nowhere", "a")
		require.ErrorIs(n, err, net.ErrRefused)
		require.ErrorContains(n, err, "nowhere")
	})
}

func TestAnAddressHasOneHandler(t *testing.T) {
	onEach(t, func(n *network) {
		other := newHost(n.Side)
		require.ErrorContains(n, n.listen(here, other), "in use")
		require.NoError(n, n.listen("there", other))
		c, err := n.Dial(context.Background(), "there", "a")
		require.NoError(n, err)
		require.NoError(n, c.Close())
		other.hears("accept a", "a closed")
	})
}

func TestADialMayBeCancelled(t *testing.T) {
	onEach(t, func(n *network) {
		n.receive = echo
		ctx, cancel := sched.WithCancel(n.Scheduler, context.Background())
		n.Go(cancel)
		c, err := n.Dial(ctx, here, "a")
		if err == nil { // it was faster: the context bounds the dial alone
			n.Join()
			require.NoError(n, c.Send(context.Background(), "hello"))
			n.receives(c, "echo hello")
			n.hears("accept a", "a: hello")
			require.NoError(n, c.Close())
			n.hears("a closed")
			return
		}
		require.Nil(n, c)
		require.ErrorIs(n, err, context.Canceled)
		n.Join()
		n.settle()
		if heard := n.rest(); len(heard) > 0 { // all or nothing
			require.Equal(n, []string{"accept a", "a closed"}, heard)
		}
	})
}

func TestCloseMayBeCalledAgain(t *testing.T) {
	onEach(t, func(n *network) {
		c := n.dial("a")
		for range 3 {
			n.Go(func() { require.NoError(n, c.Close()) })
		}
		n.Join()
		require.NoError(n, c.Close())
		n.ended(c)
		n.hears("a closed")
	})
}

func TestBothSidesMayCloseAtOnce(t *testing.T) {
	onEach(t, func(n *network) {
		c := n.dial("a")
		n.Go(func() { require.NoError(n, c.Close()) })
		n.inside(func() {
			p := n.sessions[c.Session().ID].peer
			p.Close()
			p.Close()
		})
		n.Join()
		n.hears("a closed")
		n.ended(c)
	})
}

func TestWhatTheHostSentBeforeItsCloseArrives(t *testing.T) {
	onEach(t, func(n *network) {
		n.receive = echo
		c := n.dial("a")
		require.NoError(n, c.Send(context.Background(), "hello"))
		require.NoError(n, c.Send(context.Background(), "bye"))
		n.receives(c, "echo hello", "echo bye")
		n.ended(c)
		n.hears("a: hello", "a: bye", "a closed")
		require.NoError(n, c.Close())
	})
}

func TestWhatTheDiallerSentBeforeItsCloseArrives(t *testing.T) {
	onEach(t, func(n *network) {
		n.receive = echo // to nobody
		c := n.dial("a")
		for i := range 5 {
			require.NoError(n, c.Send(context.Background(), fmt.Sprint(i)))
		}
		require.NoError(n, c.Close())
		n.hears("a: 0", "a: 1", "a: 2", "a: 3", "a: 4", "a closed")
	})
}

// TestSendAgainstClose leaves open what arrives, but not the order.
func TestSendAgainstClose(t *testing.T) {
	onEach(t, func(n *network) {
		c := n.dial("a")
		for range 3 {
			n.Go(func() {
				for range 3 {
					if err := c.Send(context.Background(), "x"); err != nil {
						require.ErrorIs(n, err, net.ErrClosed)
					}
				}
			})
		}
		require.NoError(n, c.Close())
		n.Join()
		n.settle()
		heard := n.rest()
		require.Equal(n, "a closed", heard[len(heard)-1])
	})
}

// TestAfterItsCloseTheHostHearsNoMore of what the dialler goes on to send.
func TestAfterItsCloseTheHostHearsNoMore(t *testing.T) {
	onEach(t, func(n *network) {
		n.receive = echo
		c := n.dial("a")
		n.Go(func() {
			for c.Send(context.Background(), "bye") == nil {
			}
		})
		n.receives(c, "echo bye")
		n.Join()
		n.ended(c)
		n.hears("a: bye", "a closed")
	})
}

func TestCloseWakesReceive(t *testing.T) {
	onEach(t, func(n *network) {
		c := n.dial("a")
		for range 2 {
			n.Go(func() {
				_, err := c.Receive()
				require.ErrorIs(n, err, net.ErrClosed)
			})
		}
		require.NoError(n, c.Close())
		n.Join()
		n.hears("a closed")
	})
}

// TestTheErrorOfReceiveIsFinal although the host, which has not heard of the end, goes on sending.
func TestTheErrorOfReceiveIsFinal(t *testing.T) {
	onEach(t, func(n *network) {
		c := n.dial("a")
		n.Go(func() {
			for i := range 5 {
				n.inside(func() { n.sessions[c.Session().ID].peer.Send(fmt.Sprint(i)) })
			}
		})
		n.Go(func() { require.NoError(n, c.Close()) })
		next := 0
		for {
			in, err := c.Receive()
			if err != nil {
				break
			}
			require.Equal(n, fmt.Sprint(next), in)
			next++
		}
		n.ended(c)
		n.Join()
		n.ended(c)
		n.hears("a closed")
	})
}

func TestAHostMaySpeakFirst(t *testing.T) {
	onEach(t, func(n *network) {
		n.accept = func(p net.Peer[string], _ string) error {
			p.Send("hello")
			return nil
		}
		c := n.dial("a")
		n.receives(c, "hello")
		require.NoError(n, c.Close())
		n.hears("a closed")
	})
}

func TestAHostMayCloseWhatItAccepts(t *testing.T) {
	onEach(t, func(n *network) {
		n.accept = func(p net.Peer[string], _ string) error {
			p.Send("not now")
			p.Close()
			p.Send("too late")
			return nil
		}
		c := n.dial("a")
		require.Equal(n, "granted to a", c.Session().Grant)
		n.receives(c, "not now")
		n.ended(c)
		n.hears("a closed")
	})
}

// TestSendIsBoundedByItsContext while the other side does not take: the host's, if that can be held up.
func TestSendIsBoundedByItsContext(t *testing.T) {
	onEach(t, func(n *network) {
		gate := sched.NewChan[struct{}](n.Scheduler, 0)
		if n.local != nil {
			n.receive = func(net.Peer[string], string) { gate.Recv() }
		}
		c := n.dial("a")
		ctx, cancel := sched.WithCancel(n.Scheduler, context.Background())
		cancel()
		sent := 0
		for {
			err := c.Send(ctx, "x")
			if err != nil {
				require.ErrorIs(n, err, context.Canceled)
				break
			}
			sent++
		}
		late, cancelLate := clock.WithTimeout(n.Clock, n.Scheduler, context.Background(), time.Millisecond)
		defer cancelLate()
		for n.local != nil {
			if err := c.Send(late, "x"); err != nil {
				require.ErrorIs(n, err, context.DeadlineExceeded)
				break
			}
			sent++
		}
		gate.Close()
		require.NoError(n, c.Close())
		for range sent {
			n.hears("a: x")
		}
		n.hears("a closed")
	})
}

func TestALongConversation(t *testing.T) {
	onEach(t, func(n *network) {
		n.receive = echo
		c := n.dial("a")
		for i := range 300 { // beyond the window of the in-process network
			require.NoError(n, c.Send(context.Background(), fmt.Sprint(i)))
			n.receives(c, fmt.Sprint("echo ", i))
			n.hears(fmt.Sprint("a: ", i))
		}
		require.NoError(n, c.Close())
		n.hears("a closed")
	})
}
