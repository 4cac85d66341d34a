package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/sched"
)

// Answer is what became of one request: Err is why there is no response, or the
// error that is the response.
type Answer struct {
	Response protocol.Response
	Err      error
	// at is when the response came, in the order in which the session received;
	// 0 while there is none.
	at uint64
}

// flight is one block of requests that wait for their answers. The i-th answer
// belongs to the i-th request (property S11). The client's lock guards it until
// done, which is sent to once, when none is left.
type flight struct {
	requests []protocol.Request
	answers  []Answer
	left     int
	done     *sched.Chan[struct{}]
	// next and previous are its neighbours among its client's flights.
	next, previous *flight
}

// flightList has the flights of a client in the order sent. Taking one out costs
// the same wherever it is: any number of calls may wait on one session.
type flightList struct{ first, last *flight }

func (l *flightList) push(f *flight) {
	f.previous, f.next = l.last, nil
	if l.last == nil {
		l.first = f
	} else {
		l.last.next = f
	}
	l.last = f
}

// remove takes f out; nothing happens if it is not in the list.
func (l *flightList) remove(f *flight) {
	if f.previous == nil && l.first != f {
		return
	}
	if f.previous == nil {
		l.first = f.next
	} else {
		f.previous.next = f.next
	}
	if f.next == nil {
		l.last = f.previous
	} else {
		f.next.previous = f.previous
	}
	f.previous, f.next = nil, nil
}

// takeAll empties the list.
func (l *flightList) takeAll() []*flight {
	var all []*flight
	for f := l.first; f != nil; f = l.first {
		l.remove(f)
		all = append(all, f)
	}
	return all
}

// slot is the place of one request in its flight.
type slot struct {
	flight *flight
	index  int
}

// Exchange sends requests and waits for their answers, each at most
// Config.RPCTimeout from when its block's turn comes, the wait in the send queue
// included: the i-th answer is that of the i-th request. An error of the router
// (ERR) is the answer's Err. It sets the correlation ids in requests, which belong to the
// client from then on. A response that comes after its timeout reaches Messages.
// Subscriptions are refused: they belong to the agent.
func (c *Client) Exchange(ctx context.Context, requests []protocol.Request) ([]Answer, error) {
	for _, r := range requests {
		if r.Command.Subscribes() {
			return nil, fmt.Errorf("agent: %s is not for Exchange: use SubscribeQueues or SubscribeService", r.Command)
		}
	}
	answers := c.exchange(ctx, requests)
	for i := range answers {
		if a := &answers[i]; a.Err == nil && a.Response.Kind == protocol.ERR {
			a.Err = responseError(&a.Response)
		}
	}
	return answers, nil
}

// exchange cuts the requests in blocks, which go one after the other; waits within
// one are in parallel.
func (c *Client) exchange(ctx context.Context, requests []protocol.Request) []Answer {
	size := c.state.agent.config.BlockSize
	answers := make([]Answer, len(requests))
	for lo := 0; lo < len(requests); lo += size {
		hi := min(lo+size, len(requests))
		if err := c.exchangeBlock(ctx, requests[lo:hi:hi], answers[lo:hi]); err != nil {
			for i := hi; i < len(answers); i++ {
				answers[i].Err = err
			}
			break
		}
	}
	return answers
}

// exchangeBlock sends one block and waits until all is answered, or until the
// timeout. The error says that the next block need not be tried: the caller has
// left or the connection is gone.
func (c *Client) exchangeBlock(ctx context.Context, requests []protocol.Request, answers []Answer) error {
	a := c.state.agent
	f := &flight{requests: requests, answers: answers, left: len(requests), done: sched.NewChan[struct{}](sched.Named(a.env.Scheduler, "answers"), 1)}
	if err := c.register(f); err != nil {
		for i := range answers {
			answers[i].Err = err
		}
		return err
	}
	timer := a.env.Clock.NewTimer(a.config.RPCTimeout)
	defer timer.Stop()
	cancelled := sched.Recv(sched.Done(ctx))
	timedOut, answered := sched.Recv(timer.C), sched.Recv(f.done)

	handed := sched.Send(c.send, requests)
	switch sched.Select4(&handed, &answered, &timedOut, &cancelled) {
	case 1:
		return c.finish(f, nil, false)
	case 2:
		return c.finish(f, c.timeout(), false)
	case 3:
		return c.finish(f, callerError(ctx), false)
	}
	switch sched.Select3(&answered, &timedOut, &cancelled) {
	case 1:
		return c.finish(f, c.timeout(), true)
	case 2:
		return c.finish(f, callerError(ctx), true)
	}
	return c.finish(f, nil, true)
}

