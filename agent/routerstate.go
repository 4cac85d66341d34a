package agent

import (
	"slices"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/sched"
)

// QueueSub is a queue to subscribe and the key that authorizes it.
type QueueSub struct {
	Queue protocol.QueueID
	Key   protocol.AuthKey
}

// routerState is all that the agent knows of one router, behind one lock.
type routerState struct {
	agent  *Agent
	router protocol.Router
	own    bool

	mu sched.Mutex
	// closed: the agent is; nothing is put, published or committed any more.
	closed bool
	// clients is the session variable, workers that of the reconnect worker.
	clients session.Slot[connection]
	workers session.Slot[workerState]
	// sleeping: the worker sleeps between two attempts.
	sleeping bool
	// live are the published clients whose disconnect handler has not finished,
	// oldest first.
	live []*Client

	queues  register
	service serviceState
	// ends has the ENDs and DELDs received while batches were out (see ended.go).
	ends map[protocol.QueueID]endMark
	// calls are the calls that subscribe.
	calls int
	// rpcs are the requests that are sent and not committed: those of this round
	// at round%2, those of the round before in the other place (see ended.go).
	rpcs  [2]int
	round uint64
}

// connection is what a session variable is filled with: a client or an error.
type connection struct {
	client *Client
	failed connectError
}

func newRouterState(a *Agent, router protocol.Router) *routerState {
	return &routerState{
		agent: a, router: router, own: a.config.isOwn(router),
		mu: sched.NewMutex(sched.Named(a.env.Scheduler, "router "+router.Hosts)),
	}
}

// lock begins a critical section that may queue events.
func (r *routerState) lock() {
	r.mu.Lock()
	r.agent.events.lock()
}

func (r *routerState) unlock() {
	r.agent.events.unlock()
	r.mu.Unlock()
}

// emit queues an event, in the critical section of its transition.
func (r *routerState) emit(e Event) {
	e.Router = r.router
	r.agent.events.put(e)
	if o := r.agent.env.Observer; o != nil {
		o.Observe(EventQueued{e})
	}
}

// current returns the client of the router's current session, lost or not; nil if
// there is none.
func (r *routerState) current() *Client {
	if v := r.clients.Get(); v != nil {
		c, _ := v.Read()
		return c.client
	}
	return nil
}

// isPending reports whether there is anything to subscribe.
func (r *routerState) isPending() bool {
	return r.queues.len(queuePending) > 0 || r.service.pending != nil
}

// isNeeded reports whether a session is worth a ping: something is pending or
// subscribed.
func (r *routerState) isNeeded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isPending() || r.queues.len(queueActive) > 0 || r.service.active != nil
}

// removeQueues is RemoveQueues.
func (r *routerState) removeQueues(ids []protocol.QueueID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	var figures *protocol.ServiceSub
	for _, id := range ids {
		if q := r.queues.get(id); q != nil {
			figures = r.uncount(q, figures)
			r.queues.forget(q)
		}
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(QueuesRemoved{r.router, append([]protocol.QueueID(nil), ids...), figures})
	}
	return nil
}

// close begins the end of the router: it returns the clients to be stopped. From
// the second time it returns those that are left.
func (r *routerState) close() []*Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.clients.Get(); v != nil && !r.closed {
		if _, filled := v.Read(); filled {
			r.removeVar(v, RemovedClosed)
		}
	}
	r.closed = true
	return slices.Clone(r.live)
}

// forgetLive drops a client whose disconnect handler is done.
func (r *routerState) forgetLive(c *Client) {
	for i, other := range r.live {
		if other == c {
			r.live = append(r.live[:i], r.live[i+1:]...)
			return
		}
	}
}
