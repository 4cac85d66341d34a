package models

import (
	"time"

	"github.com/heddle-go/heddle/agent"
)

// The shadow of a router's reconnect worker, with the checks of S4, S17, L2 and L3 on it.

// isPending says whether there is anything to subscribe.
func (r *router) isPending() bool { return r.in[pending] > 0 || r.service.isPending }

func (m *Monitor) workerPut(r *router, t *agent.WorkerPut) {
	w := &r.worker
	if w.variable != 0 {
		m.fail("S4", "router %s: worker %d was started while worker %d is there", r.name, t.Var, w.variable)
	} else if t.Var <= w.last {
		m.fail("S4", "router %s: worker %d was started after worker %d: ids must rise", r.name, t.Var, w.last)
	}
	if !r.isPending() {
		m.fail("L3", "router %s: worker %d was started with nothing pending", r.name, t.Var)
	}
	*w = workerShadow{variable: t.Var, last: t.Var, phase: workerPut, delay: m.Config.Reconnect.Initial, endedAt: -1}
}

func (m *Monitor) workerAttempt(r *router, t *agent.WorkerAttempt) {
	w := &r.worker
	m.l3Iterates(r, t)
	m.s17Slept(r)
	w.phase, w.attempt, w.tried, w.session, w.connectedStep = workerAttempting, t.Attempt, false, nil, -1
}

func (m *Monitor) workerConnected(r *router, t *agent.WorkerConnected) {
	w := &r.worker
	w.session, w.connectedStep = m.session(r, t.Session), m.World.Step()
}

func (m *Monitor) workerSleep(r *router, t *agent.WorkerSleep) {
	w := &r.worker
	m.s17Schedule(r, t.Delay)
	m.l3Tried(r)
	w.phase, w.sleptAt, w.sleep = workerSleeping, m.World.Elapsed(), t.Delay
}

func (m *Monitor) workerRemoved(r *router, t *agent.WorkerRemoved) {
	w := &r.worker
	if w.variable != t.Var {
		m.fail("S3", "router %s: a holder of worker %d removed worker %d", r.name, t.Var, w.variable)
	}
	if t.Idle {
		m.l2Left(r, t)
	}
	if !t.Idle && !m.closing {
		m.fail("L2", "router %s: worker %d ended although the agent is open and something is pending", r.name, t.Var)
	}
	switch {
	case t.Idle && w.phase == workerSleeping:
		m.World.Sometimes("worker-found-nothing-left")
	case t.Idle && r.isPending():
		m.World.Sometimes("worker-left-it-to-calls")
	}
	last := w.last
	*w = workerShadow{last: last, endedAt: m.World.Elapsed()}
}

// l3Iterates reads what is pending and what the worker did last.
func (m *Monitor) l3Iterates(r *router, t *agent.WorkerAttempt) {
	w := &r.worker
	if w.variable != t.Var {
		m.fail("S4", "router %s: worker %d works while worker %d is there", r.name, t.Var, w.variable)
	}
	if !r.isPending() {
		m.fail("L3", "router %s: worker %d begins attempt %d with nothing pending", r.name, t.Var, t.Attempt)
	}
	if t.Attempt > 1 && w.phase != workerSleeping {
		m.fail("L3", "router %s: worker %d begins attempt %d without having slept", r.name, t.Var, t.Attempt)
	}
	if t.Attempt != w.attempt+1 {
		m.fail("S17", "router %s: attempt %d of worker %d follows attempt %d", r.name, t.Attempt, t.Var, w.attempt)
	}
}

// l2Left reads which calls under way have recorded what is pending: each of them starts a worker if it leaves anything.
func (m *Monitor) l2Left(r *router, t *agent.WorkerRemoved) {
	if r.service.isPending {
		m.fail("L2", "router %s: worker %d ended although the service is pending", r.name, t.Var)
	}
	if r.in[pending] == 0 {
		return
	}
	for _, q := range r.order {
		if q.place == pending && !r.hasTakenOn(q) {
			m.fail("L2", "router %s: worker %d ended although queue %s is pending, and no call under way has taken it on", r.name, t.Var, q.name)
			return
		}
	}
}

// hasTakenOn says whether a call under way has recorded the queue.
func (r *router) hasTakenOn(q *queue) bool {
	for _, c := range r.calls {
		for i := range c.queues {
			if o := &c.queues[i]; c.kind == callQueues && o.recorded && o.queue == q {
				return true
			}
		}
	}
	return false
}

// l3Tried reads what the worker's attempt did: it asked, waited for a connection that was being made, or met an error.
func (m *Monitor) l3Tried(r *router) {
	w := &r.worker
	if w.phase == workerAttempting && !w.tried && r.isPending() && !m.closing {
		m.fail("L3", "router %s: attempt %d of worker %d made no request and no attempt to connect, and met no unexpired error", r.name, w.attempt, w.variable)
	}
}

// s17Slept reads how long the worker slept, or, before its first attempt, that it did not.
func (m *Monitor) s17Slept(r *router) {
	w := &r.worker
	switch slept := m.World.Elapsed() - w.sleptAt; {
	case w.attempt == 0 && w.phase == workerSleeping:
		m.fail("S17", "router %s: worker %d slept before its first attempt", r.name, w.variable)
	case w.phase == workerSleeping && slept < w.sleep && !m.closing:
		m.fail("S17", "router %s: worker %d slept for %v instead of %v", r.name, w.variable, slept, w.sleep)
	}
}

// s17Schedule computes the sleep that is due. Reference, "Retry schedule": sleep d; elapsed += d; then d stays if elapsed is below
// growAfter or d is at its maximum, else it is half as long again, at most the maximum.
func (m *Monitor) s17Schedule(r *router, told time.Duration) {
	w, c := &r.worker, &m.Config.Reconnect
	if told != w.delay {
		m.fail("S17", "router %s: worker %d asks for a sleep of %v after attempt %d; the schedule has %v", r.name, w.variable, told, w.attempt, w.delay)
	}
	w.elapsed += w.delay
	if w.elapsed >= c.GrowAfter && w.delay != c.Max {
		w.delay = min(w.delay*3/2, c.Max)
	}
}
