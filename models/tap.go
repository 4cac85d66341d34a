package models

import (
	"context"
	"slices"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// The network as the agent has it: which connections it was given and has not closed, what it sent on each and what it was given
// back. This is the Monitor's own knowledge of answers, and costs no point of the schedule.

// Dialer passes on to inner what the agent does, and tells the Monitor.
func (m *Monitor) Dialer(inner protocol.Dialer) protocol.Dialer { return tapDialer{m, inner} }

type tapDialer struct {
	m     *Monitor
	inner protocol.Dialer
}

func (d tapDialer) Dial(ctx context.Context, to net.Address, credential string) (protocol.Conn, error) {
	id, err := protocol.ParseRouter(string(to))
	if err != nil {
		return nil, err
	}
	d.m.unseen(routers, func() { d.m.dialled(id) })
	conn, err := d.inner.Dial(ctx, to, credential)
	if err != nil {
		d.m.unseen(routers, func() { d.m.refused(id) })
		return nil, err
	}
	tap := &tapConn{Conn: conn, m: d.m}
	d.m.unseen(routers, func() { tap.session = d.m.opened(id, conn.Session()) })
	return tap, nil
}

type tapConn struct {
	protocol.Conn
	m       *Monitor
	session *session
}

func (c *tapConn) Send(ctx context.Context, block []protocol.Request) error {
	c.m.unseen(wire, func() { c.m.sent(c.session, block) })
	return c.Conn.Send(ctx, block)
}

func (c *tapConn) Receive() ([]protocol.Response, error) {
	block, err := c.Conn.Receive()
	c.m.unseen(carried(block, err), func() {
		if err != nil {
			c.m.ended(c.session)
			return
		}
		c.m.received(c.session, block)
	})
	return block, err
}

// carried are the parts that a block is about: an answer is the wire's, what is pushed changes what the router may take back.
func carried(block []protocol.Response, err error) parts {
	pushed := func(p protocol.Response) bool { return p.Correlation.IsZero() }
	if err != nil || slices.ContainsFunc(block, pushed) {
		return routers | wire
	}
	return wire
}

func (c *tapConn) Close() error {
	c.m.unseen(routers, func() { c.m.ended(c.session) })
	err := c.Conn.Close()
	c.m.unseen(routers, func() { c.m.letGo(c.session) })
	return err
}

func (m *Monitor) dialled(id protocol.Router) {
	m.time++
	r := m.router(id)
	if m.closed {
		m.fail("S12", "router %s: the agent dials after it was closed", r.name)
	}
	if r.client != connecting && !m.closing {
		m.fail("S4", "router %s: the agent dials while its variable is %s", r.name, r.client)
	}
}

func (m *Monitor) refused(id protocol.Router) { m.router(id).dialFailed = m.World.Elapsed() }

func (m *Monitor) opened(id protocol.Router, n net.Session) *session {
	m.time++
	r := m.router(id)
	s := m.session(r, n.ID)
	s.heard = m.World.Elapsed()
	if grant, err := protocol.DecodeGrant(n.Grant); err == nil {
		s.grant = grant
	}
	r.opened = append(r.opened, s)
	return s
}

func (m *Monitor) ended(s *session) {
	if s.closed {
		return
	}
	m.time++
	s.closed = true
}

// letGo is told when the agent's Close of the connection has returned.
func (m *Monitor) letGo(s *session) {
	m.time++
	r := s.router
	r.opened = slices.DeleteFunc(r.opened, func(o *session) bool { return o == s })
}

// sent is told before the router can have the block.
func (m *Monitor) sent(s *session, block []protocol.Request) {
	m.time++
	if m.closed {
		m.fail("S12", "router %s: the agent sends after it was closed", s.router.name)
	}
	step := m.World.Step()
	for i := range block {
		b := &block[i]
		q := s.requests[b.Correlation]
		if q == nil {
			m.fail("S11", "router %s: %s was sent with a correlation id that the agent does not wait for", s.router.name, b.Command)
			continue
		}
		if q.queue != nil {
			m.processes++
			q.asked = m.ownerships.Call(q.queue.ownership, m.processes, step, OwnerCall{Op: OwnerSubscribe, Session: string(s.id)})
			q.isAsked = true
		}
	}
}

// received is told before the agent can look at the block.
func (m *Monitor) received(s *session, block []protocol.Response) {
	s.heard = m.World.Elapsed()
	for i := range block {
		m.time++
		b := &block[i]
		if b.Correlation.IsZero() {
			m.pushed(s, b)
			continue
		}
		q := s.requests[b.Correlation]
		switch {
		case q == nil:
		case q.answer != "":
			m.World.Sometimes("duplicate-answer")
		default:
			q.answer, q.err, q.sok, q.count, q.hash, q.at = b.Kind, b.Err, b.Service, b.Count, b.Hash, m.time
			if q.queue != nil {
				if b.Queue != q.queue.id {
					q.answer = otherQueue
				}
				m.meets(s.router, s, b.Kind, q.queue.place)
				m.situated(q.queue)
			} else {
				m.servedAs(s.router)
			}
			if q.isAsked {
				c := q.class()
				m.ownerships.Return(q.asked, m.World.Step(), OwnerCall{
					Op: OwnerSubscribe, Session: string(s.id), Granted: c == success || c == serviceSuccess, Known: true,
				})
			}
		}
	}
}

// otherQueue stands for an answer that names another queue than its request did.
const otherQueue protocol.Kind = "answer about another queue"

func (m *Monitor) pushed(s *session, p *protocol.Response) {
	switch p.Kind {
	case protocol.END, protocol.DELD:
		q := m.queue(s.router, p.Queue)
		m.meets(s.router, s, p.Kind, q.place)
		q.pushes = append(slices.DeleteFunc(q.pushes, func(p push) bool { return p.session.ended && p.told }), push{session: s, kind: p.Kind, at: m.time})
		m.situated(q)
	case protocol.ENDS:
		m.meets(s.router, s, p.Kind, absent)
		s.taken = append(s.taken, push{session: s, kind: p.Kind, at: m.time})
		m.servedAs(s.router)
	}
}
