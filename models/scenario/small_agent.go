package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
)

// SmallAgent is the small agent (seed 003) among routers, other clients and faults: applications do what a workload, drawn by
// decisions, tells them; then the world heals, everything owed must happen within its bound, and all is closed.
func SmallAgent() *sim.Scenario {
	return smallAgentScenario("small-agent", "agents, routers and faults as drawn; then it heals, settles and closes", DrawWorkload)
}

// SmallAgentWith is SmallAgent with a given workload: only the schedule and the faults are decided while it runs.
func SmallAgentWith(l Workload) *sim.Scenario {
	return smallAgentScenario("small-agent/given", "as small-agent, with a given workload", func(*sim.World) Workload { return l })
}

func smallAgentScenario(name, summary string, draw func(*sim.World) Workload) *sim.Scenario {
	return &sim.Scenario{
		Name: name, Summary: summary,
		Properties: models.Properties(),
		Sometimes: append(models.Sometimes(),
			"subscribe-from-consumer", "close-from-consumer", "connect-cancelled", "call-cancelled", "event-queue-full", "service-fallback"),
		Setup: func(w *sim.World) func() {
			s, err := newSmallAgent(w, draw(w))
			if err != nil {
				panic(err)
			}
			return s.run
		},
	}
}

// smallAgent is one run.
type smallAgent struct {
	world   *sim.World
	load    Workload
	network *sim.Network[[]protocol.Request, []protocol.Response]
	routers []*router.Router
	parts   []*sim.Shared // of the routers
	apps    []*app
	slack   time.Duration // for how long stalls may hold up a task
}

// queueID is the id of the i-th queue of a router; those from Workload.Queues on belong to the service.
func queueID(router, i int) protocol.QueueID { return protocol.QueueID{'q', byte(router), byte(i)} }

func queueIndex(q protocol.QueueID) int { return int(q[2]) }

// short is enough of a session's id for a person to tell sessions apart.
func short(id net.SessionID) net.SessionID { return id[:min(len(id), 8)] }

func routerIndex(r protocol.Router) int {
	for i := range hosts {
		if r.Hosts == hosts[i] {
			return i
		}
	}
	panic(fmt.Sprintf("no router %v", r))
}

func routerName(i int) protocol.Router {
	return protocol.Router{KeyHash: "key", Hosts: hosts[i]}
}

var hosts = [...]string{"one.example.org", "two.example.org", "three.example.org"}

// How often each fault may strike.
const (
	stallsEach = 2
	rulesEach  = 4 // how often each rule of a router may strike
)

func newSmallAgent(w *sim.World, l Workload) (*smallAgent, error) {
	return newSmallAgentBehind(w, l, func(r handler, _ *sim.Shared) handler { return r })
}

// newSmallAgentBehind is newSmallAgent with something in front of each router.
func newSmallAgentBehind(w *sim.World, l Workload, front func(handler, *sim.Shared) handler) (*smallAgent, error) {
	s := &smallAgent{world: w, load: l, slack: w.LongestStall()}
	if w.Tracing() {
		l.tell(w.Logf)
	}
	network := sim.NewNetwork[[]protocol.Request, []protocol.Response](w)
	s.network = network
	inWords(network)
	for i := range l.Routers {
		part := w.Shared(routerName(i).FirstHost())
		r := router.New(router.Options{Name: routerName(i).Hosts, Env: part, Faults: w, Timeout: l.Applications[0].Config.RPCTimeout, OnOwner: s.onOwner(i)})
		for q := range l.Queues + l.ServiceQueues {
			r.NewQueue(l.Party, queueID(i, q), keys[:2]...)
		}
		if c := l.Applications[0].Config.Credential; c != (protocol.Credential{}) {
			for q := range l.ServiceQueues {
				r.Associate(l.Party, queueID(i, l.Queues+q), c)
			}
		}
		if err := network.ListenWithin(part, routerName(i).Address(), front(r, part)); err != nil {
			return nil, err
		}
		r.Arm(w, rulesEach)
		w.OnHeal(r.Heal)
		s.routers, s.parts = append(s.routers, r), append(s.parts, part)
	}
	for i, a := range l.Applications {
		node := w.Node([...]string{"agent", "rival"}[i])
		node.Stalls(stallsEach)
		s.apps = append(s.apps, newApp(s, i, a, node, network.Dialer(node)))
	}
	w.OnFingerprint(s.fingerprint)
	s.show()
	rival := s.apps[len(s.apps)-1]
	if rival.number > 0 {
		w.Rule("crash", 1, rival.crash)
	}
	return s, nil
}

// onOwner tells every monitor of a change of ownership at a router.
func (s *smallAgent) onOwner(i int) func(router.Ownership) {
	var tell []func(router.Ownership)
	return func(o router.Ownership) {
		if tell == nil {
			for _, p := range s.apps {
				tell = append(tell, p.monitor.Owner(routerName(i)))
			}
		}
		for _, f := range tell {
			f(o)
		}
		if o.Session == "" {
			s.world.Logf("router %d: queue %d, which no session has, is %v", i, queueIndex(o.Queue.ID), o.Event)
			return
		}
		s.world.Logf("router %d: session %s %v queue %d", i, short(o.Session), o.Event, queueIndex(o.Queue.ID))
	}
}

