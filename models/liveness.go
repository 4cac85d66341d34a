package models

import (
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// Tick judges the step that is over, and what must not last. It is to run after each step in which the Monitor was told something, and
// after each advance of virtual time.
func (m *Monitor) Tick() {
	m.stepOver()
	now := m.World.Elapsed()
	if now == m.elapsed {
		return
	}
	before := m.elapsed
	m.elapsed = now
	if m.crashed {
		return
	}
	if m.closing {
		m.l4Closes(now)
		return
	}
	fair := m.fairFrom()
	if fair < 0 {
		return
	}
	m.l6Delivered(before, fair)
	for _, r := range m.routers {
		m.l2Remembered(r, before, fair)
		m.l4Returns(r, now, fair)
		m.l5Fills(r, now, fair)
		m.l7Noticed(r, now, fair)
	}
}

// fairFrom is since when waits are judged: since no task is held up. It is negative while one is.
func (m *Monitor) fairFrom() time.Duration {
	if m.FreeSince == nil {
		return 0
	}
	since, ok := m.FreeSince()
	if !ok {
		return -1
	}
	return since
}

// overdue says by how much something that began at since is over its bound now; negative if it is not.
func overdue(since, fair, bound, now time.Duration) time.Duration {
	return now - max(since, fair) - bound
}

// l2Remembered reads what is pending, the worker, and the calls, requests, attempts and handlers under way. If time passes with
// something pending and none of these, nobody will take care of it.
func (m *Monitor) l2Remembered(r *router, before, fair time.Duration) {
	forgotten := r.isPending() && r.worker.variable == 0 && r.client != connecting && len(r.calls) == 0 && r.waiting == 0
	for _, s := range r.sessions {
		forgotten = forgotten && !s.lost
	}
	if forgotten && r.idleVersion == r.version && before >= fair {
		m.fail("L2", "router %s: %d queues and the service (%v) are pending, with no worker and no call or request under way", r.name, r.in[pending], r.service.isPending)
	}
	r.idleVersion = 0
	if forgotten {
		r.idleVersion = r.version
	}
}

// l4Returns reads the waits, blocks and calls under way.
func (m *Monitor) l4Returns(r *router, now, fair time.Duration) {
	if len(r.waits) > 0 {
		if late := overdue(r.waits[0].since, fair, m.bound.connect, now); late > 0 {
			m.fail("L4", "router %s: a caller has waited for variable %d for %v longer than the bound of %v", r.name, r.waits[0].variable, late, m.bound.connect)
		}
	}
	if len(r.blocks) > 0 {
		b := &r.blocks[0]
		if late := overdue(b.since, fair, m.bound.request, now); late > 0 {
			m.fail("L4", "router %s: %d requests of session %s have waited for %v longer than the bound of %v", r.name, b.left, b.session, late, m.bound.request)
		}
	}
	for _, c := range r.calls {
		if late := overdue(c.since, fair, m.bound.call(c), now); late > 0 {
			m.fail("L4", "router %s: a %s call has lasted for %v longer than its bound of %v", r.name, c.kind, late, m.bound.call(c))
		}
	}
}

// l4Closes reads the close calls under way.
func (m *Monitor) l4Closes(now time.Duration) {
	fair := m.fairFrom()
	for _, c := range m.closes {
		if late := overdue(c.since, fair, m.bound.call(c), now); fair >= 0 && late > 0 {
			m.fail("L4", "a close call has lasted for %v longer than its bound of %v", late, m.bound.call(c))
		}
	}
}

// l5Fills reads since when the session variable is unfilled.
func (m *Monitor) l5Fills(r *router, now, fair time.Duration) {
	if r.client != connecting {
		return
	}
	if late := overdue(r.startedAt, fair, m.bound.connect, now); late > 0 {
		m.fail("L5", "router %s: variable %d has been unfilled for %v longer than the bound of %v", r.name, r.variable, late, m.bound.connect)
	}
}

// l6Delivered reads which events are queued, delivered and consumed. If time passes while the consumer has had all that was
// delivered and more is queued, the agent has forgotten to deliver it.
func (m *Monitor) l6Delivered(before, fair time.Duration) {
	if m.inAgent.len() > 0 && m.consumed >= m.delivered && before >= fair && m.stuck == m.time {
		m.fail("L6", "%d events are queued and not delivered, though the consumer has had all that were", m.inAgent.len())
	}
	m.stuck = m.time
}

// l7Noticed reads when each connection was last heard of.
func (m *Monitor) l7Noticed(r *router, now, fair time.Duration) {
	if r.needed < 0 {
		return
	}
	for _, s := range r.sessions {
		if late := overdue(max(s.heard, r.needed), fair, m.bound.deadPeer, now); !s.lost && late > 0 {
			m.fail("L7", "router %s: session %s has been silent for %v longer than the bound of %v, and is not given up", r.name, s, late, m.bound.deadPeer)
		}
	}
}

// Healed tells the Monitor that faults have stopped and what was broken is mended.
func (m *Monitor) Healed() {
	m.inline(everything, func() { m.healed, m.healedAt = true, m.World.Elapsed() })
}

// Owner says which session is subscribed to a queue at its router; empty for none.
type Owner func(protocol.Router, protocol.QueueID) net.SessionID

// Live says how long, after healing, something may still be owed, and 0 if nothing is: every wanted queue is subscribed at the agent
// and at its router, or given up with an event (L1), and every queue of a service that became unavailable has been subscribed on its
// own (L9). What is owed beyond its bound is a violation. Without faults nothing of it lasts longer.
func (m *Monitor) Live(owner Owner) (wait time.Duration) {
	m.inline(everything, func() {
		now := m.World.Elapsed()
		for _, r := range m.routers {
			wait = max(wait, m.live(r, owner, now))
		}
	})
	return wait
}

func (m *Monitor) live(r *router, owner Owner, now time.Duration) (wait time.Duration) {
	wanted := 0
	for _, q := range r.order {
		if q.wanted || q.fallback {
			wanted++
		}
	}
	bound, fair := m.bound.subscribe(wanted), m.fairFrom()
	if fair < 0 {
		fair = now
	}
	fair = max(fair, m.healedAt)
	owe := func(id string, since time.Duration, q *queue, why string) {
		if left := max(since, fair) + bound - now; left > 0 {
			wait = max(wait, left)
		} else if !m.closing {
			m.fail(id, "router %s: queue %s %s, %v after healing; the bound is %s", r.name, q.name, why, now-m.healedAt, m.bound.sum(wanted))
		}
	}
	for _, q := range r.order {
		if property, since, why := m.lacks(r, q, owner); why != "" {
			owe(property, since, q, why)
		}
	}
	if r.service.isPending {
		if left := max(r.service.wished, fair) + bound - now; left > 0 {
			wait = max(wait, left)
		} else if !m.closing {
			m.fail("L1", "router %s: the service is still pending %v after healing; the bound is %s", r.name, now-m.healedAt, m.bound.sum(wanted))
		}
	}
	return wait
}

// lacks says what a queue still lacks, by which property and since when; nothing if why is empty.
func (m *Monitor) lacks(r *router, q *queue, owner Owner) (property string, since time.Duration, why string) {
	switch {
	case q.fallback:
		return "L9", q.fellBack, "is not subscribed on its own since its service became unavailable"
	case !q.wanted:
		return "", 0, ""
	case q.place == pending:
		return "L1", q.wished, "is wanted and still pending"
	}
	return "L1", q.wished, m.l1Owned(r, q, owner)
}

// l1Owned compares the agent's belief about a queue with the router's; it says how they differ.
func (m *Monitor) l1Owned(r *router, q *queue, owner Owner) string {
	s := q.session
	if q.place == counted || q.place == included {
		v := &r.service
		if !v.isActive || v.figures.Service != q.service {
			return "is part of a service that is not subscribed"
		}
		s = v.session
	}
	at := owner(r.id, q.id)
	if s == nil || at != s.id {
		return "is subscribed on session " + s.String() + " as the agent believes, and on " + short(at) + " at the router"
	}
	return ""
}
