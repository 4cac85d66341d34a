package models

import (
	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// The checks on queues. Each says what it reads.

// s1SessionGated reads the router's session variable: its client is the session, and nothing else.
func (m *Monitor) s1SessionGated(r *router, s *session, what string) {
	if r.client != connected || r.current != s {
		m.fail("S1", "router %s: %s, obtained on session %s, was committed while the current session is %s", r.name, what, s, r.current)
	}
}

// s2Ownership reads where the queue is recorded.
func (m *Monitor) s2Ownership(r *router, s *session, q *queue) {
	switch {
	case q.place != active:
		m.fail("S2", "router %s: the disconnect handler of session %s put queue %s in pending, which was %s", r.name, s, q.name, q.place)
	case q.session != s:
		m.fail("S2", "router %s: the disconnect handler of session %s demoted queue %s, which is active under session %s", r.name, s, q.name, q.session)
	}
}

// s5Covered reads what covers a queue of a service; it is called when the service's place changes.
func (m *Monitor) s5Covered(r *router, q *queue) {
	if m.closing || !q.wanted || m.covered(r, q) {
		return
	}
	m.fail("S5", "router %s: queue %s is wanted and lost: it was part of a service that is neither active on a live session nor pending", r.name, q.name)
}

// covered says whether a wanted queue is where S5 wants it.
func (m *Monitor) covered(r *router, q *queue) bool {
	v := &r.service
	switch q.place {
	case pending:
		return true
	case active:
		return q.session.published && !q.session.ended
	case counted, included:
		return v.isActive && !v.session.ended && v.figures.Service == q.service || v.isPending && v.pending.Service == q.service
	}
	return q.calls > 0
}

// s6NoGhost reads the queues and the service recorded under the session. It is judged in the step in which its handler commits.
func (m *Monitor) s6NoGhost(r *router, s *session) {
	if r.service.isActive && r.service.session == s {
		m.fail("S6", "router %s: the disconnect handler of session %s has finished and the service is still active under it", r.name, s)
	}
	if s.held == 0 {
		return
	}
	for _, q := range r.order {
		if q.session == s && (q.place == active || q.place == counted) {
			m.fail("S6", "router %s: the disconnect handler of session %s has finished and queue %s is still %s under it", r.name, s, q.name, q.place)
			return
		}
	}
}

// s18Received reads whether the network carried that END or DELD on that session, and takes note that the agent has it. It returns
// when it came.
func (m *Monitor) s18Received(r *router, s *session, q *queue, kind protocol.Kind, accepted bool) int64 {
	var before *push // one that did not count when it came may count once what preceded it is committed
	for i := range q.pushes {
		p := &q.pushes[i]
		if p.session != s || p.kind != kind || p.taken {
			continue
		}
		if before = p; !p.told {
			break
		}
	}
	if before != nil {
		before.told, before.taken = true, before.taken || accepted
		return before.at
	}
	m.fail("S18", "router %s: the agent took %s for queue %s on session %s, which the router did not send", r.name, kind, q.name, s)
	return m.time
}

// s18Accepted reads the current session, where the queue is recorded and since when. What figures have made pending was subscribed
// when an END came before these figures, and nobody has wanted it anew since: it ends, as if the END had been taken at once.
func (m *Monitor) s18Accepted(r *router, s *session, q *queue, t *agent.QueueEnded, at int64) {
	should := q.place != absent
	if t.Reason == protocol.END {
		should = r.client == connected && r.current == s && (r.subscribed(q, s, at) || q.doubted > at)
	}
	switch {
	case t.Accepted && !should:
		m.fail("S18", "router %s: %s of session %s ended queue %s, which is %s under session %s; the current session is %s",
			r.name, t.Reason, s, q.name, q.place, q.session, r.current)
	case !t.Accepted && should:
		m.fail("S18", "router %s: %s of session %s did not end queue %s, which is %s", r.name, t.Reason, s, q.name, q.place)
	}
}

// subscribed says whether the queue was subscribed on the session before the time at: on its own, or by its service. Of the service the
// agent may not know yet, since its answer may be on its way or lost; but what a router ends on a session it had given to that session.
// It is the same whether the handler of the earlier session, under which the queue was counted, has come to its turn yet or not.
func (r *router) subscribed(q *queue, s *session, at int64) bool {
	if q.session == s {
		return q.place != absent && q.place != pending && q.at < at
	}
	return q.place == included || q.place == counted
}
