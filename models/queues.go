package models

import (
	"slices"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// The shadow of a router's queues. Each transition is held against it, and then applied.

// put records a queue in a place.
func (m *Monitor) put(q *queue, to place, s *session) {
	r := q.router
	if q.place == active || q.place == counted {
		q.session.held--
	}
	r.in[q.place]--
	r.in[to]++
	q.place, q.session, q.doubted = to, s, 0
	if to == active || to == counted {
		s.held++
	}
	m.situated(q)
}

// neededNow notes since when something is pending or subscribed.
func (m *Monitor) neededNow(r *router) {
	switch needed := r.in[active] > 0 || r.service.isActive || r.isPending(); {
	case !needed:
		r.needed = -1
	case r.needed < 0:
		r.needed = m.World.Elapsed()
	}
}

// drop ends a wish.
func (m *Monitor) drop(q *queue, byCall bool) {
	m.put(q, absent, nil)
	q.wanted, q.removed, q.fallback = false, byCall, false
}

func (m *Monitor) queuesWanted(r *router, t *agent.QueuesWanted) {
	now := m.World.Elapsed()
	call := m.callRecorded(r, t.Queues)
	if r.worker.endedAt == now && r.worker.variable == 0 {
		m.World.Sometimes("queue-added-while-worker-ended")
	}
	uncounted := false
	for i := range t.Queues {
		sub := &t.Queues[i]
		q := m.queue(r, sub.Queue)
		if call == nil {
			m.recordedFor(r, q, sub.Key)
		}
		if q.key != sub.Key && slices.ContainsFunc(q.requests, func(o *request) bool { return o.state == waiting }) {
			m.World.Sometimes("second-key-in-flight")
		}
		left := m.uncount(r, q)
		uncounted = uncounted || left
		m.put(q, pending, nil)
		q.key, q.wanted, q.removed, q.wishAt, q.wished = sub.Key, true, false, m.time, now
		q.handed = false // the application has it on its own now
		r.foldCall(q, pending, left)
	}
	m.s8Figures(r, t.Figures, uncounted)
	m.neededNow(r)
}

func (m *Monitor) queuesRemoved(r *router, t *agent.QueuesRemoved) {
	uncounted := false
	for _, id := range t.Queues {
		q := m.queue(r, id)
		if slices.ContainsFunc(q.requests, func(o *request) bool { return o.state == waiting }) {
			m.World.Sometimes("removed-during-request")
		}
		left := m.uncount(r, q)
		uncounted = uncounted || left
		m.drop(q, true)
		q.handed = false
		r.foldCall(q, absent, left)
		m.callRemoved(r, q)
	}
	m.s8Figures(r, t.Figures, uncounted)
	m.neededNow(r)
}

func (m *Monitor) resultsCommitted(r *router, t *agent.ResultsCommitted) {
	s := m.session(r, t.Session)
	var subscribed, underService, gone, ended, taken int
	figures := false
	for i := range t.Results {
		res := &t.Results[i]
		q := m.queue(r, res.Queue)
		a := m.judge(r, s, q, res, t.Late)
		if res.Outcome <= agent.SubUnavailable {
			m.s1SessionGated(r, s, "the answer for "+q.name)
		}
		point := RegisterCall{Op: RegisterCommit, Key: res.Key, Session: s.id}
		switch res.Outcome {
		case agent.SubActivated:
			m.put(q, active, s)
			q.at, q.owes = answerTime(a), agent.Subscribed
			subscribed++
		case agent.SubCounted:
			m.put(q, counted, s)
			q.at, q.service = answerTime(a), m.grantOf(s)
			q.owes = agent.Subscribed
			m.count(r, s, q)
			point.Op, figures = RegisterCount, true
			underService++
		case agent.SubFailed:
			m.drop(q, false)
			q.owes, q.owesErr = agent.SubError, res.Err
			point.Op = RegisterFail
			gone++
		case agent.SubEnded:
			m.drop(q, false)
			q.owes = agent.Ended
			point.Op = RegisterFail
			if a != nil && a.class() == serviceSuccess && !endedAfter(q, s, a.at) {
				taken++
			} else {
				ended++
			}
			m.World.Sometimes("ended-before-commit")
		case agent.SubUnavailable:
			m.drop(q, false)
			point.Op = RegisterFail
		default:
			continue
		}
		q.fallback = false
		m.registers.Point(q.register, 0, m.World.Step(), point)
	}
	m.s8Figures(r, t.Figures, figures)
	m.oweQueues(r, agent.Subscribed, s, subscribed, "")
	if underService > 0 {
		m.owe(r, owedEvent{kind: agent.Subscribed, session: s, service: s.grant, queues: underService, figures: r.service.figures, hasFigures: true})
	}
	m.oweQueues(r, agent.SubError, s, gone, "")
	m.oweQueues(r, agent.Ended, s, ended, protocol.END)
	m.oweQueues(r, agent.Ended, s, taken, protocol.ENDS)
	m.neededNow(r)
}

// grantOf is the service of a session; the zero id if it has none.
func (m *Monitor) grantOf(s *session) protocol.ServiceID {
	if s.grant == nil {
		return protocol.ServiceID{}
	}
	return *s.grant
}

func answerTime(a *request) int64 {
	if a == nil {
		return 0
	}
	return a.at
}

func (m *Monitor) resultsRefused(r *router, t *agent.ResultsRefused) {
	s := m.session(r, t.Session)
	m.World.Sometimes("commit-refused")
	if s.ended {
		m.World.Sometimes("answer-after-disconnect")
	}
	if r.current == s && r.current != nil && !m.closing {
		m.fail("S1", "router %s: answers of session %s were refused, though it is the current one", r.name, s)
	}
}

func (m *Monitor) queueEnded(r *router, t *agent.QueueEnded) {
	s, q := m.session(r, t.Session), m.queue(r, t.Queue)
	at := m.s18Received(r, s, q, t.Reason, t.Accepted)
	m.s18Accepted(r, s, q, t, at)
	if r.current != s {
		m.World.Sometimes("end-of-old-session")
	}
	if !t.Accepted {
		m.situated(q)
		return
	}
	q.handed = false
	uncounted := m.uncount(r, q)
	m.s8Figures(r, t.Figures, uncounted)
	m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterEnd, Session: s.id})
	m.drop(q, false)
	q.owes = agent.Ended
	e := owedEvent{kind: agent.Ended, session: s, queues: 1, reason: t.Reason}
	if uncounted {
		e.figures, e.hasFigures = r.service.figures, true
	}
	m.owe(r, e)
	m.neededNow(r)
}

func (m *Monitor) sessionEnded(r *router, t *agent.SessionEnded) {
	s := m.session(r, t.Session)
	for _, id := range t.Queues {
		q := m.queue(r, id)
		m.s2Ownership(r, s, q)
		m.put(q, pending, nil)
		m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterDemote, Session: s.id})
		q.owes = agent.Disconnected
	}
	if r.current != nil && r.current != s && len(t.Queues) > 0 {
		m.World.Sometimes("demotion-while-newer-session")
	}
	m.s6NoGhost(r, s)
	s.ended, s.lost = true, true
	if i := slices.Index(r.sessions, s); i >= 0 {
		r.sessions = slices.Delete(r.sessions, i, i+1)
	}
	m.owe(r, owedEvent{kind: agent.Disconnected, session: s, queues: len(t.Queues)})
	m.neededNow(r)
}
