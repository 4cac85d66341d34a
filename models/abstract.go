package models

import (
	"slices"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// abstract is the small agent in small: what it is for one router once keys, requests, figures, events and time are left out, and all
// that can ever happen to it. It is a specification to be read, and is made of nothing but these fields, actions and two invariants.
//
// Each action is a method. It answers whether it was legal, and changes what it changes, legal or not, so that a failure can show
// where it has led. A step of the agent is a sequence of actions; one without an action changes nothing. Refinement.go holds the
// agent to that, by a refinement mapping: Abadi and Lamport, "The Existence of Refinement Mappings" (1991).
type abstract struct {
	client   clientState
	current  net.SessionID     // of a client that is connected
	sessions []abstractSession // published, and their disconnect handler has not finished; oldest first
	worker   bool

	queues []wish
	byID   map[protocol.QueueID]int // where in queues
	in     [places]int              // queues in each place

	pending protocol.ServiceSub // the service that is wanted and not confirmed; zero for none
	service abstractService     // the service that is active; zero for none

	// What the application does.
	calls           int // that subscribe, under way
	closing, closed bool

	moved []wasAt // what the step has moved
}

// wish is a queue of the application's: absent (not wanted any more), pending, active on the session, or part of the service:
// counted on the session after the figures of the active service, or included in figures, of the active or the pending service.
type wish struct {
	queue   protocol.QueueID
	number  int // its place in abstract.queues
	place   place
	session net.SessionID      // that confirmed it; of included, none once the router has given the service to somebody else
	service protocol.ServiceID // of counted and included
}

// wasAt is where a queue was before it was moved.
type wasAt struct {
	queue   int
	place   place
	session net.SessionID
}

type abstractSession struct {
	id      net.SessionID
	service *protocol.ServiceID // as granted
	lost    bool                // its disconnect handler is due
}

type abstractService struct {
	session net.SessionID
	id      protocol.ServiceID
	figures bool // the router has told its figures; else it is but the sum of what is counted
}

// The session variable.

// connect: an attempt begins, when there is no client, nor an error in its place.
func (a *abstract) connect() (legal bool) {
	legal = a.client == noClient
	a.client, a.current = connecting, ""
	return legal
}

// publish: the attempt has succeeded. No other session may be live.
func (a *abstract) publish(s net.SessionID, service *protocol.ServiceID) (legal bool) {
	legal = a.client == connecting && !slices.ContainsFunc(a.sessions, func(o abstractSession) bool { return !o.lost || o.id == s })
	a.client, a.current = connected, s
	a.sessions = append(a.sessions, abstractSession{id: s, service: service})
	return legal
}

// fail: the attempt has failed.
func (a *abstract) fail() (legal bool) {
	legal = a.client == connecting
	a.client = failed
	return legal
}

// forget: an error, or a client that is lost, makes room for the next attempt. Closing, the agent forgets any client.
func (a *abstract) forget() (legal bool) {
	legal = a.client == failed || a.client == connected && (a.closing || a.session(a.current).lost)
	a.client, a.current = noClient, ""
	return legal
}

// lose: the connection of a session is gone.
func (a *abstract) lose(s net.SessionID) (legal bool) {
	i := a.indexOf(s)
	if i < 0 || a.sessions[i].lost {
		return false
	}
	a.sessions[i].lost = true
	return true
}

// disconnect: the handler of a session that is lost, and forgotten, makes pending what is active on it: all of that, and nothing else.
func (a *abstract) disconnect(s net.SessionID, demoted []protocol.QueueID) (legal bool) {
	i := a.indexOf(s)
	legal = i >= 0 && a.sessions[i].lost && !a.isCurrent(s) && a.service.session != s
	for _, id := range demoted {
		q := a.wish(id)
		legal = legal && q.place == active && q.session == s
		a.put(q, pending, "")
	}
	if i >= 0 {
		a.sessions = slices.Delete(a.sessions, i, i+1)
	}
	left := a.in[active] > 0 && a.any(func(q *wish) bool { return q.place == active && q.session == s })
	return legal && !left
}

// The queues. An answer changes only what is pending, and only if its session is the current one.

// want: a call of the application records a queue, which is pending, whatever it was.
func (a *abstract) want(id protocol.QueueID) (legal bool) {
	a.put(a.wish(id), pending, "")
	return a.calls > 0
}

// remove: a call of the application ends a wish, if there is one.
func (a *abstract) remove(id protocol.QueueID) (legal bool) {
	a.put(a.wish(id), absent, "")
	return true
}

// confirm: the router has subscribed the queue on the session.
func (a *abstract) confirm(id protocol.QueueID, s net.SessionID) (legal bool) {
	q := a.wish(id)
	legal = q.place == pending && a.isCurrent(s)
	a.put(q, active, s)
	return legal
}

// count: the router has subscribed the queue as one of the session's service, beyond any figures that it has told. That makes the
// service active.
func (a *abstract) count(id protocol.QueueID, s net.SessionID) (legal bool) {
	q, granted := a.wish(id), a.session(s).service
	legal = q.place == pending && a.isCurrent(s) && granted != nil && (a.service.session == "" || a.service.session == s)
	a.put(q, counted, s)
	if granted != nil {
		q.service = *granted
		a.service = abstractService{s, *granted, a.service.session == s && a.service.figures}
	}
	return legal
}

// refuse: the router will not subscribe the queue, or had ended it before its answer could count. Temporary errors leave it pending.
func (a *abstract) refuse(id protocol.QueueID, s net.SessionID, temporary bool) (legal bool) {
	q := a.wish(id)
	legal = q.place == pending && a.isCurrent(s) && !temporary
	a.put(q, absent, "")
	return legal
}

// end: the router has given to somebody else a queue that is subscribed on the session, or by a service.
func (a *abstract) end(id protocol.QueueID, s net.SessionID) (legal bool) {
	q := a.wish(id)
	legal = a.isCurrent(s) && (q.place == active && q.session == s || q.inService())
	a.put(q, absent, "")
	return legal
}

// deleted: the router has no such queue any more; any session may say so.
func (a *abstract) deleted(id protocol.QueueID) (legal bool) {
	q := a.wish(id)
	legal = q.place != absent
	a.put(q, absent, "")
	return legal
}

// The service: there is one wish for one, and one that is active. Each action leaves every queue of a service covered by one of them.

// wantService: a call of the application puts its wish in the place of any other. What that one alone covered is pending singly.
func (a *abstract) wantService(sub protocol.ServiceSub, released []protocol.QueueID) (legal bool) {
	a.pending = sub
	legal = a.release(released)
	return legal && a.calls > 0 && a.isCovered()
}

// confirmService: the router has subscribed the pending service on the session, with figures that include what was counted, but for
// what stays counted. What they may not include is pending singly.
func (a *abstract) confirmService(s net.SessionID, sub protocol.ServiceSub, stays, released []protocol.QueueID) (legal bool) {
	granted := a.session(s).service
	legal = a.pending == sub && a.isCurrent(s) && (a.service.session == "" || a.service.session == s) && granted != nil && *granted == sub.Service
	a.service = abstractService{s, sub.Service, true}
	a.pending = protocol.ServiceSub{}
	return a.figures(stays, released) && legal
}

// refreshService: the router has subscribed the service once more on the session on which it is active, and nobody waits for it. As
// confirmService, but what is pending stays.
func (a *abstract) refreshService(s net.SessionID, id protocol.ServiceID, stays, released []protocol.QueueID) (legal bool) {
	legal = a.isCurrent(s) && a.service.session == s && a.service.id == id
	a.service.figures = true
	return a.figures(stays, released) && legal
}

// figures of the active service include what was counted, but for what stays counted. What they may not include is pending singly.
func (a *abstract) figures(stays, released []protocol.QueueID) (legal bool) {
	legal = true
	for _, id := range stays {
		legal = legal && a.wish(id).place == counted
	}
	a.includeCounted(stays)
	for _, id := range released {
		q := a.wish(id)
		legal = legal && q.place == included && q.service == a.service.id
		a.put(q, pending, "")
	}
	return legal && a.isCovered()
}

// endService: the router had ended the pending service before its answer could count. With it the wishes end that only it covered.
func (a *abstract) endService(s net.SessionID, sub protocol.ServiceSub) (legal bool) {
	legal = a.pending == sub && a.isCurrent(s)
	a.pending = protocol.ServiceSub{}
	a.dropUncovered()
	return legal
}

// refuseService: the router will not subscribe the pending service, which ends as with endService; and if it is active on the session
// all the same, so does that, and what it covered is pending singly.
func (a *abstract) refuseService(s net.SessionID, sub protocol.ServiceSub, temporary bool, released []protocol.QueueID) (legal bool) {
	legal = a.endService(s, sub) && !temporary
	if a.service.session == s {
		a.service = abstractService{}
		a.includeCounted(nil)
	}
	return a.release(released) && legal && a.isCovered()
}

// demoteService: the service was active on a session that is no longer the current one, and is pending, unless something newer is.
// What that does not cover is pending singly.
func (a *abstract) demoteService(s net.SessionID, sub protocol.ServiceSub, becomesPending bool, released []protocol.QueueID) (legal bool) {
	legal = a.service.session == s && a.service.id == sub.Service && !a.isCurrent(s) && becomesPending == !a.isServicePending()
	a.service = abstractService{}
	a.includeCounted(nil)
	if becomesPending {
		a.pending = sub
	}
	return a.release(released) && legal && a.isCovered()
}

// takeService: the router has given the service to somebody else, with all its queues. Their wishes end, unless a newer wish for the
// service covers them.
func (a *abstract) takeService(s net.SessionID) (legal bool) {
	legal = a.isCurrent(s) && a.service.session == s
	a.service = abstractService{}
	a.includeCounted(nil)
	a.dropUncovered()
	for i := range a.queues {
		if q := &a.queues[i]; q.place == included {
			a.put(q, included, "")
		}
	}
	return legal
}

// The reconnect worker.

// startWorker: there is one worker, and it has something to do.
func (a *abstract) startWorker() (legal bool) {
	legal = !a.worker && a.isPending()
	a.worker = true
	return legal
}

// stopWorker: nothing is pending, or all of it is queues that calls are asking for, which start a worker if they leave any.
func (a *abstract) stopWorker() (legal bool) {
	legal = a.worker && (a.closing || !a.isPending() || a.calls > 0 && !a.isServicePending())
	a.worker = false
	return legal
}

// isHaunted is what must not be after any step: the disconnect handler of the current session has finished.
func (a *abstract) isHaunted() bool { return a.client == connected && a.indexOf(a.current) < 0 }

// isForgotten is what must not be after any critical section: something is pending, and there is no worker, nor a call or a disconnect
// handler that will start one.
func (a *abstract) isForgotten() bool {
	return a.isPending() && !a.worker && a.calls == 0 && !a.closing && !slices.ContainsFunc(a.sessions, func(s abstractSession) bool { return s.lost })
}

func (a *abstract) isCurrent(s net.SessionID) bool { return a.client == connected && a.current == s }

func (a *abstract) isServicePending() bool { return a.pending != protocol.ServiceSub{} }

func (a *abstract) isPending() bool { return a.in[pending] > 0 || a.isServicePending() }

func (a *abstract) indexOf(s net.SessionID) int {
	return slices.IndexFunc(a.sessions, func(o abstractSession) bool { return o.id == s })
}

func (a *abstract) session(s net.SessionID) abstractSession {
	if i := a.indexOf(s); i >= 0 {
		return a.sessions[i]
	}
	return abstractSession{}
}

// wish finds or makes a queue's. It is where it is until the next one is made.
func (a *abstract) wish(id protocol.QueueID) *wish {
	i, known := a.byID[id]
	if !known {
		if a.byID == nil {
			a.byID, a.queues, a.moved = make(map[protocol.QueueID]int), make([]wish, 0, 8), make([]wasAt, 0, 8)
		}
		i = len(a.queues)
		a.byID[id] = i
		a.queues = append(a.queues, wish{queue: id, number: i})
		a.in[absent]++
	}
	return &a.queues[i]
}

func (a *abstract) put(q *wish, to place, s net.SessionID) {
	a.moved = append(a.moved, wasAt{q.number, q.place, q.session})
	a.in[q.place]--
	a.in[to]++
	q.place, q.session = to, s
}

func (a *abstract) any(is func(*wish) bool) bool {
	for i := range a.queues {
		if is(&a.queues[i]) {
			return true
		}
	}
	return false
}

func (q *wish) inService() bool { return q.place == counted || q.place == included }

// covers says whether the queue is part of a service that is active or pending. One without figures has only what is counted.
func (a *abstract) covers(q *wish) bool {
	switch s := &a.service; {
	case a.isServicePending() && a.pending.Service == q.service:
		return true
	case q.place == counted:
		return s.session == q.session && s.id == q.service
	}
	return a.service.figures && a.service.id == q.service
}

func (a *abstract) isCovered() bool {
	return a.in[counted]+a.in[included] == 0 || !a.any(func(q *wish) bool { return q.inService() && !a.covers(q) })
}

// release makes queues pending singly that no service covers any more.
func (a *abstract) release(released []protocol.QueueID) (legal bool) {
	legal = true
	for _, id := range released {
		q := a.wish(id)
		legal = legal && q.inService() && !a.covers(q)
		a.put(q, pending, "")
	}
	return legal
}

func (a *abstract) dropUncovered() {
	for i := range a.queues {
		if q := &a.queues[i]; q.inService() && !a.covers(q) {
			a.put(q, absent, "")
		}
	}
}

func (a *abstract) includeCounted(but []protocol.QueueID) {
	for i := range a.queues {
		if q := &a.queues[i]; q.place == counted && !slices.Contains(but, q.queue) {
			a.put(q, included, q.session)
		}
	}
}
