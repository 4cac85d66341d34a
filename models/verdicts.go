package models

import (
	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// What must become of an answer follows from what the network carried, from what is pending, with which key and since when, and from
// the ENDs that came behind it. The agent's outcome is held against that.

// outcome is what should become of an answer; why is for a person.
type outcome struct {
	is  agent.SubOutcome
	why string
}

// judge finds the request whose answer was committed, and holds what became of it against what should have (S8, S9, S11, S14, S15, S18).
func (m *Monitor) judge(r *router, s *session, q *queue, res *agent.QueueResult, late bool) *request {
	a := s.requests[res.Correlation]
	if a.misused(late) || a != nil && (a.queue != q || a.key != res.Key) {
		m.fail("S11", "router %s: an answer was committed for queue %s on session %s that is another request's, or that was committed before", r.name, q.name, s)
		return a
	}
	should := m.queueOutcome(r, s, q, a, res.Key, late)
	if res.Outcome != should.is {
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
		return outcome{agent.SubNotPending, "it is " + q.place.String()}
	case c == unanswered, c == temporaryError:
		return outcome{agent.SubTemporary, a.describe()}
	case q.key != key:
		return outcome{agent.SubOutdated, "another key is pending"}
	case !c.confirms():
		return outcome{agent.SubFailed, a.describe()}
	case endedAfter(q, s, a.at), c == serviceSuccess && takenAfter(s, a.at):
		return endedOutcome(a, q.wishAt, late)
	case c == success:
		return outcome{agent.SubActivated, a.describe()}
	}
	if a.at < s.figures {
		return outcome{agent.SubOutdated, figuresBehind}
	}
	return outcome{agent.SubCounted, a.describe()}
}

// endedOutcome is that of an answer behind which an END came, for a wish of that time: a wish that is newer than the decision to ask
// stays, and so does any if the answer came late, when others may be asking already.
func endedOutcome(a *request, wishAt int64, late bool) outcome {
	switch {
	case late:
		return outcome{agent.SubOutdated, "its answer came late, and the router had ended it by then"}
	case wishAt > a.begunAt:
		return outcome{agent.SubOutdated, "the router ended it after its answer, and it was wanted again since it was asked for"}
	}
	return outcome{agent.SubEnded, "the router ended it after its answer"}
}

// figuresBehind is why an answer says no longer how its queue stands: another client may have had the service in between.
const figuresBehind = "figures of the service came behind its answer, and may not count it"

// blameQueue says which property a wrong outcome violates.
func (m *Monitor) blameQueue(q *queue, a *request, should outcome, told agent.SubOutcome) string {
	confirmed := func(o agent.SubOutcome) bool { return o == agent.SubActivated || o == agent.SubCounted }
	switch {
	case confirmed(told) && (confirmed(should.is) || should.why == figuresBehind):
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
	if a.misused(t.Late) || a != nil && (a.queue != nil || a.service != t.Wanted) {
		m.fail("S11", "router %s: an answer was committed for the service on session %s that is another request's, or that was committed before", r.name, s)
		return a
	}
	should := m.serviceOutcome(r, s, a, t.Wanted, t.Late)
	if t.Outcome != should.is {
		m.fail(blameService(a, should, t.Outcome), "router %s: the service was recorded as %s by session %s; it should be %s: %s",
			r.name, outcomeName(t.Outcome), s, outcomeName(should.is), should.why)
	}
	if a.committed(t.Late) == success {
		s.figures = max(s.figures, a.at)
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

func (m *Monitor) serviceOutcome(r *router, s *session, a *request, wanted protocol.ServiceSub, late bool) outcome {
	v := &r.service
	c := a.committed(late)
	if a == nil && !m.serves(s, wanted.Service) {
		c = serviceError
	}
	isWanted := v.isPending && v.pending == wanted
	switch {
	case !isWanted && c == success && v.isActive && v.session == s && v.figures.Service == wanted.Service && a.at > s.figures:
		return outcome{agent.SubRefreshed, "these are the session's newest figures"}
	case !v.isPending:
		return outcome{agent.SubNotPending, "nothing is pending"}
	case !isWanted:
		return outcome{agent.SubOutdated, "another value is pending"}
	case c == success && a.at < s.figures:
		return outcome{agent.SubOutdated, figuresBehind}
	case c == success && takenAfter(s, a.at):
		return endedOutcome(a, v.wishAt, late)
	case c == success:
		return outcome{agent.SubActivated, a.describe()}
	case c == permanentError:
		return outcome{agent.SubFailed, a.describe()}
	case c == serviceError && a == nil:
		return outcome{agent.SubUnavailable, "the session has no such service"}
	case c == serviceError:
		return outcome{agent.SubUnavailable, a.describe()}
	}
	return outcome{agent.SubTemporary, a.describe()}
}

func blameService(a *request, should outcome, told agent.SubOutcome) string {
	changes := told <= agent.SubUnavailable
	switch {
	case told == agent.SubRefreshed, should.is == agent.SubRefreshed, should.why == figuresBehind:
		return "S8"
	case told == agent.SubEnded, should.is == agent.SubEnded:
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
		agent.SubActivated: "active", agent.SubCounted: "counted", agent.SubRefreshed: "active already", agent.SubFailed: "failed", agent.SubEnded: "ended",
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
