package agent

import (
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// endMark remembers that a session received the end of a queue, or of the service,
// while answers were still to be committed. A session's answers and pushes arrive
// in one order, but an answer is committed by who waits for it, and so perhaps
// after the END that followed it. The mark restores the order (property S18): an
// answer received before the END is of a subscription that has ended.
type endMark struct {
	session net.SessionID
	at      uint64
}

// after reports whether the client's session received the end after at.
func (m endMark) after(c *Client, at uint64) bool { return m.at > at && m.session == c.session.ID }

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
	if r.rpcs > 0 {
		if r.ends == nil {
			r.ends = make(map[protocol.QueueID]endMark)
		}
		r.ends[id] = endMark{c.session.ID, at}
	}
	q := r.queues.get(id)
	accepted := q != nil && (reason == protocol.DELD || r.current() == c && r.isSubscribed(q, c, at))
	if accepted {
		figures := r.uncount(q, nil)
		r.queues.forget(q)
		r.tellEnded(c, id, reason, figures)
	} else if o := r.agent.env.Observer; o != nil {
		o.Observe(QueueEnded{r.router, c.session.ID, id, reason, false, nil})
	}
	return q != nil
}

// tellEnded tells of a queue that the router has ended.
func (r *routerState) tellEnded(c *Client, id protocol.QueueID, reason EndReason, figures *protocol.ServiceSub) {
	if o := r.agent.env.Observer; o != nil {
		o.Observe(QueueEnded{r.router, c.session.ID, id, reason, true, figures})
	}
	r.emit(Event{Kind: Ended, Session: c.session.ID, Queues: []protocol.QueueID{id}, Reason: reason, Figures: figures})
}

// isSubscribed reports whether q was subscribed on the client's session before at,
// on its own or by its service.
func (r *routerState) isSubscribed(q *queue, c *Client, at uint64) bool {
	if q.state == queuePending || q.session == c.session.ID && q.at > at {
		return false
	}
	if q.session == c.session.ID {
		return true
	}
	active := r.service.active
	return q.state == queueCounted && active != nil && active.session == c.session.ID &&
		active.sub.Service == q.service && 0 < active.at && active.at < at
}

// serviceTaken takes an ENDS, which ends the active service of the current session
// with all queues that it covered, unless a newer wish for it covers them. A queue
// that was confirmed after the ENDS is subscribed again.
func (r *routerState) serviceTaken(c *Client, at uint64) {
	r.lock()
	defer r.unlock()
	if r.closed {
		return
	}
	if r.rpcs > 0 {
		r.service.taken = endMark{c.session.ID, at}
	}
	active := r.service.active
	accepted := r.current() == c && active != nil && active.session == c.session.ID && at > active.at
	taken := ServiceTaken{Router: r.router, Session: c.session.ID, Accepted: accepted}
	if accepted {
		taken.Sub = active.sub
		r.endActive()
		taken.Queues = r.release(true, func(q *queue) bool { return q.session == c.session.ID && q.at > at })
		r.uncover(false)
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(taken)
	}
	if accepted {
		r.emit(Event{Kind: ServiceEnded, Session: c.session.ID, Figures: &taken.Sub})
		r.ensureWorker()
	}
}