func (c *Client) timeout() error {
	return &protocol.Error{Kind: protocol.Timeout, Detail: fmt.Sprintf("no answer within %v", c.state.agent.config.RPCTimeout)}
}

// callerError is why the caller's context ended, as an error of the protocol.
func callerError(ctx context.Context) error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return &protocol.Error{Kind: protocol.Timeout, Detail: "the caller's deadline", Cause: err}
	}
	return &protocol.Error{Kind: protocol.IO, Detail: "the caller left", Cause: err}
}

// register gives the requests their correlation ids and lets them wait.
func (c *Client) register(f *flight) error {
	a := c.state.agent
	const size = len(protocol.CorrelationID{})
	random := make([]byte, size*len(f.requests))
	a.env.Scheduler.Read(random)
	for i := range f.requests {
		copy(f.requests[i].Correlation[:], random[i*size:])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	for i := range f.requests {
		c.waiting[f.requests[i].Correlation] = slot{f, i}
	}
	c.flights.push(f)
	if o := a.env.Observer; o != nil {
		o.Observe(RequestsSent{c.state.router, c.session.ID, f.requests})
	}
	return nil
}

// finish ends the wait for a flight. Atomically what is unanswered waits no more
// and the answers are read once more: one that came since the timeout counts.
// The timeout of a session that was silent for long enough drops it.
func (c *Client) finish(f *flight, cause error, sent bool) error {
	config := &c.state.agent.config
	var silent error
	c.mu.Lock()
	now := c.state.agent.env.Clock.Now()
	failed := c.err
	if f.left > 0 {
		if isTimeout(cause) {
			c.timeouts++
			if silence := now.Sub(c.lastReceived); c.timeouts >= config.PingTimeouts && silence >= config.Silence {
				silent = &protocol.Error{Kind: protocol.Timeout, Detail: fmt.Sprintf("silent for %v", silence)}
			}
		}
		c.abandon(f, cause, sent)
	}
	c.flights.remove(f)
	c.mu.Unlock()
	if silent != nil {
		c.stop(silent)
	}
	if failed != nil {
		return failed
	}
	if cause != nil && !isTimeout(cause) {
		return cause
	}
	return nil
}

// abandon ends the wait of what is unanswered in a flight. What was sent may
// still be answered, late.
func (c *Client) abandon(f *flight, cause error, sent bool) {
	var ids []protocol.CorrelationID
	o := c.state.agent.env.Observer
	for i := range f.answers {
		answer := &f.answers[i]
		if answer.at != 0 || answer.Err != nil {
			continue
		}
		request := &f.requests[i]
		answer.Err = cause
		delete(c.waiting, request.Correlation)
		if sent {
			c.late.add(*request)
		}
		if o != nil {
			ids = append(ids, request.Correlation)
		}
	}
	f.left = 0
	if o != nil && len(ids) > 0 {
		o.Observe(RequestsAbandoned{c.state.router, c.session.ID, ids, cause})
	}
}

// isTimeout reports whether err is the timeout of a block, not of its caller.
func isTimeout(err error) bool {
	e, ok := err.(*protocol.Error)
	return ok && e.Kind == protocol.Timeout && e.Cause == nil
}

// lateRequests keeps the newest requests that were sent and no longer wait, so
// that their answers are known; their number is bounded (property L8).
type lateRequests struct {
	requests map[protocol.CorrelationID]protocol.Request
	order    []protocol.CorrelationID
	limit    int
	// forgotService: one that subscribes a service was forgotten.
	forgotService bool
}

func newLateRequests(limit int) lateRequests { return lateRequests{limit: limit} }

func (l *lateRequests) add(r protocol.Request) {
	if l.requests == nil {
		l.requests = make(map[protocol.CorrelationID]protocol.Request)
	}
	l.requests[r.Correlation] = r
	l.order = append(l.order, r.Correlation)
	if len(l.order) > l.limit {
		forgotten, _ := l.take(l.order[0])
		l.forgotService = l.forgotService || forgotten.Command == protocol.SUBS || forgotten.Command == protocol.NSUBS
		l.order = l.order[1:]
	}
}

// take returns the request and forgets it.
func (l *lateRequests) take(id protocol.CorrelationID) (protocol.Request, bool) {
	r, ok := l.requests[id]
	delete(l.requests, id)
	return r, ok
}

func (l *lateRequests) len() int { return len(l.requests) }
