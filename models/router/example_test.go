package router_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// A router listens at an address of a network. A queue has one subscriber: who comes later takes it over, and the former one is told.
func ExampleNew() {
	ctx := context.Background()
	network := net.NewLocal[[]protocol.Request, []protocol.Response](sched.Goroutines())
	defer network.Close()
	id := protocol.QueueID{1}
	r := router.New(router.Options{Name: "r", Env: router.LocalEnv(network, "r", clock.Wall())})
	r.NewQueue(protocol.RecipientService, id, "key")
	if err := network.Listen("r", r); err != nil {
		fmt.Println(err)
		return
	}
	var clients []protocol.Conn
	for _, name := range []string{"first", "second"} {
		conn, err := network.Dial(ctx, "r", protocol.Credential{}.Encode())
		if err != nil {
			fmt.Println(err)
			return
		}
		clients = append(clients, conn)
		request := protocol.Request{Correlation: protocol.CorrelationID{1}, Command: protocol.SUB, Queue: id, Key: "key"}
		if err := conn.Send(ctx, []protocol.Request{request}); err != nil {
			fmt.Println(err)
			return
		}
		answers, err := conn.Receive()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(name, "is answered", answers[0].Kind)
	}
	pushed, err := clients[0].Receive()
	fmt.Println("first is told", pushed[0].Kind, err)
	// Output:
	// first is answered OK
	// second is answered OK
	// first is told END <nil>
}
