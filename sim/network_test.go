package sim_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// echo is an acceptor that answers everything, and remembers what it was told.
type echo struct {
	peers  map[net.SessionID]net.Peer[string]
	heard  []string
	closed int
}

func newEcho() *echo { return &echo{peers: map[net.SessionID]net.Peer[string]{}} }

func (e *echo) Accept(id net.SessionID, credential string, p net.Peer[string]) (string, error) {
	if credential == "stranger" {
		return "", errors.New("who are you?")
	}
	e.peers[id] = p
	return "granted to " + credential, nil
}

func (e *echo) Receive(id net.SessionID, in string) {
	if e.peers[id] == nil {
		panic("received for a session that is closed or unknown")
	}
	e.heard = append(e.heard, in)
	e.peers[id].Send("echo " + in)
	if in == "goodbye" {
		e.peers[id].Close()
	}
}

func (e *echo) Closed(id net.SessionID) {
	if e.peers[id] == nil {
		panic("closed twice")
	}
	delete(e.peers, id)
	e.closed++
}

func TestASessionCarriesTransmissionsBothWaysInOrder(t *testing.T) {
	for seed := uint64(1); seed < 50; seed++ {
		e := newEcho()
		runSeed(t, seed, func(w *sim.World) {
			w.Heal() // no faults
			n := sim.NewNetwork[string, string](w)
			require.NoError(t, n.Listen("router", e))
			require.ErrorContains(t, n.Listen("router", e), "in use")
			d := n.Dialer(w.Node("client"))
			_, err := d.Dial(context.Background(), "nowhere", "")
			require.ErrorIs(t, err, net.ErrRefused)
			_, err = d.Dial(context.Background(), "router", "stranger")
			require.ErrorIs(t, err, net.ErrHandshake)
			require.ErrorContains(t, err, "who are you?")
			c, err := d.Dial(context.Background(), "router", "me")
			require.NoError(t, err)
			require.Equal(t, "granted to me", c.Session().Grant)
			require.NotEmpty(t, c.Session().ID)
			for i := range 40 { // more than the window
				require.NoError(t, c.Send(context.Background(), fmt.Sprint(i)))
			}
			for i := range 40 {
				answer, err := c.Receive()
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("echo %d", i), answer)
			}
			require.NoError(t, c.Close())
			require.NoError(t, c.Close())
			_, err = c.Receive()
			require.ErrorIs(t, err, net.ErrClosed)
			require.Error(t, c.Send(context.Background(), "late"))
		})
		require.Equal(t, 1, e.closed)
		require.Len(t, e.heard, 40)
	}
}

func TestTheAcceptorMayCloseAndWhatItSentBeforeArrives(t *testing.T) {
	for seed := uint64(1); seed < 50; seed++ {
		e := newEcho()
		runSeed(t, seed, func(w *sim.World) {
			w.Heal()
			n := sim.NewNetwork[string, string](w)
			require.NoError(t, n.Listen("router", e))
			c, err := n.Dialer(w.Node("client")).Dial(context.Background(), "router", "me")
			require.NoError(t, err)
			require.NoError(t, c.Send(context.Background(), "goodbye"))
			answer, err := c.Receive()
			require.NoError(t, err)
			require.Equal(t, "echo goodbye", answer)
			_, err = c.Receive()
			require.ErrorIs(t, err, net.ErrClosed)
		})
		require.Equal(t, 1, e.closed)
	}
}

