package connection_test

import (
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// person is somebody with an agent. For brevity he panics at errors.
type person struct {
	*connection.Agent[*store.MemoryTx]
	small *agent.Agent
}

func newPerson(dialer protocol.Dialer, routers ...protocol.Router) *person {
	s := sched.Goroutines()
	small, err := agent.New(agent.Environment{Scheduler: s, Clock: clock.Wall(), Dialer: dialer}, agent.DefaultConfig(protocol.RecipientService))
	must(err)
	a, err := connection.Start(connection.Environment{Scheduler: s, Clock: clock.Wall(), Small: small},
		connection.Config{Commands: command.DefaultConfig(), Routers: routers}, command.Store[*store.MemoryTx](store.OpenMemory(s, store.NewData())))
	must(err)
	return &person{a, small}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// await takes events until there is one of a kind, and deals with that in the transaction that takes it.
func (p *person) await(kind command.EventKind, deal func(*command.Change[*store.MemoryTx], command.Event) error) {
	for {
		e, _ := p.Queue().Events().Recv()
		must(p.Queue().Update(func(c *command.Change[*store.MemoryTx]) error {
			if found, err := c.Tx.TakeEvent(e.Number); !found || e.Kind != kind {
				return err
			}
			return deal(c, e)
		}))
		if e.Kind == kind {
			return
		}
	}
}

func (p *person) close() {
	p.small.Close()
	p.Agent.Close()
}

// Ada creates a connection and gives its link away, Ben joins by the link, Ada allows it, and writes to him.
func Example() {
	at := protocol.Router{KeyHash: "hash", Hosts: "smp.example.org"}
	network := net.NewLocal[[]protocol.Request, []protocol.Response](sched.Goroutines())
	defer network.Close()
	must(network.Listen(at.Address(), router.New(router.Options{Name: at.Hosts, Env: router.LocalEnv(network, at.Address(), clock.Wall()), Mailboxes: true})))
	ada, ben := newPerson(network, at), newPerson(network, at)
	defer ada.close()
	defer ben.close()

	var link protocol.Link
	must(ada.Queue().Update(func(c *command.Change[*store.MemoryTx]) error {
		_, err := ada.Create(c, "with ben", "create")
		return err
	}))
	ada.await(command.Invitation, func(_ *command.Change[*store.MemoryTx], e command.Event) (err error) {
		link, err = protocol.ParseLink(string(e.Body))
		return err
	})
	must(ben.Queue().Update(func(c *command.Change[*store.MemoryTx]) error {
		_, err := ben.Join(c, "with ada", "join", link, []byte("I am Ben"))
		return err
	}))
	ada.await(command.Confirmation, func(c *command.Change[*store.MemoryTx], e command.Event) error {
		fmt.Printf("%s: %s\n", e.Connection, e.Body)
		return ada.Allow(c, e.Connection, "allow", []byte("I am Ada"))
	})
	connected := func(*command.Change[*store.MemoryTx], command.Event) error { return nil }
	ada.await(command.Connected, connected)
	ben.await(command.Connected, connected)
	must(ada.Queue().Update(func(c *command.Change[*store.MemoryTx]) error { return ada.Send(c, "with ben", "", []byte("hello")) }))
	ben.await(command.Message, func(c *command.Change[*store.MemoryTx], e command.Event) error {
		fmt.Printf("%s: %s\n", e.Connection, e.Body)
		return ben.Acknowledge(c, e.Connection, "")
	})
	// Output:
	// with ben: I am Ben
	// with ada: hello
}
