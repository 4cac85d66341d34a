package agent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

func TestCallersShareOneConnection(t *testing.T) {
	w := newWorld(t, quick())
	release := make(chan struct{})
	w.router.dial = func(context.Context, int) error { <-release; return nil }
	var clients [8]*Client
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() { clients[i], _ = w.agent.Client(context.Background(), testRouter) })
	}
	w.await("connecting", func(s RouterSnapshot) bool { return s.Client == ClientConnecting })
	none, err := w.agent.ConnectedClient(testRouter)
	require.NoError(t, err)
	require.Nil(t, none, "it does not wait")
	close(release)
	wg.Wait()
	for _, c := range clients {
		require.Same(t, clients[0], c)
	}
	require.Equal(t, 1, w.router.dialed())
	found, err := w.agent.ConnectedClient(testRouter)
	require.NoError(t, err)
	require.Same(t, clients[0], found)
	require.Same(t, found, w.agent.ClientBySession(found.Session()))
	require.Nil(t, w.agent.ClientBySession("another"))
}

func TestLookupsNeverAnswerWithWhatIsGone(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.PersistError = time.Hour }))
	w.router.grant = protocol.EncodeGrant(&serviceA)
	lookup := func() (*Client, error) { return w.agent.ConnectedClient(testRouter) }
	none, err := lookup()
	require.NoError(t, err)
	require.Nil(t, none, "an unknown router")

	c := w.client()
	require.Equal(t, testRouter, c.Router())
	require.Equal(t, serviceA, *c.Service())
	require.False(t, c.Own())
	c.lost.Store(true) // its handler is held up
	none, err = lookup()
	require.NoError(t, err)
	require.Nil(t, none)
	require.Nil(t, w.agent.ClientBySession(c.Session()))

	w.router.set(func() { w.router.dial = func(context.Context, int) error { return net.ErrRefused } })
	_, err = w.agent.Client(context.Background(), testRouter)
	require.ErrorIs(t, err, net.ErrRefused)
	none, err = lookup()
	require.Nil(t, none)
	require.ErrorIs(t, err, net.ErrRefused)
	r := c.state
	r.mu.Lock()
	v := r.clients.Get()
	r.clients.Remove(v)
	expired, _ := r.clients.GetOrCreate(r.agent.env.Scheduler)
	expired.Fill(connection{failed: connectError{net.ErrRefused, r.agent.env.Clock.Now()}})
	r.mu.Unlock()
	none, err = lookup()
	require.Nil(t, none)
	require.NoError(t, err, "it expires now")
	w.router.session(1).Close() // for its handler
}

func TestACallerWhoLeavesTakesTheAttemptFromNobody(t *testing.T) {
	w := newWorld(t, quick())
	release := make(chan struct{})
	w.router.dial = func(context.Context, int) error { <-release; return nil }
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error)
	go func() {
		_, err := w.agent.Client(ctx, testRouter)
		left <- err
	}()
	w.await("connecting", func(s RouterSnapshot) bool { return s.Client == ClientConnecting })
	stayed := make(chan *Client)
	go func() {
		c, _ := w.agent.Client(context.Background(), testRouter)
		stayed <- c
	}()
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	close(release)
	require.NotNil(t, <-stayed)
	require.Equal(t, 1, w.router.dialed())
}

func TestAWaitForAConnectionHasATimeout(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.ConnectTimeout = 10 * time.Millisecond }))
	release := make(chan struct{})
	defer close(release)
	w.router.dial = func(context.Context, int) error { <-release; return nil } // ignores its context
	_, err := w.agent.Client(context.Background(), testRouter)
	var timeout *protocol.Error
	require.True(t, errors.As(err, &timeout))
	require.Equal(t, protocol.Timeout, timeout.Kind)
}

func TestS13AFailureAnswersUntilItExpires(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.PersistError = 30 * time.Millisecond }))
	w.router.dial = func(_ context.Context, n int) error {
		if n == 1 {
			return net.ErrRefused
		}
		return nil
	}
	_, err := w.agent.Client(context.Background(), testRouter)
	require.ErrorIs(t, err, net.ErrRefused)
	_, stored := w.agent.ConnectedClient(testRouter)
	if stored != nil { // unless this test was held up
		require.ErrorIs(t, stored, net.ErrRefused)
	}
	require.Eventually(t, func() bool {
		_, err = w.agent.Client(context.Background(), testRouter)
		return err == nil
	}, 5*time.Second, time.Millisecond)

	starts, failures := of[ConnectStarted](w.observer), of[ConnectFailed](w.observer)
	require.GreaterOrEqual(t, starts[1].At.Sub(failures[0].At), 30*time.Millisecond)
	for _, answered := range of[ErrorAnswered](w.observer) {
		require.True(t, answered.At.Before(answered.Expiry))
	}
	require.Equal(t, 2, w.router.dialed())
}

