package models

import (
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// Compare takes a snapshot and holds it against the shadow and against the fold of the events. It may be used at any time: a router
// that moves while the snapshot is taken is left out.
func (m *Monitor) Compare(take func() agent.Snapshot) {
	var versions []uint64
	m.inline(everything, func() {
		for _, r := range m.routers {
			versions = append(versions, r.version)
		}
	})
	snapshot := take()
	m.inline(everything, func() {
		m.time++
		for i := range snapshot.Routers {
			s := &snapshot.Routers[i]
			r := m.router(s.Router)
			for j, o := range m.routers {
				if o == r && j < len(versions) && versions[j] == r.version && !m.closing {
					m.compare(r, s)
				}
			}
		}
	})
}

// Settled is Compare for an agent at rest, where nothing at all happened while the snapshot was taken; then its records, and its
// tasks, which tasks counts, must be those of the live sessions alone (L8).
func (m *Monitor) Settled(take func() agent.Snapshot, tasks func() int) {
	m.Compare(func() agent.Snapshot {
		var before int64
		m.inline(everything, func() { before = m.time })
		s := take()
		m.inline(everything, func() {
			if m.time == before {
				m.l8Bounded(&s, tasks())
			}
		})
		return s
	})
}

// Quiet says whether, as far as the Monitor knows, the agent is settled: no call, request, connect, handler or unsent event.
func (m *Monitor) Quiet() (quiet bool) {
	m.inline(everything, func() { quiet = m.quietNow() })
	return quiet
}

func (m *Monitor) quietNow() bool {
	if m.inAgent.len() > 0 {
		return false
	}
	for _, r := range m.routers {
		working := r.worker.phase == workerAttempting || r.worker.phase == workerPut
		if len(r.calls) > 0 || r.waiting > 0 || len(r.waits) > 0 || r.client == connecting || working {
			return false
		}
		for _, s := range r.sessions {
			if s.lost {
				return false
			}
		}
	}
	return true
}

func (m *Monitor) compare(r *router, s *agent.RouterSnapshot) {
	m.settleSection(r)
	m.s16Disjoint(r, s)
	seen := [places]int{}
	check := func(where place, id protocol.QueueID, key protocol.AuthKey, session string) {
		q := m.queue(r, id)
		seen[where]++
		m.comparePlace(r, q, where, key, session)
		m.s10Folded(r, q, where)
	}
	for i := range s.Pending {
		check(pending, s.Pending[i].Queue, s.Pending[i].Key, "")
	}
	for i := range s.Active {
		check(active, s.Active[i].Queue, s.Active[i].Key, string(s.Active[i].Session))
	}
	for i := range s.Counted {
		check(counted, s.Counted[i].Queue, s.Counted[i].Key, string(s.Counted[i].Session))
	}
	for i := range s.Covered {
		check(included, s.Covered[i].Queue, s.Covered[i].Key, string(s.Covered[i].Session))
	}
	for _, q := range r.order {
		if q.place == absent && q.fold != absent {
			m.s10Folded(r, q, absent)
		}
	}
	if seen[absent] = r.in[absent]; seen != r.in {
		m.s5Missing(r, s)
	}
	m.compareClient(r, s)
	m.compareService(r, s)
	m.compareRefined(r, s)
}

// comparePlace reads where the agent has recorded a queue. A removed queue that is there is one of S14, another key one of S15.
func (m *Monitor) comparePlace(r *router, q *queue, where place, key protocol.AuthKey, session string) {
	m.registers.Point(q.register, 0, m.World.Step(), RegisterCall{Op: RegisterRead, Place: where.String(), Key: key, Session: net.SessionID(session), Known: true})
	switch {
	case q.place == where && q.key != key:
		m.fail("S15", "router %s: queue %s is %s with a key that is not its newest", r.name, q.name, where)
	case q.place == where && string(q.session.ID()) != session:
		m.fail("snapshot", "router %s: queue %s is %s under session %s; by its transitions it should be %s", r.name, q.name, where, short(net.SessionID(session)), q.session)
	case q.place == where:
	case q.place == absent && q.removed:
		m.fail("S14", "router %s: queue %s was removed and is %s", r.name, q.name, where)
	default:
		m.fail("snapshot", "router %s: queue %s is %s; by its transitions it should be %s", r.name, q.name, where, q.place)
	}
}

// s5Missing names a wanted queue that the agent has not recorded.
func (m *Monitor) s5Missing(r *router, s *agent.RouterSnapshot) {
	there := make(map[protocol.QueueID]bool)
	for i := range s.Pending {
		there[s.Pending[i].Queue] = true
	}
	for _, list := range [][]agent.ActiveQueue{s.Active, s.Counted, s.Covered} {
		for i := range list {
			there[list[i].Queue] = true
		}
	}
	for _, q := range r.order {
		if q.place != absent && !there[q.id] {
			m.fail("S5", "router %s: queue %s is wanted and lost: by the transitions it is %s, and the agent has not recorded it", r.name, q.name, q.place)
			return
		}
	}
}

// s10Folded reads what the events and calls say about a queue. Of a service's queue they do not say whether its figures were told
// before or after it.
func (m *Monitor) s10Folded(r *router, q *queue, where place) {
	if where == included {
		where = counted
	}
	if q.fold != where {
		m.fail("S10", "router %s: queue %s is %s; folding the events gives %s", r.name, q.name, where, q.fold)
	} else if (where == active || where == counted) && q.foldSession != q.session {
		m.fail("S10", "router %s: queue %s is %s under session %s; folding the events gives session %s", r.name, q.name, where, q.session, q.foldSession)
	}
}

// s16Disjoint reads the lists of a snapshot.
func (m *Monitor) s16Disjoint(r *router, s *agent.RouterSnapshot) {
	where := make(map[protocol.QueueID]place, len(s.Pending)+len(s.Active)+len(s.Counted)+len(s.Covered))
	add := func(id protocol.QueueID, p place) {
		if before, twice := where[id]; twice {
			m.fail("S16", "router %s: queue %s is %s and %s at once", r.name, m.queue(r, id).name, before, p)
		}
		where[id] = p
	}
	for i := range s.Pending {
		add(s.Pending[i].Queue, pending)
	}
	for i := range s.Active {
		add(s.Active[i].Queue, active)
	}
	for i := range s.Counted {
		add(s.Counted[i].Queue, counted)
	}
	for i := range s.Covered {
		add(s.Covered[i].Queue, included)
	}
}

func (m *Monitor) compareClient(r *router, s *agent.RouterSnapshot) {
	client := [...]agent.ClientState{noClient: agent.NoClient, connecting: agent.ClientConnecting, connected: agent.ClientConnected, failed: agent.ClientFailed}[r.client]
	current := ""
	if r.current != nil {
		current = string(r.current.id)
	}
	if s.Client != client || s.ClientVar != r.variable || s.Client == agent.ClientConnected && string(s.Session) != current {
		m.fail("snapshot", "router %s: the session variable is %d in state %d, session %s; by its transitions it should be %d, %s, session %s",
			r.name, s.ClientVar, s.Client, short(s.Session), r.variable, r.client, r.current)
	}
	if s.WorkerVar != r.worker.variable || (s.Worker == agent.NoWorker) != (r.worker.variable == 0) || (s.Worker == agent.WorkerSleeping) != (r.worker.phase == workerSleeping) {
		m.fail("snapshot", "router %s: the worker is %d in state %d; by its transitions it should be %d", r.name, s.WorkerVar, s.Worker, r.worker.variable)
	}
	same := len(s.Sessions) == len(r.sessions)
	for i := 0; same && i < len(r.sessions); i++ {
		same = s.Sessions[i].Session == r.sessions[i].id
	}
	if !same {
		m.fail("snapshot", "router %s: %d sessions are live; by its transitions it should be %d, or others", r.name, len(s.Sessions), len(r.sessions))
	}
}

func (m *Monitor) compareService(r *router, s *agent.RouterSnapshot) {
	v, f := &r.service, &r.fold
	read := ServiceCall{Op: ServiceRead}
	if s.PendingService != nil {
		read.Sub = *s.PendingService
	}
	if s.ActiveService != nil {
		read.Session = s.ActiveService.Session
	}
	m.servicePoint(r, read)
	switch {
	case (s.PendingService != nil) != v.isPending:
		m.fail("S7", "router %s: a service is pending: %v; by the transitions it should be %v", r.name, s.PendingService != nil, v.isPending)
	case v.isPending && *s.PendingService != v.pending:
		m.fail("S7", "router %s: %v is pending; by the transitions it should be %v", r.name, *s.PendingService, v.pending)
	}
	switch {
	case (s.ActiveService != nil) != v.isActive:
		m.fail("snapshot", "router %s: a service is active: %v; by the transitions it should be %v", r.name, s.ActiveService != nil, v.isActive)
	case v.isActive && (s.ActiveService.Sub != v.figures || s.ActiveService.Session != v.session.id):
		m.fail("S8", "router %s: the active service is %v under session %s; it should be %v under session %s",
			r.name, s.ActiveService.Sub, short(s.ActiveService.Session), v.figures, v.session)
	case f.isActive != v.isActive || v.isActive && (f.session != v.session || f.figures != v.figures):
		m.fail("S10", "router %s: the active service is %s; folding the events gives %s", r.name, describeService(v.isActive, v.session, v.figures), describeService(f.isActive, f.session, f.figures))
	case f.isPending != v.isPending || v.isPending && f.pending != v.pending:
		m.fail("S10", "router %s: the pending service is %v (%v); folding the events gives %v (%v)", r.name, v.isPending, v.pending, f.isPending, f.pending)
	}
}

func describeService(is bool, s *session, sub protocol.ServiceSub) string {
	if !is {
		return "none"
	}
	return fmt.Sprintf("%v under session %s", sub, s)
}

// The tasks of an agent at rest: two that hand out events and messages, three for each live session, one for each worker that sleeps.
const (
	agentTasks   = 2
	sessionTasks = 3
)

// l8Bounded reads the connections that the network has, the tasks that the node has, and the records that the agent says it has, of
// an agent at rest.
func (m *Monitor) l8Bounded(snapshot *agent.Snapshot, tasks int) {
	if !m.quietNow() {
		return
	}
	expected := agentTasks
	for _, r := range m.routers {
		expected += sessionTasks * len(r.sessions)
		if r.worker.variable != 0 {
			expected++
		}
	}
	if tasks != expected {
		m.fail("L8", "the agent has %d tasks at rest; its sessions and workers account for %d", tasks, expected)
	}
	for i := range snapshot.Routers {
		s := &snapshot.Routers[i]
		r := m.router(s.Router)
		for _, o := range r.opened {
			if !o.published || o.lost {
				m.fail("L8", "router %s: the connection of session %s is open at rest, though the session is not live", r.name, o)
			}
		}
		if len(r.opened) > 1 {
			m.fail("L8", "router %s: %d connections are open at rest", r.name, len(r.opened))
		}
		if s.Calls != 0 || s.RPCs != 0 {
			m.fail("L8", "router %s: %d calls and %d requests are recorded at rest", r.name, s.Calls, s.RPCs)
		}
		for j := range s.Sessions {
			if o := &s.Sessions[j]; o.Waiting != 0 || o.Late > 2*m.Config.BatchSize {
				m.fail("L8", "router %s: session %s has %d waiting and %d late requests at rest", r.name, short(o.Session), o.Waiting, o.Late)
			}
		}
	}
}
