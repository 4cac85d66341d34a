package models

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

func livenessBreaches() []breach {
	return []breach{
		{id: "L1", name: "the router does not have what is active", last: func(p *play) {
			p.m.Healed()
			p.w.elapsed += p.m.bound.subscribe(2)
			p.m.Live(func(protocol.Router, protocol.QueueID) net.SessionID { return "" })
		}},
		{id: "L2", name: "a worker ends while something is pending", before: attempted, last: func(p *play) {
			p.see(agent.WorkerRemoved{Router: home, Var: 1, Idle: true})
		}},
		{id: "L2", name: "time passes with something pending and nobody there", before: func(p *play) {
			p.connect(s1, nil)
			p.want("k", 1).Return(agent.ErrPending)
			p.pass(time.Millisecond)
		}, last: func(p *play) { p.pass(time.Millisecond) }},
		{id: "L3", name: "a worker tries again without its sleep", before: attempted, last: func(p *play) {
			p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 2})
		}},
		{id: "L3", name: "a worker does nothing", before: func(p *play) {
			p.connect(s1, nil)
			p.want("k", 1).Return(agent.ErrPending)
			p.see(agent.WorkerPut{Router: home, Var: 1})
			p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 1})
		}, last: func(p *play) { p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: time.Second}) }},
		{id: "L3", name: "a worker leaves the asking to a call", before: func(p *play) {
			p.connect(s1, nil)
			p.want("k", 1).Return(agent.ErrPending)
			p.see(agent.WorkerPut{Router: home, Var: 1})
			p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 1})
			p.see(agent.WorkerConnected{Router: home, Var: 1, Session: s1})
			p.ask(s1, "k", 1)
		}, last: func(p *play) { p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: time.Second}) }},
		{id: "L4", name: "a request waits beyond its timeout", before: func(p *play) { pendingOn(p) }, last: func(p *play) { p.pass(31 * time.Second) }},
		{id: "L4", name: "a remove call waits", before: func(p *play) { p.m.Remove(home, qids(1)) }, last: func(p *play) { p.pass(time.Millisecond) }},
		{id: "L5", name: "nobody fills the variable", before: func(p *play) { p.dial() }, last: func(p *play) { p.pass(46 * time.Second) }},
		{id: "L6", name: "an event is never delivered", before: func(p *play) {
			p.delivering = false
			p.connect(s1, nil)
			p.pass(time.Second)
		}, last: func(p *play) { p.pass(time.Second) }},
		{id: "L7", name: "a silent peer is kept", last: func(p *play) { p.pass(p.m.bound.deadPeer + time.Second) }},
		{id: "L8", name: "a connection is open at rest that no session has", before: func(p *play) {
			twoActive(p)
			p.m.opened(home, net.Session{ID: s2})
		}, last: func(p *play) {
			p.m.Settled(func() agent.Snapshot { return agent.Snapshot{Routers: []agent.RouterSnapshot{p.snapshot()}} }, func() int { return 5 })
		}},
		{id: "L8", name: "a task is left at rest", last: func(p *play) {
			p.m.Settled(func() agent.Snapshot { return agent.Snapshot{Routers: []agent.RouterSnapshot{p.snapshot()}} }, func() int { return 6 })
		}},
		{id: "L9", name: "a queue of a service that went is not subscribed again", before: func(p *play) {
			p.connect(s1, &other)
			p.m.HandOver(home, qids(1))
			call := p.wantService(sub(1))
			p.see(serviceDone(s1, protocol.CorrelationID{}, sub(1), agent.SubUnavailable, nil)...)
			call.Return(nil)
			p.m.Healed()
		}, last: func(p *play) {
			p.w.elapsed += p.m.bound.subscribe(1)
			p.m.Live(func(protocol.Router, protocol.QueueID) net.SessionID { return "" })
		}},
	}
}

func TestBoundsAreThoseOfTheDefaults(t *testing.T) {
	b := newBounds(agent.DefaultConfig(protocol.RecipientService))

	require.Equal(t, 10*time.Minute+3*(10*time.Minute+30*time.Second), b.deadPeer)
	require.Equal(t, 1, b.blocks(136))
	require.Equal(t, 10+2, b.blocks(1360+137))
	require.Equal(t, b.deadPeer+30*time.Second+45*time.Second+10*time.Second+3*30*time.Second, b.subscribe(137))
}

