package agent

import (
	"context"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// serviceState is the one service subscription of a router (property S7). Active
// and pending may both be there: while a newer one is on its way, and when queues
// were counted on a session before its service was subscribed.
type serviceState struct {
	active  *activeService
	pending *protocol.ServiceSub
	// wish numbers what was put in pending.
	wish uint64
	// taken has the ENDS received while answers were out (see ended.go).
	taken endMark
}

// activeService is a service subscribed on a session. What sub counts are the
// figures of the session's last SOKS, received at at (0: none since it is active), and
// the queues confirmed singly after them (property S8).
//
// The register keeps, as counted, every queue that was confirmed singly under a
// service and is covered by that service since, active or pending: also those that
// are included in later figures of the router. Should that service be given up for
// another, they are subscribed on their own.
//
// Only its figures say whether an SOKS gives a queue that was confirmed before to
// this session: meanwhile the queue may have been deleted, or taken by another
// client, of which an earlier session is not told, nor this one if the SOKS has
// made the ENDS void. If they are not those that are known to count it
// (queue.vouched), it is subscribed on its own, behind them: what becomes of it then
// the router tells, on this session. It may be counted twice from there on, once in
// the router's figures; so the figures of the next session do not fit either, and
// it is subscribed on its own there again.
type activeService struct {
	sub     protocol.ServiceSub
	session net.SessionID
	at      uint64
}

func (s *serviceState) want(sub protocol.ServiceSub) {
	s.wish++
	s.pending = &sub
}

// subscribeService is SubscribeService, as subscribeQueues is for queues.
func (r *routerState) subscribeService(ctx context.Context, sub protocol.ServiceSub) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return ErrClosed
	}
	r.calls++
	if r.service.pending == nil || *r.service.pending != sub {
		r.unvouch(func(q *queue) bool { return !r.activeCovers(q) })
	}
	r.service.want(sub)
	uncovered := r.uncover(true)
	if o := r.agent.env.Observer; o != nil {
		o.Observe(ServiceWanted{r.router, sub, uncovered})
	}
	if len(uncovered) > 0 {
		r.ensureWorker()
	}
	r.mu.Unlock()
	c, err := r.acquire(ctx)
	if err == nil {
		err = r.subscribeServiceOn(ctx, c, sub)
	}
	return r.endCall(err)
}

// subscribeServiceOn subscribes the service on a session if it is pending. The
// error says why it stayed pending.
func (r *routerState) subscribeServiceOn(ctx context.Context, c *Client, sub protocol.ServiceSub) error {
	r.mu.Lock()
	if r.service.pending == nil || *r.service.pending != sub {
		r.mu.Unlock()
		return nil
	}
	asked, ok := r.beginService(c)
	r.mu.Unlock()
	if !ok {
		return nil
	}
	return r.askService(ctx, c, asked)
}

// isActiveOn reports whether the service has had its SOKS on the session.
func (r *routerState) isActiveOn(c *Client) bool {
	active := r.service.active
	return active != nil && active.at > 0 && active.session == c.session.ID
}

// serviceQuestion is a service subscription that was asked: requests is one.
type serviceQuestion struct {
	requests []protocol.Request
	wish     uint64
	round    uint64
}

// beginService makes the request for the pending service, if there is any.
func (r *routerState) beginService(c *Client) (asked serviceQuestion, ok bool) {
	if r.closed || r.service.pending == nil {
		return serviceQuestion{}, false
	}
	request := protocol.Request{Command: r.agent.config.Party.ServiceCommand(), Service: *r.service.pending}
	asked = serviceQuestion{[]protocol.Request{request}, r.service.wish, r.beginRPC()}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(RequestsBegun{r.router, c.session.ID, asked.requests})
	}
	return asked, true
}

// askService asks, and applies the answer. A session that has another service need
// not be asked.
func (r *routerState) askService(ctx context.Context, c *Client, asked serviceQuestion) error {
	request := &asked.requests[0]
	var answer Answer
	if c.serves(request.Service.Service) {
		answer = c.exchange(ctx, asked.requests)[0]
	} else {
		answer.Err = &protocol.Error{Kind: protocol.NoService, Detail: "the session has another service, another role or none"}
	}
	r.lock()
	defer r.unlock()
	err := r.commitService(c, request, asked.wish, answer, false)
	r.endRPC(asked.round)
	return err
}

// commitLateService applies an answer that came after its timeout.
func (r *routerState) commitLateService(c *Client, request protocol.Request, answer Answer) {
	r.lock()
	defer r.unlock()
	_ = r.commitService(c, &request, 0, answer, true)
}

// serves reports whether the session is that of the service and in its role.
func (c *Client) serves(service protocol.ServiceID) bool {
	config := &c.state.agent.config
	return c.service != nil && *c.service == service && config.Credential.Role == config.Party.Role()
}

// countsUnderService reports whether the response counts its queue under the
// session's own service.
func (c *Client) countsUnderService(response *protocol.Response) bool {
	return response.Kind == protocol.SOK && response.Service != nil && c.service != nil && *response.Service == *c.service
}

