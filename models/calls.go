package models

import (
	"errors"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// What the application calls: the only source of what is wanted, in which order, and with which keys.

type callKind uint8

const (
	callQueues callKind = iota
	callService
	callRemove
	callClose
)

func (k callKind) String() string {
	return [...]string{"subscribe", "subscribe of a service", "remove", "close"}[k]
}

// Call is a call of the agent that is under way. Return must be called when it has returned; a call whose task was killed stays open.
type Call struct {
	m        *Monitor
	kind     callKind
	router   *router
	queues   []calledQueue
	sub      protocol.ServiceSub
	recorded bool   // all of it
	id       CallID // in the service's history
	process  int
	since    time.Duration
}

type calledQueue struct {
	queue    *queue
	key      protocol.AuthKey
	recorded bool // or, for a remove, seen unrecorded
	id       CallID
}

// Subscribe tells the Monitor that the application calls SubscribeQueues now.
func (m *Monitor) Subscribe(id protocol.Router, queues []agent.QueueSub) (c *Call) {
	m.inline(routers, func() {
		c = m.call(callQueues, id)
		c.queues = make([]calledQueue, len(queues))
		for i, sub := range queues {
			q := m.queue(c.router, sub.Queue)
			q.calls++
			c.queues[i] = calledQueue{queue: q, key: sub.Key}
			if slices.ContainsFunc(queues[i+1:], func(o agent.QueueSub) bool { return o.Queue == sub.Queue }) {
				c.queues[i].id.call = -1 // the last key of a queue that is named twice is the one
				continue
			}
			c.queues[i].id = m.registers.Call(q.register, c.process, m.World.Step(), RegisterCall{Op: RegisterSubscribe, Key: sub.Key})
		}
	})
	return c
}

// SubscribeService tells the Monitor that the application calls SubscribeService now.
func (m *Monitor) SubscribeService(id protocol.Router, sub protocol.ServiceSub) (c *Call) {
	m.inline(routers, func() {
		c = m.call(callService, id)
		c.sub = sub
		c.id = m.services.Call(c.router.services, c.process, m.World.Step(), ServiceCall{Op: ServiceSubscribe, Sub: sub})
	})
	return c
}

// Remove tells the Monitor that the application calls RemoveQueues now.
func (m *Monitor) Remove(id protocol.Router, queues []protocol.QueueID) (c *Call) {
	m.inline(routers, func() {
		c = m.call(callRemove, id)
		c.queues = make([]calledQueue, len(queues))
		for i := range queues {
			q := m.queue(c.router, queues[i])
			c.queues[i] = calledQueue{queue: q, recorded: q.place == absent}
			if slices.Contains(queues[i+1:], queues[i]) {
				c.queues[i].id.call = -1
				continue
			}
			c.queues[i].id = m.registers.Call(q.register, c.process, m.World.Step(), RegisterCall{Op: RegisterRemove})
		}
	})
	return c
}

// Close tells the Monitor that the application calls Close now.
func (m *Monitor) Close() (c *Call) {
	m.inline(routers, func() { c = m.call(callClose, protocol.Router{}) })
	return c
}

// HandOver tells the Monitor which queues the application has handed over to the router's service, so that it need not subscribe
// them singly. If the service becomes unavailable it must (L9).
func (m *Monitor) HandOver(id protocol.Router, queues []protocol.QueueID) {
	m.unseen(routers, func() {
		r := m.router(id)
		for _, queue := range queues {
			m.queue(r, queue).handed = true
		}
	})
}

func (m *Monitor) call(kind callKind, id protocol.Router) *Call {
	m.time++
	m.processes++
	c := &Call{m: m, kind: kind, process: m.processes, since: m.World.Elapsed()}
	if kind == callClose {
		m.closes = append(m.closes, c)
		return c
	}
	c.router = m.router(id)
	c.router.calls = append(c.router.calls, c)
	return c
}

// Return tells the Monitor that the call has returned, with its error.
func (c *Call) Return(err error) {
	p := routers
	if c.kind == callClose {
		p = everything
	}
	c.m.unseen(p, func() { c.returned(err) })
}

func (c *Call) returned(err error) {
	m := c.m
	m.time++
	if c.kind == callClose {
		m.closes = slices.DeleteFunc(m.closes, func(o *Call) bool { return o == c })
		m.closed = true
		m.s12Closed()
		return
	}
	r := c.router
	r.calls = slices.DeleteFunc(r.calls, func(o *Call) bool { return o == c })
	m.refining(r.id, nil)
	refused := errors.Is(err, agent.ErrClosed)
	if c.kind == callService && !refused {
		m.services.Return(c.id, m.World.Step(), ServiceCall{Op: ServiceSubscribe, Sub: c.sub})
	}
	c.exchange()
	for i := range c.queues {
		called := &c.queues[i]
		q := called.queue
		if c.kind == callQueues && !called.recorded {
			q.calls--
		}
		if called.id.call >= 0 && !refused {
			op := RegisterSubscribe
			if c.kind == callRemove {
				op = RegisterRemove
			}
			m.registers.Return(called.id, m.World.Step(), RegisterCall{Op: op, Key: called.key, Known: true})
		}
		if refused || m.closing || called.recorded {
			continue
		}
		switch {
		case c.kind == callRemove:
			m.fail("S14", "router %s: remove of queue %s has returned, and it was recorded all the time: it is %s", r.name, q.name, q.place)
		case q.place != absent && q.key != called.key:
			m.fail("S15", "router %s: subscribe of queue %s has returned, and another key is recorded", r.name, q.name)
		default:
			m.fail("S5", "router %s: subscribe of queue %s has returned, and the queue was never recorded", r.name, q.name)
		}
	}
	if c.kind == callService && !c.recorded && !refused && !m.closing {
		m.fail("S7", "router %s: subscribe of a service has returned, and %v was never pending", r.name, c.sub)
	}
}

// exchange sets right what cannot be told apart: of calls that ask for the same, the first was taken for the one that was recorded.
// One that returns was recorded before those that have not returned.
func (c *Call) exchange() {
	for _, o := range c.router.calls {
		if o.kind != c.kind {
			continue
		}
		if c.kind == callService && o.recorded && !c.recorded && o.sub == c.sub {
			c.recorded, o.recorded = true, false
		}
		for i := range c.queues {
			mine := &c.queues[i]
			for j := range o.queues {
				other := &o.queues[j]
				if c.kind == callQueues && !mine.recorded && other.recorded && other.queue == mine.queue && other.key == mine.key {
					mine.recorded, other.recorded, o.recorded = true, false, false
				}
			}
		}
	}
}

// callRecorded finds the call whose queues, all of them, are now recorded.
func (m *Monitor) callRecorded(r *router, queues []agent.QueueSub) *Call {
search:
	for _, c := range r.calls {
		if c.kind != callQueues || c.recorded || len(c.queues) != len(queues) {
			continue
		}
		for i := range queues {
			if o := &c.queues[i]; o.recorded || o.key != queues[i].Key || o.queue.id != queues[i].Queue {
				continue search
			}
		}
		for i := range c.queues {
			c.queues[i].recorded = true
			c.queues[i].queue.calls--
		}
		c.recorded = true
		return c
	}
	return nil
}

// recordedFor finds a call under way that asks for the queue with that key. If there is none, a removed queue came back (S14) or an
// older key did (S15).
func (m *Monitor) recordedFor(r *router, q *queue, key protocol.AuthKey) {
	if q.calls > 0 {
		for _, c := range r.calls {
			for i := range c.queues {
				if o := &c.queues[i]; c.kind == callQueues && o.queue == q && o.key == key && !o.recorded {
					o.recorded = true
					q.calls--
					return
				}
			}
		}
	}
	if q.removed && q.calls == 0 {
		m.fail("S14", "router %s: queue %s was removed, and is recorded again without a call that asks for it", r.name, q.name)
		return
	}
	m.fail("S15", "router %s: queue %s is recorded with a key that no call under way asks for", r.name, q.name)
}

// callRemoved notes for the remove calls under way that the queue is not recorded.
func (m *Monitor) callRemoved(r *router, q *queue) {
	for _, c := range r.calls {
		if c.kind != callRemove {
			continue
		}
		for i := range c.queues {
			if c.queues[i].queue == q {
				c.queues[i].recorded = true
			}
		}
	}
}
