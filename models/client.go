package models

import (
	"time"

	"github.com/heddle-go/heddle/agent"
)

// The shadow of a router's session variable, with the checks of S3, S4 and S13 on it.

func (m *Monitor) connectStarted(r *router, t *agent.ConnectStarted) {
	m.s4SlotEmpty(r, t.Var)
	m.s13NotTooSoon(r, t.At)
	m.variables.Point(r.history, 0, m.World.Step(), VariableCall{Op: GetOrCreate, ID: t.Var, Yes: true, Known: true})
	r.variable, r.lastVariable, r.client, r.current = t.Var, t.Var, connecting, nil
	r.startedAt, r.everFailed, r.dialFailed = m.World.Elapsed(), false, -1
	r.worker.tried = true
}

func (m *Monitor) clientPublished(r *router, t *agent.ClientPublished) {
	s := m.session(r, t.Session)
	m.s4Published(r, s, t)
	m.variables.Point(r.history, 0, m.World.Step(), VariableCall{Op: Fill, ID: t.Var, Known: true})
	s.published, s.variable = true, t.Var
	r.variable, r.client, r.current = t.Var, connected, s
	r.sessions = append(r.sessions, s)
	m.owe(r, owedEvent{kind: agent.Connected, session: s, service: s.grant})
	if s.grant != nil {
		if r.lastGrant != nil && *r.lastGrant != *s.grant {
			m.World.Sometimes("service-id-changed")
		}
		r.lastGrant = s.grant
	}
}

func (m *Monitor) connectFailed(r *router, t *agent.ConnectFailed) {
	if r.variable != t.Var || r.client != connecting {
		m.fail("S4", "router %s: an attempt for variable %d failed, but variable %d is there, %s", r.name, t.Var, r.variable, r.client)
	}
	m.s13Expiry(r, t)
	m.variables.Point(r.history, 0, m.World.Step(), VariableCall{Op: Fill, ID: t.Var, Known: true})
	r.client, r.failedAt, r.expiry, r.everFailed, r.failedSince = failed, t.At, t.Expiry, true, m.World.Elapsed()
	if m.Config.PersistError == 0 {
		r.owesRemoval = t.Var
	}
}

func (m *Monitor) variableRemoved(r *router, t *agent.VariableRemoved) {
	m.s3CompareAndRemove(r, t.Var)
	m.variables.Point(r.history, 0, m.World.Step(), VariableCall{Op: Remove, ID: t.Var, Yes: true, Known: true})
	if r.owesRemoval == r.variable {
		r.owesRemoval = 0
	}
	if t.Reason == agent.RemovedExpired {
		m.World.Sometimes("persisted-error-expired")
	}
	r.variable, r.client, r.current = 0, noClient, nil
}

func (m *Monitor) variableKept(r *router, t *agent.VariableKept) {
	if t.Var == r.variable && r.variable != 0 {
		m.fail("S3", "router %s: a holder of variable %d could not remove it, though it is there", r.name, t.Var)
	}
	m.variables.Point(r.history, 0, m.World.Step(), VariableCall{Op: Remove, ID: t.Var, Known: true})
	if t.Current != 0 {
		m.World.Sometimes("stale-removal-refused")
	}
}

func (m *Monitor) errorAnswered(r *router, t *agent.ErrorAnswered) {
	m.s13NotExpired(r, t)
	r.worker.tried = true
	m.World.Sometimes("persisted-error-answered")
}

func (m *Monitor) waitStarted(r *router, t *agent.WaitStarted) {
	if r.variable != t.Var || r.client != connecting {
		m.fail("L5", "router %s: a caller waits for variable %d, which nobody fills: variable %d is there, %s", r.name, t.Var, r.variable, r.client)
	}
	r.waits = append(r.waits, wait{t.Var, m.World.Elapsed()})
	r.worker.tried = true
}

func (m *Monitor) waitEnded(r *router, t *agent.WaitEnded) {
	for i := range r.waits {
		if r.waits[i].variable == t.Var {
			r.waits = append(r.waits[:i], r.waits[i+1:]...)
			break
		}
	}
	switch t.Outcome {
	case agent.WaitTimedOut:
		m.World.Sometimes("waiter-timed-out")
	case agent.WaitCancelled:
		m.World.Sometimes("waiter-cancelled")
	}
}

