package models

import (
	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// The fold of the events: what an application that has nothing but the agent's events and its own calls makes of them (S10). It is
// built from these alone, and compared with the agent's snapshots.

// foldedService is a router's service subscription as the events and calls say.
type foldedService struct {
	isActive  bool
	confirmed bool // by figures of the router, so that it has queues that no event has counted
	session   *session
	figures   protocol.ServiceSub
	isPending bool
	pending   protocol.ServiceSub
}

// foldCall applies a call that concerns a queue: that has no event. What was counted leaves the figures; of two queues of the service
// no event says which is counted and which was in the figures that the router told, so that one bit is the shadow's.
func (r *router) foldCall(q *queue, to place, counted bool) {
	f := &r.fold
	if counted && f.isActive {
		f.figures.Count--
		f.figures.Hash = f.figures.Hash.Xor(q.md5())
	}
	q.fold, q.foldSession = to, nil
}

// foldServiceWanted applies a call that subscribes a service. What only another one covered is pending singly.
func (r *router) foldServiceWanted(sub protocol.ServiceSub) {
	r.fold.isPending, r.fold.pending = true, sub
	r.foldUncovered(pending)
}

// foldUncovered says what has become of the queues that the service covers no longer.
func (r *router) foldUncovered(to place) {
	f := &r.fold
	for _, q := range r.order {
		if q.fold != counted {
			continue
		}
		covered := f.isActive && f.figures.Service == q.foldService && (f.confirmed || q.foldSession == f.session) ||
			f.isPending && f.pending.Service == q.foldService
		if !covered {
			q.fold, q.foldSession = to, nil
		}
	}
}

// foldEvent applies an event to the state that the events announce.
func (m *Monitor) foldEvent(r *router, s *session, e *agent.Event) {
	f := &r.fold
	to := absent
	switch e.Kind {
	case agent.Subscribed:
		to = active
		if e.Service != nil {
			to = counted
			if e.Figures != nil {
				f.confirmed = f.confirmed && f.isActive && f.session == s
				f.isActive, f.session, f.figures = true, s, *e.Figures
			}
		}
	case agent.Disconnected:
		to = pending
	case agent.ServiceSubscribed:
		to = pending
		if e.Wanted != (protocol.ServiceSub{}) {
			f.isPending = false
		}
		if e.Figures != nil {
			f.isActive, f.confirmed, f.session, f.figures = true, true, s, *e.Figures
		}
	case agent.ServiceSubError, agent.ServiceUnavailable:
		to = pending
		f.isPending = false
		f.isActive = f.isActive && f.session != s
	case agent.ServiceDisconnected:
		to = pending
		if f.isActive = false; !f.isPending && e.Figures != nil {
			f.isPending, f.pending = true, *e.Figures
		}
	case agent.ServiceEnded:
		if e.Wanted != (protocol.ServiceSub{}) {
			f.isPending = false
		} else {
			f.isActive = false
			for _, q := range r.order {
				if q.fold == counted {
					q.foldSession = nil
				}
			}
		}
	case agent.Ended:
		if e.Figures != nil && f.isActive {
			f.figures = *e.Figures
		}
	}
	for _, id := range e.Queues {
		q := m.queue(r, id)
		q.fold, q.foldSession = to, s
		if to == counted {
			q.foldService = *e.Service
		}
	}
	for i := range e.Errors {
		q := m.queue(r, e.Errors[i].Queue)
		q.fold, q.foldSession = absent, nil
	}
	switch e.Kind {
	case agent.ServiceSubscribed, agent.ServiceSubError, agent.ServiceUnavailable, agent.ServiceDisconnected, agent.ServiceEnded:
		r.foldUncovered(absent)
	}
}