func TestAGoodStoryPasses(t *testing.T) {
	p := newPlay(t)
	twoActive(p)
	p.compare(p.snapshot())
	p.lose(s1)
	p.disconnect(s1, 1, 2)
	p.see(agent.WorkerPut{Router: home, Var: 1})
	p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 1})
	p.refuse()
	p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: time.Second})
	p.pass(31 * time.Second)
	p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 2})
	p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedExpired})
	p.connect(s2, nil)
	requests := []protocol.Request{{Queue: qid(1), Key: "k", Command: protocol.SUB}, {Queue: qid(2), Key: "k", Command: protocol.SUB}}
	p.see(agent.WorkerConnected{Router: home, Var: 1, Session: s2}, agent.RequestsBegun{Router: home, Session: s2, Requests: requests})
	ids := p.send(s2, requests)
	p.answer(s2, confirm(ids[0], 1))
	p.answer(s2, refusal(ids[1], 2, auth))
	gone := result(2, "k", ids[1], agent.SubFailed)
	gone.Err = auth
	failed := event(agent.SubError, s2)
	failed.Event.Errors = []agent.QueueError{{Queue: qid(2), Err: auth}}
	p.see(committed(s2, result(1, "k", ids[0], agent.SubActivated), gone), event(agent.Subscribed, s2, qid(1)), failed)
	p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: time.Second})
	p.pass(time.Second)
	p.see(agent.WorkerRemoved{Router: home, Var: 1, Idle: true})
	p.m.Healed()

	require.Zero(t, p.m.Live(func(protocol.Router, protocol.QueueID) net.SessionID { return s2 }))
	require.Empty(t, p.m.Finish())
	p.passes()
}

func TestAGoodStoryOfAServicePasses(t *testing.T) {
	p := newPlay(t)
	withService(p)
	p.count(s1, 1, sub(3).With(qid(1)))
	p.count(s1, 2, sub(3).With(qid(1)).With(qid(2)))
	left := sub(3).With(qid(2))
	call := p.m.Remove(home, qids(1))
	p.see(agent.QueuesRemoved{Router: home, Queues: qids(1), Figures: &left})
	call.Return(nil)
	p.lose(s1)
	lost := event(agent.ServiceDisconnected, s1)
	lost.Event.Figures = &left
	p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedDisconnected},
		agent.ServiceDemoted{Router: home, Session: s1, Sub: left, Pending: true}, lost,
		agent.SessionEnded{Router: home, Session: s1}, event(agent.Disconnected, s1))
	p.see(agent.WorkerPut{Router: home, Var: 1})
	p.connect(s2, &service)
	id := p.askService(s2, left)
	p.answer(s2, protocol.Response{Correlation: id, Kind: protocol.SOKS, Count: left.Count, Hash: left.Hash})
	p.see(serviceDone(s2, id, left, agent.SubActivated, nil)...)
	p.m.Healed()

	require.Zero(t, p.m.Live(func(protocol.Router, protocol.QueueID) net.SessionID { return s2 }))
	require.Empty(t, p.m.Finish())
	p.passes()
}

// TestWaitsAreJudgedSinceNobodyIsHeldUp: a request waits for 40 s, over its timeout of 30 s; for the first 20 s somebody is held up.
func TestWaitsAreJudgedSinceNobodyIsHeldUp(t *testing.T) {
	p := newPlay(t)
	since, ok := time.Duration(0), false
	p.m.FreeSince = func() (time.Duration, bool) { return since, ok }
	pendingOn(p)

	p.pass(20 * time.Second)
	p.pass(20 * time.Second)
	require.Empty(t, p.w.messages, "while somebody is")

	since, ok = p.w.elapsed-20*time.Second, true
	p.pass(time.Millisecond)
	require.Empty(t, p.w.messages, "20 s after nobody is")

	p.pass(11 * time.Second)
	require.Equal(t, []string{"L4"}, p.w.failed[:1])
}
