package agent

// disconnected is the disconnect handler of a client, which runs once, after its
// connection is gone: in one critical section the session variable is removed if
// it is still this client's (property S3), and what is active under this session,
// and nothing else, is demoted to pending (S2, S6). A newer session may be current
// by now, with subscriptions of its own.
func (r *routerState) disconnected(c *Client) {
	a := r.agent
	r.mu.Lock()
	defer r.mu.Unlock()
	a.sessionsMu.Lock()
	a.events.lock()
	delete(a.sessions, c.session.ID)
	r.forgetLive(c)
	if !r.closed {
		r.removeVar(c.variable, RemovedDisconnected)
		if active := r.service.active; active != nil && active.session == c.session.ID {
			r.demoteService()
		}
		queues := r.queues.demote(c.session.ID)
		if o := a.env.Observer; o != nil {
			o.Observe(SessionEnded{r.router, c.session.ID, queues})
		}
		r.emit(Event{Kind: Disconnected, Session: c.session.ID, Queues: queues})
	}
	a.events.unlock()
	a.sessionsMu.Unlock()
	r.ensureWorker()
}
