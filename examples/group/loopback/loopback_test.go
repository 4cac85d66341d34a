package loopback_test

import (
	"context"
	"errors"
	"fmt"
	stdnet "net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/examples/group/loopback"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

const patience = 10 * time.Second

// host is an acceptor that says everything twice, and notes what it hears. It refuses who has no credential.
type host struct {
	mu    sync.Mutex
	peers map[net.SessionID]net.Peer[string]
	heard []string
}

func (h *host) note(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, what)
}

func (h *host) Accept(id net.SessionID, credential string, peer net.Peer[string]) (string, error) {
	if credential == "" {
		return "", errors.New("nobody knows you")
	}
	h.peers[id] = peer
	h.note("accept " + credential)
	return "granted to " + credential, nil
}

func (h *host) Receive(id net.SessionID, in string) {
	h.note(in)
	peer := h.peers[id]
	peer.Send(in)
	peer.Send(in)
	if in == "bye" {
		peer.Close()
	}
}

func (h *host) Closed(net.SessionID) { h.note("closed") }

// hears waits until the host has heard just that.
func (h *host) hears(t *testing.T, want ...string) {
	require.Eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return strings.Join(h.heard, "\n") == strings.Join(want, "\n")
	}, patience, time.Millisecond, "%q", want)
}

type dialer = loopback.Dialer[string, string]

// serve is a server with a host at the address; in the end nothing of them is left.
func serve(t *testing.T) (*loopback.Server[string, string], *host, net.Address) {
	before := runtime.NumGoroutine()
	listener, err := stdnet.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	local := net.NewLocal[string, string](sched.Goroutines())
	h := &host{peers: map[net.SessionID]net.Peer[string]{}}
	address := net.Address("host@" + listener.Addr().String())
	require.NoError(t, local.Listen(address, h))
	s := loopback.Serve(listener, local)
	t.Cleanup(func() {
		s.Close()
		local.Close()
		for until := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
	return s, h, address
}

func dial(t *testing.T, to net.Address, credential string) net.Conn[string, string] {
	c, err := dialer{}.Dial(t.Context(), to, credential)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func receives(t *testing.T, c net.Conn[string, string], want ...string) {
	for _, w := range want {
		got, err := c.Receive()
		require.NoError(t, err)
		require.Equal(t, w, got)
	}
}

// ended asserts that nothing goes either way.
func ended(t *testing.T, c net.Conn[string, string]) {
	for range 2 {
		_, err := c.Receive()
		require.True(t, errors.Is(err, net.ErrClosed) || errors.Is(err, net.ErrReset), "%v", err)
	}
	require.Eventually(t, func() bool { return c.Send(context.Background(), "late") != nil }, patience, time.Millisecond)
}

func TestTransmissionsArriveInOrderBothWays(t *testing.T) {
	_, h, address := serve(t)
	a, b := dial(t, address, "a"), dial(t, address, "b")
	require.Equal(t, "granted to a", a.Session().Grant)
	require.Equal(t, "granted to b", b.Session().Grant)
	require.NotEqual(t, a.Session().ID, b.Session().ID)
	heard := []string{"accept a", "accept b"}
	for i := range 1000 {
		text := fmt.Sprint(i)
		require.NoError(t, a.Send(t.Context(), text))
		receives(t, a, text, text)
		heard = append(heard, text)
	}
	h.hears(t, heard...)
}

func TestWhatWasSentBeforeAnEndArrives(t *testing.T) {
	_, h, address := serve(t)
	a := dial(t, address, "a")
	for range 100 {
		require.NoError(t, a.Send(t.Context(), "last"))
	}
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	ended(t, a)
	want := []string{"accept a"}
	for range 100 {
		want = append(want, "last")
	}
	want = append(want, "closed")
	h.hears(t, want...)

	b := dial(t, address, "b")
	require.NoError(t, b.Send(t.Context(), "bye"))
	receives(t, b, "bye", "bye")
	ended(t, b)
	h.hears(t, append(want, "accept b", "bye", "closed")...)
}

func TestCloseWakesReceive(t *testing.T) {
	_, h, address := serve(t)
	a := dial(t, address, "a")
	done := make(chan error)
	go func() {
		_, err := a.Receive()
		done <- err
	}()
	require.NoError(t, a.Close())
	require.ErrorIs(t, <-done, net.ErrClosed)
	h.hears(t, "accept a", "closed")
}

func TestWhyThereIsNoSession(t *testing.T) {
	s, _, address := serve(t)
	_, err := dialer{}.Dial(t.Context(), address, "")
	require.ErrorIs(t, err, net.ErrHandshake)
	require.ErrorContains(t, err, "nobody knows you")
	_, err = dialer{}.Dial(t.Context(), "another-"+address, "a")
	require.ErrorIs(t, err, net.ErrRefused)
	s.Close()
	_, err = dialer{}.Dial(t.Context(), address, "a")
	require.ErrorIs(t, err, net.ErrRefused)
	_, err = dialer{}.Dial(t.Context(), "nowhere", "a")
	require.ErrorIs(t, err, net.ErrUnreachable)
}

// TestADialMayBeCancelled while somebody is there who says nothing.
func TestADialMayBeCancelled(t *testing.T) {
	listener, err := stdnet.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = dialer{}.Dial(ctx, net.Address(listener.Addr().String()), "a")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestSendIsBoundedByItsContext while nobody reads.
func TestSendIsBoundedByItsContext(t *testing.T) {
	_, _, address := serve(t)
	c := dial(t, address, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for err := error(nil); !errors.Is(err, context.DeadlineExceeded); {
		err = c.Send(ctx, strings.Repeat("x", 1<<20))
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			require.ErrorIs(t, err, net.ErrReset, "the host's window was full first")
			break
		}
	}
	require.NoError(t, c.Close())
}

func TestCloseOfTheServerEndsEverything(t *testing.T) {
	s, h, address := serve(t)
	a, b := dial(t, address, "a"), dial(t, address, "b")
	s.Close()
	s.Close()
	ended(t, a)
	ended(t, b)
	h.hears(t, "accept a", "accept b", "closed", "closed")
}
