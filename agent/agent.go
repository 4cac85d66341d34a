// Package agent is the small agent (seed 003): it keeps one connection for each
// SMP router, remembers which queues and which service are subscribed on it or
// still to be, and reconnects.
//
//	a, err := agent.New(env, agent.DefaultConfig(protocol.NotifierService))
//	err = a.SubscribeQueues(ctx, router, queues) // wanted from now, whatever err says
//	event, ok := a.Events().Recv()                // what became of them
//
// What is wanted stays pending until it is subscribed, removed, ended by the
// router or refused for good; while something is pending a worker retries it.
// docs/agent.md maps the sections of the seed to this package.
//
// Locks, in the order in which they are taken: a router's, the sessions', a
// client's or an outbox's. A critical section takes all it needs first and then
// runs without another operation of package sched, so that in a simulation each
// transition is one step.
package agent

import (
	"context"
	"errors"
	"slices"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// ErrClosed answers calls of an agent that was closed; they changed nothing, or
// what they changed no longer matters.
var ErrClosed = errors.New("agent: closed")

// ErrPending is wrapped by errors of calls that subscribe: what they did not
// subscribe is pending, and a worker will retry it.
var ErrPending = errors.New("agent: still pending")

// Agent is the small agent of one party. Its methods may be called from any task
// at any time, also from those that consume Events and Messages. After Close they
// answer ErrClosed, or nothing.
type Agent struct {
	env    Environment
	config Config
	// ctx ends when Close is called; closing is its Done.
	ctx     context.Context
	cancel  context.CancelFunc
	closing *sched.Chan[struct{}]
	tasks   sched.WaitGroup

	// routersMu guards the map alone, which is only ever grown: a state is looked
	// up here and then used under its own lock.
	routersMu sched.RWMutex
	routers   map[protocol.Router]*routerState
	closed    bool

	sessionsMu sched.RWMutex
	sessions   map[net.SessionID]*Client

	events   *outbox[Event]
	messages *outbox[Message]
}

// New makes an agent and starts the two tasks that hand out its events and
// messages. The error is one line that says what is wrong with config or env.
func New(env Environment, config Config) (*Agent, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if env.Scheduler == nil || env.Clock == nil || env.Dialer == nil {
		return nil, errors.New("agent: the environment lacks a Scheduler, a Clock or a Dialer; all three are needed")
	}
	s := env.Scheduler
	config.OwnDomains = slices.Clone(config.OwnDomains)
	a := &Agent{
		env: env, config: config,
		tasks:     sched.NewWaitGroup(sched.Named(s, "tasks of the agent")),
		routersMu: sched.NewRWMutex(sched.Named(s, "all routers")), routers: make(map[protocol.Router]*routerState),
		sessionsMu: sched.NewRWMutex(sched.Named(s, "all sessions")), sessions: make(map[net.SessionID]*Client),
		events:   newOutbox[Event](sched.Named(s, "events"), config.EventQueue),
		messages: newOutbox[Message](sched.Named(s, "messages"), config.MessageQueue),
	}
	a.ctx, a.cancel = sched.WithCancel(s, context.Background())
	a.closing = sched.Done(a.ctx)
	var delivered func(Event)
	if env.Observer != nil {
		delivered = func(e Event) { env.Observer.Observe(EventDelivered{e}) }
	}
	a.spawn("events", func() { a.events.drain(a.closing, delivered) })
	a.spawn("messages", func() { a.messages.drain(a.closing, nil) })
	return a, nil
}

// Events is where events arrive, in the order of their transitions. Nothing waits
// for its consumer. It is closed once the agent is; what was not consumed by then
// is dropped.
func (a *Agent) Events() *sched.Chan[Event] { return a.events.out }

// Messages is where what no call waits for arrives, in the order received on each
// session. It is closed as Events is.
func (a *Agent) Messages() *sched.Chan[Message] { return a.messages.out }

// SubscribeQueues subscribes queues of one router, each with its newest key. With
// any error but ErrClosed they are wanted all the same: those that are not yet
// subscribed or refused are pending, a worker retries them, and the error wraps
// ErrPending and the reason. What became of each queue, the events say. A queue
// that is subscribed already is subscribed again; one that another call is asking
// for, with the same key, is left to that.
func (a *Agent) SubscribeQueues(ctx context.Context, router protocol.Router, queues []QueueSub) error {
	if len(queues) == 0 {
		return nil
	}
	r, err := a.routerState(router)
	if err != nil {
		return err
	}
	return r.subscribeQueues(ctx, queues)
}

// SubscribeService subscribes all queues of a service, as SubscribeQueues does
// single ones. A router has one service subscription: a newer call replaces it;
// what it covered that was subscribed singly, and the new one does not, is pending.
func (a *Agent) SubscribeService(ctx context.Context, router protocol.Router, sub protocol.ServiceSub) error {
	r, err := a.routerState(router)
	if err != nil {
		return err
	}
	return r.subscribeService(ctx, sub)
}

// RemoveQueues forgets queues: they are no longer wanted, and what a router still
// answers about them does not count (property S14). The router is not told.
func (a *Agent) RemoveQueues(router protocol.Router, queues []protocol.QueueID) error {
	r := a.knownRouter(router)
	if r == nil || len(queues) == 0 {
		return nil
	}
	return r.removeQueues(queues)
}

// Client returns the router's connected client, and connects, or waits for who
// does, if there is none; both take Config.ConnectTimeout at most. A failed
// attempt answers all who ask until it expires. A cancelled ctx ends this wait
// only: the attempt goes on.
func (a *Agent) Client(ctx context.Context, router protocol.Router) (*Client, error) {
	r, err := a.routerState(router)
	if err != nil {
		return nil, err
	}
	return r.acquire(ctx)
}

// ConnectedClient returns the router's client if one is connected, the error of
// the last attempt if that has not expired, and else nil; it never waits.
func (a *Agent) ConnectedClient(router protocol.Router) (*Client, error) {
	r := a.knownRouter(router)
	if r == nil {
		return nil, nil
	}
	return r.connected()
}

// ClientBySession returns the client of a session whose connection is not known
// to be lost; nil if there is none.
func (a *Agent) ClientBySession(session net.SessionID) *Client {
	a.sessionsMu.RLock()
	c := a.sessions[session]
	a.sessionsMu.RUnlock()
	if c == nil || c.lost.Load() {
		return nil
	}
	return c
}

// IsOwnRouter reports whether the router's first host equals, or is a subdomain
// of, one of Config.OwnDomains.
func (a *Agent) IsOwnRouter(router protocol.Router) bool { return a.config.isOwn(router) }

// Close ends the agent: nothing connects or commits from now, all sessions are
// closed, calls under way answer ErrClosed, and when it returns no task of the
// agent is left (property S12). It does not wait for the consumers of events and
// messages, and may be called by them, and again: each call does all of this, so
// that none depends on how far another has come. It must not be called from a
// Dialer.
func (a *Agent) Close() {
	a.routersMu.Lock()
	first := !a.closed
	a.closed = true
	routers := a.routersLocked()
	if o := a.env.Observer; first && o != nil {
		o.Observe(CloseBegan{})
	}
	a.routersMu.Unlock()
	var clients []*Client
	for _, r := range routers {
		clients = append(clients, r.close()...)
	}
	a.cancel()
	for _, c := range clients {
		c.stop(ErrClosed)
	}
	a.tasks.Wait()
	if o := a.env.Observer; first && o != nil {
		o.Observe(CloseReturned{})
	}
}

// routerState finds the state of a router, or makes it.
func (a *Agent) routerState(router protocol.Router) (*routerState, error) {
	if r := a.knownRouter(router); r != nil {
		return r, nil
	}
	a.routersMu.Lock()
	defer a.routersMu.Unlock()
	if a.closed {
		return nil, ErrClosed
	}
	r := a.routers[router]
	if r == nil {
		r = newRouterState(a, router)
		a.routers[router] = r
	}
	return r, nil
}

func (a *Agent) knownRouter(router protocol.Router) *routerState {
	a.routersMu.RLock()
	defer a.routersMu.RUnlock()
	return a.routers[router]
}

// routersLocked returns the states of all routers, sorted.
func (a *Agent) routersLocked() []*routerState {
	routers := make([]*routerState, 0, len(a.routers))
	for _, r := range a.routers {
		routers = append(routers, r)
	}
	slices.SortFunc(routers, func(x, y *routerState) int {
		switch {
		case x.router.Less(y.router):
			return -1
		case y.router.Less(x.router):
			return 1
		}
		return 0
	})
	return routers
}

// spawn starts a task that Close waits for. Only who holds the lock of a state
// that is not closed may call it.
func (a *Agent) spawn(name string, f func()) {
	a.tasks.Add(1)
	a.env.Scheduler.Go(name, func() {
		defer a.tasks.Done()
		f()
	})
}
