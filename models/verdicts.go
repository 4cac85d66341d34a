package models

import (
	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// What must become of an answer follows from what the network carried, from what is pending, with which key and since when, and from
// the ENDs that came behind it. The agent's outcome is held against that.

// outcome is what should become of an answer. or is another that is as right; why is for a person.
type outcome struct {
	is, or agent.SubOutcome
	why    string
}

// judge finds the request whose answer was committed, and holds what became of it against what should have (S8, S9, S11, S14, S15, S18).
func (m *Monitor) judge(r *router, s *session, q *queue, res *agent.QueueResult, late bool) *request {
	a := s.requests[res.Correlation]
	if a.misused(late) || a != nil && (a.queue != q || a.key != res.Key) {
		m.fail("S11", "router %s: an answer was committed for queue %s on session %s that is another request's, or that was committed before", r.name, q.name, s)
		return a
	}
	should := m.queueOutcome(r, s, q, a, res.Key, late)
	if res.Outcome != should.is && res.Outcome != should.or {
		m.fail(m.blameQueue(q, a, should, res.Outcome), "router %s: queue %s was recorded as %s by session %s; it should be %s: %s",
			r.name, q.name, outcomeName(res.Outcome), s, outcomeName(should.is), should.why)
	}
	return a
}

// queueOutcome says what should become of the answer a; nil if nothing was asked.
func (m *Monitor) queueOutcome(r *router, s *session, q *queue, a *request, key protocol.AuthKey, late bool) outcome {
	c := a.committed(late)
	switch {
	case q.place != pending:
		return outcome{is: agent.SubNotPending, why: "it is " + q.place.String()}
	case c == unanswered, c == temporaryError:
		return outcome{is: agent.SubTemporary, why: a.describe()}
	case q.key != key:
		return outcome{is: agent.SubOutdated, why: "another key is pending"}
	case !c.confirms():
		return outcome{is: agent.SubFailed, why: a.describe()}
	case endedAfter(q, s, a.at), c == serviceSuccess && takenAfter(s, a.at):
		return endedOutcome(a, q.wishAt, late || r.mayHaveAskedFor(q))
	case c == success:
		return outcome{is: agent.SubActivated, why: a.describe()}
	}
	if v := &r.service; v.isActive && v.session == s && a.at < v.at {
		return outcome{is: agent.SubIncluded, why: "the figures of the service came after its answer"}
	}
	return outcome{is: agent.SubCounted, why: a.describe()}
}

// mayHaveAskedFor says whether a request for the queue may have been decided on before its newest wish: by a call that is still under
// way, or by the worker's attempt. What is asked in several blocks is sent later than that.
func (r *router) mayHaveAskedFor(q *queue) bool {
	if at := r.worker.connectedAt; at > 0 && at < q.wishAt {
		return true
	}
	for _, c := range r.calls {
		if c.kind == callQueues && c.recordedAt > 0 && c.recordedAt < q.wishAt {
			for i := range c.queues {
				if c.queues[i].queue == q {
					return true
				}
			}
		}
	}
	return false
}

// endedOutcome is that of an answer behind which an END came. If the wish is newer than the request, it stays; if it may be, because it
// came between the agent's decision to ask and the request, or is not known, either is right.
func endedOutcome(a *request, wishAt int64, unsure bool) outcome {
	o := outcome{is: agent.SubEnded, why: "the router ended it after its answer"}
	if wishAt > a.sentAt {
		o.is, o.why = agent.SubOutdated, "the router ended it after its answer, and it was wanted again since the request"
	} else if unsure {
		o.or = agent.SubOutdated
	}
	return o
}

// blameQueue says which property a wrong outcome violates.
func (m *Monitor) blameQueue(q *queue, a *request, should outcome, told agent.SubOutcome) string {
	confirmed := func(o agent.SubOutcome) bool { return o >= agent.SubActivated && o <= agent.SubIncluded }
	switch {
	case confirmed(told) && confirmed(should.is):
		return "S8"
	case told == agent.SubEnded, should.is == agent.SubEnded, should.is == agent.SubOutdated && q.key == a.key:
		return "S18"
	case confirmed(told) && should.is == agent.SubNotPending && q.place == absent && q.removed:
		return "S14"
	case confirmed(told) && should.is == agent.SubOutdated:
		return "S15"
	case confirmed(told) && should.is == agent.SubTemporary && a.committed(a.isLate()) != temporaryError:
		return "S11"
	}
	return "S9"
}

// judgeService is judge for the answer to a service subscription (S7, S9, S11, S18).
func (m *Monitor) judgeService(r *router, s *session, t *agent.ServiceCommitted) *request {
	a := s.requests[t.Correlation]
	if a.misused(a.isLate() && a.commits[0] > 0) || a != nil && (a.queue != nil || a.service != t.Wanted) {
		m.fail("S11", "router %s: an answer was committed for the service on session %s that is another request's, or that was committed before", r.name, s)
		return a
	}
	if a.isLate() && t.Outcome == agent.SubTemporary {
		return a // its wait had ended without an answer; which of the two commits this is the agent does not say
	}
	should := m.serviceOutcome(r, s, a, t.Wanted)
	if t.Outcome != should.is && t.Outcome != should.or {
		m.fail(blameService(a, should, t.Outcome), "router %s: the service was recorded as %s by session %s; it should be %s: %s",
			r.name, outcomeName(t.Outcome), s, outcomeName(should.is), should.why)
	}
	return a
}

// misused says whether the answer has been committed before, and notes that it is now: what came in time is committed once; what came
// late has a commit for the end of the wait as well.
func (q *request) misused(late bool) bool {
	if q == nil {
		return false
	}
	n := &q.commits[0]
	if late {
		n = &q.commits[1]
	}
	*n++
	return *n > 1
}

func (m *Monitor) serviceOutcome(r *router, s *session, a *request, wanted protocol.ServiceSub) outcome {
	v := &r.service
	c := a.committed(a.isLate())
	if a == nil && !m.serves(s, wanted.Service) {
		c = serviceError
	}
	switch {
	case !v.isPending:
		return outcome{is: agent.SubNotPending, why: "nothing is pending"}
	case v.pending != wanted:
		return outcome{is: agent.SubOutdated, why: "another value is pending"}
	case c == success && takenAfter(s, a.at):
		return endedOutcome(a, v.wishAt, v.rewished || a.isLate())
	case c == success:
		return outcome{is: agent.SubActivated, why: a.describe()}
	case c == permanentError:
		return outcome{is: agent.SubFailed, why: a.describe()}
	case c == serviceError && a == nil:
		return outcome{is: agent.SubUnavailable, why: "the session has no such service"}
	case c == serviceError:
		return outcome{is: agent.SubUnavailable, why: a.describe()}
	}
	return outcome{is: agent.SubTemporary, why: a.describe()}
}

func blameService(a *request, should outcome, told agent.SubOutcome) string {
	changes := told <= agent.SubUnavailable
	switch {
	case told == agent.SubEnded, should.is == agent.SubEnded, should.or == agent.SubEnded:
		return "S18"
	case changes && (should.is == agent.SubNotPending || should.is == agent.SubOutdated):
		return "S7"
	case told == agent.SubActivated && should.is == agent.SubTemporary && a.committed(a.isLate()) != temporaryError:
		return "S11"
	}
	return "S9"
}

// committed is the class of the answer that a commit could use: late ones are committed on their own.
func (q *request) committed(late bool) class {
	if q == nil || q.state != answered || q.late != late {
		return unanswered
	}
	return q.class()
}

func (q *request) isLate() bool { return q != nil && q.late }

func (c class) confirms() bool { return c == success || c == serviceSuccess }

func (q *request) describe() string {
	switch {
	case q == nil:
		return "nothing was asked"
	case q.state != answered:
		return "there was no answer in time"
	case q.err != nil:
		return "the answer was " + q.err.Error()
	}
	return "the answer was " + string(q.answer)
}

func outcomeName(o agent.SubOutcome) string {
	names := [...]string{
		agent.SubActivated: "active", agent.SubCounted: "counted", agent.SubIncluded: "included", agent.SubFailed: "failed", agent.SubEnded: "ended",
		agent.SubUnavailable: "unavailable", agent.SubTemporary: "still pending", agent.SubNotPending: "not pending", agent.SubOutdated: "outdated",
	}
	if int(o) < len(names) && names[o] != "" {
		return names[o]
	}
	return "an unknown outcome"
}

// endedAfter says whether the agent has taken an END or DELD for the queue that came on the session since then.
func endedAfter(q *queue, s *session, at int64) bool {
	for _, p := range q.pushes {
		if p.session == s && p.at > at && p.told {
			return true
		}
	}
	return false
}

// takenAfter is endedAfter for the service and ENDS.
func takenAfter(s *session, at int64) bool {
	for _, p := range s.taken {
		if p.at > at && p.told {
			return true
		}
	}
	return false
}