func (m *Monitor) sessionLost(r *router, t *agent.SessionLost) {
	s := m.session(r, t.Session)
	if s.answers == 0 && !s.lost {
		m.World.Sometimes("lost-right-after-connecting")
	}
	s.lost = true
}

// s3CompareAndRemove reads the variable that is there.
func (m *Monitor) s3CompareAndRemove(r *router, id uint64) {
	if r.variable != id {
		m.fail("S3", "router %s: a holder of variable %d removed variable %d", r.name, id, r.variable)
	}
}

// s4SlotEmpty reads whether there is a variable, and the ids that there were.
func (m *Monitor) s4SlotEmpty(r *router, id uint64) {
	if r.variable != 0 {
		m.fail("S4", "router %s: an attempt to connect began as variable %d while variable %d is there, %s", r.name, id, r.variable, r.client)
	} else if id <= r.lastVariable {
		m.fail("S4", "router %s: variable %d was made after variable %d: ids must rise", r.name, id, r.lastVariable)
	}
}

// s4Published reads the variable that is there, the network's connections and which sessions are lost.
func (m *Monitor) s4Published(r *router, s *session, t *agent.ClientPublished) {
	if r.variable != t.Var || r.client != connecting {
		m.fail("S4", "router %s: session %s was published as variable %d, but variable %d is there, %s", r.name, s, t.Var, r.variable, r.client)
	}
	if s.published {
		m.fail("S4", "router %s: session %s was published twice", r.name, s)
	}
	for _, other := range r.sessions {
		if other != s && !other.lost && !other.closed {
			m.fail("S4", "router %s: session %s was published while the connection of session %s is live", r.name, s, other)
		}
	}
	known := false
	for _, o := range r.opened {
		known = known || o == s
	}
	if !known {
		m.fail("S4", "router %s: session %s was published, but the network has no such open connection", r.name, s)
	}
	if (t.Service == nil) != (s.grant == nil) || t.Service != nil && *t.Service != *s.grant {
		m.fail("S8", "router %s: session %s was published with a service other than the one that the router granted", r.name, s)
	}
}

// s13NotTooSoon reads the time of the last failed attempt: as the agent says, and when the network gave the agent its error.
func (m *Monitor) s13NotTooSoon(r *router, at time.Time) {
	p := m.Config.PersistError
	if p == 0 || !r.everFailed {
		return
	}
	if d := at.Sub(r.failedAt); d < p {
		m.fail("S13", "router %s: an attempt to connect began %v after a failed one; the error is kept for %v", r.name, d, p)
	} else if now := m.World.Elapsed(); r.dialFailed >= 0 && now-r.dialFailed < p && !m.Jumps {
		m.fail("S13", "router %s: an attempt to connect began %v after the network refused one; the error is kept for %v", r.name, now-r.dialFailed, p)
	}
}

// s13Expiry reads the configured interval.
func (m *Monitor) s13Expiry(r *router, t *agent.ConnectFailed) {
	p := m.Config.PersistError
	switch {
	case p == 0 && !t.Expiry.IsZero():
		m.fail("S13", "router %s: an error was kept until %v, though errors are not kept", r.name, t.Expiry)
	case p > 0 && t.Expiry.Before(t.At.Add(p)):
		m.fail("S13", "router %s: an error is kept for %v; it should be for %v", r.name, t.Expiry.Sub(t.At), p)
	}
}

// s13NotExpired reads the variable that is there and when its error expires.
func (m *Monitor) s13NotExpired(r *router, t *agent.ErrorAnswered) {
	switch {
	case r.client != failed || r.variable != t.Var:
		m.fail("S13", "router %s: a caller was answered with the error of variable %d, but variable %d is there, %s", r.name, t.Var, r.variable, r.client)
	case m.Config.PersistError == 0:
		m.fail("S13", "router %s: a caller was answered with a stored error, though errors are not kept", r.name)
	case !t.At.Before(r.expiry):
		m.fail("S13", "router %s: a caller was answered with an error %v after its expiry", r.name, t.At.Sub(r.expiry))
	}
}

// s13VariableGone reads whether the variable of a failed attempt went in the same critical section, with interval 0.
func (m *Monitor) s13VariableGone(r *router) {
	if r.owesRemoval != 0 && !m.closing {
		m.fail("S13", "router %s: variable %d is still there after its attempt failed, though errors are not kept", r.name, r.owesRemoval)
	}
}

func (c clientState) String() string {
	return [...]string{"empty", "connecting", "connected", "failed"}[c]
}
