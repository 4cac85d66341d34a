package agent

import (
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
	schedule := newRetrySchedule(r.agent.config.Reconnect)
	for n := 1; r.attempt(v, n); n++ {
		delay := schedule.next()
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
// then the queues in batches. It reports false if the worker has ended.
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
	if r.endIdle(v) {
		r.mu.Unlock()
		return false
	}
	queues, service := r.queues.pending(c), r.service.pending
	if o != nil {
		o.Observe(WorkerConnected{r.router, v.ID(), c.session.ID, len(queues), service != nil})
	}
	r.mu.Unlock()
	// Errors leave things pending, and this worker is who retries them.
	if service != nil {
		_ = r.subscribeServiceOn(ctx, c, *service)
	}
	_ = r.subscribeOn(ctx, c, queues)
	return true
}

// endIdle removes the worker, by its own variable, if there is nothing to do.
func (r *routerState) endIdle(v *session.Var[workerState]) bool {
	idle := !r.isPending()
	if !r.closed && !idle {
		return false
	}
	if r.workers.Remove(v) {
		if o := r.agent.env.Observer; o != nil {
			o.Observe(WorkerRemoved{r.router, v.ID(), idle})
		}
	}
	return true
}
