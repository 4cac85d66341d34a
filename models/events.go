package models

import (
	"encoding/binary"
	"unsafe"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// Events: each transition owes exactly one (S10), of which the critical section that commits it must rid itself; they are delivered
// and consumed in the order queued; and what they say is folded into the state that they announce.

// owedEvent is an event that the current critical section must queue.
type owedEvent struct {
	kind       agent.EventKind
	session    *session
	service    *protocol.ServiceID
	queues     int // those marked as owing this kind
	reason     protocol.Kind
	wanted     protocol.ServiceSub
	figures    protocol.ServiceSub
	hasFigures bool
	err        *protocol.Error
}

// mark is enough of an event to know it again, and to see whether what it points to has changed.
type mark struct {
	kind    agent.EventKind
	session string
	data    unsafe.Pointer
	n       int
	sum     uint64
}

func markOf(e *agent.Event) mark {
	k := mark{kind: e.Kind, session: string(e.Session), n: len(e.Queues) + len(e.Errors)}
	if len(e.Queues) > 0 {
		k.data = unsafe.Pointer(unsafe.SliceData(e.Queues))
	} else if len(e.Errors) > 0 {
		k.data = unsafe.Pointer(unsafe.SliceData(e.Errors))
	}
	for i := range e.Queues {
		k.add(&e.Queues[i])
	}
	for i := range e.Errors {
		k.add(&e.Errors[i].Queue)
	}
	return k
}

func (k *mark) add(q *protocol.QueueID) {
	for i := 0; i < len(q); i += 8 {
		k.sum = (k.sum ^ binary.LittleEndian.Uint64(q[i:])) * 0x9e3779b97f4a7c15
	}
}

// ring is a queue of marks.
type ring struct {
	items []mark
	first int
}

func (g *ring) push(k mark) { g.items = append(g.items, k) }

func (g *ring) len() int { return len(g.items) - g.first }

// pop takes the oldest.
func (g *ring) pop() (mark, bool) {
	if g.len() == 0 {
		return mark{}, false
	}
	k := g.items[g.first]
	if g.first++; g.first == len(g.items) {
		g.items, g.first = g.items[:0], 0
	}
	return k, true
}

// owe notes an event that the current critical section owes.
func (m *Monitor) owe(r *router, e owedEvent) {
	r.owed = append(r.owed, e)
}

func (m *Monitor) oweQueues(r *router, kind agent.EventKind, s *session, n int, reason protocol.Kind) {
	if n > 0 {
		m.owe(r, owedEvent{kind: kind, session: s, queues: n, reason: reason})
	}
}

func (m *Monitor) eventQueued(e *agent.Event) {
	r := m.router(e.Router)
	r.version++
	s := m.session(r, e.Session)
	m.s10Enclosed(r, s, e)
	m.s10Owed(r, s, e)
	m.foldEvent(r, s, e)
	m.queued++
	m.inAgent.push(markOf(e))
}

func (m *Monitor) eventDelivered(e *agent.Event) {
	k, ok := m.inAgent.pop()
	if !ok || k != markOf(e) {
		m.fail("S10", "event %s of session %s was delivered out of turn", e.Kind, short(e.Session))
	}
	m.delivered++
	if m.consumed < m.delivered {
		m.inChannel.push(markOf(e))
		return
	}
	// Its consumer was quicker than the agent's word that it had handed the event on.
	if early, _ := m.inChannel.pop(); early != markOf(e) {
		m.fail("S10", "event %s of session %s was delivered after another had been consumed in its place", e.Kind, short(e.Session))
	}
}

// Consumed tells the Monitor that the application has taken an event from the agent's channel.
func (m *Monitor) Consumed(e agent.Event) { m.unseen(handing, func() { m.eventConsumed(&e) }) }

func (m *Monitor) eventConsumed(e *agent.Event) {
	m.time++
	m.consumed++
	if m.consumed > m.delivered {
		m.inChannel.push(markOf(e))
		return
	}
	if k, ok := m.inChannel.pop(); !ok || k != markOf(e) {
		m.fail("S10", "event %s of session %s was consumed out of turn", e.Kind, short(e.Session))
	}
}

// s10Enclosed reads which events of the session there were.
func (m *Monitor) s10Enclosed(r *router, s *session, e *agent.Event) {
	switch {
	case e.Kind == agent.Connected && s.begun:
		m.fail("S10", "router %s: Connected came twice for session %s", r.name, s)
	case e.Kind != agent.Connected && !s.begun:
		m.fail("S10", "router %s: %s came for session %s before Connected", r.name, e.Kind, s)
	case s.finished:
		m.fail("S10", "router %s: %s came for session %s after Disconnected", r.name, e.Kind, s)
	}
	s.begun = s.begun || e.Kind == agent.Connected
	s.finished = s.finished || e.Kind == agent.Disconnected
}

// s10Owed reads what the current critical section owes. A SubError that nothing owes is one of S9: a temporary error has no event.
func (m *Monitor) s10Owed(r *router, s *session, e *agent.Event) {
	at := -1
	for i := range r.owed {
		if o := &r.owed[i]; o.kind == e.Kind && o.session == s && o.reason == e.Reason {
			at = i
			break
		}
	}
	if at < 0 {
		id := "S10"
		if e.Kind == agent.SubError {
			id = "S9"
		}
		m.fail(id, "router %s: %s of session %s tells of nothing that has just happened", r.name, e.Kind, s)
		return
	}
	o := r.owed[at]
	r.owed = append(r.owed[:at], r.owed[at+1:]...)
	m.s10Content(r, s, e, &o)
}

// s10Content reads what the transition changed.
func (m *Monitor) s10Content(r *router, s *session, e *agent.Event, o *owedEvent) {
	id := "S10"
	told := len(e.Queues)
	if e.Kind == agent.SubError {
		id, told = "S9", len(e.Errors)
		for i := range e.Errors {
			q := m.queue(r, e.Errors[i].Queue)
			m.owesThis(r, q, e, id)
			if q.owesErr != e.Errors[i].Err {
				m.fail(id, "router %s: SubError tells another error of queue %s than the one that was committed", r.name, q.name)
			}
		}
	}
	for _, queue := range e.Queues {
		m.owesThis(r, m.queue(r, queue), e, id)
	}
	switch {
	case told != o.queues:
		m.fail(id, "router %s: %s of session %s tells of %d queues; %d changed", r.name, e.Kind, s, told, o.queues)
	case told == 0 && o.queues == 0 && (e.Kind == agent.Subscribed || e.Kind == agent.Ended || e.Kind == agent.SubError):
		m.fail(id, "router %s: %s of session %s is empty", r.name, e.Kind, s)
	case (e.Service == nil) != (o.service == nil) || e.Service != nil && *e.Service != *o.service:
		m.fail(id, "router %s: %s of session %s tells of another service than it should", r.name, e.Kind, s)
	case (e.Figures != nil) != o.hasFigures || e.Figures != nil && *e.Figures != o.figures:
		m.fail(id, "router %s: %s of session %s does not tell the figures %v", r.name, e.Kind, s, o.figures)
	case e.Wanted != o.wanted:
		m.fail(id, "router %s: %s of session %s tells of %v; it was %v", r.name, e.Kind, s, e.Wanted, o.wanted)
	case e.Err != o.err:
		m.fail(id, "router %s: %s of session %s tells another error than was committed", r.name, e.Kind, s)
	}
}

// owesThis settles a queue's part in an event.
func (m *Monitor) owesThis(r *router, q *queue, e *agent.Event, id string) {
	if q.owes != e.Kind {
		m.fail(id, "router %s: %s tells of queue %s, which it does not concern", r.name, e.Kind, q.name)
	}
	q.owes = 0
}

// s10EventMissing reads what a critical section that is over still owes.
func (m *Monitor) s10EventMissing(r *router) {
	if len(r.owed) == 0 || m.closing {
		return
	}
	o := &r.owed[0]
	id := "S10"
	if o.kind == agent.SubError {
		id = "S9"
	}
	m.fail(id, "router %s: no %s was queued for session %s in the step of its transition", r.name, o.kind, o.session)
}
