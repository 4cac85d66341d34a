// Package models says what correct means: a Monitor that judges one agent in a run by the properties S1 to S18 and L1 to L9,
// and sequential specifications for porcupine.
//
// A scenario makes a Monitor for each run and wires it in at five places:
//
//	part := w.Shared("monitor")
//	m := models.NewMonitor(models.Options{World: part, Config: config})
//	part.AfterStep(m.Tick)
//	env := agent.Environment{..., Dialer: m.Dialer(network.Dialer(node)), Observer: m}     // what the agent's network carries
//	r := router.New(router.Options{..., OnOwner: m.Owner(id)})                              // what the router grants
//	call := m.Subscribe(id, queues); err := a.SubscribeQueues(ctx, id, queues); call.Return(err) // also SubscribeService, Remove, Close
//	m.HandOver(id, queues)                                                                   // queues that the service is to cover
//	event, _ := a.Events().Recv(); m.Consumed(event)                                         // each event, as it is consumed
//
//	m.Crashed()                                 // when the agent's node crashes: nothing is owed any more
//	m.Compare(a.Snapshot)                       // at any time; where nothing moved meanwhile it is compared with the shadow
//	w.Heal(); m.Healed()
//	for d := m.Live(owner); d > 0; d = m.Live(owner) { sleep d }                             // L1, L9, ownership
//	m.Compare(a.Snapshot); m.Settled(a.Snapshot, tasks)                                      // at rest: S10, L8
//	call := m.Close(); a.Close(); call.Return(nil); m.Finish()                               // S12, histories
package models

