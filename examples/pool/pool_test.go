package pool_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/examples/pool"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// These are the ordinary tests: goroutines, the wall clock, and a network in the process. They pass with the bug of testdata/bug.patch
// in the pool, under the race detector too.

// echo is a server that answers what it is asked. Its methods are called one at a time.
type echo struct {
	peers map[net.SessionID]net.Peer[string]
}

func newEcho() *echo { return &echo{peers: map[net.SessionID]net.Peer[string]{}} }

func (e *echo) Accept(session net.SessionID, _ string, peer net.Peer[string]) (string, error) {
	e.peers[session] = peer
	return "", nil
}

func (e *echo) Receive(session net.SessionID, question string) { e.peers[session].Send(question) }
func (e *echo) Closed(session net.SessionID)                   { delete(e.peers, session) }

// dropAll closes all connections, as a server does that is restarted.
func (e *echo) dropAll() {
	for _, peer := range e.peers {
		peer.Close()
	}
}

const address net.Address = "database"

// open makes a pool of two connections to a server.
func open(t *testing.T) (*pool.Pool, *net.Local[string, string], *echo) {
	s := sched.Goroutines()
	network, server := net.NewLocal[string, string](s), newEcho()
	require.NoError(t, network.Listen(address, server))
	p := pool.Open(s, clock.Wall(), network, pool.Config{Address: address, Size: 2, Check: 20 * time.Millisecond, Timeout: time.Second})
	t.Cleanup(network.Close)
	t.Cleanup(p.Close)
	return p, network, server
}

func get(t *testing.T, p *pool.Pool) *pool.Conn {
	c, err := p.Get(t.Context())
	require.NoError(t, err)
	return c
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	p, _, _ := open(t)
	c := get(t, p)
	answer, err := c.Query(t.Context(), "how much?")
	require.NoError(t, err)
	require.Equal(t, "how much?", answer)
	p.Put(c)
	p.Put(get(t, p))
	require.Equal(t, 1, p.Stats().Open)
}

func TestWhoWaitsGetsWhatIsGivenBack(t *testing.T) {
	p, _, _ := open(t)
	one, two := get(t, p), get(t, p)
	got := make(chan *pool.Conn)
	go func() { c, _ := p.Get(context.Background()); got <- c }()
	require.Eventually(t, func() bool { return p.Stats().Waiting == 1 }, 5*time.Second, time.Millisecond)
	p.Put(one)
	require.Same(t, one, <-got)
	p.Put(one)
	p.Put(two)
}

func TestWhoWaitsTooLongGivesUp(t *testing.T) {
	p, _, _ := open(t)
	one, two := get(t, p), get(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := p.Get(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, pool.Stats{Open: 2}, p.Stats())
	p.Put(one)
	p.Put(two)
}

func TestTheCheckThrowsOutWhatIsDead(t *testing.T) {
	p, network, server := open(t)
	one, two := get(t, p), get(t, p)
	p.Put(one)
	p.Put(two)
	network.Do(address, server.dropAll)
	require.Eventually(t, func() bool { return p.Stats() == pool.Stats{} }, 5*time.Second, time.Millisecond)
	c := get(t, p)
	_, err := c.Query(t.Context(), "still there?")
	require.NoError(t, err)
	p.Put(c)
}

func TestManyCallersAtOnce(t *testing.T) {
	p, network, server := open(t)
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			for range 50 {
				c, err := p.Get(context.Background())
				if err != nil {
					t.Errorf("no connection: %v", err)
					return
				}
				_, _ = c.Query(context.Background(), "how much?")
				p.Put(c)
			}
			if i%5 == 0 {
				network.Do(address, server.dropAll)
			}
		})
	}
	callers.Wait()
	require.Zero(t, p.Stats().Waiting)
}

func TestAPoolThatIsClosed(t *testing.T) {
	p, _, _ := open(t)
	p.Close()
	_, err := p.Get(t.Context())
	require.ErrorIs(t, err, pool.ErrClosed)
}
