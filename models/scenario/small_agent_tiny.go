package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// SmallAgentTiny is the small agent in a world that is small enough to be explored: one router; two queues, one of which is removed; at most one
// disconnect; at most one late answer. No fault is left to the swarm. All checks are on.
//
// A transmission takes time, and so does the start of a reconnect worker, so that a run falls into phases, between which all comes to rest:
// connecting, a call, its answer, a timeout, an answer that is late, a ping, and what a disconnect in any of them brings about. What they can come
// to multiplies, though hardly anything in one depends on how another went. So each is explored by itself, and of the rest of the run one
// order is made: see tinyCases. The disconnect comes at any step of each phase. That of the subscription itself has millions of classes, so without
// a bound its exploration does not come to an end.
//
// In the end the process is killed. A close sets free all tasks at once, whose interleavings would be most of the exploration; closing at
// any moment is a matter of SmallAgent.
func SmallAgentTiny() *sim.Scenario {
	return &sim.Scenario{
		Name: "small-agent/tiny", Summary: "one router, two queues, one of them removed, one disconnect, one late answer: to be explored",
		Properties: models.Properties(),
		Setup: func(w *sim.World) func() {
			c := tinyCases[w.Value("case", len(tinyCases))]
			if !w.NoSwarm() {
				c.disconnect, c.late = 0, false
			}
			w.Logf("case: %v", c)
			s, err := newSmallAgentBehind(w, tinyWorkload(c), func(r handler, part *sim.Shared) handler {
				if !c.late {
					return r
				}
				return &lateBlock{handler: r, part: part, left: 1, by: tinyLateness}
			})
			if err != nil {
				panic(err)
			}
			s.network.Latency(tinyLatency)
			p := s.apps[0]
			p.scheduler = lateWorkers{p.scheduler, p.node.Clock()}
			if c.disconnect > 0 {
				s.network.ResetAfter(c.disconnect, routerName(0).Address())
			}
			w.OneOrder(true)
			w.After(c.explored-tinyLatency/2, func() { w.OneOrder(false) })
			w.After(c.explored+tinyLatency/2, func() { w.OneOrder(true) })
			return s.runTiny
		},
	}
}

// tinyCase is a world, with the phase that is explored. Time stands still while anything can move, so a disconnect that is due comes at any step
// of its phase.
type tinyCase struct {
	subscribe  time.Duration // when both queues are subscribed
	remove     time.Duration // when the second one is removed
	late       bool          // the subscription is taken up late
	disconnect time.Duration // 0: none
	explored   time.Duration
}

func (c tinyCase) String() string {
	s := fmt.Sprintf("subscription after %v, removal after %v", c.subscribe, c.remove)
	if c.late {
		s += ", taken up late"
	}
	if c.disconnect > 0 {
		s += fmt.Sprintf(", disconnect after %v", c.disconnect)
	}
	return s + fmt.Sprintf("; all orders of what is done after %v", c.explored)
}

const (
	tinyLatency  = time.Millisecond
	tinyStart    = time.Millisecond
	tinyCalls    = 10 * time.Millisecond
	tinyRemoval  = 14 * time.Millisecond
	tinyTimeout  = 10 * time.Second
	tinyLateness = 11 * time.Second
	tinyPing     = 20 * time.Second
	tinyLinger   = 3 * time.Second
)

// tinyAftermath is when what follows from a disconnect comes: the worker, its connection, the answer to its requests.
var tinyAftermath = [...]time.Duration{tinyLatency, 3 * tinyLatency, 5 * tinyLatency}

