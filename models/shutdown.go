package models

import (
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	router_ "github.com/heddle-go/heddle/models/router"
)

func (m *Monitor) closeBegan() {
	m.closing = true
	for _, r := range m.routers {
		if r.client == connecting {
			m.World.Sometimes("closed-during-connect")
		}
		if r.waiting > 0 {
			m.World.Sometimes("closed-during-request")
		}
		if r.worker.phase == workerSleeping {
			m.World.Sometimes("closed-during-backoff")
		}
	}
}

// Crashed tells the Monitor that the agent's process has ended. What held until then has been judged; nothing is owed any more.
func (m *Monitor) Crashed() {
	m.inline(everything, func() { m.closing, m.crashed = true, true })
}

// s12Shutdown reads whether the agent is closed: from then on it may neither connect nor commit. What its calls under way say when they
// give up is neither.
func (m *Monitor) s12Shutdown(t agent.Transition) {
	if !m.closed {
		return
	}
	switch t := t.(type) {
	case agent.ConnectStarted, agent.ClientPublished, agent.ConnectFailed, agent.QueuesWanted, agent.QueuesRemoved, agent.ServiceWanted,
		agent.ServiceCommitted, agent.ServiceDemoted, agent.SessionEnded, agent.WorkerPut, agent.WorkerAttempt, agent.WorkerSleep,
		agent.RequestsSent, agent.EventQueued, agent.EventDelivered:
		m.fail("S12", "%T after the agent was closed", t)
	case agent.ResultsCommitted:
		if len(t.Results) > 0 {
			m.fail("S12", "answers were committed after the agent was closed")
		}
	case agent.QueueEnded:
		if t.Accepted {
			m.fail("S12", "%s was accepted after the agent was closed", t.Reason)
		}
	case agent.ServiceTaken:
		if t.Accepted {
			m.fail("S12", "ENDS was accepted after the agent was closed")
		}
	}
}

// s12Closed reads which connections the agent has, when a call of Close has returned.
func (m *Monitor) s12Closed() {
	for _, r := range m.routers {
		if len(r.opened) > 0 {
			m.fail("S12", "router %s: the connection of session %s is not closed when a call of Close has returned", r.name, r.opened[0])
		}
	}
}

// Finish judges the end of a run: what a closed agent has left (S12), events that no critical section queued (S10), and whether the
// histories are linearizable. It returns the keys that could not be decided, which are no pass.
func (m *Monitor) Finish() (unknown []string) {
	m.inline(everything, func() {
		m.time++
		m.stepOver()
		for _, r := range m.routers {
			m.settleSection(r)
			if !m.closed || m.crashed {
				continue
			}
			if r.worker.variable != 0 {
				m.fail("S12", "router %s: worker %d is there after the agent was closed", r.name, r.worker.variable)
			}
		}
		for _, v := range []Verdict{m.registers.Check(historyTries), m.variables.Check(historyTries), m.ownerships.Check(historyTries), m.services.Check(historyTries)} {
			if v.Illegal != "" {
				m.fail("linearizable", "%s", v.Story)
				m.World.Exhibit("linearizable", "history.html", v.Picture)
			}
			for _, key := range v.Unknown {
				unknown = append(unknown, fmt.Sprintf("history of %s undecided after %d tries", key, historyTries))
			}
		}
	})
	return unknown
}

// Owner is what a router is to be told to call on each change of a queue's owner, for the ownership register's history.
func (m *Monitor) Owner(id protocol.Router) func(router_.Ownership) {
	return func(o router_.Ownership) {
		m.touch(wire)
		m.owner(id, o)
	}
}

func (m *Monitor) owner(id protocol.Router, o router_.Ownership) {
	if o.Queue.Party != m.Config.Party {
		return
	}
	m.time++
	q := m.queue(m.router(id), o.Queue.ID)
	c := OwnerCall{Session: string(o.Session), Known: true}
	switch o.Event {
	case router_.OwnerTook:
		if s := m.sessions[o.Session]; s != nil {
			if asked := s.requests[o.Request]; asked != nil && asked.isAsked {
				return // that call covers it
			}
		}
		c.Op, c.Granted = OwnerSubscribe, true
	case router_.OwnerClosed:
		c.Op = OwnerClosed
	case router_.OwnerForgot, router_.OwnerDeleted:
		c.Op = OwnerForget
	case router_.OwnerEnded:
		c.Op = OwnerEnd
	}
	m.ownerships.Point(q.ownership, 0, m.World.Step(), c)
}