// commitService applies the answer to a service subscription, in one critical
// section with the check of its session and with its event (properties S1, S7).
// The error says why the service stayed pending.
func (r *routerState) commitService(c *Client, request *protocol.Request, wish uint64, answer Answer, late bool) error {
	o := r.agent.env.Observer
	sub := request.Service
	if r.closed {
		return ErrClosed
	}
	if r.current() != c {
		if o != nil {
			o.Observe(ResultsRefused{r.router, c.session.ID, nil, &sub})
		}
		return errNotCurrent
	}
	done := ServiceCommitted{Router: r.router, Session: c.session.ID, Correlation: request.Correlation, Wanted: sub, Late: late}
	done.Outcome, done.Err = r.serviceOutcome(c, sub, wish, answer)
	if done.Err == nil { // it is an SOKS
		c.figures = max(c.figures, answer.at)
	}
	event := r.applyService(c, &done, answer)
	if o != nil {
		o.Observe(done)
	}
	if event.Kind != 0 {
		r.emit(event)
	}
	if len(done.Queues) > 0 {
		r.ensureWorker()
	}
	switch {
	case done.Outcome == SubTemporary:
		return done.Err
	case done.Outcome == SubOutdated && r.service.pending != nil && *r.service.pending == sub:
		// Whoever wished it may have left the asking to this request.
		return errEnded
	}
	return nil
}

// applyService changes what the outcome says, and answers the event that tells of
// it; none if its kind is zero.
func (r *routerState) applyService(c *Client, done *ServiceCommitted, answer Answer) Event {
	sub := done.Wanted
	event := Event{Session: c.session.ID}
	switch done.Outcome {
	case SubActivated, SubRefreshed:
		done.Confirmed = protocol.ServiceSub{Service: sub.Service, Count: answer.Response.Count, Hash: answer.Response.Hash}
		r.activateService(c, done, answer.at)
		event.Kind, event.Confirmed, event.Figures, event.Queues = ServiceSubscribed, done.Confirmed, &done.Figures, done.Queues
	case SubFailed:
		event.Kind, event.Err = ServiceSubError, done.Err
	case SubUnavailable:
		event.Kind = ServiceUnavailable
	case SubEnded:
		event.Kind, event.Figures = ServiceEnded, &sub
	}
	if event.Kind != 0 {
		if done.Outcome != SubRefreshed {
			r.service.pending, event.Wanted = nil, sub
		}
		r.uncover(false)
	}
	if active := r.service.active; active != nil && active.session == c.session.ID && (done.Outcome == SubFailed || done.Outcome == SubUnavailable) {
		// The router contradicts itself. It may have taken the service back before, with
		// an answer that was lost, and an ENDS made void.
		r.endActive()
		done.Queues = r.uncover(true)
		event.Queues = done.Queues
	}
	return event
}

// serviceOutcome classifies the answer to a service subscription. Figures that
// nothing waits for count all the same for a service that is active, if they are the
// session's newest (property S8): when the service was asked for more than once, the
// first answer does not tell what the router has done since. Those that are older
// than others of the session do not count, whatever became of these: whoever wants
// the service again asks for it.
func (r *routerState) serviceOutcome(c *Client, sub protocol.ServiceSub, wish uint64, answer Answer) (SubOutcome, *protocol.Error) {
	err := serviceAnswerError(answer, r.agent.config.Party.ServiceCommand())
	ended := err == nil && r.service.taken.after(c, answer.at)
	wanted := r.service.pending != nil && *r.service.pending == sub
	older := err == nil && answer.at < c.figures
	active := r.service.active
	here := err == nil && active != nil && active.session == c.session.ID
	switch {
	case !wanted && here && active.sub.Service == sub.Service && !older:
		return SubRefreshed, nil
	case r.service.pending == nil:
		return SubNotPending, err
	case !wanted, older, ended && r.service.wish != wish:
		return SubOutdated, err
	case ended:
		return SubEnded, nil
	case err == nil:
		return SubActivated, nil
	}
	switch err.Class() {
	case protocol.Temporary:
		return SubTemporary, err
	case protocol.ServiceError:
		return SubUnavailable, err
	}
	return SubFailed, err
}

func serviceAnswerError(answer Answer, command protocol.Command) *protocol.Error {
	switch {
	case answer.Err != nil:
		return asProtocolError(answer.Err)
	case answer.Response.Kind == protocol.SOKS:
		return nil
	case answer.Response.Kind == protocol.ERR:
		return responseError(&answer.Response)
	}
	return unexpected(&answer.Response, command)
}

