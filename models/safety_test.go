package models

import (
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

var (
	auth = &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}
	busy = &protocol.Error{Kind: protocol.IO, Detail: "busy"}
)

// breach is a short story: what happens before is right, and last violates the property.
type breach struct {
	id, name string
	change   func(*Options)
	before   func(p *play) // nil: a session with queues 1 and 2 active
	last     func(p *play)
}

func twoActive(p *play) {
	p.connect(s1, nil)
	p.subscribe(s1, "k", 1, 2)
}

// pendingOn has queue 1 pending and asked for on the first session.
func pendingOn(p *play) protocol.CorrelationID {
	p.connect(s1, &service)
	p.want("k", 1)
	return p.ask(s1, "k", 1)[0]
}

func withService(p *play) {
	p.connect(s1, &service)
	p.subscribeService(s1, sub(3))
}

func sub(count int64) protocol.ServiceSub {
	return protocol.ServiceSub{Service: service, Count: count, Hash: protocol.IDsHash{byte(count)}}
}

func noErrorsKept(o *Options) { o.Config.PersistError = 0 }

func breaches() []breach {
	return []breach{
		{id: "S1", name: "an answer is committed for a session that is not current", before: func(p *play) {
			twoActive(p)
			p.lose(s1)
			p.disconnect(s1, 1, 2)
			p.see(agent.WorkerPut{Router: home, Var: 1})
			p.connect(s2, nil)
			id := p.ask(s2, "k", 1)[0]
			p.answer(s2, confirm(id, 1))
			p.lose(s2)
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
		}, last: func(p *play) {
			p.see(committed(s2, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)), event(agent.Subscribed, s2, qid(1)))
		}},
		{id: "S1", name: "an answer of the current session is refused", before: func(p *play) { pendingOn(p) }, last: func(p *play) {
			p.see(agent.ResultsRefused{Router: home, Session: s1, Queues: qids(1)})
		}},
		{id: "S2", name: "a disconnect demotes the queues of a newer session", before: func(p *play) {
			p.connect(s1, nil)
			p.lose(s1)
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
			p.connect(s2, nil)
			p.subscribe(s2, "k", 1)
		}, last: func(p *play) {
			p.see(agent.SessionEnded{Router: home, Session: s1, Queues: qids(1)}, event(agent.Disconnected, s1, qid(1)))
		}},
		{id: "S3", name: "a stale holder removes a newer variable", last: func(p *play) {
			p.see(agent.VariableRemoved{Router: home, Var: p.variable + 1, Reason: agent.RemovedLost})
		}},
		{id: "S4", name: "a second attempt begins", last: func(p *play) { p.see(agent.ConnectStarted{Router: home, Var: p.variable + 1, At: p.now()}) }},
		{id: "S4", name: "a second live connection", before: func(p *play) {
			twoActive(p)
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
		}, last: func(p *play) { p.connect(s2, nil) }},
		{id: "S4", name: "a second worker", before: func(p *play) {
			p.connect(s1, nil)
			p.want("k", 1)
			p.see(agent.WorkerPut{Router: home, Var: 1})
		}, last: func(p *play) { p.see(agent.WorkerPut{Router: home, Var: 2}) }},
		{id: "S5", name: "a subscribe call returns and has recorded nothing", before: func(p *play) { p.connect(s1, nil) }, last: func(p *play) {
			p.m.Subscribe(home, []agent.QueueSub{{Queue: qid(1), Key: "k"}}).Return(nil)
		}},
		{id: "S5", name: "a demotion leaves a queue of the service to another one", before: func(p *play) {
			withService(p)
			p.count(s1, 1, sub(3).With(qid(1)))
			p.wantService(protocol.ServiceSub{Service: other})
			p.lose(s1)
		}, last: func(p *play) {
			figures := sub(3).With(qid(1))
			e := event(agent.ServiceDisconnected, s1)
			e.Event.Figures = &figures
			p.see(agent.ServiceDemoted{Router: home, Session: s1, Sub: figures}, e)
		}},
		{id: "S6", name: "a disconnect leaves a queue behind", last: func(p *play) {
			p.lose(s1)
			p.disconnect(s1, 1)
		}},
		{id: "S7", name: "a demotion overwrites what is pending", before: func(p *play) {
			withService(p)
			p.wantService(sub(9))
			p.lose(s1)
		}, last: func(p *play) {
			figures := sub(3)
			e := event(agent.ServiceDisconnected, s1)
			e.Event.Figures = &figures
			p.see(agent.ServiceDemoted{Router: home, Session: s1, Sub: figures, Pending: true}, e)
		}},
		{id: "S7", name: "a result clears another value", before: func(p *play) {
			p.connect(s1, &service)
			p.wantService(sub(3))
			p.confirmService(s1, sub(3))
			p.wantService(sub(4))
		}, last: func(p *play) {
			p.see(serviceDone(s1, protocol.CorrelationID{p.asked}, sub(3), agent.SubActivated, nil)...)
		}},
		{id: "S8", name: "a queue is counted twice", before: withService, last: func(p *play) {
			p.count(s1, 1, sub(3).With(qid(1)).With(qid(1)))
		}},
		{id: "S8", name: "a queue counts though figures came behind its answer", before: func(p *play) {
			p.connect(s1, &service)
			p.want("k", 1)
			id := p.ask(s1, "k", 1)[0]
			p.answer(s1, protocol.Response{Correlation: id, Queue: qid(1), Kind: protocol.SOK, Service: &service})
			p.subscribeService(s1, sub(3))
		}, last: func(p *play) {
			t := committed(s1, result(1, "k", protocol.CorrelationID{1}, agent.SubCounted))
			figures := sub(3).With(qid(1))
			t.Figures = &figures
			e := event(agent.Subscribed, s1, qid(1))
			e.Event.Service, e.Event.Figures = &service, &figures
			p.see(t, e)
		}},
		{id: "S8", name: "a queue counts though figures that nobody wanted came behind its answer", before: func(p *play) {
			p.connect(s1, &service)
			p.want("k", 1)
			id := p.ask(s1, "k", 1)[0]
			p.answer(s1, protocol.Response{Correlation: id, Queue: qid(1), Kind: protocol.SOK, Service: &service})
			id = p.confirmService(s1, sub(3))
			p.see(serviceUntaken(s1, id, sub(3), agent.SubNotPending))
		}, last: func(p *play) {
			t := committed(s1, result(1, "k", protocol.CorrelationID{1}, agent.SubCounted))
			figures := protocol.ServiceSub{Service: service}.With(qid(1))
			t.Figures = &figures
			e := event(agent.Subscribed, s1, qid(1))
			e.Event.Service, e.Event.Figures = &service, &figures
			p.see(t, e)
		}},
		{id: "S8", name: "figures are taken though others that nobody wanted came behind them", before: func(p *play) {
			p.connect(s1, &service)
			p.wantService(sub(3))
			p.confirmService(s1, sub(3))
			id := p.confirmService(s1, sub(4))
			p.see(serviceUntaken(s1, id, sub(4), agent.SubOutdated))
		}, last: func(p *play) {
			p.see(serviceDone(s1, protocol.CorrelationID{1}, sub(3), agent.SubActivated, nil)...)
		}},
		{id: "S8", name: "older figures take the place of newer", before: func(p *play) {
			p.connect(s1, &service)
			p.wantService(sub(3))
			p.confirmService(s1, sub(3))
			p.subscribeService(s1, sub(3))
			p.wantService(sub(3))
		}, last: func(p *play) {
			p.see(serviceDone(s1, protocol.CorrelationID{1}, sub(3), agent.SubActivated, nil)...)
		}},
		{id: "S8", name: "a queue counts under the service that was not confirmed under it", before: withService, last: func(p *play) {
			p.want("k", 1)
			id := p.ask(s1, "k", 1)[0]
			p.answer(s1, confirm(id, 1))
			t := committed(s1, result(1, "k", id, agent.SubCounted))
			figures := sub(3).With(qid(1))
			t.Figures = &figures
			e := event(agent.Subscribed, s1, qid(1))
			e.Event.Service, e.Event.Figures = &service, &figures
			p.see(t, e)
		}},
		{id: "S9", name: "a temporary error ends the wish", before: func(p *play) { p.answer(s1, refusal(pendingOn(p), 1, busy)) }, last: func(p *play) {
			e := event(agent.SubError, s1)
			e.Event.Errors = []agent.QueueError{{Queue: qid(1), Err: busy}}
			res := result(1, "k", protocol.CorrelationID{p.asked}, agent.SubFailed)
			res.Err = busy
			p.see(committed(s1, res), e)
		}},
		{id: "S9", name: "a permanent error is kept pending", before: func(p *play) { p.answer(s1, refusal(pendingOn(p), 1, auth)) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubTemporary)))
		}},
		{id: "S9", name: "a permanent error has no event", before: func(p *play) { p.answer(s1, refusal(pendingOn(p), 1, auth)) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubFailed)))
			p.see(agent.QueuesRemoved{Router: home, Queues: qids(7)})
		}},
		{id: "S10", name: "a transition has no event", before: func(p *play) { p.answer(s1, confirm(pendingOn(p), 1)) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)))
			p.see(agent.QueuesRemoved{Router: home, Queues: qids(7)})
		}},
		{id: "S10", name: "a transition has no event when its step is over", before: func(p *play) { p.answer(s1, confirm(pendingOn(p), 1)) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)))
			p.m.Tick()
		}},
		{id: "S10", name: "an event tells of another queue", before: func(p *play) { p.answer(s1, confirm(pendingOn(p), 1)) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)), event(agent.Subscribed, s1, qid(2)))
		}},
		{id: "S10", name: "an event comes twice", last: func(p *play) { p.see(event(agent.Subscribed, s1, qid(1))) }},
		{id: "S10", name: "events are consumed out of turn", before: func(p *play) {
			p.delivering = false
			p.connect(s1, nil)
			p.lose(s1)
			p.disconnect(s1)
		}, last: func(p *play) { p.see(agent.EventDelivered{Event: event(agent.Disconnected, s1).Event}) }},
		{id: "S10", name: "the list of an event changes before it is consumed", before: func(p *play) {
			twoActive(p)
			p.delivering = false
			p.lose(s1)
			p.disconnect(s1, 1, 2)
		}, last: func(p *play) {
			changed := event(agent.Disconnected, s1, qids(1, 2)...).Event
			lists := p.m.inAgent.items
			changed.Queues = unsafe.Slice((*protocol.QueueID)(lists[len(lists)-1].data), 2)
			changed.Queues[0] = qid(7)
			p.see(agent.EventDelivered{Event: changed})
		}},
		{id: "S11", name: "a queue is confirmed without an answer", before: func(p *play) { pendingOn(p) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)), event(agent.Subscribed, s1, qid(1)))
		}},
		{id: "S11", name: "a queue is confirmed by another's answer", before: func(p *play) {
			p.connect(s1, nil)
			p.want("k", 1, 2)
			ids := p.ask(s1, "k", 1, 2)
			p.answer(s1, confirm(ids[0], 1))
		}, last: func(p *play) {
			p.see(committed(s1, result(2, "k", protocol.CorrelationID{1}, agent.SubActivated)), event(agent.Subscribed, s1, qid(2)))
		}},
		{id: "S12", name: "a closed agent connects", before: func(p *play) {
			p.see(agent.CloseBegan{})
			p.see(agent.CloseReturned{})
		}, last: func(p *play) { p.see(agent.ConnectStarted{Router: home, Var: 1, At: p.now()}) }},
		{id: "S12", name: "a closed agent leaves a connection", last: func(p *play) {
			c := p.m.Close()
			p.see(agent.CloseBegan{})
			p.see(agent.CloseReturned{})
			c.Return(nil)
		}},
		{id: "S13", name: "an attempt begins before the error expires", before: func(p *play) {
			p.refuse()
			p.w.elapsed += 29 * time.Second
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedExpired})
		}, last: func(p *play) { p.dial() }},
		{id: "S13", name: "an expired error is answered", before: func(p *play) {
			p.refuse()
			p.w.elapsed += 30 * time.Second
		}, last: func(p *play) { p.see(agent.ErrorAnswered{Router: home, Var: p.variable, Expiry: p.now(), At: p.now()}) }},
		{id: "S13", name: "an error is kept with interval 0", change: noErrorsKept, before: func(p *play) {}, last: func(p *play) {
			p.dial()
			p.see(agent.ConnectFailed{Router: home, Var: p.variable, At: p.now()})
			p.see(agent.QueuesRemoved{Router: home, Queues: qids(7)})
		}},
		{id: "S14", name: "an answer brings a removed queue back", before: func(p *play) {
			p.answer(s1, confirm(pendingOn(p), 1))
			p.see(agent.QueuesRemoved{Router: home, Queues: qids(1)})
		}, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)), event(agent.Subscribed, s1, qid(1)))
		}},
		{id: "S14", name: "a remove call returns and the queue is still there", last: func(p *play) { p.m.Remove(home, qids(1)).Return(nil) }},
		{id: "S15", name: "an answer for an older key is committed", before: func(p *play) {
			p.answer(s1, confirm(pendingOn(p), 1))
			p.want("new", 1)
		}, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)), event(agent.Subscribed, s1, qid(1)))
		}},
		{id: "S15", name: "an older key is recorded again", before: func(p *play) {
			p.connect(s1, nil)
			p.want("k", 1)
			p.want("new", 1)
		}, last: func(p *play) {
			p.see(agent.QueuesWanted{Router: home, Queues: []agent.QueueSub{{Queue: qid(1), Key: "k"}}})
		}},
		{id: "S16", name: "a queue is active and pending at once", last: func(p *play) {
			r := p.snapshot()
			r.Pending = []agent.QueueSub{{Queue: qid(1), Key: "k"}}
			p.m.s16Disjoint(p.m.router(home), &r)
		}},
		{id: "S17", name: "a sleep is not the one that is due", before: attempted, last: func(p *play) {
			p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: 2 * time.Second})
		}},
		{id: "S17", name: "a sleep is cut short", before: func(p *play) {
			attempted(p)
			p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: time.Second})
			p.w.elapsed += time.Second / 2
		}, last: func(p *play) { p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 2}) }},
		{id: "S18", name: "END of an old session counts", before: func(p *play) {
			twoActive(p)
			p.carry(s1, protocol.Response{Kind: protocol.END, Queue: qid(1)})
			p.lose(s1)
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
		}, last: func(p *play) {
			p.see(agent.QueueEnded{Router: home, Session: s1, Queue: qid(1), Reason: protocol.END, Accepted: true}, ended(1, protocol.END))
		}},
		{id: "S18", name: "END of the current session does not count while the handler of the one before is due", before: func(p *play) {
			withService(p)
			p.count(s1, 1, sub(3).With(qid(1)))
			p.lose(s1)
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
			p.connect(s2, &service)
			p.carry(s2, protocol.Response{Kind: protocol.END, Queue: qid(1)})
		}, last: func(p *play) {
			p.see(agent.QueueEnded{Router: home, Session: s2, Queue: qid(1), Reason: protocol.END})
		}},
		{id: "S18", name: "DELD does not count", last: func(p *play) {
			p.carry(s1, protocol.Response{Kind: protocol.DELD, Queue: qid(1)})
			p.see(agent.QueueEnded{Router: home, Session: s1, Queue: qid(1), Reason: protocol.DELD})
		}},
		{id: "S18", name: "END that came before the commit is forgotten", before: func(p *play) {
			p.answer(s1, confirm(pendingOn(p), 1))
			p.carry(s1, protocol.Response{Kind: protocol.END, Queue: qid(1)})
			p.see(agent.QueueEnded{Router: home, Session: s1, Queue: qid(1), Reason: protocol.END})
		}, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{p.asked}, agent.SubActivated)), event(agent.Subscribed, s1, qid(1)))
		}},
		{id: "linearizable", name: "a router tells its owner that it is not", last: func(p *play) {
			p.m.ownerships.Point(p.m.queue(p.m.router(home), qid(1)).ownership, 0, 1, OwnerCall{Op: OwnerEnd, Session: string(s1), Known: true})
			p.m.Finish()
		}},
		{id: "snapshot", name: "the agent has another session than it says", last: func(p *play) {
			r := p.snapshot()
			r.Session = s2
			p.compare(r)
		}},
		{id: "refinement", name: "an action has no place in the model's state", change: refinementOnly, before: func(p *play) { p.connect(s1, nil) }, last: func(p *play) {
			p.see(committed(s1, result(1, "k", protocol.CorrelationID{1}, agent.SubActivated)))
			p.m.Tick()
		}},
		{id: "refinement", name: "the handler of an old session removes the client of a newer one", change: refinementOnly, before: func(p *play) {
			p.connect(s1, nil)
			p.lose(s1)
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
			p.connect(s2, nil)
		}, last: func(p *play) {
			p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedDisconnected}, agent.SessionEnded{Router: home, Session: s1})
			p.m.Tick()
		}},
		{id: "refinement", name: "the current session has no handler any more", change: refinementOnly, before: func(p *play) {
			p.connect(s1, nil)
			p.lose(s1)
		}, last: func(p *play) {
			p.see(agent.SessionEnded{Router: home, Session: s1})
			p.m.Tick()
		}},
		{id: "refinement", name: "a critical section leaves something pending to nobody", change: refinementOnly, before: func(p *play) {
			twoActive(p)
			p.lose(s1)
			p.disconnect(s1, 1, 2)
		}, last: func(p *play) {
			p.dial()
			p.m.Tick()
		}},
		{id: "refinement", name: "a call leaves something pending to nobody", change: refinementOnly, before: func(p *play) { p.connect(s1, nil) }, last: func(p *play) {
			p.want("k", 1).Return(agent.ErrPending)
			r := p.snapshot()
			r.Active, r.Pending = nil, []agent.QueueSub{{Queue: qid(1), Key: "k"}}
			p.compare(r)
		}},
		{id: "refinement", name: "a closed agent changes", change: refinementOnly, before: func(p *play) {
			p.see(agent.CloseBegan{})
			p.see(agent.CloseReturned{})
		}, last: func(p *play) {
			p.dial()
			p.m.Tick()
		}},
		{id: "refinement", name: "a snapshot is another state", change: refinementOnly, last: func(p *play) {
			r := p.snapshot()
			r.Pending, r.Active = []agent.QueueSub{{Queue: qid(2), Key: "k"}}, r.Active[:1]
			p.compare(r)
		}},
	}
}

