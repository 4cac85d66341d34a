package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/heddle-go/heddle/agent/protocol"
)

// errNotCurrent: the session of an answer is not the router's current one.
var errNotCurrent = &protocol.Error{Kind: protocol.Network, Detail: "the session was replaced or ended"}

// errEnded: the router ended what it had confirmed, or may have, and it is wanted.
var errEnded = &protocol.Error{Kind: protocol.Network, Detail: "the subscription ended meanwhile"}

// subscribeQueues is SubscribeQueues: record, connect, subscribe. From the record
// on the queues are never without an owner (properties S5, L2): this call, and, if
// it leaves any of them pending, a worker, in the critical section in which it ends.
func (r *routerState) subscribeQueues(ctx context.Context, subs []QueueSub) error {
	queues, err := r.want(subs)
	if err != nil {
		return err
	}
	c, err := r.acquire(ctx)
	if err == nil {
		r.mu.Lock()
		asked, rest := r.begin(c, queues)
		r.mu.Unlock()
		err = r.subscribeOn(ctx, c, asked, rest)
	}
	return r.endCall(err)
}

// want records queues as pending with these keys: the newest win (S15; in the
// seed, the left-biased union).
func (r *routerState) want(subs []QueueSub) ([]*queue, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	r.calls++
	var figures *protocol.ServiceSub
	queues := make([]*queue, 0, len(subs))
	earlier := r.queues.wish
	for _, sub := range subs {
		if q := r.queues.get(sub.Queue); q != nil {
			figures = r.uncount(q, figures)
			if q.wish > earlier { // twice in this call
				r.queues.want(sub.Queue, sub.Key)
				continue
			}
		}
		queues = append(queues, r.queues.want(sub.Queue, sub.Key))
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(QueuesWanted{r.router, slices.Clone(subs), figures})
	}
	return queues, nil
}

// endCall ends a call that subscribes: an error means that it has left something
// pending.
func (r *routerState) endCall(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls--
	switch {
	case r.closed || errors.Is(err, ErrClosed):
		return ErrClosed
	case err == nil:
		return nil
	}
	r.ensureWorker()
	return fmt.Errorf("%w: %w", ErrPending, err)
}

// subscribeOn subscribes, in batches, what was begun and then those of the rest
// that are pending. The error is the first of those that left something pending;
// others are events.
func (r *routerState) subscribeOn(ctx context.Context, c *Client, asked question, rest []*queue) error {
	var first error
	for len(asked.requests) > 0 {
		err := r.commit(c, asked, c.exchange(ctx, asked.requests))
		if first == nil {
			first = err
		}
		if len(rest) == 0 || err != nil && (ctx.Err() != nil || c.lost.Load()) {
			break
		}
		r.mu.Lock()
		asked, rest = r.begin(c, rest)
		r.mu.Unlock()
	}
	return first
}

// question is a batch that was asked: queues[i] was pending with wishes[i] when
// requests[i] was made for it.
type question struct {
	requests []protocol.Request
	queues   []*queue
	wishes   []uint64
	round    uint64
}

// begin makes the requests of a batch, for the first of the queues that are still
// pending, and returns the rest: others were subscribed by another path, removed or
// ended meanwhile. What another task is asking on this session, with this key, is
// not asked twice: what became of the first answer would be unknown if the router
// gave another to the second.
func (r *routerState) begin(c *Client, queues []*queue) (asked question, rest []*queue) {
	if r.closed {
		return question{}, nil
	}
	command := r.agent.config.Party.QueueCommand()
	size := min(len(queues), r.agent.config.BatchSize)
	asked.requests = make([]protocol.Request, 0, size)
	asked.queues = make([]*queue, 0, size)
	asked.wishes = make([]uint64, 0, size)
	for i, q := range queues {
		if len(asked.queues) == size {
			rest = queues[i:]
			break
		}
		if q.state != queuePending || q.isAsked(c) {
			continue
		}
		q.asked, q.askedKey = c, q.key
		asked.requests = append(asked.requests, protocol.Request{Queue: q.id, Key: q.key, Command: command})
		asked.queues = append(asked.queues, q)
		asked.wishes = append(asked.wishes, q.wish)
	}
	if len(asked.requests) > 0 {
		asked.round = r.beginRPC()
		if o := r.agent.env.Observer; o != nil {
			o.Observe(RequestsBegun{r.router, c.session.ID, asked.requests})
		}
	}
	return asked, rest
}

// end ends what begin began.
func (r *routerState) end(c *Client, asked question) {
	for i, q := range asked.queues {
		if q.asked == c && q.askedKey == asked.requests[i].Key {
			q.asked = nil
		}
	}
	r.endRPC(asked.round)
}
