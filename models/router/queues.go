package router

import (
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// QueueName names a queue as one party knows it: the recipient and the notifier of a queue subscribe independently.
type QueueName struct {
	Party protocol.Party
	ID    protocol.QueueID
}

// queue has at most one subscriber, its owner.
type queue struct {
	name    QueueName
	keys    []protocol.AuthKey // any of them will do
	deleted bool
	owner   *session
	service *service // associated with; nil for none
	stored  int      // messages waiting
	ends    []*end   // not yet sent
	mailbox *mailbox // nil for a queue that was there from the beginning
}

// end is an END that the router owes to a displaced session.
type end struct{ to *session }

// OwnerEvent is what happened to the owner of a queue.
type OwnerEvent uint8

const (
	OwnerTook    OwnerEvent = iota // the session subscribed the queue, alone or with its service, perhaps again
	OwnerClosed                    // the session is gone and with it its ownership
	OwnerForgot                    // the subscription is forgotten: nobody owns the queue any more
	OwnerDeleted                   // the queue is deleted, whether somebody owned it or not
	OwnerEnded                     // the session was told that it is no longer the owner
)

// String is the event in a word.
func (e OwnerEvent) String() string {
	return [...]string{"took", "closed", "forgot", "deleted", "ended"}[e]
}

// Ownership is one change of the register "who is subscribed to which queue".
type Ownership struct {
	Router  string
	Queue   QueueName
	Event   OwnerEvent
	Session net.SessionID // whose; for OwnerForgot and OwnerDeleted the former owner, if any
	// Request is that by which OwnerTook happened; zero if the session took the queue with its service, or nobody asked here.
	Request protocol.CorrelationID
}

func (r *Router) owner(q *queue, e OwnerEvent, s *session) {
	o := Ownership{Router: r.Name, Queue: q.name, Event: e}
	if s != nil {
		o.Session = s.id
	}
	r.told(o)
}

func (r *Router) told(o Ownership) {
	if r.OnOwner != nil {
		r.OnOwner(o)
	}
}

// NewQueue creates a queue that any of the keys opens.
func (r *Router) NewQueue(party protocol.Party, id protocol.QueueID, keys ...protocol.AuthKey) {
	name := QueueName{party, id}
	if r.queues[name] == nil {
		q := &queue{name: name, keys: keys}
		r.queues[name] = q
		r.order = append(r.order, q)
	}
}

// Owner is the session subscribed to a queue; "" for nobody.
func (r *Router) Owner(party protocol.Party, id protocol.QueueID) net.SessionID {
	if q := r.queues[QueueName{party, id}]; q != nil && q.owner != nil {
		return q.owner.id
	}
	return ""
}

// Deleted says whether the queue existed and was deleted.
func (r *Router) Deleted(party protocol.Party, id protocol.QueueID) bool {
	q := r.queues[QueueName{party, id}]
	return q != nil && q.deleted
}

// Owners calls f for every owned queue, in the order of creation.
func (r *Router) Owners(f func(QueueName, net.SessionID)) {
	for _, q := range r.order {
		if q.owner != nil {
			f(q.name, q.owner.id)
		}
	}
}

// Delete deletes a queue and tells its owner. It says whether there was one to delete.
func (r *Router) Delete(party protocol.Party, id protocol.QueueID) bool {
	q := r.queues[QueueName{party, id}]
	if q == nil || q.deleted {
		return false
	}
	q.deleted, q.service, q.stored = true, nil, 0
	s := q.owner
	q.owner = nil
	r.owner(q, OwnerDeleted, s)
	if s != nil {
		r.push(s, protocol.Response{Kind: protocol.DELD, Queue: id})
	}
	return true
}

// Deliver gives a message to the owner of the queue, or stores it until somebody subscribes.
func (r *Router) Deliver(party protocol.Party, id protocol.QueueID) {
	q := r.queues[QueueName{party, id}]
	switch {
	case q == nil || q.deleted:
	case q.owner == nil:
		q.stored++
	default:
		r.push(q.owner, message(q))
	}
}

func message(q *queue) protocol.Response {
	if q.name.Party == protocol.NotifierService {
		return protocol.Response{Kind: protocol.NMSG, Queue: q.name.ID}
	}
	return protocol.Response{Kind: protocol.MSG, Queue: q.name.ID}
}

// subscribe is SUB and NSUB. On a service connection it associates the queue with the service, on another it dissolves the
// association.
func (r *Router) subscribe(s *session, party protocol.Party, request protocol.Request) protocol.Response {
	q := r.queues[QueueName{party, request.Queue}]
	if q == nil || q.deleted || !slices.Contains(q.keys, request.Key) {
		return refused(protocol.CodeAuth)
	}
	if old := q.owner; old != nil && old != s {
		r.displace(q, old)
	}
	r.own(q, s, request.Correlation)
	q.service = s.serves(party)
	if q.service != nil && s.ignored {
		r.effect(ServiceIgnored)
		q.service = nil
	}
	if q.service != nil {
		r.pushStored(s, q)
		if q.mailbox != nil {
			q.mailbox.sent = false
			r.forward(q.mailbox)
		}
		return protocol.Response{Kind: protocol.SOK, Service: &q.service.id}
	}
	if q.stored > 0 && party == protocol.RecipientService {
		q.stored--
		return protocol.Response{Kind: protocol.MSG}
	}
	r.pushStored(s, q)
	if m := q.mailbox; m != nil && len(m.messages) > 0 { // sent to him or not, and to others before: it is not acknowledged
		m.sent = true
		return m.first()
	}
	return protocol.Response{Kind: protocol.OK}
}

// pushStored sends the stored messages, after the answer that is being made.
func (r *Router) pushStored(s *session, q *queue) {
	if q.stored == 0 {
		return
	}
	q.stored = 0
	r.after(0, func() {
		if q.owner == s {
			r.push(s, message(q))
		} else {
			q.stored++
		}
	})
}

// own makes s the owner. An END that s is still owed for this queue is void: it has just subscribed it (S18).
func (r *Router) own(q *queue, s *session, by protocol.CorrelationID) {
	q.forgetEnds(s)
	q.owner = s
	r.told(Ownership{Router: r.Name, Queue: q.name, Event: OwnerTook, Session: s.id, Request: by})
}

// displace owes the old owner an END, which is sent at once or late.
func (r *Router) displace(q *queue, old *session) {
	e := &end{to: old}
	q.ends = append(q.ends, e)
	r.endSoon(func() {
		if !slices.Contains(q.ends, e) {
			return
		}
		q.ends = slices.DeleteFunc(q.ends, func(o *end) bool { return o == e })
		r.owner(q, OwnerEnded, old)
		r.push(old, protocol.Response{Kind: protocol.END, Queue: q.name.ID})
	})
}

func (q *queue) forgetEnds(s *session) {
	q.ends = slices.DeleteFunc(q.ends, func(e *end) bool { return e.to == s })
}

// endDelays are how late an END may be.
var endDelays = [...]time.Duration{time.Second, 5 * time.Second, 15 * time.Second}

// endSoon lets f send an END or ENDS: behind the current answers, or up to 15 s late.
func (r *Router) endSoon(f func()) {
	var d time.Duration
	if r.strikes(EndLate) {
		r.struck(EndLate)
		d = endDelays[r.Env.Value("router/end-delay", len(endDelays))]
	}
	r.after(d, f)
}

// Displace lets another client, which is not connected by any network here and has no service, take the queue. It says whether that
// displaced somebody.
func (r *Router) Displace(party protocol.Party, id protocol.QueueID) bool {
	q := r.queues[QueueName{party, id}]
	if q == nil || q.deleted || q.owner == nil || q.owner.peer == nil {
		return false
	}
	r.displace(q, q.owner)
	r.leave(q)
	return true
}

// leave gives a queue to another client, without a service, which dissolves its association.
func (r *Router) leave(q *queue) {
	q.service = nil
	r.own(q, r.stranger(nil), protocol.CorrelationID{})
}

// stranger is another client: it takes a queue or a service, answers nobody, and is gone by the time the router is healed.
func (r *Router) stranger(v *service) *session {
	r.strangers++
	s := &session{id: net.SessionID(fmt.Sprintf("stranger-%d", r.strangers)), service: v}
	r.open = append(r.open, s)
	return s
}
