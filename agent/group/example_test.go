package group_test

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// person is somebody with an agent. For brevity he panics at errors.
type person struct {
	*group.Agent[*store.MemoryTx]
	small *agent.Agent
	store *store.Memory
	seen  chan group.Transition // with room for all: an observer must not block
}

func newPerson(dialer protocol.Dialer, routers ...protocol.Router) *person {
	s := sched.Goroutines()
	p := &person{store: store.OpenMemory(s, store.NewData()), seen: make(chan group.Transition, 1000)}
	var err error
	p.small, err = agent.New(agent.Environment{Scheduler: s, Clock: clock.Wall(), Dialer: dialer}, agent.DefaultConfig(protocol.RecipientService))
	must(err)
	p.Agent, err = group.Start(group.Environment{Scheduler: s, Clock: clock.Wall(), Small: p.small, Observer: p}, group.Config{
		Connections: connection.Config{Commands: command.DefaultConfig(), Routers: routers}, Timeout: time.Hour,
	}, command.Store[*store.MemoryTx](p.store))
	must(err)
	return p
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Observe implements group.Observer.
func (p *person) Observe(t group.Transition) { p.seen <- t }

// until waits for a transition, which is told once it is stored.
func (p *person) until(is func(group.Transition) bool) {
	for !is(<-p.seen) {
	}
}

func (p *person) close() {
	p.small.Close()
	p.Agent.Close()
}

// admit invites somebody, hands him the invitation, and waits until he is connected with all who were there before.
func (p *person) admit(id group.MemberID, member *person) {
	must(p.Update(func(c *command.Change[*store.MemoryTx]) error { return p.Invite(c, "chess", id) }))
	p.until(func(t group.Transition) bool {
		k, is := t.(group.Continued)
		return is && k.Continuation.Kind == group.OfferLink
	})
	var invitation group.Invitation
	must(p.store.View(func(tx *store.MemoryTx) (err error) {
		invitation, _, err = group.InvitationFor(tx, "chess", id)
		return err
	}))
	must(member.Update(func(c *command.Change[*store.MemoryTx]) error { return member.Accept(c, invitation) }))
	p.until(func(t group.Transition) bool {
		return t == group.Advanced{Group: "chess", Member: id, Status: group.Complete}
	})
}

// The host founds a group and admits Ada and then Ben, who are connected with each other without doing anything about it.
func Example() {
	at := protocol.Router{KeyHash: "hash", Hosts: "smp.example.org"}
	network := net.NewLocal[[]protocol.Request, []protocol.Response](sched.Goroutines())
	defer network.Close()
	must(network.Listen(at.Address(), router.New(router.Options{Name: at.Hosts, Env: router.LocalEnv(network, at.Address(), clock.Wall()), Mailboxes: true})))
	host, ada, ben := newPerson(network, at), newPerson(network, at), newPerson(network, at)
	defer host.close()
	defer ada.close()
	defer ben.close()

	must(host.Update(func(c *command.Change[*store.MemoryTx]) error { return host.Found(c, "chess", "host") }))
	host.admit("ada", ada)
	host.admit("ben", ben)
	must(ada.store.View(func(tx *store.MemoryTx) error {
		m, _, err := tx.Member("chess", "ben")
		fmt.Println(m.ID, m.Status, m.Connected)
		return err
	}))
	// Output: ben connected [true true]
}
