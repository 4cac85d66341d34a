package agent

import (
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// ClientState is the state of a router's session variable.
type ClientState uint8

// The states of a session variable.
const (
	NoClient ClientState = iota
	ClientConnecting
	ClientConnected
	ClientFailed
)

// WorkerState is the state of a router's reconnect worker.
type WorkerState uint8

// The states of a worker; it sleeps between its attempts.
const (
	NoWorker WorkerState = iota
	WorkerAttempting
	WorkerSleeping
)

// Snapshot is a copy of an agent's state. Routers are sorted, queues within them
// too: equal states give equal snapshots. Each router is copied in one critical
// section, one router after the other.
type Snapshot struct {
	Closed  bool
	Routers []RouterSnapshot
	// QueuedEvents and QueuedMessages wait for room in their channels.
	QueuedEvents, QueuedMessages int
}

// RouterSnapshot is what an agent knows of one router.
type RouterSnapshot struct {
	Router protocol.Router
	Own    bool

	Client ClientState
	// ClientVar is the id of the session variable; 0 for none.
	ClientVar uint64
	// Session is that of ClientConnected.
	Session net.SessionID
	// Err and Expiry are those of ClientFailed.
	Err    error
	Expiry time.Time

	Worker    WorkerState
	WorkerVar uint64

	Active  []ActiveQueue
	Pending []QueueSub
	// Counted are queues in neither: each was confirmed singly under the active
	// service, after the figures of its last SOKS. Covered were confirmed singly
	// under the service too, but before those figures, or on an earlier session.
	Counted, Covered []ActiveQueue
	ActiveService    *ActiveService
	PendingService   *protocol.ServiceSub

	// Sessions are those published whose disconnect handler has not finished,
	// oldest first.
	Sessions []SessionSnapshot
	// Calls are the calls that subscribe, under way, and RPCs their batches and
	// the worker's that are sent and not committed.
	Calls, RPCs int
}

// SessionSnapshot is one session of a router.
type SessionSnapshot struct {
	Session net.SessionID
	Var     uint64
	Service *protocol.ServiceID
	// Lost: the connection is gone, the disconnect handler has yet to finish.
	Lost bool
	// Waiting requests have neither an answer nor timed out; Late ones have timed
	// out and may still be answered (at most twice Config.BatchSize are kept).
	Waiting, Late int
}

// ActiveQueue is a queue subscribed on a session.
type ActiveQueue struct {
	Queue   protocol.QueueID
	Key     protocol.AuthKey
	Session net.SessionID
}

// ActiveService is a service subscribed on a session.
type ActiveService struct {
	Sub     protocol.ServiceSub
	Session net.SessionID
}

// Snapshot copies the agent's state. It takes each lock in turn, so it is exact
// when the agent is settled, and for each router at any time.
func (a *Agent) Snapshot() Snapshot {
	a.routersMu.RLock()
	s := Snapshot{Closed: a.closed}
	routers := a.routersLocked()
	a.routersMu.RUnlock()
	for _, r := range routers {
		s.Routers = append(s.Routers, r.snapshot())
	}
	s.QueuedEvents, s.QueuedMessages = a.events.queued(), a.messages.queued()
	return s
}

func (r *routerState) snapshot() RouterSnapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := RouterSnapshot{Router: r.router, Own: r.own, Calls: r.calls, RPCs: r.rpcs[0] + r.rpcs[1]}
	if v := r.clients.Get(); v != nil {
		got, filled := v.Read()
		s.ClientVar = v.ID()
		switch {
		case !filled:
			s.Client = ClientConnecting
		case got.client != nil:
			s.Client, s.Session = ClientConnected, got.client.session.ID
		default:
			s.Client, s.Err, s.Expiry = ClientFailed, got.failed.err, got.failed.expiry
		}
	}
	if v := r.workers.Get(); v != nil {
		s.Worker, s.WorkerVar = WorkerAttempting, v.ID()
		if r.sleeping {
			s.Worker = WorkerSleeping
		}
	}
	active := r.service.active
	s.Active = r.queues.copy(queueActive, func(*queue) bool { return true })
	s.Counted = r.queues.copy(queueCounted, func(q *queue) bool { return q.inFigures })
	s.Covered = r.queues.copy(queueCounted, func(q *queue) bool { return !q.inFigures })
	for q := r.queues.first(queuePending); q != nil; q = q.next {
		s.Pending = append(s.Pending, QueueSub{q.id, q.key})
	}
	slices.SortFunc(s.Pending, func(x, y QueueSub) int { return x.Queue.Compare(y.Queue) })
	if active != nil {
		s.ActiveService = &ActiveService{active.sub, active.session}
	}
	if pending := r.service.pending; pending != nil {
		s.PendingService = new(protocol.ServiceSub)
		*s.PendingService = *pending
	}
	for _, c := range r.live {
		s.Sessions = append(s.Sessions, c.snapshot())
	}
	return s
}

// copy returns those queues of a list, sorted.
func (r *register) copy(state queueState, which func(*queue) bool) []ActiveQueue {
	var queues []ActiveQueue
	for q := r.first(state); q != nil; q = q.next {
		if which(q) {
			queues = append(queues, ActiveQueue{q.id, q.key, q.session})
		}
	}
	slices.SortFunc(queues, func(x, y ActiveQueue) int { return x.Queue.Compare(y.Queue) })
	return queues
}

func (c *Client) snapshot() SessionSnapshot {
	lost := c.lost.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	return SessionSnapshot{
		Session: c.session.ID, Var: c.variable.ID(), Service: c.service, Lost: lost,
		Waiting: len(c.waiting), Late: c.late.len(),
	}
}
