package net_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// greeter is an acceptor: a state machine that never blocks.
type greeter struct {
	guests map[net.SessionID]guest
}

type guest struct {
	name string
	peer net.Peer[string]
}

func (g *greeter) Accept(id net.SessionID, credential string, peer net.Peer[string]) (string, error) {
	if credential == "" {
		return "", errors.New("nobody comes in without a name")
	}
	g.guests[id] = guest{credential, peer}
	return "a seat", nil
}

func (g *greeter) Receive(id net.SessionID, word string) {
	g.guests[id].peer.Send(word + ", " + g.guests[id].name)
}

func (g *greeter) Closed(id net.SessionID) { delete(g.guests, id) }

// ask is the other side. It knows the interface of a network only, so it runs as it is on a simulated one (sim.NewNetwork).
func ask(d net.Dialer[string, string], name string) error {
	conn, err := d.Dial(context.Background(), "house", name)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Send(context.Background(), "Hello"); err != nil {
		return err
	}
	answer, err := conn.Receive()
	fmt.Printf("%s: %s\n", conn.Session().Grant, answer)
	return err
}

// A handler listens, and a client dials it, in one process.
func ExampleLocal() {
	network := net.NewLocal[string, string](sched.Goroutines())
	defer network.Close()
	fmt.Println(errors.Is(ask(network, "Ada"), net.ErrRefused))
	if err := network.Listen("house", &greeter{guests: map[net.SessionID]guest{}}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(network, "Ada"))
	fmt.Println(ask(network, ""))
	// Output:
	// true
	// a seat: Hello, Ada
	// <nil>
	// dial "house": handshake failed: nobody comes in without a name
}
