package models

import (
	"slices"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// The shadow of a router's service subscription, with the checks of S7 and S8 on it.

// count adds a queue that was confirmed under the session's service to its figures.
func (m *Monitor) count(r *router, s *session, q *queue) {
	m.activeUnder(r, s)
	v := &r.service
	if v.at > 0 {
		m.World.Sometimes("service-figures-merged")
	}
	v.figures.Count++
	v.figures.Hash = v.figures.Hash.Xor(q.md5())
}

// activeUnder makes the session's service the active one, if there is none yet: without an SOKS only what was confirmed singly counts.
func (m *Monitor) activeUnder(r *router, s *session) {
	v := &r.service
	if !v.isActive {
		v.isActive, v.session, v.figures, v.at = true, s, protocol.ServiceSub{Service: m.grantOf(s)}, 0
		m.servicePoint(r, ServiceCall{Op: ServiceCount, Session: s.id})
	} else if v.session != s {
		m.fail("S8", "router %s: a queue was counted on session %s while the service is active under session %s", r.name, s, v.session)
	}
}

// uncount takes a queue out of the figures if it is counted, and says whether it was.
func (m *Monitor) uncount(r *router, q *queue) bool {
	if q.place != counted {
		return false
	}
	v := &r.service
	v.figures.Count--
	v.figures.Hash = v.figures.Hash.Xor(q.md5())
	return true
}

func (m *Monitor) serviceWanted(r *router, t *agent.ServiceWanted) {
	m.s7Wanted(r, t.Sub)
	v := &r.service
	v.pending, v.isPending, v.wishAt, v.wished = t.Sub, true, m.time, m.World.Elapsed()
	m.released(r, "a newer service", t.Queues)
	r.foldServiceWanted(t.Sub)
	m.serviceMoved(r)
}

func (m *Monitor) serviceCommitted(r *router, t *agent.ServiceCommitted) {
	s, v := m.session(r, t.Session), &r.service
	a := m.judgeService(r, s, t)
	if t.Outcome > agent.SubUnavailable {
		return
	}
	m.s1SessionGated(r, s, "the answer for its service")
	point := ServiceCall{Op: ServiceGiveUp, Sub: t.Wanted, Session: s.id}
	e := owedEvent{session: s}
	switch t.Outcome {
	case agent.SubActivated:
		point.Op = ServiceConfirm
	case agent.SubRefreshed:
		point.Op = ServiceRefresh
		m.World.Sometimes("service-refreshed")
	}
	if t.Outcome != agent.SubRefreshed {
		v.isPending, e.wanted = false, t.Wanted
	}
	point.Yes = t.Outcome == agent.SubFailed || t.Outcome == agent.SubUnavailable
	m.servicePoint(r, point)
	switch t.Outcome {
	case agent.SubActivated, agent.SubRefreshed:
		m.activated(r, s, t, a)
		e.kind, e.figures, e.hasFigures, e.queues = agent.ServiceSubscribed, v.figures, true, len(t.Queues)
	case agent.SubFailed:
		e.kind, e.err = agent.ServiceSubError, t.Err
		m.endService(r, t.Wanted.Service, false)
		m.refusedActive(r, s, t, &e)
	case agent.SubUnavailable:
		e.kind = agent.ServiceUnavailable
		m.World.Sometimes("service-unavailable")
		m.endService(r, t.Wanted.Service, true)
		m.refusedActive(r, s, t, &e)
	case agent.SubEnded:
		e.kind, e.figures, e.hasFigures = agent.ServiceEnded, t.Wanted, true
		m.endService(r, t.Wanted.Service, false)
	}
	m.owe(r, e)
	m.serviceMoved(r)
}

// refusedActive ends a service that is active on the session which refuses it: what was counted under it is pending singly.
func (m *Monitor) refusedActive(r *router, s *session, t *agent.ServiceCommitted, e *owedEvent) {
	if r.service.isActive && r.service.session == s {
		r.service.isActive = false
		m.onlyCovered(r)
	}
	m.released(r, "the refusal of its service", t.Queues)
	for _, id := range t.Queues {
		m.queue(r, id).owes = e.kind
	}
	e.queues = len(t.Queues)
}

func (m *Monitor) servicePoint(r *router, c ServiceCall) {
	m.services.Point(r.services, 0, m.World.Step(), c)
}

// activated applies the figures of an SOKS.
func (m *Monitor) activated(r *router, s *session, t *agent.ServiceCommitted, a *request) {
	v := &r.service
	at := answerTime(a)
	figures := protocol.ServiceSub{Service: t.Wanted.Service, Count: t.Confirmed.Count, Hash: t.Confirmed.Hash}
	if a != nil {
		figures.Count, figures.Hash = a.count, a.hash
	}
	if t.Confirmed != figures {
		m.fail("S8", "router %s: the agent took %v as the figures of the service; the router's answer was %v", r.name, t.Confirmed, figures)
	}
	listed := 0
	for _, q := range r.order {
		if q.place != counted {
			continue
		}
		if q.session == s && q.at > at {
			figures = figures.With(q.id)
			if slices.Contains(t.Counted, q.id) {
				listed++
			} else {
				m.fail("S8", "router %s: queue %s was confirmed singly after the figures of the service, and is not counted any more", r.name, q.name)
			}
		} else {
			m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterCover})
			m.put(q, included, q.session)
		}
	}
	if listed != len(t.Counted) {
		m.fail("S8", "router %s: %d queues stay counted after the figures of the service, of which only %d were confirmed after it", r.name, len(t.Counted), listed)
	}
	if t.Figures != figures {
		m.fail("S8", "router %s: the service is recorded with %v; it should be %v", r.name, t.Figures, figures)
	}
	v.isActive, v.session, v.figures, v.at = true, s, t.Figures, at
	for _, id := range t.Queues {
		q := m.queue(r, id)
		if q.place != included || q.service != t.Wanted.Service {
			m.fail("S8", "router %s: queue %s became pending by the figures of its service, though it is %s, confirmed on session %s", r.name, q.name, q.place, q.session)
		}
		m.repend(q, agent.ServiceSubscribed)
		q.doubted = at
	}
	if len(t.Queues) > 0 {
		m.World.Sometimes("figures-in-doubt")
	}
}