func TestS13WithoutAnIntervalAFailureIsForgotten(t *testing.T) {
	w := newWorld(t, quick())
	w.router.dial = func(_ context.Context, n int) error {
		if n == 1 {
			return net.ErrRefused
		}
		return nil
	}
	_, err := w.agent.Client(context.Background(), testRouter)
	require.ErrorIs(t, err, net.ErrRefused)
	require.Equal(t, NoClient, w.await("failed", func(RouterSnapshot) bool { return true }).Client)
	_, err = w.agent.Client(context.Background(), testRouter)
	require.NoError(t, err)
}

func TestFailuresToConnectAreClassified(t *testing.T) {
	for err, kind := range map[error]protocol.ErrorKind{
		net.ErrRefused: protocol.Network, net.ErrReset: protocol.Network, net.ErrHandshake: protocol.Transport,
		context.DeadlineExceeded:               protocol.Timeout,
		&protocol.Error{Kind: protocol.Crypto}: protocol.Crypto,
	} {
		var e *protocol.Error
		require.True(t, errors.As(dialError(err), &e))
		require.Equal(t, kind, e.Kind)
		require.ErrorIs(t, dialError(err), err)
	}
}

func TestAGrantThatCannotBeReadFailsTheAttempt(t *testing.T) {
	w := newWorld(t, quick())
	w.router.grant = "nonsense"
	_, err := w.agent.Client(context.Background(), testRouter)
	require.ErrorContains(t, err, "nonsense")
	require.Eventually(t, func() bool {
		select {
		case <-w.router.last().closed:
			return true
		default:
			return false
		}
	}, time.Second, time.Millisecond, "the connection is closed")
}

// TestALostClientIsReplacedBeforeItsHandlerHasRun and what its handler then does:
// the seed's stale cleanup (properties S2, S3).
func TestALostClientIsReplacedBeforeItsHandlerHasRun(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(QueueSub{queueN(1), "key"}))
	r := w.agent.knownRouter(testRouter)
	old := r.current()

	// The first session is lost, its handler is held up.
	old.lost.Store(true)
	require.NoError(t, w.subscribe(QueueSub{queueN(2), "key"}))
	s := w.await("both active", func(s RouterSnapshot) bool { return len(s.Active) == 2 })
	require.Equal(t, []ActiveQueue{{queueN(1), "key", "s1"}, {queueN(2), "key", "s2"}}, s.Active)
	require.Len(t, s.Sessions, 2)

	w.router.session(1).Close()
	s = w.await("resubscribed", func(s RouterSnapshot) bool { return len(s.Sessions) == 1 && len(s.Active) == 2 })
	require.Equal(t, []ActiveQueue{{queueN(1), "key", "s2"}, {queueN(2), "key", "s2"}}, s.Active)
	require.Equal(t, net.SessionID("s2"), s.Session)
	require.Equal(t, RemovedLost, of[VariableRemoved](w.observer)[0].Reason)
	require.Equal(t, []VariableKept{{testRouter, 1, 2, RemovedDisconnected}}, of[VariableKept](w.observer))

	w.event(Connected)
	w.event(Subscribed)
	require.Equal(t, net.SessionID("s2"), w.event(Connected).Session)
	w.event(Subscribed)
	disconnected := w.event(Disconnected)
	require.Equal(t, net.SessionID("s1"), disconnected.Session)
	require.Equal(t, []protocol.QueueID{queueN(1)}, disconnected.Queues)
	w.event(Subscribed)
}

func TestOwnRoutersAreThoseOfTheOwnDomains(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.OwnDomains = []string{"example.org", "simplex.im"} }))
	for hosts, own := range map[string]bool{
		"example.org": true, "smp.example.org": true, "a.b.Example.ORG,other.net": true,
		"badexample.org": false, "other.net,example.org": false, "org": false, "": false,
	} {
		require.Equal(t, own, w.agent.IsOwnRouter(protocol.Router{Hosts: hosts}), hosts)
	}
	c, err := w.agent.Client(context.Background(), testRouter)
	require.NoError(t, err)
	require.True(t, c.Own())
}