// run is the main task: work, heal, settle, close.
func (s *smallAgent) run() {
	for _, p := range s.apps {
		p.node.Go("app", p.run)
	}
	for _, p := range s.apps {
		p.finished.Recv()
	}
	s.sleep(s.load.Linger)
	s.world.Heal()
	for _, p := range s.apps {
		p.monitor.Healed()
		p.resume.Close()
	}
	s.world.Owes(s.owed)
	s.settle()
	if s.slack > 0 { // whoever stalls goes on, and may find that its session is lost: that has to be settled too
		s.sleep(s.slack)
		s.settle()
	}
	s.sleep(time.Millisecond) // in which whoever has something left to do does it
	for _, p := range s.apps {
		if p.open() {
			p.monitor.Settled(p.agent.Snapshot, func() int { return p.node.Tasks() - consumers })
		}
		var crashed bool
		p.part.Inline(func() { crashed = p.crashed })
		if !crashed {
			p.close()
		}
		if undecided := p.monitor.Finish(); len(undecided) > 0 {
			s.world.Fail("linearizable", "%s", undecided[0])
		}
	}
}

func (s *smallAgent) sleep(d time.Duration) {
	if d > 0 {
		_ = s.world.Host().Clock().Sleep(context.Background(), d)
	}
}

// bound is L1's: what the agents state, twice, since a service that turns out to be unavailable is subscribed queue by queue
// afterwards, and what the stalls may add.
func (s *smallAgent) bound() time.Duration {
	var longest time.Duration
	for _, p := range s.apps {
		longest = max(longest, p.Config.SubscribeBound(s.load.Queues+s.load.ServiceQueues))
	}
	return 2*longest + s.slack
}

// settle waits, less and less often, until nothing is owed and agents and routers agree, for as long as L1 allows.
func (s *smallAgent) settle() {
	start, bound := s.world.Elapsed(), s.bound()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Minute) {
		open := s.unsettled()
		if open == "" {
			return
		}
		if d := s.world.Elapsed() - start; d > bound {
			s.world.Fail("L1", "%v after the world has healed (bound %v): %s", d, bound, open)
			return
		}
		s.sleep(pause)
	}
}

// unsettled says what is still to happen; empty for nothing.
func (s *smallAgent) unsettled() string {
	for _, p := range s.apps {
		if !p.open() {
			continue
		}
		if left := p.monitor.Live(s.owner); left > 0 {
			return fmt.Sprintf("%s owes something, for %v at most", p.node.Name(), left)
		}
		var snapshot agent.Snapshot
		p.monitor.Compare(func() agent.Snapshot {
			snapshot = p.agent.Snapshot()
			return snapshot
		})
		if snapshot.Closed {
			continue
		}
		if n := snapshot.QueuedEvents + snapshot.QueuedMessages; n > 0 {
			return fmt.Sprintf("%s has %d events and messages that were not taken", p.node.Name(), n)
		}
		for i := range snapshot.Routers {
			var what string
			p.part.Inline(func() { what = s.disagreement(&snapshot.Routers[i]) })
			if what != "" {
				return fmt.Sprintf("%s at %v: %s", p.node.Name(), snapshot.Routers[i].Router, what)
			}
		}
	}
	return ""
}

// owed says what is still to happen, as far as is known without asking the agents; empty for nothing.
func (s *smallAgent) owed() string {
	for _, p := range s.apps {
		if p.agent == nil || p.crashed || p.closed {
			continue
		}
		if what := p.monitor.Owed(s.owner); what != "" {
			return p.node.Name() + ": " + what
		}
	}
	return ""
}

// fingerprint adds the agents, as their monitors see them, and then the routers.
func (s *smallAgent) fingerprint(f *sim.Fingerprint) {
	for _, p := range s.apps {
		f.Flags(p.closed, p.crashed)
		f.Int(p.waiting)
		p.monitor.Fingerprint(f)
	}
	for _, r := range s.routers {
		r.Fingerprint(f)
	}
}

// owner is which session has the queue, as its router says.
func (s *smallAgent) owner(r protocol.Router, q protocol.QueueID) net.SessionID {
	i := routerIndex(r)
	s.parts[i].Touch()
	return s.routers[i].Owner(s.load.Party, q)
}

// disagreement says what an agent has still to do with a router, or where the router sees it otherwise.
func (s *smallAgent) disagreement(a *agent.RouterSnapshot) string {
	switch {
	case len(a.Pending) > 0:
		return fmt.Sprintf("%d queues are pending, %v first", len(a.Pending), a.Pending[0].Queue)
	case a.PendingService != nil:
		return fmt.Sprintf("pending is %v", a.PendingService)
	case a.Calls+a.RPCs > 0:
		return fmt.Sprintf("%d calls and %d requests are under way", a.Calls, a.RPCs)
	case a.Worker != agent.NoWorker:
		return "the reconnect worker is still there"
	}
	for _, q := range a.Active {
		if owner := s.owner(a.Router, q.Queue); owner != q.Session {
			return fmt.Sprintf("queue %v is active on session %s, but the router has it with %q", q.Queue, q.Session, owner)
		}
	}
	if a.ActiveService == nil {
		return ""
	}
	for _, q := range a.Counted {
		if owner := s.owner(a.Router, q.Queue); owner != q.Session {
			return fmt.Sprintf("queue %v is counted on session %s, but the router has it with %q", q.Queue, q.Session, owner)
		}
	}
	return ""
}
