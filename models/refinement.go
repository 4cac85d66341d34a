package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// The agent refines the abstract model: what it tells in one step is a sequence of the model's actions, and its snapshots, mapped to
// the model's state, are the state that these have led to. A step is judged as a whole when it is over, and after all other
// properties, which say more exactly what is wrong.

// refinement is the abstract model of one router, and how far the current step has brought it.
type refinement struct {
	abstract
	open    bool // since a step has told something
	step    int64
	before  abstract // that step; its queues are where they are now
	told    []agent.Transition
	illegal string // the first action of the step that was not legal

	// A critical section has left something pending to nobody. It may start a worker in a step of its own: a lock that it has given
	// back, or a variable that it has filled, lets others go on before.
	forgotten bool
}

// refine carries out the actions that a transition stands for. What does not change the model's state stands for none.
func (m *Monitor) refine(told agent.Transition) {
	switch t := told.(type) {
	case agent.ConnectStarted:
		f := m.refining(t.Router, told)
		f.act(f.connect(), "Connect", nil, "")
	case agent.ClientPublished:
		f := m.refining(t.Router, told)
		f.act(f.publish(t.Session, t.Service), "Publish", nil, t.Session)
	case agent.ConnectFailed:
		f := m.refining(t.Router, told)
		f.act(f.fail(), "Fail", nil, "")
	case agent.VariableRemoved:
		f := m.refining(t.Router, told)
		f.act(f.forget(), "Forget", nil, "")
	case agent.SessionLost:
		f := m.refining(t.Router, told)
		f.act(f.lose(t.Session), "Lose", nil, t.Session)
	case agent.SessionEnded:
		f := m.refining(t.Router, told)
		f.act(f.disconnect(t.Session, t.Queues), "Disconnect", t.Queues, t.Session)
	case agent.QueuesWanted:
		f := m.refining(t.Router, told)
		for i := range t.Queues {
			f.act(f.want(t.Queues[i].Queue), "Want", []protocol.QueueID{t.Queues[i].Queue}, "")
		}
	case agent.QueuesRemoved:
		f := m.refining(t.Router, told)
		for i := range t.Queues {
			f.act(f.remove(t.Queues[i]), "Remove", t.Queues[i:i+1], "")
		}
	case agent.ResultsCommitted:
		f := m.refining(t.Router, told)
		for i := range t.Results {
			f.result(t.Session, &t.Results[i])
		}
	case agent.QueueEnded:
		if t.Accepted && t.Reason == protocol.DELD {
			f := m.refining(t.Router, told)
			f.act(f.deleted(t.Queue), "Deleted", []protocol.QueueID{t.Queue}, "")
		} else if t.Accepted {
			f := m.refining(t.Router, told)
			f.act(f.end(t.Queue, t.Session), "End", []protocol.QueueID{t.Queue}, t.Session)
		}
	case agent.ServiceWanted:
		f := m.refining(t.Router, told)
		f.act(f.wantService(t.Sub, t.Queues), "WantService", t.Queues, "")
	case agent.ServiceCommitted:
		f := m.refining(t.Router, told)
		switch t.Outcome {
		case agent.SubActivated:
			f.act(f.confirmService(t.Session, t.Wanted, t.Counted, t.Queues), "ConfirmService", t.Queues, t.Session)
		case agent.SubRefreshed:
			f.act(f.refreshService(t.Session, t.Wanted.Service, t.Counted, t.Queues), "RefreshService", t.Queues, t.Session)
		case agent.SubFailed, agent.SubUnavailable:
			f.act(f.refuseService(t.Session, t.Wanted, isTemporary(t.Err), t.Queues), "RefuseService", t.Queues, t.Session)
		case agent.SubEnded:
			f.act(f.endService(t.Session, t.Wanted), "EndService", nil, t.Session)
		}
	case agent.ServiceDemoted:
		f := m.refining(t.Router, told)
		f.act(f.demoteService(t.Session, t.Sub, t.Pending, t.Queues), "DemoteService", t.Queues, t.Session)
	case agent.ServiceTaken:
		if t.Accepted {
			f := m.refining(t.Router, told)
			f.act(f.takeService(t.Session), "TakeService", nil, t.Session)
		}
	case agent.WorkerPut:
		f := m.refining(t.Router, told)
		f.act(f.startWorker(), "StartWorker", nil, "")
	case agent.WorkerRemoved:
		f := m.refining(t.Router, told)
		f.act(f.stopWorker(), "StopWorker", nil, "")
	}
}

