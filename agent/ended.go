package agent

import (
	"maps"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// endMark remembers that a session received the end of a queue, or of the service,
// while answers were still to be committed. A session's answers and pushes arrive
// in one order, but an answer is committed by who waits for it, and so perhaps
// after the END that followed it. The mark restores the order (property S18): an
// answer received before the END is of a subscription that has ended.
//
// Only the current session makes marks: what was asked on an earlier one is not
// committed any more, and its END must not take the place of a mark that counts.
//
// A mark is of use to requests that were under way when it was made. On a busy
// router there is always one, so marks go by rounds: a round ends when all
// requests of the round before have been committed, and with it go the marks of
// that round. So they are at most those of the time of two RPCs (property L8).
type endMark struct {
	session net.SessionID
	at      uint64
	round   uint64
}

// after reports whether the client's session received the end after at.
func (m endMark) after(c *Client, at uint64) bool { return m.at > at && m.session == c.session.ID }

// isAsking reports whether any request is under way.
func (r *routerState) isAsking() bool { return r.rpcs != [2]int{} }

// beginRPC counts an RPC that is about to be sent, and returns its round.
func (r *routerState) beginRPC() uint64 {
	r.rpcs[r.round%2]++
	return r.round
}

// endRPC counts an RPC that was committed.
func (r *routerState) endRPC(round uint64) {
	r.rpcs[round%2]--
	switch {
	case !r.isAsking():
		r.ends = nil
		r.service.taken = endMark{}
	case r.rpcs[(r.round+1)%2] == 0:
		maps.DeleteFunc(r.ends, func(_ protocol.QueueID, m endMark) bool { return m.round < r.round })
		r.round++
	}
}

// queueEnded takes an END or DELD. It reports false if the queue is not recorded.
//
// An END ends what the same session subscribed before it, if that session is the
// current one. A wish that no answer has confirmed yet is newer than the END, and
// stays. A DELD ends whatever is recorded.
func (r *routerState) queueEnded(c *Client, id protocol.QueueID, reason EndReason, at uint64) bool {
	r.lock()
	defer r.unlock()
	if r.closed {
		return true
	}
	current := r.current() == c
	if current && r.isAsking() {
		if r.ends == nil {
			r.ends = make(map[protocol.QueueID]endMark)
		}
		r.ends[id] = endMark{c.session.ID, at, r.round}
	}
	q := r.queues.get(id)
	accepted := q != nil && (reason == protocol.DELD || current && r.isSubscribed(q, c))
	var figures *protocol.ServiceSub
	if accepted {
		figures = r.uncount(q, nil)
		r.queues.forget(q)
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(QueueEnded{r.router, c.session.ID, id, reason, accepted, figures})
	}
	if accepted {
		r.emit(Event{Kind: Ended, Session: c.session.ID, Queues: []protocol.QueueID{id}, Reason: reason, Figures: figures})
	}
	return q != nil
}

// isSubscribed reports whether q is subscribed on the client's session: on its own,
// or by a service that covers it. Of a service the agent may not know yet: its
// answer may be on its way, or lost. But the router has ended the queue on this
// session, so it had it there, and it gives it back to no later SOKS.
func (r *routerState) isSubscribed(q *queue, c *Client) bool {
	return q.state == queueCounted || q.state == queueActive && q.session == c.session.ID
}

// serviceTaken takes an ENDS, which ends the active service of the current session
// with all queues that it covered, unless a newer wish for it covers them. What that
// covers is on no session any more.
func (r *routerState) serviceTaken(c *Client, at uint64) {
	r.lock()
	defer r.unlock()
	if r.closed {
		return
	}
	current := r.current() == c
	if current && r.isAsking() {
		r.service.taken = endMark{c.session.ID, at, r.round}
	}
	active := r.service.active
	accepted := current && active != nil && active.session == c.session.ID
	taken := ServiceTaken{Router: r.router, Session: c.session.ID, Accepted: accepted}
	if accepted {
		taken.Sub = active.sub
		r.endActive()
		r.uncover(false)
		for q := r.queues.first(queueCounted); q != nil; q = q.next {
			q.session, q.vouched = "", false
		}
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(taken)
	}
	if accepted {
		r.emit(Event{Kind: ServiceEnded, Session: c.session.ID, Figures: &taken.Sub})
		r.ensureWorker()
	}
}
