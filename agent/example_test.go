package agent_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// What is wanted stays so: the agent tells which queues were subscribed and which refused for good; after the router was restarted it connects
// and subscribes again. The router is in-process here; in production the Dialer opens sessions over a network.
func Example() {
	s, at := sched.Goroutines(), protocol.Router{KeyHash: "hash", Hosts: "smp.example.org"}
	network := net.NewLocal[[]protocol.Request, []protocol.Response](s)
	defer network.Close()
	r := router.New(router.Options{Name: at.Hosts, Env: router.LocalEnv(network, at.Address(), clock.Wall())})
	known, unknown := protocol.QueueID{1}, protocol.QueueID{2}
	r.NewQueue(protocol.NotifierService, known, "key")
	if err := network.Listen(at.Address(), r); err != nil {
		fmt.Println(err)
		return
	}

	a, err := agent.New(agent.Environment{Scheduler: s, Clock: clock.Wall(), Dialer: network}, agent.DefaultConfig(protocol.NotifierService))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	tell := func(n int) {
		for range n {
			e, _ := a.Events().Recv()
			fmt.Println(e.Kind, len(e.Queues), len(e.Errors)) // queues, and errors of queues
		}
	}
	err = a.SubscribeQueues(context.Background(), at, []agent.QueueSub{{Queue: known, Key: "key"}, {Queue: unknown, Key: "key"}})
	fmt.Println("subscribing:", err)
	tell(3)
	network.Do(at.Address(), r.Restart)
	tell(3)
	network.Do(at.Address(), func() { r.Deliver(protocol.NotifierService, known) })
	m, _ := a.Messages().Recv()
	fmt.Println(m.Kind, m.Response.Kind, m.Response.Queue == known)
	// Output:
	// subscribing: <nil>
	// Connected 0 0
	// Subscribed 1 0
	// SubError 0 1
	// Disconnected 1 0
	// Connected 0 0
	// Subscribed 1 0
	// Pushed NMSG true
}
