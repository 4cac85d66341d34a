package models

import (
	"slices"
	"unsafe"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// The shadow of the requests of a session: what waits, what was answered, and what no longer waits.

// requestsBegun notes since when what is asked was decided on. What a worker decides on in the step in which it has its client is its
// attempt's request, even if the session is lost before it is sent, or has another service and need not be asked.
func (m *Monitor) requestsBegun(r *router, t *agent.RequestsBegun) {
	s := m.session(r, t.Session)
	s.asked = append(s.asked, batch{t.Requests, len(t.Requests), m.time})
	if w := &r.worker; w.session == s && w.connectedStep == m.World.Step() {
		w.tried = true
	}
}

// begunAt finds when the block was decided on: it is a part of its batch, in the same memory. Other requests, as pings, are decided on
// when they are sent.
func (s *session) begunAt(block []protocol.Request, now int64) int64 {
	for i := range s.asked {
		b := &s.asked[i]
		//heddle:allow only the distance counts, and that the one lies within the other
		offset := uintptr(unsafe.Pointer(&block[0])) - uintptr(unsafe.Pointer(&b.requests[0]))
		if offset >= uintptr(len(b.requests))*unsafe.Sizeof(block[0]) {
			continue
		}
		at := b.at
		if b.left -= len(block); b.left == 0 {
			s.asked = slices.Delete(s.asked, i, i+1)
		}
		return at
	}
	return now
}

func (m *Monitor) requestsSent(r *router, t *agent.RequestsSent) {
	s := m.session(r, t.Session)
	now := m.World.Elapsed()
	if len(t.Requests) == 0 {
		return
	}
	number := m.time
	begunAt := s.begunAt(t.Requests, number)
	records := make([]request, len(t.Requests))
	for i := range t.Requests {
		b, q := &t.Requests[i], &records[i]
		q.session, q.key, q.service, q.command, q.block, q.begunAt = s, b.Key, b.Service, b.Command, number, begunAt
		if s.requests[b.Correlation] != nil {
			m.fail("S11", "router %s: two requests of session %s have the same correlation id", r.name, s)
		}
		s.requests[b.Correlation] = q
		switch b.Command {
		case protocol.SUB, protocol.NSUB:
			q.queue = m.queue(r, b.Queue)
			q.queue.requests = append(slices.DeleteFunc(q.queue.requests, spent), q)
			m.situated(q.queue)
		case protocol.SUBS, protocol.NSUBS:
			s.services = append(s.services, q)
		}
	}
	r.waiting += len(t.Requests)
	r.blocks = append(r.blocks, block{session: s, number: number, left: len(t.Requests), total: len(t.Requests), since: now})
}

// spent says that nothing can come of a request any more.
func spent(q *request) bool {
	return q.session.ended || q.state == answered && (q.late && q.commits[1] > 0 || !q.late && q.commits[0] > 0)
}

// settle ends the wait of a request.
func (m *Monitor) settle(r *router, q *request, state requestState) {
	if q.state != waiting {
		return
	}
	q.state = state
	r.waiting--
	for i := range r.blocks {
		b := &r.blocks[i]
		if b.number == q.block {
			if b.left--; b.left == 0 {
				r.blocks = slices.Delete(r.blocks, i, i+1)
			}
			return
		}
	}
}

func (m *Monitor) requestAnswered(r *router, t *agent.RequestAnswered) {
	s := m.session(r, t.Session)
	s.answers++
	q := s.requests[t.Response.Correlation]
	if q == nil {
		m.fail("S11", "router %s: session %s took %s as an answer to a request that it never made", r.name, s, t.Response.Kind)
		return
	}
	m.s11OwnAnswer(r, q, &t.Response)
	m.settle(r, q, answered)
	if q.queue != nil {
		m.situated(q.queue)
	}
}

func (m *Monitor) requestsAbandoned(r *router, t *agent.RequestsAbandoned) {
	s := m.session(r, t.Session)
	cut := false
	for _, id := range t.Correlations {
		if q := s.requests[id]; q != nil {
			for i := range r.blocks {
				cut = cut || r.blocks[i].number == q.block && r.blocks[i].left > 0 && r.blocks[i].total > len(t.Correlations)
			}
			m.settle(r, q, abandoned)
		}
	}
	if cut {
		m.World.Sometimes("batch-cut")
	}
}

func (m *Monitor) lateResponse(r *router, t *agent.LateResponse) {
	s := m.session(r, t.Session)
	s.answers++
	m.World.Sometimes("late-answer")
	if r.current != s {
		m.World.Sometimes("late-answer-of-replaced-session")
	}
	q := s.requests[t.Response.Correlation]
	if q == nil {
		m.fail("S11", "router %s: session %s took %s as the late answer to a request that it never made", r.name, s, t.Response.Kind)
		return
	}
	m.s11OwnAnswer(r, q, &t.Response)
	if q.state == waiting {
		m.fail("S11", "router %s: session %s took an answer as late though its request still waits", r.name, s)
	}
	q.state, q.late = answered, true
}

// s11OwnAnswer reads what the network carried back for the request: the first answer under its correlation id.
func (m *Monitor) s11OwnAnswer(r *router, q *request, response *protocol.Response) {
	kind := response.Kind
	if q.queue != nil && response.Queue != q.queue.id {
		kind = otherQueue
	}
	if q.answer != kind || q.err != response.Err {
		m.fail("S11", "router %s: the agent took %s as the answer to %s on session %s; the network carried %q", r.name, kind, q.command, q.session, q.answer)
	}
}
