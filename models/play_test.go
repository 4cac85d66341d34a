package models

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// fakeWorld is a run that only a test drives.
type fakeWorld struct {
	only      string // if set, the one property that is judged
	step      int64
	elapsed   time.Duration
	failed    []string
	messages  []string
	sometimes map[string]bool
	exhibits  map[string]func() ([]byte, error)
}

func (w *fakeWorld) Exhibit(property, name string, content func() ([]byte, error)) {
	w.exhibits = map[string]func() ([]byte, error){property + " " + name: content}
}

func (w *fakeWorld) Fail(property, format string, args ...any) {
	if w.only != "" && w.only != property {
		return
	}
	w.failed = append(w.failed, property)
	w.messages = append(w.messages, property+": "+fmt.Sprintf(format, args...))
}
func (w *fakeWorld) Sometimes(id string)    { w.sometimes[id] = true }
func (w *fakeWorld) Reached(string, uint64) {}
func (w *fakeWorld) Step() int64            { return w.step }
func (w *fakeWorld) Elapsed() time.Duration { return w.elapsed }
func (w *fakeWorld) Inline(f func())        { f() }
func (w *fakeWorld) Observe(f func())       { f() }
func (w *fakeWorld) Touch()                 {}

// play feeds a Monitor by hand: what an agent would say, what its network would carry, what an application would call.
type play struct {
	t          *testing.T
	w          *fakeWorld
	m          *Monitor
	variable   uint64
	asked      byte
	delivering bool // each queued event is delivered and consumed at once
}

var (
	home    = protocol.Router{KeyHash: "hash", Hosts: "one.example.org"}
	service = protocol.ServiceID{'s'}
	other   = protocol.ServiceID{'t'}
	start   = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
)

const (
	s1 net.SessionID = "session1"
	s2 net.SessionID = "session2"
)

func newPlay(t *testing.T, change ...func(*Options)) *play {
	w := &fakeWorld{sometimes: map[string]bool{}}
	c := agent.DefaultConfig(protocol.RecipientService)
	c.Credential = protocol.Credential{Role: protocol.Messaging, CertificateHash: "certificate"}
	o := Options{World: w, Config: c}
	for _, f := range change {
		f(&o)
	}
	return &play{t: t, w: w, m: NewMonitor(o), delivering: true}
}

func qid(i int) protocol.QueueID { return protocol.QueueID{'q', byte(i)} }

func qids(is ...int) []protocol.QueueID {
	ids := make([]protocol.QueueID, len(is))
	for i := range is {
		ids[i] = qid(is[i])
	}
	return ids
}

func (p *play) now() time.Time { return start.Add(p.w.elapsed) }

// see lets the agent say things in one critical section, in a step of its own.
func (p *play) see(transitions ...agent.Transition) {
	p.w.step++
	for _, t := range transitions {
		p.m.Observe(t)
		if e, ok := t.(agent.EventQueued); ok && p.delivering {
			p.m.Observe(agent.EventDelivered{Event: e.Event})
			p.m.Consumed(e.Event)
		}
	}
}

// pass lets virtual time go on.
func (p *play) pass(d time.Duration) {
	p.w.step++
	p.w.elapsed += d
	p.m.Tick()
}

func event(kind agent.EventKind, s net.SessionID, ids ...protocol.QueueID) agent.EventQueued {
	return agent.EventQueued{Event: agent.Event{Kind: kind, Router: home, Session: s, Queues: ids}}
}

// dial begins an attempt to connect.
func (p *play) dial() {
	p.variable++
	p.see(agent.ConnectStarted{Router: home, Var: p.variable, At: p.now()})
	p.m.dialled(home)
}

// connect goes through an attempt to connect that succeeds.
func (p *play) connect(s net.SessionID, grant *protocol.ServiceID) {
	p.dial()
	p.publish(s, grant)
}

func (p *play) publish(s net.SessionID, grant *protocol.ServiceID) {
	p.m.opened(home, net.Session{ID: s, Grant: protocol.EncodeGrant(grant)})
	e := event(agent.Connected, s)
	e.Event.Service = grant
	p.see(agent.ClientPublished{Router: home, Var: p.variable, Session: s, Service: grant}, e)
}

// refuse goes through an attempt to connect that fails.
func (p *play) refuse() {
	p.dial()
	p.m.refused(home)
	p.see(agent.ConnectFailed{Router: home, Var: p.variable, At: p.now(), Expiry: p.now().Add(p.m.Config.PersistError)})
}

// lose ends a connection; its handler has yet to run.
func (p *play) lose(s net.SessionID) {
	p.m.ended(p.m.sessions[s])
	p.m.letGo(p.m.sessions[s])
	p.see(agent.SessionLost{Router: home, Session: s})
}

// want goes through the first half of a subscribe call.
func (p *play) want(key protocol.AuthKey, is ...int) *Call {
	subs := make([]agent.QueueSub, len(is))
	for i := range is {
		subs[i] = agent.QueueSub{Queue: qid(is[i]), Key: key}
	}
	c := p.m.Subscribe(home, subs)
	p.see(agent.QueuesWanted{Router: home, Queues: subs})
	return c
}

// ask sends a request for each queue and answers their correlation ids.
func (p *play) ask(s net.SessionID, key protocol.AuthKey, is ...int) []protocol.CorrelationID {
	requests := make([]protocol.Request, len(is))
	for i := range is {
		requests[i] = protocol.Request{Queue: qid(is[i]), Key: key, Command: protocol.SUB}
	}
	return p.send(s, requests)
}

func (p *play) askService(s net.SessionID, sub protocol.ServiceSub) protocol.CorrelationID {
	return p.send(s, []protocol.Request{{Command: protocol.SUBS, Service: sub}})[0]
}

