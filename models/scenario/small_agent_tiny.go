package scenario

import (
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
)

// SmallAgentTiny is the small agent in a world that is small enough to be explored: one router; two queues, one of which is removed while
// they are subscribed; one disconnect at any moment; one late answer. No fault is left to the swarm. All checks are on.
//
// In the end the process is killed. A close sets free all tasks at once, whose interleavings would be most of the exploration; closing at
// any moment is a matter of SmallAgent.
func SmallAgentTiny() *sim.Scenario {
	return &sim.Scenario{
		Name: "small-agent/tiny", Summary: "one router, two queues, one of them removed, one disconnect, one late answer: to be explored",
		Properties: models.Properties(),
		Setup: func(w *sim.World) func() {
			var disconnect, late int
			if w.NoSwarm() {
				disconnect, late = w.Value("disconnect", 1+len(tinyMoments)), w.Value("late", 2)
			}
			s, err := newSmallAgentBehind(w, tinyWorkload(), func(r handler, part *sim.Shared) handler {
				return &lateBlock{handler: r, part: part, left: late, by: tinyLateness}
			})
			if err != nil {
				panic(err)
			}
			if disconnect > 0 {
				s.network.ResetAfter(tinyMoments[disconnect-1], routerName(0).Address())
			}
			return s.runTiny
		},
	}
}

// tinyMoments are those at which something happens. Time stands still while anything can move, so a disconnect that is due comes at any
// step until nothing else is left to do.
var tinyMoments = [...]time.Duration{
	tinyCalls,                // the calls, and all that comes of them
	tinyCalls + tinyTimeout,  // the timeout of the late answer
	tinyCalls + tinyLateness, // the late answer
	tinyStart + tinyPing,     // the ping
	tinyStart,                // the connection is made
}

const (
	tinyStart    = time.Millisecond
	tinyCalls    = 2 * time.Millisecond
	tinyTimeout  = 10 * time.Second
	tinyLateness = 11 * time.Second
	tinyPing     = 20 * time.Second
	tinyLinger   = 25 * time.Second
)

func tinyWorkload() Workload {
	config := agent.DefaultConfig(protocol.RecipientService)
	config.PersistError = 0
	config.EventQueue = 8
	config.ConnectTimeout, config.RPCTimeout = 15*time.Second, tinyTimeout
	config.PingInterval, config.PingTimeouts, config.Silence = tinyPing, 2, 45*time.Second
	return Workload{
		Party: protocol.RecipientService, Routers: 1, Queues: 2, Linger: tinyLinger,
		Applications: []Application{{Config: config, Events: Stopped, Tasks: [][]Op{
			{{Pause: tinyStart, Kind: Connect, Cancel: Never}},
			{{Pause: tinyCalls, Kind: Subscribe, Count: 2, Cancel: Never}},
			{{Pause: tinyCalls, Kind: Remove, First: 1, Count: 1, Cancel: Never}},
		}}},
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
