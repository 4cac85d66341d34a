package scenario

import (
	"context"
	"slices"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
)

// book is what an application has written down about a router: its service, and which queues are part of it.
type book struct {
	service protocol.ServiceSub // as last told; no id while it knows none
	under   []membership        // of each queue
	owed    []protocol.QueueID  // of services that became unavailable: to be subscribed singly (L9)
}

// membership says how a queue belongs to the service. Applications do not singly subscribe a queue that was handed over: whether
// it is in the service's figures is known to the router alone (S8).
type membership uint8

const (
	alone      membership = iota
	counted               // confirmed under the service on the present session
	handedOver            // within the figures of an SOKS, or soon
)

// openBooks writes down what is so from the beginning.
func (p *app) openBooks() {
	p.books = make([]book, p.load.Routers)
	for i := range p.books {
		b := &p.books[i]
		b.under = make([]membership, p.load.Queues+p.load.ServiceQueues)
		for q := range p.load.ServiceQueues {
			b.under[p.load.Queues+q] = handedOver
		}
		if c := p.Config.Credential; c != (protocol.Credential{}) {
			b.service, _ = p.routers[i].Service(c)
		}
	}
}

// handedOver are the queues that belong to the service.
func (b *book) handedOver(router int) []protocol.QueueID {
	var ids []protocol.QueueID
	for i, m := range b.under {
		if m == handedOver {
			ids = append(ids, queueID(router, i))
		}
	}
	return ids
}

// chosen are the queues that an operation names.
func (p *app) chosen(op Op) []protocol.QueueID {
	ids := make([]protocol.QueueID, min(op.Count, p.load.Queues))
	for i := range ids {
		ids[i] = queueID(op.Router, (op.First+i)%p.load.Queues)
	}
	return ids
}

// subscribable are those that the application may subscribe singly.
func (p *app) subscribable(op Op) []protocol.QueueID {
	var ids []protocol.QueueID
	p.part.Inline(func() {
		ids = slices.DeleteFunc(p.chosen(op), func(q protocol.QueueID) bool {
			return p.books[op.Router].under[queueIndex(q)] == handedOver
		})
	})
	return ids
}

// Observe implements agent.Observer: the monitor's, and the application's books.
func (p *app) Observe(t agent.Transition) {
	p.monitor.Observe(t)
	if p.world.Tracing() {
		tell(p.world, p.node.Name(), t)
	}
	if _, ok := t.(agent.EventDelivered); ok {
		p.handed.Observe(p.delivered)
	}
	if p.Config.Credential == (protocol.Credential{}) {
		return
	}
	switch t.(type) {
	case agent.QueuesWanted, agent.QueuesRemoved, agent.ResultsCommitted, agent.QueueEnded, agent.ServiceCommitted,
		agent.ServiceDemoted, agent.ServiceTaken, agent.ClientPublished:
		p.part.Observe(func() { p.note(t) })
	}
}

// delivered counts the events in the agent's queue of events, which its consumer has not yet taken.
func (p *app) delivered() {
	if p.waiting++; p.waiting >= p.Config.EventQueue {
		p.world.Sometimes("event-queue-full")
	}
}

func (p *app) note(t agent.Transition) {
	switch t := t.(type) {
	case agent.QueuesWanted:
		for _, q := range t.Queues {
			p.mark(t.Router, q.Queue, alone)
		}
	case agent.QueuesRemoved:
		for _, q := range t.Queues {
			if b := p.book(t.Router); b.under[queueIndex(q)] == counted {
				p.mark(t.Router, q, alone)
			}
		}
	case agent.ResultsCommitted:
		for _, r := range t.Results {
			if r.Outcome == agent.SubCounted {
				p.mark(t.Router, r.Queue, counted)
			}
		}
	case agent.QueueEnded:
		if t.Accepted {
			p.mark(t.Router, t.Queue, alone)
		}
	case agent.ServiceDemoted:
		p.handOver(t.Router, t.Queues)
	case agent.ServiceTaken:
		if t.Accepted {
			p.handOver(t.Router, nil)
		}
	case agent.ServiceCommitted:
		p.serviceCommitted(t)
	case agent.ClientPublished:
		if b := p.book(t.Router); t.Service != nil && *t.Service != b.service.Service {
			b.service = protocol.ServiceSub{Service: *t.Service}
		}
	}
}

func (p *app) serviceCommitted(t agent.ServiceCommitted) {
	b := p.book(t.Router)
	switch t.Outcome {
	case agent.SubActivated, agent.SubRefreshed:
		p.handOver(t.Router, t.Counted)
		if b.service.Service == t.Figures.Service {
			b.service = t.Figures
		}
	case agent.SubUnavailable:
		b.owed = append(b.owed, p.leave(t.Router)...)
	}
}

func (p *app) book(r protocol.Router) *book { return &p.books[routerIndex(r)] }

func (p *app) mark(r protocol.Router, q protocol.QueueID, m membership) {
	p.book(r).under[queueIndex(q)] = m
}

// handOver makes those that were counted part of the service, but for some.
func (p *app) handOver(r protocol.Router, but []protocol.QueueID) {
	b := p.book(r)
	for i, m := range b.under {
		if m == counted && !slices.ContainsFunc(but, func(q protocol.QueueID) bool { return queueIndex(q) == i }) {
			b.under[i] = handedOver
		}
	}
}

// leave lets all queues be on their own, and answers those that were not.
func (p *app) leave(r protocol.Router) []protocol.QueueID {
	b := p.book(r)
	left := b.handedOver(routerIndex(r))
	for _, q := range left {
		b.under[queueIndex(q)] = alone
	}
	return left
}

// react subscribes the queues of a service that has become unavailable (L9), in the task that consumes the events (L6).
func (p *app) react(e agent.Event) {
	if e.Kind != agent.ServiceUnavailable {
		return
	}
	router := routerIndex(e.Router)
	var owed []protocol.QueueID
	p.part.Inline(func() { owed, p.books[router].owed = p.books[router].owed, nil })
	if len(owed) > 0 {
		p.world.Sometimes("subscribe-from-consumer")
		if p.subscribe(context.Background(), router, owed, keys[0]) {
			p.world.Sometimes("service-fallback")
		}
	}
}