func TestATransmissionTakesTheLatencyEachWayAndAResetTheConnectionsAtItsTime(t *testing.T) {
	e, other := newEcho(), newEcho()
	runSeed(t, 1, func(w *sim.World) {
		w.Heal()
		n := sim.NewNetwork[string, string](w)
		n.Latency(time.Millisecond)
		require.NoError(t, n.Listen("router", e))
		require.NoError(t, n.Listen("other", other))
		n.ResetAfter(10*time.Millisecond, "router")
		d := n.Dialer(w.Node("client"))
		c, err := d.Dial(context.Background(), "router", "me")
		require.NoError(t, err)
		spared, err := d.Dial(context.Background(), "other", "me")
		require.NoError(t, err)
		connected := w.Elapsed()
		require.NoError(t, c.Send(context.Background(), "hello"))
		_, err = c.Receive()
		require.NoError(t, err)
		require.Equal(t, 2*time.Millisecond, w.Elapsed()-connected)
		_, err = c.Receive()
		require.ErrorIs(t, err, net.ErrReset)
		require.Equal(t, 10*time.Millisecond, w.Elapsed())
		closed := 0
		w.Inline(func() { closed = e.closed })
		require.Equal(t, 1, closed, "at both ends at once")
		require.NoError(t, spared.Send(context.Background(), "hello"))
		_, err = spared.Receive()
		require.NoError(t, err)
	})
}

func TestACrashClosesTheConnectionsOfItsNode(t *testing.T) {
	e := newEcho()
	run(t, func(w *sim.World) {
		w.Heal()
		n := sim.NewNetwork[string, string](w)
		require.NoError(t, n.Listen("router", e))
		client := w.Node("client")
		client.Go("session", func() {
			c, _ := n.Dialer(client).Dial(context.Background(), "router", "me")
			_, _ = c.Receive()
			panic("not reached")
		})
		sleep(w, time.Second)
		require.Len(t, e.peers, 1)
		client.Crash()
		sleep(w, time.Second)
		require.Empty(t, e.peers)
	})
}

// only answers yes to one fault and lets it strike wherever it can.
type only struct {
	choice.Source
	fault string
}

func (o only) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	if len(armed) > 0 && o.Source.Value(choice.Site{}, 40) == 0 {
		return len(enabled)
	}
	return o.Source.Schedule(current, enabled, armed)
}

func (o only) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm", "swarm/" + o.fault, o.fault:
		return n - 1
	case "select":
		return o.Source.Value(site, n)
	default:
		return 0
	}
}

// TestEveryNetworkFaultHasAnEffectAndHeals lets each fault strike as often as it can at a client that redials for ever. Under
// the fault something must differ; after healing, the client must get an answer within the timeouts that it has.
func TestEveryNetworkFaultHasAnEffectAndHeals(t *testing.T) {
	for _, fault := range sim.NetworkFaults() {
		t.Run(fault, func(t *testing.T) {
			effects := int64(0)
			for seed := uint64(1); seed <= 20; seed++ {
				sc := &sim.Scenario{Name: fault, Setup: func(w *sim.World) func() {
					n := sim.NewNetwork[string, string](w)
					require.NoError(t, n.Listen("router", newEcho()))
					client := w.Node("client")
					return func() {
						client.Go("dial", func() { redial(w, n.Dialer(client), client) })
						sleep(w, 5*time.Minute)
						w.Heal()
						healed := w.Elapsed()
						redial(w, n.Dialer(client), client)
						require.Less(t, w.Elapsed()-healed, time.Minute)
					}
				}}
				result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: only{seeded(seed), fault}, DataSeed: seed})
				require.NoError(t, err)
				require.Nil(t, result.Failure, "seed %d", seed)
				for _, f := range result.Faults {
					if f.Fault == fault {
						require.Equal(t, int64(1), f.Armed)
						effects += f.Effect
					} else {
						require.Zero(t, f.Fired, "%s struck, though only %s may", f.Fault, fault)
					}
				}
			}
			require.NotZero(t, effects)
		})
	}
}

// redial tries until it has had three answers on one connection, or the world heals.
func redial(w *sim.World, d net.Dialer[string, string], n *sim.Node) {
	healed := w.Healed()
	for attempt := 0; attempt < 40 && healed == w.Healed(); attempt++ {
		if converse(d, n) {
			return
		}
		_ = n.Clock().Sleep(context.Background(), time.Second)
	}
}

func converse(d net.Dialer[string, string], n *sim.Node) bool {
	ctx, cancel := clock.WithTimeout(n.Clock(), n, context.Background(), 20*time.Second)
	defer cancel()
	c, err := d.Dial(ctx, "router", "me")
	if err != nil {
		return false
	}
	defer c.Close()
	stop := sched.AfterFunc(n, ctx, func() { _ = c.Close() })
	defer stop()
	for range 3 {
		if c.Send(ctx, "hello") != nil {
			return false
		}
		if _, err := c.Receive(); err != nil {
			return false
		}
	}
	return true
}

