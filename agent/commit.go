package agent

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
)

// batchResults collects what one commit has to tell.
type batchResults struct {
	active, counted, ended, taken []protocol.QueueID
	failed                        []QueueError
	figures                       *protocol.ServiceSub
	results                       []QueueResult // for the observer, if there is one
	pending                       error         // the first reason why something stays pending
}

// commit applies the answers to a batch, in one critical section with the check
// that their session is the router's current one (property S1) and with their
// events. The error is the first reason why something stayed pending.
func (r *routerState) commit(c *Client, asked question, answers []Answer) error {
	r.lock()
	defer r.unlock()
	err := r.commitLocked(c, asked.requests, asked.wishes, answers)
	r.end(c, asked)
	return err
}

// commitLate applies an answer that came after its timeout. It is called in the
// order received, so that what the session ended later, it ends later.
func (r *routerState) commitLate(c *Client, request protocol.Request, answer Answer) {
	r.lock()
	defer r.unlock()
	_ = r.commitLocked(c, []protocol.Request{request}, nil, []Answer{answer})
}

// commitLocked is commit; without wishes the answers are late.
func (r *routerState) commitLocked(c *Client, requests []protocol.Request, wishes []uint64, answers []Answer) error {
	o := r.agent.env.Observer
	if r.closed {
		return ErrClosed
	}
	if r.current() != c {
		if o != nil {
			queues := make([]protocol.QueueID, len(requests))
			for i := range requests {
				queues[i] = requests[i].Queue
			}
			o.Observe(ResultsRefused{r.router, c.session.ID, queues, nil})
		}
		return errNotCurrent
	}
	var b batchResults
	if o != nil {
		b.results = make([]QueueResult, 0, len(requests))
	}
	for i := range requests {
		wish := uint64(0)
		if wishes != nil {
			wish = wishes[i]
		}
		outcome, err := r.apply(c, &requests[i], wish, &answers[i], &b)
		if o != nil {
			b.results = append(b.results, QueueResult{requests[i].Queue, requests[i].Key, requests[i].Correlation, outcome, err})
		}
	}
	if len(b.counted) > 0 {
		figures := r.service.active.sub
		b.figures = &figures
	}
	if o != nil {
		o.Observe(ResultsCommitted{r.router, c.session.ID, b.results, b.figures, wishes == nil})
	}
	r.emitResults(c, &b)
	return b.pending
}

// apply classifies one answer (seed 003, "groupSub") and commits it. Only what is
// pending changes, and only by the answer to its newest key (S9, S14, S15).
func (r *routerState) apply(c *Client, request *protocol.Request, wish uint64, answer *Answer, b *batchResults) (SubOutcome, *protocol.Error) {
	q := r.queues.get(request.Queue)
	err := answerError(request, answer)
	switch {
	case q == nil || q.state != queuePending:
		return SubNotPending, err
	case err != nil && answer.at == 0, err != nil && err.Class() == protocol.Temporary:
		if b.pending == nil {
			b.pending = err
		}
		return SubTemporary, err
	case q.key != request.Key:
		return SubOutdated, err
	case err != nil:
		r.queues.forget(q)
		b.failed = append(b.failed, QueueError{q.id, err})
		return SubFailed, err
	}
	service := c.countsUnderService(&answer.Response)
	ended := r.ends[q.id].after(c, answer.at)
	taken := service && r.service.taken.after(c, answer.at)
	switch {
	case (ended || taken) && q.wish != wish:
		// Who wished it anew may have left the asking to this request.
		if b.pending == nil {
			b.pending = errEnded
		}
		return SubOutdated, nil
	case ended:
		r.queues.forget(q)
		b.ended = append(b.ended, q.id)
		return SubEnded, nil
	case taken:
		r.queues.forget(q)
		b.taken = append(b.taken, q.id)
		return SubEnded, nil
	case service && answer.at < c.figures:
		// Whether the figures that came behind it count it nobody knows, wanted or not: if
		// they do not, an ENDS that would have told of it is void by them.
		if b.pending == nil {
			b.pending = errEnded
		}
		return SubOutdated, nil
	case service:
		b.counted = append(b.counted, q.id)
		r.count(c, q, answer.at)
		return SubCounted, nil
	}
	r.queues.move(q, queueActive, c.session.ID, answer.at)
	b.active = append(b.active, q.id)
	return SubActivated, nil
}

// answerError is the error of an answer to the subscription of a queue; nil if it
// confirms it. An answer about another queue, or of a kind that does not fit, is
// unexpected, and so permanent.
func answerError(request *protocol.Request, answer *Answer) *protocol.Error {
	response := &answer.Response
	switch {
	case answer.Err != nil:
		return asProtocolError(answer.Err)
	case response.Queue != request.Queue:
		return &protocol.Error{Kind: protocol.Unexpected, Detail: fmt.Sprintf("an answer about queue %v", response.Queue)}
	}
	switch response.Kind {
	case protocol.OK, protocol.SOK:
		return nil
	case protocol.MSG:
		if request.Command == protocol.SUB {
			return nil
		}
	case protocol.ERR:
		return responseError(response)
	}
	return unexpected(response, request.Command)
}

// responseError is the error that an ERR carries.
func responseError(response *protocol.Response) *protocol.Error {
	if response.Err == nil {
		return &protocol.Error{Kind: protocol.Parse, Detail: "ERR without an error"}
	}
	return response.Err
}

func unexpected(response *protocol.Response, command protocol.Command) *protocol.Error {
	return &protocol.Error{Kind: protocol.Unexpected, Detail: fmt.Sprintf("%s answered by %s", command, response.Kind)}
}

// asProtocolError is any error as one of the protocol.
func asProtocolError(err error) *protocol.Error {
	if e, ok := err.(*protocol.Error); ok {
		return e
	}
	return &protocol.Error{Kind: protocol.IO, Cause: err}
}

// emitResults queues one event for each kind of result.
func (r *routerState) emitResults(c *Client, b *batchResults) {
	s := c.session.ID
	if len(b.active) > 0 {
		r.emit(Event{Kind: Subscribed, Session: s, Queues: b.active})
	}
	if len(b.counted) > 0 {
		r.emit(Event{Kind: Subscribed, Session: s, Service: c.service, Queues: b.counted, Figures: b.figures})
	}
	if len(b.failed) > 0 {
		r.emit(Event{Kind: SubError, Session: s, Errors: b.failed})
	}
	if len(b.ended) > 0 {
		r.emit(Event{Kind: Ended, Session: s, Queues: b.ended, Reason: protocol.END})
	}
	if len(b.taken) > 0 {
		r.emit(Event{Kind: Ended, Session: s, Queues: b.taken, Reason: protocol.ENDS})
	}
}
