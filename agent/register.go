package agent

import (
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// queueState says which list of the register a queue is in.
type queueState uint8

const (
	queuePending queueState = iota
	queueActive
	queueCounted
	queueStates
	// queueForgotten is in no list: the queue is not recorded any more.
	queueForgotten
)

// queue is one recorded queue. It is in exactly one list, so that active and
// pending are disjoint at every step (property S16), and moves between them
// without touching the map.
type queue struct {
	id  protocol.QueueID
	key protocol.AuthKey
	// wish numbers the subscribe that recorded the key: the newest (S15).
	wish  uint64
	state queueState
	// asked is the session on which a request for it is under way, with askedKey.
	asked    *Client
	askedKey protocol.AuthKey
	// session is that on which it became active or counted; at is when, in the order
	// in which that session received.
	session net.SessionID
	at      uint64
	// service is that which covers a counted queue. inFigures: the figures of the
	// active service count it, as one confirmed singly after its SOKS. vouched: if
	// the router's figures are those that cover it, of the active service or else of
	// the pending one, the queue is in them.
	service            protocol.ServiceID
	inFigures, vouched bool
	prev, next         *queue
}

// queueList is a doubly linked list of queues in the order in which they came:
// the agent never iterates a map, so its order is that of its decisions.
type queueList struct {
	first, last *queue
	length      int
}

// register has all recorded queues of one router, by id and by state. The
// router's lock guards it.
type register struct {
	byID  map[protocol.QueueID]*queue
	lists [queueStates]queueList
	wish  uint64
}

func (r *register) get(id protocol.QueueID) *queue { return r.byID[id] }

func (r *register) len(s queueState) int { return r.lists[s].length }

// first begins a walk of a list. Who moves a queue looks up its next before.
func (r *register) first(s queueState) *queue { return r.lists[s].first }

// want records q as pending with its newest key, whatever it was.
func (r *register) want(id protocol.QueueID, key protocol.AuthKey) *queue {
	r.wish++
	q := r.byID[id]
	if q == nil {
		if r.byID == nil {
			r.byID = make(map[protocol.QueueID]*queue)
		}
		q = &queue{id: id}
		r.byID[id] = q
		r.lists[queuePending].push(q)
	} else {
		r.move(q, queuePending, "", 0)
	}
	q.key, q.wish = key, r.wish
	return q
}

// move puts q at the end of another list.
func (r *register) move(q *queue, to queueState, session net.SessionID, at uint64) {
	if q.state != to {
		r.lists[q.state].remove(q)
		r.lists[to].push(q)
		q.state = to
	}
	q.session, q.at, q.inFigures, q.vouched = session, at, false, false
}

// forget removes q from the register.
func (r *register) forget(q *queue) {
	r.lists[q.state].remove(q)
	delete(r.byID, q.id)
	q.state = queueForgotten
}

// demote makes all active queues of the session pending, and returns them. Its
// cost is the number of active queues.
func (r *register) demote(session net.SessionID) []protocol.QueueID {
	var ids []protocol.QueueID
	if n := r.len(queueActive); n > 0 {
		ids = make([]protocol.QueueID, 0, n)
	}
	for q := r.first(queueActive); q != nil; {
		next := q.next
		if q.session == session {
			r.move(q, queuePending, "", 0)
			ids = append(ids, q.id)
		}
		q = next
	}
	return ids
}

// pending returns the pending queues that nobody is asking for on the session,
// oldest first.
func (r *register) pending(c *Client) []*queue {
	queues := make([]*queue, 0, r.len(queuePending))
	for q := r.first(queuePending); q != nil; q = q.next {
		if !q.isAsked(c) {
			queues = append(queues, q)
		}
	}
	return queues
}

// isAsked reports whether a request for q, with its key, is under way on the
// session.
func (q *queue) isAsked(c *Client) bool { return q.asked == c && q.askedKey == q.key }

func (l *queueList) push(q *queue) {
	q.prev, q.next = l.last, nil
	if l.last == nil {
		l.first = q
	} else {
		l.last.next = q
	}
	l.last = q
	l.length++
}

func (l *queueList) remove(q *queue) {
	if q.prev == nil {
		l.first = q.next
	} else {
		q.prev.next = q.next
	}
	if q.next == nil {
		l.last = q.prev
	} else {
		q.next.prev = q.prev
	}
	q.prev, q.next = nil, nil
	l.length--
}