// TestHealingEndsWhatWasLeftHalfDone: the end of a connection that was lost is heard after healing, and a dial whose handshake
// was lost is answered with a reset then, whatever its context says.
func TestHealingEndsWhatWasLeftHalfDone(t *testing.T) {
	for _, fault := range []string{"loss", "partition", "half-open", "mute"} {
		t.Run(fault, func(t *testing.T) {
			for seed := uint64(1); seed <= 40; seed++ {
				e := newEcho()
				sc := &sim.Scenario{Name: fault, Setup: func(w *sim.World) func() {
					n := sim.NewNetwork[string, string](w)
					require.NoError(t, n.Listen("router", e))
					client := w.Node("client")
					return func() {
						for range 5 {
							client.Go("dial", func() {
								c, err := n.Dialer(client).Dial(context.Background(), "router", "me")
								if err == nil {
									_ = c.Send(context.Background(), "hello")
									_ = c.Close()
								}
							})
						}
						sleep(w, 5*time.Minute)
						w.Heal()
						sleep(w, time.Minute)
						w.Inline(func() { require.Empty(t, e.peers, "sessions that nobody has") })
					}
				}}
				result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: only{seeded(seed), fault}, DataSeed: seed})
				require.NoError(t, err)
				require.Nil(t, result.Failure, "seed %d", seed)
			}
		})
	}
}

// holdOnce lets a fault hold up once, until another connection has brought so many transmissions.
type holdOnce struct {
	choice.Source
	fault string
	until int
	held  bool
}

func (h *holdOnce) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm", "swarm/" + h.fault:
		return n - 1
	case h.fault:
		if !h.held {
			h.held = true
			return n - 1
		}
	case h.fault + "-until":
		return h.until
	}
	return 0
}

// TestWhoIsHeldUpAtAConnectionGoesOnWhenAnotherSpeaks: who reads from a connection that has something for it, and who closes one.
func TestWhoIsHeldUpAtAConnectionGoesOnWhenAnotherSpeaks(t *testing.T) {
	uses := map[string]func(net.Conn[string, string]) error{
		"slow-reader": func(c net.Conn[string, string]) error {
			_, err := c.Receive()
			return err
		},
		"slow-close": net.Conn[string, string].Close,
	}
	for fault, use := range uses {
		for until := 1; until <= 3; until++ {
			sc := &sim.Scenario{Name: t.Name(), Setup: func(w *sim.World) func() {
				n, e := sim.NewNetwork[string, string](w), newEcho()
				require.NoError(t, n.Listen("router", e))
				client := w.Node("client")
				return func() {
					ctx := context.Background()
					old, err := n.Dialer(client).Dial(ctx, "router", "me")
					require.NoError(t, err)
					var done atomic.Bool
					client.Go("user", func() {
						require.NoError(t, use(old))
						done.Store(true)
					})
					sleep(w, time.Second)
					_ = old.Send(ctx, "hello") // a connection that is only being closed still carries it
					sleep(w, time.Second)
					_, free := client.FreeSince()
					require.False(t, free)
					other, err := n.Dialer(client).Dial(ctx, "router", "me")
					require.NoError(t, err)
					for i := 1; i <= until; i++ {
						require.False(t, done.Load(), "%s, before transmission %d", fault, i)
						w.Inline(func() { require.Len(t, e.peers, 2) })
						require.NoError(t, other.Send(ctx, "hello"))
						sleep(w, time.Second)
					}
					require.True(t, done.Load(), "%s, behind transmission %d", fault, until)
					since, free := client.FreeSince()
					require.True(t, free)
					require.Equal(t, w.Elapsed()-time.Second, since)
				}
			}}
			result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: &holdOnce{Source: seeded(1), fault: fault, until: until}})
			require.NoError(t, err)
			require.Nil(t, result.Failure)
		}
	}
}