func (f *refinement) result(s net.SessionID, res *agent.QueueResult) {
	q := res.Queue
	switch res.Outcome {
	case agent.SubActivated:
		f.act(f.confirm(q, s), "Confirm", []protocol.QueueID{q}, s)
	case agent.SubCounted:
		f.act(f.count(q, s), "Count", []protocol.QueueID{q}, s)
	case agent.SubFailed, agent.SubEnded, agent.SubUnavailable:
		f.act(f.refuse(q, s, isTemporary(res.Err)), "Refuse", []protocol.QueueID{q}, s)
	}
}

func isTemporary(err *protocol.Error) bool { return err != nil && err.Class() == protocol.Temporary }

// refining is the model of a router in the current step, which tells t, or that a call of the application has returned.
func (m *Monitor) refining(id protocol.Router, t agent.Transition) *refinement {
	r := m.router(id)
	f := &r.refinement
	step := m.World.Step()
	if f.open && f.step != step {
		m.refined(r)
	}
	f.calls, f.closing, f.closed = len(r.calls), m.closing, m.closed
	if !f.open {
		f.open, f.step, f.illegal = true, step, ""
		f.moved, f.told = f.moved[:0], f.told[:0]
		sessions := append(f.before.sessions[:0], f.sessions...)
		f.before = f.abstract
		f.before.sessions = sessions
		m.unjudged = append(m.unjudged, r)
	}
	f.told = append(f.told, t)
	return f
}

// act takes note of an action that was not legal.
func (f *refinement) act(legal bool, name string, queues []protocol.QueueID, s net.SessionID) {
	if legal && !f.closed || f.illegal != "" {
		return
	}
	var text strings.Builder
	text.WriteString(name)
	for _, q := range queues {
		text.WriteString(" " + shortID(q))
	}
	if s != "" {
		text.WriteString(" on " + short(s))
	}
	f.illegal = text.String()
}

// stepOver judges what the step that is over has told.
func (m *Monitor) stepOver() {
	if len(m.unjudged) == 0 {
		return
	}
	for _, r := range m.unjudged {
		if r.refinement.open {
			m.refined(r)
		}
	}
	m.unjudged = m.unjudged[:0]
}

// refined judges the step in which the agent last told something of the router. All that owes something is a step of the refinement.
func (m *Monitor) refined(r *router) {
	m.settleSection(r)
	f := &r.refinement
	f.open = false
	before := f.forgotten
	f.forgotten = f.isForgotten()
	switch {
	case f.illegal != "":
		m.failStep(r, "the model does not allow "+f.illegal)
	case f.isHaunted():
		m.failStep(r, "the disconnect handler of the current session has finished")
	case f.forgotten && before && slices.ContainsFunc(f.told, isLocked):
		m.failStep(r, forgotten)
	}
}

const forgotten = "something is pending, and there is no worker, nor a call or a disconnect handler that will start one"

// isLocked says whether a transition is told in a critical section of its router.
func isLocked(t agent.Transition) bool {
	_, lost := t.(agent.SessionLost)
	return t != nil && !lost
}

func (m *Monitor) failStep(r *router, why string) {
	before, after := r.refinement.change()
	m.fail("refinement", "router %s: %s: %s\n  before: %s\n  after:  %s", r.name, names(r.refinement.told), why, before, after)
}

// compareRefined maps the agent's state to the model's, and holds it against what the actions have led to.
func (m *Monitor) compareRefined(r *router, s *agent.RouterSnapshot) {
	f := &r.refinement
	if f.open {
		m.refined(r)
	}
	if f.forgotten {
		m.failStep(r, forgotten)
	}
	mapped := &m.mapped
	mapped.mapState(s)
	if f.agrees(mapped) {
		return
	}
	var said, is []wish // what differs
	for _, q := range f.queues {
		other := wish{queue: q.queue}
		for _, o := range mapped.queues {
			if o.queue == q.queue {
				other = o
			}
		}
		if !q.agrees(&other) {
			said, is = append(said, q), append(is, other)
		}
	}
	for _, q := range mapped.queues {
		if _, known := f.byID[q.queue]; !known {
			is = append(is, q)
		}
	}
	m.fail("refinement", "router %s: the agent's state is not the one that its actions have led to\n  actions: %s\n  agent:   %s",
		r.name, f.describe(said), mapped.describe(is))
}

