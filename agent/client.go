package agent

import (
	"context"
	"errors"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// Client is one session with a router: it ties responses to requests, sends in
// blocks, pings, and hands what nobody waits for to its router's state. It stays
// usable after its connection is lost, and then answers errors.
type Client struct {
	state    *routerState
	variable *session.Var[connection]
	conn     protocol.Conn
	session  net.Session
	service  *protocol.ServiceID
	// figures is when the last of its SOKS came that were committed, whatever became
	// of them; 0 if none did. The router's lock guards it.
	figures uint64
	// ctx ends when the connection is lost or closed.
	ctx    context.Context
	cancel context.CancelFunc
	// lost is set by who finds out first; see stop.
	lost *sched.AtomicBool
	send *sched.Chan[[]protocol.Request]

	mu sched.Mutex
	// err is why requests can no longer be made.
	err error
	// flights are the blocks that wait for answers, in the order sent; waiting
	// finds a request in them. late are requests that no longer wait.
	flights flightList
	waiting map[protocol.CorrelationID]slot
	late    lateRequests
	// received counts responses and pushes: the order of what the router says.
	received     uint64
	lastReceived time.Time
	// timeouts counts blocks that timed out since anything was received.
	timeouts int
}

// nameOf is what people call the client of a session: the beginning of the session's id tells it from others.
func nameOf(id net.SessionID) string { return "client of " + string(id[:min(len(id), 8)]) }

func newClient(r *routerState, v *session.Var[connection], conn protocol.Conn, service *protocol.ServiceID) *Client {
	a := r.agent
	s := a.env.Scheduler
	c := &Client{
		state: r, variable: v, conn: conn, session: conn.Session(), service: service,
		lost:    sched.NewAtomicBool(sched.Named(s, "lost"), false),
		send:    sched.NewChan[[]protocol.Request](sched.Named(s, "send queue"), a.config.SendQueue),
		mu:      sched.NewMutex(sched.Named(s, nameOf(conn.Session().ID))),
		waiting: make(map[protocol.CorrelationID]slot),
		late:    newLateRequests(2 * a.config.BatchSize),

		lastReceived: a.env.Clock.Now(),
	}
	c.ctx, c.cancel = sched.WithCancel(s, a.ctx)
	return c
}

// start starts the client's tasks. The lock of its router is held.
func (c *Client) start() {
	a := c.state.agent
	a.spawn("receive", c.receive)
	a.spawn("send", c.sendBlocks)
	a.spawn("ping", c.ping)
}

// Router is the router of the session.
func (c *Client) Router() protocol.Router { return c.state.router }

// Own reports whether the router is one of the operator's own.
func (c *Client) Own() bool { return c.state.own }

// Session is the session's id.
func (c *Client) Session() net.SessionID { return c.session.ID }

// Service is the service id that the router gave the session; nil for none.
func (c *Client) Service() *protocol.ServiceID { return c.service }

// stop ends the client: what waits is answered with an error, and the connection
// is closed, so that the receiving task ends and runs the disconnect handler. Each
// call does all of it: who comes second does not rely on the first, which may still
// be at it, and the receiving task, which is the last, leaves nothing open.
func (c *Client) stop(cause error) {
	o := c.state.agent.env.Observer
	if first := !c.lost.Swap(true); first && o != nil {
		o.Observe(SessionLost{c.state.router, c.session.ID, cause})
	}
	err := cause
	if !errors.Is(cause, ErrClosed) {
		err = &protocol.Error{Kind: protocol.Network, Detail: "connection lost", Cause: cause}
	}
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	flights := c.flights.takeAll()
	for _, f := range flights {
		c.abandon(f, err, false)
	}
	c.mu.Unlock()
	for _, f := range flights {
		f.done.TrySend(struct{}{})
	}
	c.cancel()
	c.conn.Close()
}

// sendBlocks is the task that sends.
func (c *Client) sendBlocks() {
	gone := sched.Done(c.ctx)
	for {
		block, ended := sched.Recv(c.send), sched.Recv(gone)
		if sched.Select2(&block, &ended) == 1 {
			return
		}
		if err := c.conn.Send(c.ctx, block.Value); err != nil {
			c.stop(err)
			return
		}
	}
}

// ping is the task that pings a silent session while it is needed (property L7).
// What drops the session is its timeout; see finish.
func (c *Client) ping() {
	a := c.state.agent
	interval := a.config.PingInterval
	delay := interval
	for a.env.Clock.Sleep(c.ctx, delay) == nil {
		c.mu.Lock()
		last := c.lastReceived
		c.mu.Unlock()
		// The time is read behind the lock, for which this may have waited.
		if delay = interval - a.env.Clock.Now().Sub(last); delay > 0 {
			continue
		}
		delay = interval
		if c.state.isNeeded() {
			c.exchange(c.ctx, []protocol.Request{{Command: protocol.PING}})
		}
	}
}
