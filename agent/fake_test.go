package agent

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

var testRouter = protocol.Router{KeyHash: "hash", Hosts: "smp.example.org", Port: "5223"}

// fakeRouter is a Dialer whose sessions the test answers, loses and pushes to.
type fakeRouter struct {
	mu       sync.Mutex
	dials    int
	sessions []*fakeSession
	grant    string
	// dial, if set, decides on an attempt; it may wait for ctx.
	dial func(ctx context.Context, n int) error
	// answer, if set, answers a request; nil responses: silence. Else confirm does.
	answer func(s *fakeSession, r protocol.Request) []protocol.Response
}

func (f *fakeRouter) Dial(ctx context.Context, _ net.Address, _ string) (protocol.Conn, error) {
	f.mu.Lock()
	f.dials++
	n, dial := f.dials, f.dial
	f.mu.Unlock()
	if dial != nil {
		if err := dial(ctx, n); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &fakeSession{
		router: f, n: n, in: make(chan []protocol.Response, 1024), closed: make(chan struct{}),
		session: net.Session{ID: net.SessionID(fmt.Sprintf("s%d", n)), Grant: f.grant},
	}
	f.sessions = append(f.sessions, s)
	return s, nil
}

func (f *fakeRouter) dialed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

// set changes the router's behaviour.
func (f *fakeRouter) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// last is the newest session.
func (f *fakeRouter) last() *fakeSession {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions[len(f.sessions)-1]
}

// session is the n-th session, from 1.
func (f *fakeRouter) session(n int) *fakeSession {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions[n-1]
}

// confirm answers as a healthy router does.
func confirm(r protocol.Request) protocol.Response {
	response := protocol.Response{Correlation: r.Correlation, Queue: r.Queue, Kind: protocol.OK}
	switch r.Command {
	case protocol.SUBS, protocol.NSUBS:
		response.Kind, response.Count, response.Hash = protocol.SOKS, r.Service.Count, r.Service.Hash
	case protocol.PING:
		response.Kind = protocol.PONG
	}
	return response
}

func refuse(r protocol.Request, err protocol.Error) protocol.Response {
	return protocol.Response{Correlation: r.Correlation, Queue: r.Queue, Kind: protocol.ERR, Err: &err}
}

// fakeSession is the agent's end of a session with a fakeRouter.
type fakeSession struct {
	router  *fakeRouter
	n       int
	session net.Session
	in      chan []protocol.Response
	once    sync.Once
	closed  chan struct{}

	mu       sync.Mutex
	requests []protocol.Request
	blocks   []int
}

func (s *fakeSession) Session() net.Session { return s.session }

func (s *fakeSession) Send(_ context.Context, block []protocol.Request) error {
	s.mu.Lock()
	s.requests = append(s.requests, block...)
	s.blocks = append(s.blocks, len(block))
	s.mu.Unlock()
	s.router.mu.Lock()
	answer := s.router.answer
	s.router.mu.Unlock()
	var out []protocol.Response
	for _, r := range block {
		if answer != nil {
			out = append(out, answer(s, r)...)
		} else {
			out = append(out, confirm(r))
		}
	}
	if len(out) > 0 {
		s.push(out...)
	}
	return nil
}

func (s *fakeSession) push(responses ...protocol.Response) {
	select {
	case s.in <- responses:
	case <-s.closed:
	}
}

func (s *fakeSession) Receive() ([]protocol.Response, error) {
	select {
	case block := <-s.in:
		return block, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *fakeSession) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *fakeSession) sent() []protocol.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]protocol.Request(nil), s.requests...)
}

// sizes are the numbers of requests in the blocks sent.
func (s *fakeSession) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.blocks...)
}

// recorder is an Observer that keeps what it was told.
type recorder struct {
	mu    sync.Mutex
	heard []Transition
}

func (o *recorder) Observe(t Transition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = append(o.heard, t)
}

// of returns the transitions of one type.
func of[T Transition](o *recorder) []T {
	o.mu.Lock()
	defer o.mu.Unlock()
	var found []T
	for _, t := range o.heard {
		if x, ok := t.(T); ok {
			found = append(found, x)
		}
	}
	return found
}

// world is an agent with a fake router.
type world struct {
	t        *testing.T
	agent    *Agent
	router   *fakeRouter
	observer *recorder
}

// quick is a configuration with short times.
func quick(change ...func(*Config)) Config {
	c := DefaultConfig(protocol.RecipientService)
	c.Credential = protocol.Credential{Role: protocol.Messaging, CertificateHash: "cert"}
	c.Reconnect = retry.Interval{Initial: 5 * time.Millisecond, GrowAfter: time.Second, Max: 10 * time.Millisecond}
	c.PersistError = 0
	c.ConnectTimeout = 2 * time.Second
	c.RPCTimeout = 2 * time.Second
	for _, f := range change {
		f(&c)
	}
	return c
}

func newWorld(t *testing.T, config Config) *world {
	w := &world{t: t, router: &fakeRouter{}, observer: &recorder{}}
	a, err := New(Environment{sched.Goroutines(), clock.Wall(), w.router, w.observer}, config)
	require.NoError(t, err)
	w.agent = a
	t.Cleanup(a.Close)
	return w
}

// event waits for the next event, which must be of this kind.
func (w *world) event(kind EventKind) Event {
	w.t.Helper()
	timeout := clock.Wall().NewTimer(10 * time.Second)
	next, expired := sched.Recv(w.agent.Events()), sched.Recv(timeout.C)
	if sched.Select2(&next, &expired) == 1 {
		w.t.Fatalf("no event; want %v", kind)
	}
	require.Equal(w.t, kind, next.Value.Kind, "%+v", next.Value)
	return next.Value
}

// await waits until a snapshot of the one router fulfils the condition.
func (w *world) await(what string, condition func(RouterSnapshot) bool) RouterSnapshot {
	w.t.Helper()
	var s Snapshot
	for range 5000 {
		s = w.agent.Snapshot()
		if len(s.Routers) == 1 && condition(s.Routers[0]) {
			return s.Routers[0]
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatalf("never %s: %+v", what, s)
	return RouterSnapshot{}
}

func (w *world) subscribe(queues ...QueueSub) error {
	return w.agent.SubscribeQueues(context.Background(), testRouter, queues)
}

func queueN(n int) protocol.QueueID {
	return protocol.QueueID{byte(n), byte(n >> 8), byte(n >> 16)}
}

// subs are n queues, from 1.
func subs(n int) []QueueSub {
	queues := make([]QueueSub, n)
	for i := range queues {
		queues[i] = QueueSub{queueN(i + 1), "key"}
	}
	return queues
}