// tinyCases are all: those without faults first, and last those of which there is most to explore.
var tinyCases = func() (cases []tinyCase) {
	const (
		start, connected = tinyStart, tinyStart + 2*tinyLatency
		calls, answered  = tinyCalls, tinyCalls + 2*tinyLatency
		ping             = answered + tinyPing
		timeout, late    = calls + tinyTimeout, answered + tinyLateness
	)
	usual := tinyCase{subscribe: calls, remove: tinyRemoval}
	add := func(c tinyCase, phases ...time.Duration) {
		for _, c.explored = range phases {
			cases = append(cases, c)
		}
	}
	phases := []time.Duration{start, start + tinyLatency, connected, calls, calls + tinyLatency, answered, tinyRemoval, ping, ping + tinyLatency, ping + 2*tinyLatency}
	add(usual, phases...)
	for _, phase := range []time.Duration{calls, answered} {
		add(tinyCase{subscribe: calls, remove: phase}, phase)
	}
	for _, phase := range []time.Duration{timeout, late} {
		add(tinyCase{subscribe: calls, remove: tinyRemoval, late: true}, phase)
		add(tinyCase{subscribe: calls, remove: phase, late: true}, phase)
	}
	lost := func(c tinyCase, at time.Duration) {
		c.disconnect = at
		add(c, at)
		for _, after := range tinyAftermath {
			add(c, at+after)
		}
	}
	for _, phase := range phases {
		lost(usual, phase)
	}
	lost(tinyCase{subscribe: calls, remove: tinyRemoval, late: true}, tinyRemoval)
	lost(tinyCase{subscribe: calls, remove: tinyRemoval, late: true}, late)
	lost(tinyCase{subscribe: calls, remove: tinyRemoval, late: true}, timeout)
	for _, after := range tinyAftermath { // calls to an agent that reconnects
		add(tinyCase{subscribe: calls, remove: answered + after, disconnect: answered}, answered+after)
		add(tinyCase{subscribe: tinyRemoval + after, remove: tinyRemoval + after, disconnect: tinyRemoval}, tinyRemoval+after)
	}
	much := func(c tinyCase) int {
		switch {
		case c.explored != c.disconnect:
			return 0
		case c.disconnect == c.subscribe:
			return 2
		case c.disconnect == ping, c.disconnect == timeout:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(cases, func(a, b tinyCase) int { return much(a) - much(b) })
	return cases
}()

// tinyWorkload is a connect and two calls.
func tinyWorkload(c tinyCase) Workload {
	config := agent.DefaultConfig(protocol.RecipientService)
	config.PersistError = 0
	config.EventQueue = 8
	config.ConnectTimeout, config.RPCTimeout = 15*time.Second, tinyTimeout
	config.PingInterval, config.PingTimeouts, config.Silence = tinyPing, 2, 45*time.Second
	connect := Op{Pause: tinyStart, Kind: Connect, Cancel: Never}
	subscribe := Op{Pause: c.subscribe, Kind: Subscribe, Count: 2, Cancel: Never}
	remove := Op{Pause: c.remove, Kind: Remove, First: 1, Count: 1, Cancel: Never}
	return Workload{
		Party: protocol.RecipientService, Routers: 1, Queues: 2, Linger: c.explored - c.remove + tinyLinger,
		Applications: []Application{{Config: config, Events: Stopped, Tasks: [][]Op{{connect}, {subscribe}, {remove}}}},
	}
}

// runTiny is the main task. Between what it does, all comes to rest.
func (s *smallAgent) runTiny() {
	p := s.apps[0]
	p.node.Go("app", p.run)
	p.finished.Recv()
	s.sleep(s.load.Linger)
	s.world.Heal()
	p.monitor.Healed()
	p.resume.Close()
	s.sleep(time.Millisecond)
	s.settle()
	s.sleep(time.Millisecond)
	p.monitor.Settled(p.agent.Snapshot, func() int { return p.node.Tasks() - consumers })
	p.crash()
	s.sleep(time.Millisecond)
	if undecided := p.monitor.Finish(); len(undecided) > 0 {
		s.world.Fail("linearizable", "%s", undecided[0])
	}
}

// lateWorkers is a scheduler that lets reconnect workers wait before they begin, as a busy machine does: what they do is a phase of its own.
type lateWorkers struct {
	sched.Scheduler
	clock clock.Clock
}

func (s lateWorkers) Go(name string, f func()) {
	if name != "worker" {
		s.Scheduler.Go(name, f)
		return
	}
	s.Scheduler.Go(name, func() {
		_ = s.clock.Sleep(context.Background(), tinyLatency)
		f()
	})
}

// handler takes blocks of requests and sends blocks of responses, as a router does.
type handler = net.Handler[[]protocol.Request, []protocol.Response]

// lateBlock is a router that takes up one block late.
type lateBlock struct {
	handler
	part *sim.Shared
	left int // blocks until that one, it included; 0: none is late
	by   time.Duration
}

// Receive implements net.Handler.
func (l *lateBlock) Receive(id net.SessionID, block []protocol.Request) {
	if l.left--; l.left != 0 {
		l.handler.Receive(id, block)
		return
	}
	l.part.Struck("answer-late")
	l.part.After(l.by, func() { l.handler.Receive(id, block) })
}