func refinementOnly(o *Options) { o.World.(*fakeWorld).only = "refinement" }

// attempted has a worker that has made its first attempt, and a request.
func attempted(p *play) {
	p.connect(s1, nil)
	p.want("k", 1).Return(agent.ErrPending)
	p.see(agent.WorkerPut{Router: home, Var: 1})
	p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: 1})
	requests := []protocol.Request{{Queue: qid(1), Key: "k", Command: protocol.SUB}}
	p.see(agent.WorkerConnected{Router: home, Var: 1, Session: s1}, agent.RequestsBegun{Router: home, Session: s1, Requests: requests})
	p.send(s1, requests)
}

func ended(i int, reason protocol.Kind) agent.EventQueued {
	e := event(agent.Ended, s1, qid(i))
	e.Event.Reason = reason
	return e
}

// snapshot is that of an agent after twoActive.
func (p *play) snapshot() agent.RouterSnapshot {
	return agent.RouterSnapshot{
		Router: home, Client: agent.ClientConnected, ClientVar: p.variable, Session: s1,
		Active:   []agent.ActiveQueue{{Queue: qid(1), Key: "k", Session: s1}, {Queue: qid(2), Key: "k", Session: s1}},
		Sessions: []agent.SessionSnapshot{{Session: s1, Var: p.variable}},
	}
}

