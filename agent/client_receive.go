package agent

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
)

// arrival is what a block brought besides answers that somebody waits for.
type arrival struct {
	kind     MessageKind
	at       uint64
	request  protocol.Request
	response protocol.Response
	// forgotten: it may answer a service subscription that was forgotten.
	forgotten bool
}

// receive is the task that receives. Its end is that of the connection, whoever
// ended it: so the disconnect handler runs exactly once, after all that was
// received has been dispatched.
func (c *Client) receive() {
	for {
		block, err := c.conn.Receive()
		if err != nil {
			c.stop(err)
			break
		}
		c.dispatch(block)
	}
	c.state.disconnected(c)
}

// dispatch takes the block apart: an answer goes to who waits; a push, the answer
// to a request that no longer waits, and one to no known request, to the router's
// state or to the application. It never waits for a consumer.
func (c *Client) dispatch(block []protocol.Response) {
	var messages []Message
	for len(block) > 0 {
		block, messages = c.dispatchRun(block, messages)
	}
	a := c.state.agent
	if len(messages) > 0 {
		if n := a.messages.add(messages...); n > a.config.MessageBacklog {
			c.stop(&protocol.Error{Kind: protocol.IO, Detail: fmt.Sprintf("%d messages wait for their consumer, over MessageBacklog", n)})
		}
	}
}

// dispatchRun dispatches the beginning of the block: answers that somebody waits
// for, and then others. Those that come after these are given to nobody before the
// router's state has taken them: so an END is never overtaken by a later answer.
func (c *Client) dispatchRun(block []protocol.Response, messages []Message) ([]protocol.Response, []Message) {
	now := c.state.agent.env.Clock.Now()
	var others []arrival
	var finished []*flight
	concernsState := false
	c.mu.Lock()
	c.lastReceived, c.timeouts = now, 0
	for len(block) > 0 {
		response := block[0]
		s, waits := c.waiting[response.Correlation]
		if waits && concernsState {
			break
		}
		block = block[1:]
		c.received++
		switch {
		case response.Correlation.IsZero():
			concernsState = true
			others = append(others, arrival{kind: Pushed, at: c.received, response: response})
		case waits:
			if c.answer(s, response) {
				finished = append(finished, s.flight)
			}
			if response.Kind == protocol.MSG && s.flight.requests[s.index].Command == protocol.SUB {
				others = append(others, arrival{kind: Pushed, at: c.received, response: response})
			}
		default:
			concernsState = true
			others = append(others, c.unawaited(response))
		}
	}
	c.mu.Unlock()
	for _, f := range finished {
		f.done.TrySend(struct{}{})
	}
	for i := range others {
		if c.handle(&others[i]) {
			messages = append(messages, Message{others[i].kind, c.state.router, c.session.ID, others[i].request, others[i].response})
		}
	}
	return block, messages
}

// answer gives a request that waits its response, and reports whether that was
// the last of its flight.
func (c *Client) answer(s slot, response protocol.Response) bool {
	delete(c.waiting, response.Correlation)
	s.flight.answers[s.index] = Answer{Response: response, at: c.received}
	s.flight.left--
	if o := c.state.agent.env.Observer; o != nil {
		o.Observe(RequestAnswered{c.state.router, c.session.ID, response})
	}
	return s.flight.left == 0
}

// unawaited is a response that nobody waits for: late, or stray.
func (c *Client) unawaited(response protocol.Response) arrival {
	o := c.state.agent.env.Observer
	request, late := c.late.take(response.Correlation)
	if !late {
		if o != nil {
			o.Observe(StrayResponse{c.state.router, c.session.ID, response})
		}
		return arrival{kind: Stray, at: c.received, response: response, forgotten: response.Kind == protocol.SOKS && c.late.forgotService}
	}
	if o != nil {
		o.Observe(LateResponse{c.state.router, c.session.ID, request, response})
	}
	return arrival{kind: Late, at: c.received, request: request, response: response}
}

// handle gives what the agent itself needs to the router's state, and reports
// whether the application is to have it. Figures can be the only word of what a
// service has lost. If their request may have been forgotten, the session is not to be
// relied on any more: it ends, and the next one asks anew.
func (c *Client) handle(x *arrival) bool {
	r := c.state
	switch x.kind {
	case Pushed:
		switch x.response.Kind {
		case protocol.END, protocol.DELD:
			return !r.queueEnded(c, x.response.Queue, x.response.Kind, x.at)
		case protocol.ENDS:
			r.serviceTaken(c, x.at)
			return false
		}
	case Stray:
		if x.forgotten {
			c.stop(&protocol.Error{Kind: protocol.Unexpected, Detail: "figures for a service subscription that was forgotten"})
		}
	case Late:
		answer := Answer{Response: x.response, at: x.at}
		switch x.request.Command {
		case protocol.SUB, protocol.NSUB:
			r.commitLate(c, x.request, answer)
			return x.response.Kind == protocol.MSG
		case protocol.SUBS, protocol.NSUBS:
			r.commitLateService(c, x.request, answer)
			return false
		}
	}
	return true
}