// endService ends the wishes that a service covers. If it became unavailable, all its queues are to be subscribed singly (L9).
func (m *Monitor) endService(r *router, id protocol.ServiceID, fallback bool) {
	for _, q := range r.order {
		part := q.service == id && (q.place == counted && !r.covers(id) || q.place == included && !r.includes(id))
		if fallback && (part || q.handed && !q.wanted) {
			q.fallback, q.fellBack, q.handed = true, m.World.Elapsed(), false
		}
		if part {
			m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterUncover})
			owes := q.fallback
			m.drop(q, false)
			q.fallback = owes
		}
	}
}

// covers says whether the service of that id is active on a live session or pending.
func (r *router) covers(id protocol.ServiceID) bool {
	v := &r.service
	return v.isActive && !v.session.ended && v.figures.Service == id || v.isPending && v.pending.Service == id
}

// includes is covers for a queue that is in the figures of an SOKS. An active service that has had none yet, and is but the sum of
// what was counted, has no such queue.
func (r *router) includes(id protocol.ServiceID) bool {
	v := &r.service
	return v.isActive && !v.session.ended && v.figures.Service == id && v.at > 0 || v.isPending && v.pending.Service == id
}

func (m *Monitor) serviceDemoted(r *router, t *agent.ServiceDemoted) {
	s, v := m.session(r, t.Session), &r.service
	m.s2ServiceOwnership(r, s)
	m.s7NeverShrinks(r, t)
	if v.isActive && t.Sub != v.figures {
		m.fail("S8", "router %s: the service is demoted with %v; it should be %v", r.name, t.Sub, v.figures)
		v.figures = t.Sub
	}
	m.servicePoint(r, ServiceCall{Op: ServiceDemote, Sub: t.Sub, Session: s.id, Yes: t.Pending})
	e := owedEvent{kind: agent.ServiceDisconnected, session: s, figures: v.figures, hasFigures: true}
	if t.Pending {
		v.pending, v.isPending, v.wishAt, v.wished = t.Sub, true, m.time, m.World.Elapsed()
	}
	v.isActive = false
	e.queues = len(t.Queues)
	m.released(r, "the end of the service of session "+s.String(), t.Queues)
	for _, id := range t.Queues {
		m.queue(r, id).owes = agent.ServiceDisconnected
	}
	m.onlyCovered(r)
	m.owe(r, e)
	m.serviceMoved(r)
}

// released applies a change of the service to the queues that it no longer covers, those listed: they are pending singly. What is not
// listed and not covered is lost; see serviceMoved.
func (m *Monitor) released(r *router, why string, listed []protocol.QueueID) {
	for _, id := range listed {
		q := m.queue(r, id)
		if q.place != counted && q.place != included {
			m.fail("S2", "router %s: queue %s became pending by %s, though it was not the service's but %s", r.name, q.name, why, q.place)
		} else if q.place == counted && r.covers(q.service) || q.place == included && r.includes(q.service) {
			m.fail("S8", "router %s: queue %s became pending by %s, though its service still covers it", r.name, q.name, why)
		}
		m.repend(q, 0)
	}
}

