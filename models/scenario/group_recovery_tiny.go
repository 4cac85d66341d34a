package scenario

import (
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/sim"
)

// GroupRecoveryTiny is a group of three, its host with them, at one router, in a world that is small enough to be explored: one of them crashes once, after any
// step of anybody, and is restarted at once or when all else has come to rest. No fault is left to the swarm. All checks are on.
//
// Who crashes, after which step and for how long, is drawn; of the rest an exploration makes one order. The orders themselves are a matter of GroupRecovery:
// a process has eight tasks and more, and any step of any of them may come between any two.
func GroupRecoveryTiny() *sim.Scenario {
	return &sim.Scenario{
		Name: "group-recovery/tiny", Summary: "a group of three, one of whom crashes once, after any step: to be explored",
		Properties: groupProperties(),
		Setup: func(w *sim.World) func() {
			crashes := w.NoSwarm()
			load := tinyGroup()
			left, who := 1+w.Value("after steps", tinyGroupSteps), w.Value("who crashes", load.Members+1)
			load.Down = []time.Duration{0, time.Second}[w.Value("down", 2)]
			w.OneOrder(true)
			r := newRecovery(w, load, memoryStores(w))
			r.network.Latency(tinyLatency)
			p := r.people[who]
			w.Logf("%s crashes after %d steps", p.name, left)
			w.OnStep(func() {
				if left--; left == 0 && crashes && p.node != nil && !w.Healed() {
					p.crash()
				}
			})
			return r.run
		},
	}
}

// tinyGroupSteps is more than there are steps until all are connected and nothing is left to do, if nobody crashes.
const tinyGroupSteps = 4200

// tinyGroup is the workload of the tiny world.
func tinyGroup() GroupWorkload {
	small := agent.DefaultConfig(protocol.RecipientService)
	small.PingInterval, small.PingTimeouts, small.Silence = 2*time.Minute, 2, 4*time.Minute
	return GroupWorkload{
		Routers: 1, Members: 2, Pauses: []time.Duration{0, 0}, Patience: time.Minute, Linger: 10 * time.Second, Bound: 10 * time.Minute, Small: small,
		Config: group.Config{
			Connections: connection.Config{Commands: command.DefaultConfig(), Routers: []protocol.Router{routerName(0)}}, Timeout: 5 * time.Minute,
		},
	}
}
