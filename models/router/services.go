package router

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/heddle-go/heddle/agent/protocol"
)

// service is what the router knows of a certificate. Its queues are those that are associated with it.
type service struct {
	id         protocol.ServiceID
	credential protocol.Credential
	subscriber *session // who subscribed it as a whole; nil for nobody
	ends       []*end   // ENDS not yet sent
}

// serviceOf is the service of a certificate, which is given an id when it is first seen; nil without one.
func (r *Router) serviceOf(c protocol.Credential) *service {
	if r.NoServices || c == (protocol.Credential{}) {
		return nil
	}
	for _, v := range r.services {
		if v.credential == c {
			return v
		}
	}
	v := &service{id: r.newServiceID(), credential: c}
	r.services = append(r.services, v)
	return v
}

// newServiceID is an id that no router of another name, and not this one, has given out before.
func (r *Router) newServiceID() protocol.ServiceID {
	var id protocol.ServiceID
	name := fnv.New64a()
	name.Write([]byte(r.Name))
	r.issued++
	copy(id[:8], "service ")
	binary.BigEndian.PutUint64(id[8:], name.Sum64())
	binary.BigEndian.PutUint64(id[16:], r.issued)
	return id
}

// serves is the service under which the session subscribes queues of a party; nil for none.
func (s *session) serves(p protocol.Party) *service {
	if s.service == nil || s.service.credential.Role != p.Role() {
		return nil
	}
	return s.service
}

// Service are the router's own figures for the service of a certificate; false if it has none.
func (r *Router) Service(c protocol.Credential) (protocol.ServiceSub, bool) {
	for _, v := range r.services {
		if v.credential == c {
			return r.figures(v, func(*queue) bool { return true }), true
		}
	}
	return protocol.ServiceSub{}, false
}

// Associate lets a queue belong to the service of a certificate, as if it had been subscribed under it before. It does nothing if
// the router has no such queue or knows no services.
func (r *Router) Associate(party protocol.Party, id protocol.QueueID, c protocol.Credential) {
	if q := r.queues[QueueName{party, id}]; q != nil {
		q.service = r.serviceOf(c)
	}
}

// Associated says whether the queue belongs to a service.
func (r *Router) Associated(party protocol.Party, id protocol.QueueID) bool {
	q := r.queues[QueueName{party, id}]
	return q != nil && q.service != nil
}

func (r *Router) figures(v *service, count func(*queue) bool) protocol.ServiceSub {
	sub := protocol.ServiceSub{Service: v.id}
	for _, q := range r.order {
		if q.service == v && count(q) {
			sub = sub.With(q.name.ID)
		}
	}
	return sub
}

// subscribeService is SUBS and NSUBS: all associated queues become the session's. Whoever had the service gets ENDS, whoever had a
// queue of it alone gets END.
func (r *Router) subscribeService(s *session, party protocol.Party, sub protocol.ServiceSub) protocol.Response {
	v := s.serves(party)
	if v == nil || v.id != sub.Service {
		return refused(protocol.CodeService)
	}
	if r.has(s, v) && r.strikes(ServiceLent) {
		r.struck(ServiceLent)
		r.takeService(r.stranger(v), v)
		r.loseOne(v)
	}
	r.takeService(s, v)
	figures := r.figures(v, func(*queue) bool { return true })
	r.after(0, func() { r.push(s, protocol.Response{Kind: protocol.ALLS}) })
	return protocol.Response{Kind: protocol.SOKS, Service: &v.id, Count: figures.Count, Hash: figures.Hash}
}

func (r *Router) takeService(s *session, v *service) {
	v.forgetEnds(s)
	for _, old := range slices.Clone(r.open) {
		if old == s || old.service != v {
			continue
		}
		if r.has(old, v) {
			r.displaceService(v, old, r.figures(v, func(q *queue) bool { return q.owner == old }))
		}
	}
	for _, q := range r.order {
		if q.service != v {
			continue
		}
		if old := q.owner; old != nil && old != s && old.service != v {
			r.displace(q, old)
		}
		r.own(q, s, protocol.CorrelationID{})
		r.pushStored(s, q)
	}
	v.subscriber = s
}

// displaceService owes the old subscriber an ENDS. It is void if the same session subscribes the service again before it is sent.
func (r *Router) displaceService(v *service, old *session, lost protocol.ServiceSub) {
	var names []*queue
	for _, q := range r.order {
		if q.service == v && q.owner == old {
			names = append(names, q)
		}
	}
	e := &end{to: old}
	v.ends = append(v.ends, e)
	r.endSoon(func() {
		if !slices.Contains(v.ends, e) {
			return
		}
		v.ends = slices.DeleteFunc(v.ends, func(o *end) bool { return o == e })
		for _, q := range names {
			if q.owner != old {
				r.owner(q, OwnerEnded, old)
			}
		}
		r.push(old, protocol.Response{Kind: protocol.ENDS, Count: lost.Count, Hash: lost.Hash})
	})
}

func (v *service) forgetEnds(s *session) {
	v.ends = slices.DeleteFunc(v.ends, func(e *end) bool { return e.to == s })
}

// DisplaceService lets another client with the same certificate take a service that somebody has subscribed, whole or a queue of it.
// It says whether that displaced somebody.
func (r *Router) DisplaceService(c protocol.Credential) bool {
	for _, v := range r.services {
		if v.credential == c && r.isSubscribed(v) {
			r.takeService(r.stranger(v), v)
			return true
		}
	}
	return false
}

// isSubscribed says whether a client of the network has subscribed the service, or a queue of it.
func (r *Router) isSubscribed(v *service) bool {
	return slices.ContainsFunc(r.open, func(s *session) bool { return s.peer != nil && r.has(s, v) })
}

// has says whether the session has subscribed the service, or a queue of it.
func (r *Router) has(s *session, v *service) bool {
	return v.subscriber == s || s.service == v && slices.ContainsFunc(r.order, func(q *queue) bool { return q.service == v && q.owner == s })
}

// Downgrade restarts the router as a version that knows no services; it forgets them and their associations. Upgrade restarts it
// as one that does: each certificate is given a new id.
func (r *Router) Downgrade() {
	r.Restart()
	r.NoServices, r.services = true, nil
	for _, q := range r.order {
		q.service = nil
	}
}

// Upgrade: see Downgrade. It does nothing to a router that knows services.
func (r *Router) Upgrade() {
	if r.NoServices {
		r.Restart()
		r.NoServices = false
	}
}