func (p *play) send(s net.SessionID, requests []protocol.Request) (ids []protocol.CorrelationID) {
	for i := range requests {
		p.asked++
		requests[i].Correlation = protocol.CorrelationID{p.asked}
		ids = append(ids, requests[i].Correlation)
	}
	p.see(agent.RequestsSent{Router: home, Session: s, Requests: requests})
	p.m.sent(p.m.sessions[s], requests)
	return ids
}

// carry lets the network bring something.
func (p *play) carry(s net.SessionID, r protocol.Response) {
	p.m.received(p.m.sessions[s], []protocol.Response{r})
}

// answer lets the network bring an answer, and the agent take it.
func (p *play) answer(s net.SessionID, r protocol.Response) {
	p.carry(s, r)
	p.see(agent.RequestAnswered{Router: home, Session: s, Response: r})
}

func confirm(id protocol.CorrelationID, i int) protocol.Response {
	return protocol.Response{Correlation: id, Queue: qid(i), Kind: protocol.OK}
}

func refusal(id protocol.CorrelationID, i int, e *protocol.Error) protocol.Response {
	return protocol.Response{Correlation: id, Queue: qid(i), Kind: protocol.ERR, Err: e}
}

func result(i int, key protocol.AuthKey, id protocol.CorrelationID, o agent.SubOutcome) agent.QueueResult {
	return agent.QueueResult{Queue: qid(i), Key: key, Correlation: id, Outcome: o}
}

func committed(s net.SessionID, results ...agent.QueueResult) agent.ResultsCommitted {
	return agent.ResultsCommitted{Router: home, Session: s, Results: results}
}

// subscribe goes through a whole subscribe call that succeeds.
func (p *play) subscribe(s net.SessionID, key protocol.AuthKey, is ...int) {
	call := p.want(key, is...)
	ids := p.ask(s, key, is...)
	results := make([]agent.QueueResult, len(is))
	for i := range is {
		p.answer(s, confirm(ids[i], is[i]))
		results[i] = result(is[i], key, ids[i], agent.SubActivated)
	}
	p.see(committed(s, results...), event(agent.Subscribed, s, qids(is...)...))
	call.Return(nil)
}

// wantService begins a subscribe call of a service.
func (p *play) wantService(sub protocol.ServiceSub) *Call {
	call := p.m.SubscribeService(home, sub)
	p.see(agent.ServiceWanted{Router: home, Sub: sub})
	return call
}

// confirmService asks for a service, and answers with the figures that were asked for.
func (p *play) confirmService(s net.SessionID, sub protocol.ServiceSub) (id protocol.CorrelationID) {
	id = p.askService(s, sub)
	p.answer(s, protocol.Response{Correlation: id, Kind: protocol.SOKS, Count: sub.Count, Hash: sub.Hash})
	return id
}

// subscribeService goes through a whole subscribe call of a service that succeeds, and answers what is recorded.
func (p *play) subscribeService(s net.SessionID, sub protocol.ServiceSub) {
	call := p.wantService(sub)
	id := p.confirmService(s, sub)
	p.see(serviceDone(s, id, sub, agent.SubActivated, nil)...)
	call.Return(nil)
}

// serviceDone is what the agent says of an answer that confirmed sub and changed nothing else.
func serviceDone(s net.SessionID, id protocol.CorrelationID, sub protocol.ServiceSub, o agent.SubOutcome, err *protocol.Error) []agent.Transition {
	t := agent.ServiceCommitted{Router: home, Session: s, Correlation: id, Wanted: sub, Outcome: o, Err: err}
	kind := map[agent.SubOutcome]agent.EventKind{
		agent.SubActivated: agent.ServiceSubscribed, agent.SubFailed: agent.ServiceSubError,
		agent.SubUnavailable: agent.ServiceUnavailable, agent.SubEnded: agent.ServiceEnded,
	}[o]
	e := event(kind, s)
	e.Event.Wanted = sub
	switch o {
	case agent.SubActivated:
		t.Confirmed, t.Figures = sub, sub
		e.Event.Confirmed, e.Event.Figures = sub, &sub
	case agent.SubFailed:
		e.Event.Err = err
	}
	return []agent.Transition{t, e}
}

// serviceUntaken is what the agent says of an answer that changed nothing.
func serviceUntaken(s net.SessionID, id protocol.CorrelationID, sub protocol.ServiceSub, o agent.SubOutcome) agent.Transition {
	return agent.ServiceCommitted{Router: home, Session: s, Correlation: id, Wanted: sub, Outcome: o}
}

// count goes through a subscribe call whose queue is counted under the service, which then has these figures.
func (p *play) count(s net.SessionID, i int, figures protocol.ServiceSub) {
	call := p.want("k", i)
	ids := p.ask(s, "k", i)
	p.answer(s, protocol.Response{Correlation: ids[0], Queue: qid(i), Kind: protocol.SOK, Service: &service})
	t := committed(s, result(i, "k", ids[0], agent.SubCounted))
	t.Figures = &figures
	e := event(agent.Subscribed, s, qid(i))
	e.Event.Service, e.Event.Figures = &service, &figures
	p.see(t, e)
	call.Return(nil)
}

// disconnect runs the handler of a session, with these queues demoted.
func (p *play) disconnect(s net.SessionID, is ...int) {
	p.see(agent.VariableRemoved{Router: home, Var: p.m.sessions[s].variable, Reason: agent.RemovedDisconnected},
		agent.SessionEnded{Router: home, Session: s, Queues: qids(is...)}, event(agent.Disconnected, s, qids(is...)...))
}

// passes says that nothing was violated.
func (p *play) passes() {
	p.t.Helper()
	require.Empty(p.t, p.w.messages)
}
