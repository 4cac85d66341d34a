package models

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/sim"
)

// What the world's check for livelocks asks of a Monitor: what is still owed, and the abstract state of the agent.

// Owed says in one line what is still to happen before the agent is settled; empty for nothing, and if the agent is closed or gone.
// It judges nothing.
func (m *Monitor) Owed(owner Owner) string {
	if m.closing || m.crashed {
		return ""
	}
	for _, r := range m.routers {
		for _, q := range r.order {
			if _, _, why := m.lacks(r, q, owner); why != "" {
				return fmt.Sprintf("router %s: queue %s %s", r.name, q.name, why)
			}
		}
		switch {
		case r.service.isPending:
			return fmt.Sprintf("router %s: the service is pending", r.name)
		case len(r.calls)+r.waiting > 0:
			return fmt.Sprintf("router %s: %d calls and %d requests are under way", r.name, len(r.calls), r.waiting)
		case r.worker.variable != 0:
			return fmt.Sprintf("router %s: the reconnect worker is still there", r.name)
		}
	}
	if m.inAgent.len() > 0 || m.consumed < m.delivered {
		return "events are not delivered or not consumed"
	}
	return ""
}

// Fingerprint adds what the shadow has of the agent's state, as far as it decides how the agent goes on. Left out is what
// only rises or grows old without effect (variables' ids, attempts, histories), and what timers of the world stand for.
func (m *Monitor) Fingerprint(f *sim.Fingerprint) {
	f.Flags(m.closing, m.closed, m.crashed)
	f.Int(m.inAgent.len())
	f.Int(int(m.delivered - m.consumed))
	for _, r := range m.routers {
		m.fingerprint(r, f)
	}
}

func (m *Monitor) fingerprint(r *router, f *sim.Fingerprint) {
	f.Int(int(r.client))
	f.Name(string(r.current.ID()))
	f.Flags(r.variable != 0, r.owesRemoval != 0)
	if r.client == failed {
		f.Since(r.failedSince, m.Config.PersistError)
	}
	w := &r.worker
	f.Int(int(w.phase))
	f.Flags(w.variable != 0, w.tried)
	f.Name(string(w.session.ID()))
	f.Int(int(w.delay))
	f.Int(int(min(w.elapsed, m.Config.Reconnect.GrowAfter)))
	f.Int(len(r.sessions))
	for _, s := range r.sessions {
		m.fingerprintSession(s, f)
	}
	f.Int(len(r.opened))
	for _, s := range r.opened {
		f.Name(string(s.id))
		f.Flags(s.published)
	}
	f.Int(len(r.waits))
	f.Int(len(r.calls))
	f.Int(r.waiting)
	f.Int(len(r.blocks))
	fingerprintService(&r.service, f)
	for _, q := range r.order {
		fingerprintQueue(q, f)
	}
}

// fingerprintSession adds a session. How long it has been silent counts until the agent must have given it up.
func (m *Monitor) fingerprintSession(s *session, f *sim.Fingerprint) {
	f.Name(string(s.id))
	f.Flags(s.lost, s.closed, s.begun)
	f.Since(s.heard, m.bound.deadPeer)
	f.Int(s.held)
	if s.grant != nil {
		f.Name(string(s.grant[:]))
	}
}

func fingerprintService(v *serviceShadow, f *sim.Fingerprint) {
	f.Flags(v.isPending, v.isActive, v.at > 0)
	if v.isPending {
		fingerprintFigures(&v.pending, f)
	}
	if v.isActive {
		f.Name(string(v.session.ID()))
		fingerprintFigures(&v.figures, f)
	}
}

func fingerprintFigures(s *protocol.ServiceSub, f *sim.Fingerprint) {
	f.Name(string(s.Service[:]))
	f.Int(int(s.Count))
	f.Text(string(s.Hash[:]))
}

func fingerprintQueue(q *queue, f *sim.Fingerprint) {
	f.Int(int(q.place))
	f.Name(string(q.session.ID()))
	f.Text(string(q.key))
	f.Name(string(q.service[:]))
	f.Flags(q.wanted, q.removed, q.handed, q.fallback)
	f.Int(q.calls)
	asked := 0
	for _, request := range q.requests {
		if request.state == waiting {
			asked++
		}
	}
	f.Int(asked)
}
