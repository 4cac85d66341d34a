package net

import "github.com/heddle-go/heddle/sched"

// acceptor is a task that calls a handler, one event after the other. Posting an event never waits, so that handlers may, and
// neither a dial nor a Close waits for a handler that is behind; what may pile up is bounded by the windows of connections.
type acceptor[Out, In any] struct {
	handler Handler[Out, In]
	wake    *sched.Chan[struct{}] // holds an item while there may be events
	done    *sched.Chan[struct{}] // closed when the task has ended
	mu      sched.Mutex
	events  []func()
	stopped bool // no event runs any more

	sessions []*localConn[Out, In] // those served; of the task
}

func newAcceptor[Out, In any](s sched.Scheduler, h Handler[Out, In]) *acceptor[Out, In] {
	return &acceptor[Out, In]{
		handler: h, mu: sched.NewMutex(s), wake: sched.NewChan[struct{}](s, 1), done: sched.NewChan[struct{}](s, 0),
	}
}

// post lets the event run after those that were posted before.
func (a *acceptor[Out, In]) post(event func()) {
	a.mu.Lock()
	a.events = append(a.events, event)
	a.mu.Unlock()
	a.wake.TrySend(struct{}{})
}

// stop ends the task, and the sessions with it.
func (a *acceptor[Out, In]) stop() {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.wake.TrySend(struct{}{})
}

// serve is the task.
func (a *acceptor[Out, In]) serve() {
	defer a.done.Close()
	for {
		a.wake.Recv()
		for {
			event, stopped := a.next()
			if stopped {
				for len(a.sessions) > 0 {
					c := a.sessions[len(a.sessions)-1]
					c.end()
					a.closed(c)
				}
				return
			}
			if event == nil {
				break
			}
			event()
		}
	}
}

// next takes the first event; nil for none.
func (a *acceptor[Out, In]) next() (event func(), stopped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.events) > 0 {
		event = a.events[0]
		a.events[0] = nil
		a.events = a.events[1:]
	}
	return event, a.stopped
}

// accept is the event in which a connection asks for its session.
func (a *acceptor[Out, In]) accept(c *localConn[Out, In], credential string) error {
	grant, err := a.handler.Accept(c.session.ID, credential, localPeer[Out, In]{c})
	if err != nil {
		c.end()
		return err
	}
	c.session.Grant = grant
	c.served, c.ordinal = true, len(a.sessions)
	a.sessions = append(a.sessions, c)
	return nil
}

// receive is the event in which a transmission arrives. One that arrives after an end of the session is lost.
func (a *acceptor[Out, In]) receive(c *localConn[Out, In], out Out) {
	c.window.TryRecv()
	if c.served && !c.hungUp {
		a.handler.Receive(c.session.ID, out)
	}
}

// closed is the event in which the handler hears of the end of a session.
func (a *acceptor[Out, In]) closed(c *localConn[Out, In]) {
	if !c.served {
		return
	}
	c.served = false
	last := len(a.sessions) - 1
	a.sessions[c.ordinal] = a.sessions[last]
	a.sessions[c.ordinal].ordinal = c.ordinal
	a.sessions[last] = nil
	a.sessions = a.sessions[:last]
	a.handler.Closed(c.session.ID)
}