// repend makes a queue of the service pending singly, of which an event tells.
func (m *Monitor) repend(q *queue, owes agent.EventKind) {
	m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterRelease})
	m.put(q, pending, nil)
	q.owes = owes
}

// onlyCovered applies the end of an active service to what was counted in its figures.
func (m *Monitor) onlyCovered(r *router) {
	for _, q := range r.order {
		if q.place == counted {
			m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterCover})
			m.put(q, included, q.session)
		}
	}
}

func (m *Monitor) serviceTaken(r *router, t *agent.ServiceTaken) {
	s, v := m.session(r, t.Session), &r.service
	at := int64(-1)
	for i := range s.taken {
		if p := &s.taken[i]; !p.told {
			p.told, at = true, p.at
			break
		}
	}
	if at < 0 {
		m.fail("S18", "router %s: the agent took ENDS on session %s, which the router did not send", r.name, s)
	}
	if r.current != s {
		m.World.Sometimes("end-of-old-session")
	}
	should := r.client == connected && r.current == s && v.isActive && v.session == s && at > v.at
	if t.Accepted != should {
		m.fail("S18", "router %s: ENDS of session %s was accepted: %v, should be %v; the current session is %s", r.name, s, t.Accepted, should, r.current)
	}
	if !t.Accepted {
		m.servedAs(r)
		return
	}
	if t.Sub != v.figures {
		m.fail("S8", "router %s: the service that another client took had %v; it should be %v", r.name, t.Sub, v.figures)
	}
	for _, q := range r.order {
		if q.place == counted && q.at > at {
			m.fail("S18", "router %s: queue %s ended by an ENDS that came before its confirmation", r.name, q.name)
		}
	}
	m.servicePoint(r, ServiceCall{Op: ServiceTake, Session: s.id})
	e := owedEvent{kind: agent.ServiceEnded, session: s, figures: v.figures, hasFigures: true}
	v.isActive = false
	m.onlyCovered(r)
	m.endService(r, t.Sub.Service, false)
	for _, q := range r.order {
		if q.place == included {
			q.session = nil
		}
	}
	m.owe(r, e)
	m.serviceMoved(r)
}

// serviceMoved judges the queues that only the service covers, after it has changed.
func (m *Monitor) serviceMoved(r *router) {
	if r.in[included]+r.in[counted] > 0 {
		for _, q := range r.order {
			if q.place == included || q.place == counted {
				m.s5Covered(r, q)
			}
		}
	}
	m.servedAs(r)
	m.neededNow(r)
}

// serves says whether the session was granted that service, in the role of the agent's party.
func (m *Monitor) serves(s *session, id protocol.ServiceID) bool {
	return s.grant != nil && *s.grant == id && m.Config.Credential.Role == m.Config.Party.Role()
}

// s2ServiceOwnership reads under which session the service is active.
func (m *Monitor) s2ServiceOwnership(r *router, s *session) {
	if v := &r.service; !v.isActive {
		m.fail("S2", "router %s: the service of session %s was demoted, but none is active", r.name, s)
	} else if v.session != s {
		m.fail("S2", "router %s: the service was demoted for session %s, but is active under session %s", r.name, s, v.session)
	}
}

// s7Wanted reads the calls under way: what is pending is only what one of them asks for.
func (m *Monitor) s7Wanted(r *router, sub protocol.ServiceSub) {
	for _, c := range r.calls {
		if c.kind == callService && !c.recorded && c.sub == sub {
			c.recorded = true
			return
		}
	}
	m.fail("S7", "router %s: %v was put in pending, which no call under way asks for", r.name, sub)
}

// s7NeverShrinks reads what is pending before a demotion.
func (m *Monitor) s7NeverShrinks(r *router, t *agent.ServiceDemoted) {
	v := &r.service
	switch {
	case t.Pending && v.isPending:
		m.fail("S7", "router %s: the pending %v was overwritten by the demoted %v", r.name, v.pending, t.Sub)
	case !t.Pending && !v.isPending:
		m.fail("S7", "router %s: %v was demoted and is not pending, though nothing newer is", r.name, t.Sub)
	}
}

// s8Figures reads the figures that a transition told, which are there if it changed them.
func (m *Monitor) s8Figures(r *router, told *protocol.ServiceSub, changed bool) {
	switch {
	case changed != (told != nil):
		m.fail("S8", "router %s: the figures of the service changed: %v; the agent says: %v", r.name, changed, told != nil)
	case told != nil && *told != r.service.figures:
		m.fail("S8", "router %s: the service is recorded with %v; it should be %v", r.name, *told, r.service.figures)
		r.service.figures = *told
	}
}
