package models_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// A Monitor stands between the agent, its network, its routers and the application, and judges what each of them does.
func ExampleMonitor() {
	home, queue := protocol.Router{KeyHash: "hash", Hosts: "smp.example.org", Port: "5223"}, protocol.QueueID{1}
	subscription := &sim.Scenario{
		Name: "subscription", Properties: models.Properties(),
		Setup: func(w *sim.World) func() {
			node, part := w.Node("agent"), w.Shared("monitor")
			network := sim.NewNetwork[[]protocol.Request, []protocol.Response](w)
			config := agent.DefaultConfig(protocol.RecipientService)
			m := models.NewMonitor(models.Options{World: part, Config: config})
			part.AfterStep(m.Tick)
			r := router.New(router.Options{Name: "home", Env: w, OnOwner: m.Owner(home)})
			r.NewQueue(config.Party, queue, "key")
			if err := network.Listen(home.Address(), r); err != nil {
				panic(err)
			}
			a, err := agent.New(agent.Environment{
				Scheduler: node.Scheduler(), Clock: node.Clock(), Dialer: m.Dialer(network.Dialer(node)), Observer: m,
			}, config)
			if err != nil {
				panic(err)
			}
			return func() {
				queues := []agent.QueueSub{{Queue: queue, Key: "key"}}
				call := m.Subscribe(home, queues)
				err := a.SubscribeQueues(context.Background(), home, queues)
				call.Return(err)
				event, _ := a.Events().Recv()
				m.Consumed(event)
				fmt.Println(event.Kind, err)
				call = m.Close()
				a.Close()
				call.Return(nil)
				fmt.Println("undecided:", m.Finish())
			}
		},
	}
	result, err := sim.NewRunner().Run(subscription, sim.RunConfig{Source: choice.NewSequence(nil)})
	fmt.Println(result.Failure, err)
	// Output:
	// Connected <nil>
	// undecided: []
	// <nil> <nil>
}

// Two sessions ask a router for a queue at the same time, and both are granted it: the later one is its owner. Which one that was
// shows when a session is told that it has lost the queue. To tell both so is wrong, in whatever order they were granted it.
func ExampleNewHistory() {
	history := models.NewHistory(models.Ownership(), 64)
	queue := history.Key("1")
	ask := func(session string, granted bool) models.OwnerCall {
		return models.OwnerCall{Op: models.OwnerSubscribe, Session: session, Granted: granted, Known: granted}
	}
	first := history.Call(queue, 1, 10, ask("a", false)) // the answer is not known yet
	second := history.Call(queue, 2, 11, ask("b", false))
	history.Return(second, 14, ask("b", true))
	history.Return(first, 15, ask("a", true))

	history.Point(queue, 0, 20, models.OwnerCall{Op: models.OwnerEnd, Session: "a"})
	fmt.Printf("%q\n", history.Check(0).Illegal)
	history.Point(queue, 0, 21, models.OwnerCall{Op: models.OwnerEnd, Session: "b"})
	fmt.Println(history.Check(0).Story)
	// Output:
	// ""
	// owner of queue 1, first nobody: [10..15 by 1] subscribe(a) granted=true; [11..14 by 2] subscribe(b) granted=true; [20..20 by 0] END to a; [21..21 by 0] END to b
}
