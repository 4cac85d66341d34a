package scenario

import (
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
)

// SmallAgentTiny is the small agent in a world that is small enough to be explored: one router; two queues, one of which is removed; at most one
// disconnect, at any moment; at most one late answer. No fault is left to the swarm. All checks are on.
//
// Time divides a run into phases, between which all comes to rest: connecting, the calls and what comes of them, the timeout of the late
// answer, the late answer, and a ping. What they can come to multiplies, though hardly anything in one depends on how another went. So of each
// run only some are explored, those around the disconnect if there is one, and of the others one order is made: see tinyCases.
//
// In the end the process is killed. A close sets free all tasks at once, whose interleavings would be most of the exploration; closing at
// any moment is a matter of SmallAgent.
func SmallAgentTiny() *sim.Scenario {
	return &sim.Scenario{
		Name: "small-agent/tiny", Summary: "one router, two queues, one of them removed, one disconnect, one late answer: to be explored",
		Properties: models.Properties(),
		Setup: func(w *sim.World) func() {
			cases := len(tinyCases)
			if !w.NoSwarm() {
				cases = tinyFaultless
			}
			c := tinyCases[w.Value("case", cases)]
			w.Logf("case: %s", c.name)
			s, err := newSmallAgentBehind(w, tinyWorkload(c.disconnect > 0), func(r handler, part *sim.Shared) handler {
				return &lateBlock{handler: r, part: part, left: c.late, by: tinyLateness}
			})
			if err != nil {
				panic(err)
			}
			if c.disconnect > 0 {
				s.network.ResetAfter(c.disconnect, routerName(0).Address())
			}
			w.OneOrder(true)
			w.After(c.from-tinyMargin, func() { w.OneOrder(false) })
			w.After(c.to+tinyMargin, func() { w.OneOrder(true) })
			return s.runTiny
		},
	}
}

// tinyCase is a world with the phases that are explored, from one moment to another. Time stands still while anything can move, so a
// disconnect that is due comes at any step until nothing else is left to do.
type tinyCase struct {
	name       string
	disconnect time.Duration // 0: none
	late       int           // the block of requests that is taken up late; 0: none
	from, to   time.Duration
}

// tinyCases begin with those without faults, of which there are tinyFaultless, and end with those that take longest.
var tinyCases = [...]tinyCase{
	{name: "calls", from: tinyCalls, to: tinyCalls},
	{name: "connecting", from: tinyStart, to: tinyStart},
	{name: "ping", from: tinyPinged, to: tinyPinged},
	{name: "a late answer", late: 1, from: tinyCalls, to: tinyCalls + tinyLateness},
	{name: "disconnect at the late answer", disconnect: tinyCalls + tinyLateness, late: 1, from: tinyCalls + tinyLateness, to: tinyCalls + tinyLateness},
	{name: "disconnect while connecting", disconnect: tinyStart, from: tinyStart, to: tinyStart},
	{name: "disconnect at the ping", disconnect: tinyPinged, from: tinyPinged, to: tinyPinged},
	{name: "disconnect at the timeout", disconnect: tinyCalls + tinyTimeout, late: 1, from: tinyCalls + tinyTimeout, to: tinyCalls + tinyTimeout},
	{name: "disconnect at the calls", disconnect: tinyCalls, from: tinyCalls, to: tinyCalls},
	{name: "disconnect at the calls, before the late answer", disconnect: tinyCalls, late: 1, from: tinyCalls, to: tinyCalls},
}

const tinyFaultless = 3

const (
	tinyStart    = time.Millisecond
	tinyCalls    = 2 * time.Millisecond
	tinyTimeout  = 10 * time.Second
	tinyLateness = 11 * time.Second
	tinyPing     = 20 * time.Second
	tinyPinged   = tinyPing + tinyCalls // since something came
	tinyLinger   = 25 * time.Second
	tinyMargin   = tinyStart / 2
)

// tinyWorkload is two calls, at once or, where there is a disconnect as well, one after the other.
func tinyWorkload(oneAfterTheOther bool) Workload {
	config := agent.DefaultConfig(protocol.RecipientService)
	config.PersistError = 0
	config.EventQueue = 8
	config.ConnectTimeout, config.RPCTimeout = 15*time.Second, tinyTimeout
	config.PingInterval, config.PingTimeouts, config.Silence = tinyPing, 2, 45*time.Second
	connect := []Op{{Pause: tinyStart, Kind: Connect, Cancel: Never}}
	subscribe := []Op{{Pause: tinyCalls, Kind: Subscribe, Count: 2, Cancel: Never}}
	remove := Op{Pause: tinyCalls, Kind: Remove, First: 1, Count: 1, Cancel: Never}
	tasks := [][]Op{connect, subscribe, {remove}}
	if oneAfterTheOther {
		remove.Pause = 0
		tasks = [][]Op{connect, append(subscribe, remove)}
	}
	return Workload{
		Party: protocol.RecipientService, Routers: 1, Queues: 2, Linger: tinyLinger,
		Applications: []Application{{Config: config, Events: Stopped, Tasks: tasks}},
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