import (
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// World is the run that a Monitor judges. *sim.World is one, and so is *sim.Shared.
type World interface {
	Fail(property, format string, args ...any)
	Exhibit(property, name string, content func() ([]byte, error))
	Sometimes(id string)
	Reached(kind string, number uint64)
	Step() int64
	Elapsed() time.Duration
	Inline(f func())
	Observe(f func())
	// Touch says that the step under way reads or writes what Inline and Observe are about: see sim.Shared.
	Touch()
}

// Options of a Monitor. World and Config must be set.
type Options struct {
	World  World
	Config agent.Config
	// FreeSince says since when none of the agent's tasks is held up by a fault, and false while one is: waits are judged from then on,
	// since a task that is held up is late without being wrong. Nil if none ever is. *sim.Node has it.
	FreeSince func() (since time.Duration, ok bool)
	// Jumps says that clocks may jump in this run: then S13 is judged by the agent's clock alone.
	Jumps bool
	// Part makes a part of what tasks share with the Monitor, as World.Shared of *sim.World does. Then World stands for what the Monitor
	// knows of routers, and parts for what it can be told apart from that; nil: World stands for everything.
	Part func(name string) Part
}

// Part is a part of the state that tasks share with models and checks: see sim.Shared.
type Part interface{ Touch() }

// parts are those of a Monitor's state. What is told about one never changes what is read of another: they have only the clock of the
// Monitor in common, and no time of one is compared with that of another.
type parts uint8

const (
	routers    parts = 1 << iota // what the agent commits under a router's lock, its connections and calls
	wire                         // what the connections carry, the requests that wait for it, and who owns the queues
	handing                      // the events on their way to the application
	everything = routers | wire | handing
)

// touch says which parts are read or written in the step under way.
func (m *Monitor) touch(p parts) {
	if p&routers != 0 || m.Part == nil {
		m.World.Touch()
	}
	if m.Part == nil {
		return
	}
	if p&wire != 0 {
		m.wire.Touch()
	}
	if p&handing != 0 {
		m.handing.Touch()
	}
}

// partsOf are those that a transition is about. The answers that it commits, and the requests that it decides on, are the wire's as well.
func partsOf(t agent.Transition) parts {
	switch t.(type) {
	case agent.RequestsSent, agent.RequestAnswered, agent.RequestsAbandoned, agent.LateResponse, agent.StrayResponse:
		return wire
	case agent.RequestsBegun, agent.ResultsCommitted, agent.ResultsRefused, agent.ServiceCommitted:
		return routers | wire
	case agent.EventQueued:
		return routers | handing
	case agent.EventDelivered:
		return handing
	case agent.CloseBegan, agent.CloseReturned:
		return everything
	}
	return routers
}

// Monitor judges one agent. It implements agent.Observer. It builds a shadow of the agent's state from the agent's transitions,
// from what its network carries, what its routers grant and what the application calls, and holds every transition against the
// shadow: no value of the agent is compared with itself.
//
// A check runs in the step in which the state that it reads changes, and costs no more than what changed. When a property is
// violated the Monitor says so through World.Fail and goes on as the agent does.
//
// A Monitor serves one run and, as the run does, one thread of control.
type Monitor struct {
	Options
	routers  []*router
	last     *router
	changed  *router   // by the transition that is being told
	unjudged []*router // of which the current step has told something that their refinement judges when it is over
	mapped   abstract  // for snapshots
	sessions map[net.SessionID]*session
	time     int64         // counts what is told to the Monitor: the order of everything
	elapsed  time.Duration // as of the last Tick

	closing, closed, crashed, healed bool
	healedAt                         time.Duration
	closes                           []*Call

	queued, delivered, consumed int64
	inAgent, inChannel          ring // events queued and not delivered, delivered and not consumed

	wire, handing Part

	stuck int64 // the time at which l6Delivered last looked

	bound bounds

	registers  *History[RegisterState, RegisterCall]
	variables  *History[VariableState, VariableCall]
	ownerships *History[string, OwnerCall]
	services   *History[ServiceState, ServiceCall]
	processes  int
}

// historyLimit is how many calls of one register are kept once they overlap.
const historyLimit = 128

// historyTries is how many calls may be tried until a history counts as undecided: a second of one processor, or two.
const historyTries = 2_000_000

// NewMonitor makes the Monitor of one run.
func NewMonitor(o Options) *Monitor {
	m := &Monitor{
		Options: o, sessions: make(map[net.SessionID]*session), bound: newBounds(o.Config),
		registers:  NewHistory(Registers(), historyLimit),
		variables:  NewHistory(Variables(), historyLimit),
		ownerships: NewHistory(Ownership(), historyLimit),
		services:   NewHistory(Services(), historyLimit),
	}
	if m.Part != nil {
		m.wire, m.handing = m.Part("wire"), m.Part("handing")
	}
	return m
}

// fail says that a property is violated.
func (m *Monitor) fail(property, format string, args ...any) {
	m.World.Fail(property, format, args...)
}

// inline runs f where the simulation's state may be touched: in a build with the race detector tasks are goroutines of their own, and
// a Monitor has no lock, which would hide races of the agent.
func (m *Monitor) inline(p parts, f func()) {
	m.touch(p)
	if raceEnabled {
		m.World.Inline(f)
		return
	}
	f()
}

// unseen is inline for an f of which the task learns nothing: no edge leads back, so that it hides none of the task's races.
func (m *Monitor) unseen(p parts, f func()) {
	m.touch(p)
	if raceEnabled {
		m.World.Observe(f)
		return
	}
	f()
}

// Observe implements agent.Observer.
func (m *Monitor) Observe(t agent.Transition) {
	m.touch(partsOf(t))
	if raceEnabled {
		m.World.Observe(func() { m.observe(t) })
		return
	}
	m.observe(t)
}

func (m *Monitor) observe(t agent.Transition) {
	m.time++
	m.s12Shutdown(t)
	m.refine(t)
	switch t := t.(type) {
	case agent.RequestsBegun:
		m.requestsBegun(m.router(t.Router), &t)
	case agent.RequestsSent:
		m.requestsSent(m.router(t.Router), &t)
	case agent.RequestAnswered:
		m.requestAnswered(m.router(t.Router), &t)
	case agent.RequestsAbandoned:
		m.requestsAbandoned(m.router(t.Router), &t)
	case agent.LateResponse:
		m.lateResponse(m.router(t.Router), &t)
	case agent.StrayResponse:
	case agent.EventQueued:
		m.eventQueued(&t.Event)
	case agent.EventDelivered:
		m.eventDelivered(&t.Event)
	case agent.QueuesWanted:
		m.queuesWanted(m.change(t.Router), &t)
	case agent.QueuesRemoved:
		m.queuesRemoved(m.change(t.Router), &t)
	case agent.ResultsCommitted:
		m.resultsCommitted(m.change(t.Router), &t)
	case agent.ResultsRefused:
		m.resultsRefused(m.change(t.Router), &t)
	case agent.QueueEnded:
		m.queueEnded(m.change(t.Router), &t)
	case agent.SessionLost:
		m.sessionLost(m.change(t.Router), &t)
	case agent.SessionEnded:
		m.sessionEnded(m.change(t.Router), &t)
	case agent.ConnectStarted:
		m.connectStarted(m.change(t.Router), &t)
	case agent.ClientPublished:
		m.clientPublished(m.change(t.Router), &t)
	case agent.ConnectFailed:
		m.connectFailed(m.change(t.Router), &t)
	case agent.VariableRemoved:
		m.variableRemoved(m.change(t.Router), &t)
	case agent.VariableKept:
		m.variableKept(m.change(t.Router), &t)
	case agent.ErrorAnswered:
		m.errorAnswered(m.change(t.Router), &t)
	case agent.WaitStarted:
		m.waitStarted(m.change(t.Router), &t)
	case agent.WaitEnded:
		m.waitEnded(m.router(t.Router), &t)
	case agent.LateDialClosed:
		m.World.Sometimes("late-dial-closed")
	case agent.ServiceWanted:
		m.serviceWanted(m.change(t.Router), &t)
	case agent.ServiceCommitted:
		m.serviceCommitted(m.change(t.Router), &t)
	case agent.ServiceDemoted:
		m.serviceDemoted(m.change(t.Router), &t)
	case agent.ServiceTaken:
		m.serviceTaken(m.change(t.Router), &t)
	case agent.WorkerPut:
		m.workerPut(m.change(t.Router), &t)
	case agent.WorkerAttempt:
		m.workerAttempt(m.change(t.Router), &t)
	case agent.WorkerConnected:
		m.workerConnected(m.change(t.Router), &t)
	case agent.WorkerSleep:
		m.workerSleep(m.change(t.Router), &t)
	case agent.WorkerRemoved:
		m.workerRemoved(m.change(t.Router), &t)
	case agent.CloseBegan:
		m.closeBegan()
	case agent.CloseReturned:
		m.closed = true
	}
	if m.changed != nil {
		m.step(m.changed)
		m.changed = nil
	}
}

// change is router for a transition that changes its state.
func (m *Monitor) change(id protocol.Router) *router {
	r := m.router(id)
	r.version++
	m.changed = r
	return r
}

// settleSection reports what a critical section that is over has left undone.
func (m *Monitor) settleSection(r *router) {
	m.s10EventMissing(r)
	m.s13VariableGone(r)
	r.owed, r.owesRemoval = r.owed[:0], 0
}

// router finds or makes the shadow of a router. There are few, and the same one is asked for again and again.
func (m *Monitor) router(id protocol.Router) *router {
	if m.last != nil && m.last.id == id {
		return m.last
	}
	for _, r := range m.routers {
		if r.id == id {
			m.last = r
			return r
		}
	}
	r := &router{
		id: id, name: id.FirstHost(), queues: make(map[protocol.QueueID]*queue), needed: -1, dialFailed: -1,
		worker: workerShadow{endedAt: -1}, history: m.variables.Key(id.FirstHost()), services: m.services.Key(id.FirstHost()),
	}
	m.routers, m.last = append(m.routers, r), r
	return r
}

// queue finds or makes the shadow of a queue.
func (m *Monitor) queue(r *router, id protocol.QueueID) *queue {
	q := r.queues[id]
	if q == nil {
		q = &queue{id: id, router: r, name: r.name + "/" + shortID(id)}
		q.register, q.ownership = m.registers.Key(q.name), m.ownerships.Key(q.name)
		r.queues[id] = q
		r.order = append(r.order, q)
	}
	return q
}

// shortID is the end of a queue's id, which is where small ids differ.
func shortID(id protocol.QueueID) string {
	const digits = "0123456789abcdef"
	first := 0
	for first < len(id)-4 && id[first] == 0 {
		first++
	}
	text := make([]byte, 0, 8)
	for _, b := range id[first:min(first+4, len(id))] {
		text = append(text, digits[b>>4], digits[b&15])
	}
	return string(text)
}

// session finds or makes the shadow of a session.
func (m *Monitor) session(r *router, id net.SessionID) *session {
	if r.current != nil && r.current.id == id {
		return r.current
	}
	s := m.sessions[id]
	if s == nil {
		s = &session{id: id, router: r, requests: make(map[protocol.CorrelationID]*request)}
		m.sessions[id] = s
	}
	return s
}

// ID is the session's id; empty for none.
func (s *session) ID() net.SessionID {
	if s == nil {
		return ""
	}
	return s.id
}

// String is the beginning of a session's id: enough to tell sessions of a run apart.
func (s *session) String() string {
	if s == nil {
		return "none"
	}
	return short(s.id)
}

func short(id net.SessionID) string {
	if len(id) > 8 {
		return string(id[:8])
	}
	return string(id)
}