// mapState makes a the agent's state, as the model has it, in the memory that a has already. A snapshot does not tell whether the
// active service has figures, nor of which service an included queue is.
func (a *abstract) mapState(s *agent.RouterSnapshot) {
	*a = abstract{sessions: a.sessions[:0], queues: a.queues[:0]}
	a.client = [...]clientState{agent.NoClient: noClient, agent.ClientConnecting: connecting, agent.ClientConnected: connected, agent.ClientFailed: failed}[s.Client]
	a.current, a.worker = s.Session, s.Worker != agent.NoWorker
	for i := range s.Sessions {
		a.sessions = append(a.sessions, abstractSession{s.Sessions[i].Session, s.Sessions[i].Service, s.Sessions[i].Lost})
	}
	for i := range s.Pending {
		a.queues = append(a.queues, wish{queue: s.Pending[i].Queue, place: pending})
	}
	for p, list := range [places][]agent.ActiveQueue{active: s.Active, counted: s.Counted, included: s.Covered} {
		for i := range list {
			a.queues = append(a.queues, wish{queue: list[i].Queue, place: place(p), session: list[i].Session})
		}
	}
	for i := range a.queues {
		a.in[a.queues[i].place]++
	}
	if s.PendingService != nil {
		a.pending = *s.PendingService
	}
	if s.ActiveService != nil {
		a.service = abstractService{session: s.ActiveService.Session, id: s.ActiveService.Sub.Service}
	}
}

// agrees says whether a mapped state is the same, as far as a snapshot tells.
func (a *abstract) agrees(mapped *abstract) bool {
	in := mapped.in
	in[absent] = a.in[absent]
	same := a.client == mapped.client && a.current == mapped.current && a.worker == mapped.worker && a.pending == mapped.pending && a.in == in &&
		a.service.session == mapped.service.session && a.service.id == mapped.service.id &&
		slices.EqualFunc(a.sessions, mapped.sessions, func(s, t abstractSession) bool { return s.id == t.id && s.lost == t.lost })
	return same && !mapped.any(func(q *wish) bool {
		i, known := a.byID[q.queue]
		return !known || !q.agrees(&a.queues[i])
	})
}

func (q *wish) agrees(o *wish) bool { return q.place == o.place && q.session == o.session }

// change describes the model's state before and after the step that is over, of the queues only those that it moved.
func (f *refinement) change() (before, after string) {
	var was, is []wish
	for _, moved := range f.moved {
		q := f.queues[moved.queue]
		if slices.ContainsFunc(is, func(o wish) bool { return o.number == q.number }) {
			continue
		}
		is = append(is, q)
		q.place, q.session = moved.place, moved.session
		was = append(was, q)
	}
	return f.before.describe(was), f.describe(is)
}

// describe is the state in a line, with some of its queues.
func (a *abstract) describe(queues []wish) string {
	text := []string{a.client.String()}
	if a.current != "" {
		text[0] += " " + short(a.current)
	}
	for _, s := range a.sessions {
		if s.lost {
			text = append(text, "handler of "+short(s.id)+" due")
		} else if s.id != a.current {
			text = append(text, short(s.id)+" live")
		}
	}
	text = append(text, fmt.Sprintf("%d pending, %d active, %d counted, %d included", a.in[pending], a.in[active], a.in[counted], a.in[included]))
	for i := range queues {
		q := "queue " + shortID(queues[i].queue) + " " + queues[i].place.String()
		if queues[i].session != "" {
			q += " on " + short(queues[i].session)
		}
		text = append(text, q)
	}
	if a.service.session != "" {
		text = append(text, "service active on "+short(a.service.session))
	}
	if a.isServicePending() {
		text = append(text, fmt.Sprintf("service %v pending", a.pending))
	}
	if a.worker {
		text = append(text, "a worker")
	}
	if a.calls > 0 {
		text = append(text, fmt.Sprintf("%d calls", a.calls))
	}
	return strings.Join(text, ", ")
}

// names are those of what the agent has told.
func names(told []agent.Transition) string {
	text := make([]string, len(told))
	for i, t := range told {
		if text[i] = "return of a call"; t != nil {
			text[i] = strings.TrimPrefix(fmt.Sprintf("%T", t), "agent.")
		}
	}
	return strings.Join(text, ", ")
}