// activateService replaces the active service by the figures of an SOKS received
// at at, and the queues that were counted after it. Those counted before are
// included in the router's figures if these are as they should be; else they are
// pending.
func (r *routerState) activateService(c *Client, done *ServiceCommitted, at uint64) {
	if active := r.service.active; active != nil && active.session != c.session.ID {
		r.demoteService()
	}
	fit := done.Confirmed == r.expected(c, done.Wanted, at)
	active := &activeService{done.Confirmed, c.session.ID, at}
	r.service.active = active
	for q := r.queues.first(queueCounted); q != nil; q = q.next {
		if q.inFigures = q.session == active.session && q.at > active.at; q.inFigures {
			active.sub = active.sub.With(q.id)
			done.Counted = append(done.Counted, q.id)
		}
		q.vouched = q.inFigures || q.vouched && fit
	}
	done.Figures = active.sub
	done.Queues = r.release(true, func(q *queue) bool {
		return q.service == active.sub.Service && !q.vouched
	})
}

// expected is what the figures of an SOKS received at at are if the router has lost
// and gained nothing: those of the last SOKS on this session, or else those asked
// for, and what was confirmed singly before at.
func (r *routerState) expected(c *Client, wanted protocol.ServiceSub, at uint64) protocol.ServiceSub {
	figures, onTop := wanted, true
	if r.isActiveOn(c) {
		figures, onTop = r.service.active.sub, false
	}
	for q := r.queues.first(queueCounted); q != nil; q = q.next {
		switch before := q.at < at; {
		case !q.inFigures:
		case onTop && before:
			figures = figures.With(q.id)
		case !onTop && !before:
			figures = figures.Without(q.id)
		}
	}
	return figures
}

// unvouch is called when figures are given up for others that may not count the
// same queues.
func (r *routerState) unvouch(which func(*queue) bool) {
	for q := r.queues.first(queueCounted); q != nil; q = q.next {
		q.vouched = q.vouched && !which(q)
	}
}

// endActive ends the active service; what it counted is in no figures any more.
func (r *routerState) endActive() {
	r.service.active = nil
	for q := r.queues.first(queueCounted); q != nil; q = q.next {
		q.inFigures = false
	}
}

// count counts a queue, confirmed at at, under the session's service: the seed's
// accumulating merge. A service of a session that is no longer current is not
// dropped for it, as in the seed, but demoted first.
func (r *routerState) count(c *Client, q *queue, at uint64) {
	if active := r.service.active; active != nil && active.session != c.session.ID {
		r.demoteService()
	}
	if r.service.active == nil {
		r.service.active = &activeService{sub: protocol.ServiceSub{Service: *c.service}, session: c.session.ID}
	}
	active := r.service.active
	r.queues.move(q, queueCounted, c.session.ID, at)
	q.service = *c.service
	q.inFigures, q.vouched = true, true
	active.sub = active.sub.With(q.id)
}

// uncount takes q out of the active service's figures if it is counted there; it
// returns these figures then, else those given.
func (r *routerState) uncount(q *queue, figures *protocol.ServiceSub) *protocol.ServiceSub {
	if !q.inFigures {
		return figures
	}
	q.inFigures = false
	active := r.service.active
	active.sub = active.sub.Without(q.id)
	left := active.sub
	return &left
}

// demoteService ends the active service, with its session: it becomes pending,
// unless something newer is (property S7; pending is never cleared here). If that
// is another service, which does not cover them, the queues that were counted
// become pending singly.
func (r *routerState) demoteService() {
	active := r.service.active
	if p := r.service.pending; p != nil && *p != active.sub {
		r.unvouch(r.activeCovers)
	}
	r.endActive()
	demoted := ServiceDemoted{Router: r.router, Session: active.session, Sub: active.sub, Pending: r.service.pending == nil}
	if demoted.Pending {
		r.service.want(active.sub)
	}
	demoted.Queues = r.uncover(true)
	if o := r.agent.env.Observer; o != nil {
		o.Observe(demoted)
	}
	r.emit(Event{Kind: ServiceDisconnected, Session: active.session, Figures: &demoted.Sub, Queues: demoted.Queues})
}

// covers reports whether a counted queue is still part of the service: one that is
// pending asks the router for it, one that is active either has its SOKS or counts
// the queue itself.
func (r *routerState) covers(q *queue) bool {
	pending := r.service.pending
	return r.activeCovers(q) || pending != nil && pending.Service == q.service
}

func (r *routerState) activeCovers(q *queue) bool {
	active := r.service.active
	return q.inFigures || active != nil && active.at > 0 && active.sub.Service == q.service
}

// uncover is called when the service subscription has changed. Counted queues that
// it no longer covers become pending, and are returned, if they stay wanted; else
// they are forgotten.
func (r *routerState) uncover(wanted bool) []protocol.QueueID {
	return r.release(wanted, func(q *queue) bool { return !r.covers(q) })
}

// release makes those of the counted queues pending, or forgets them.
func (r *routerState) release(wanted bool, which func(*queue) bool) []protocol.QueueID {
	var released []protocol.QueueID
	for q := r.queues.first(queueCounted); q != nil; {
		next := q.next
		switch {
		case !which(q):
		case wanted:
			r.queues.move(q, queuePending, "", 0)
			released = append(released, q.id)
		default:
			r.queues.forget(q)
		}
		q = next
	}
	return released
}