func (p *play) compare(r agent.RouterSnapshot) {
	p.m.Compare(func() agent.Snapshot { return agent.Snapshot{Routers: []agent.RouterSnapshot{r}} })
}

func TestEachPropertyCanFail(t *testing.T) {
	for _, b := range append(breaches(), livenessBreaches()...) {
		t.Run(b.id+" "+b.name, func(t *testing.T) {
			change := b.change
			if change == nil {
				change = func(*Options) {}
			}
			p := newPlay(t, change)
			if b.before == nil {
				b.before = twoActive
			}
			b.before(p)
			p.passes()

			b.last(p)

			noticed := p.w.failed
			if b.id != "refinement" { // which has a second opinion on what others notice
				noticed = slices.DeleteFunc(noticed, func(id string) bool { return id == "refinement" })
			}
			require.NotEmpty(t, noticed, "nothing was noticed")
			for _, id := range noticed {
				require.Equal(t, b.id, id, "%v", p.w.messages)
			}
		})
	}
}

func TestEveryPropertyHasABreach(t *testing.T) {
	covered := map[string]bool{}
	for _, b := range append(breaches(), livenessBreaches()...) {
		covered[b.id] = true
	}
	for _, p := range Properties() {
		require.True(t, covered[p.ID], "no test breaks %s", p.ID)
	}
}
