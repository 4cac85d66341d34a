package agent

import (
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/clock"
)

// workerState is what a worker's variable is filled with once its task is started.
type workerState struct{}

// ensureWorker starts the router's reconnect worker if something is pending and
// there is none (property L2). It is judged in the critical section of the caller:
// together with that in which a worker ends, nothing pending can slip between.
func (r *routerState) ensureWorker() {
	if r.closed || !r.isPending() {
		return
	}
	v, created := r.workers.GetOrCreate(r.agent.env.Scheduler)
	if !created {
		return
	}
	if o := r.agent.env.Observer; o != nil {
		o.Observe(WorkerPut{r.router, v.ID()})
	}
	r.agent.spawn("worker", func() { r.work(v) })
	v.Fill(workerState{})
}

// work attempts to subscribe what is pending, at once and then after each sleep of
// the schedule (S17), until nothing is pending (L3) or the agent is closed.
func (r *routerState) work(v *session.Var[workerState]) {
	schedule := retry.Start(r.agent.config.Reconnect)
	for n := 1; r.attempt(v, n); n++ {
		delay := schedule.Next()
		r.mu.Lock()
		r.sleeping = true
		if o := r.agent.env.Observer; o != nil {
			o.Observe(WorkerSleep{r.router, v.ID(), delay})
		}
		r.mu.Unlock()
		// The error is that of a closed agent, which the next attempt finds out.
		_ = r.agent.env.Clock.Sleep(r.agent.ctx, delay)
	}
}

// attempt is one round of a worker: connect or wait, then subscribe the service,
// then the queues in batches: those too that its figures leave in doubt. It reports false if
// the worker has ended: nothing is pending, or all of it has been taken on by calls
// under way on this session, which start a worker if they leave anything (L2, L3).
//
// The time of the whole is bounded again, beyond the bounds of its parts. That
// bound leaves room for the answer to every block, and cuts no commit: answers
// that came are committed, the rest stays pending.
func (r *routerState) attempt(v *session.Var[workerState], n int) bool {
	a := r.agent
	o := a.env.Observer
	r.mu.Lock()
	r.sleeping = false
	if r.endIdle(v) {
		r.mu.Unlock()
		return false
	}
	if o != nil {
		o.Observe(WorkerAttempt{r.router, v.ID(), n})
	}
	bound := a.config.ConnectTimeout + a.config.attemptBound(r.queues.len(queuePending))
	r.mu.Unlock()

	ctx, cancel := clock.WithTimeout(a.env.Clock, a.env.Scheduler, a.ctx, bound)
	defer cancel()
	c, err := r.acquire(ctx)
	if err != nil {
		return true
	}

	r.mu.Lock()
	queues := r.queues.pending(c)
	if r.closed || r.service.pending == nil && len(queues) == 0 {
		r.remove(v)
		r.mu.Unlock()
		return false
	}
	if o != nil {
		o.Observe(WorkerConnected{r.router, v.ID(), c.session.ID})
	}
	service, asksService := r.beginService(c)
	var asked question
	if !asksService {
		asked, queues = r.begin(c, queues)
	}
	r.mu.Unlock()
	// Errors leave things pending, and this worker is who retries them.
	if asksService {
		_ = r.askService(ctx, c, service)
		r.mu.Lock()
		asked, queues = r.begin(c, r.queues.pending(c))
		r.mu.Unlock()
	}
	if len(asked.requests) > 0 {
		_ = r.subscribeOn(ctx, c, asked, queues)
	}
	return true
}

// endIdle removes the worker if nothing is pending, or the agent closed.
func (r *routerState) endIdle(v *session.Var[workerState]) bool {
	idle := !r.isPending()
	if !r.closed && !idle {
		return false
	}
	r.remove(v)
	return true
}

// remove ends the worker, by its own variable.
func (r *routerState) remove(v *session.Var[workerState]) {
	if r.workers.Remove(v) {
		if o := r.agent.env.Observer; o != nil {
			o.Observe(WorkerRemoved{r.router, v.ID(), !r.closed || !r.isPending()})
		}
	}
}
