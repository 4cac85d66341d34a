package payment_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/examples/payment"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// These are the ordinary tests: goroutines, the wall clock, a network in the process and a file. They pass with the bugs of
// testdata/*.patch in the program, under the race detector too.

// provider pays once for each key. Its methods are called one at a time.
type provider struct {
	peers map[net.SessionID]net.Peer[payment.Receipt]
	keys  map[string]bool
	paid  func(payment.Order) // is told of each that is paid
	mute  int                 // so many orders get no answer
}

func newProvider(paid func(payment.Order)) *provider {
	return &provider{peers: map[net.SessionID]net.Peer[payment.Receipt]{}, keys: map[string]bool{}, paid: paid}
}

func (p *provider) Accept(session net.SessionID, _ string, peer net.Peer[payment.Receipt]) (string, error) {
	p.peers[session] = peer
	return "", nil
}

func (p *provider) Receive(session net.SessionID, o payment.Order) {
	if !p.keys[o.Key] {
		p.keys[o.Key] = true
		p.paid(o)
	}
	if p.mute--; p.mute < 0 {
		p.peers[session].Send(payment.Receipt{Key: o.Key})
	}
}

func (p *provider) Closed(session net.SessionID) { delete(p.peers, session) }

const address net.Address = "provider"

// process opens the store, and runs a worker until it is stopped.
func process(t *testing.T, path string, p *provider) (store *payment.Store, stop func()) {
	s := sched.Goroutines()
	network := net.NewLocal[payment.Order, payment.Receipt](s)
	require.NoError(t, network.Listen(address, p))
	store, err := payment.Open(s, path, "")
	require.NoError(t, err)
	w := &payment.Worker{
		Scheduler: s, Clock: clock.Wall(), Store: store, Provider: network, Address: address,
		Timeout: 100 * time.Millisecond, Pause: time.Millisecond,
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	return store, func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.NoError(t, store.Close())
		network.Close()
	}
}

// allDone says whether no payment is left.
func allDone(t *testing.T, s *payment.Store) func() bool {
	return func() bool {
		_, found, err := s.Next()
		require.NoError(t, err)
		return !found
	}
}

func TestPaymentsAreMade(t *testing.T) {
	paid := map[string]int{}
	store, stop := process(t, filepath.Join(t.TempDir(), "payments.db"), newProvider(func(o payment.Order) { paid[o.Account]++ }))
	require.NoError(t, store.Submit("1", "ann", 500))
	require.NoError(t, store.Submit("2", "bob", 700))
	require.NoError(t, store.Submit("1", "ann", 500), "the customer asks again")
	require.Eventually(t, allDone(t, store), 10*time.Second, time.Millisecond)
	stop()
	require.Equal(t, map[string]int{"ann": 1, "bob": 1}, paid)
}

func TestAnOrderWithoutAnAnswerIsNotPaidTwice(t *testing.T) {
	paid := 0
	p := newProvider(func(payment.Order) { paid++ })
	p.mute = 2
	store, stop := process(t, filepath.Join(t.TempDir(), "payments.db"), p)
	require.NoError(t, store.Submit("1", "ann", 500))
	require.Eventually(t, allDone(t, store), 10*time.Second, time.Millisecond)
	stop()
	require.Equal(t, 1, paid)
}

func TestAWorkerThatIsStartedAgainGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payments.db")
	paid := map[string]int{}
	p := newProvider(func(o payment.Order) { paid[o.Account]++ })
	store, stop := process(t, path, p)
	require.NoError(t, store.Submit("1", "ann", 500))
	require.Eventually(t, allDone(t, store), 10*time.Second, time.Millisecond)
	stop()
	store, stop = process(t, path, p)
	require.NoError(t, store.Submit("1", "ann", 500))
	require.NoError(t, store.Submit("2", "bob", 700))
	require.Eventually(t, allDone(t, store), 10*time.Second, time.Millisecond)
	stop()
	require.Equal(t, map[string]int{"ann": 1, "bob": 1}, paid)
}
