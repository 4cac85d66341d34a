// Package connectiontest is a world with one router and no faults, for tests of connections and of what is built on them.
package connectiontest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/sim"
)

// Tx is a transaction of the stores of a World.
type Tx = *store.MemoryTx

// Router is the only router of a World.
var Router = protocol.Router{KeyHash: "key", Hosts: "router.example.org"}

// World is one run.
type World struct {
	*sim.World
	T       testing.TB
	network *sim.Network[[]protocol.Request, []protocol.Response]
	nodes   []*sim.Node
}

// Run runs main in a new world, as a task of its host, and fails the test if the run fails. It answers how many steps that took.
func Run(t testing.TB, main func(w *World)) (steps int64) {
	runner := sim.NewRunner()
	defer runner.Close()
	scenario := &sim.Scenario{Name: "connections", Setup: func(x *sim.World) func() {
		w := &World{World: x, T: t, network: sim.NewNetwork[[]protocol.Request, []protocol.Response](x)}
		require.NoError(t, w.network.Listen(Router.Address(), router.New(router.Options{Name: Router.Hosts, Env: x, Mailboxes: true})))
		return func() {
			main(w)
			for _, n := range w.nodes {
				n.Crash()
			}
		}
	}}
	r, err := runner.Run(scenario, sim.RunConfig{Source: conformance.Random(1), Options: sim.Options{NoFaults: true}, MaxSteps: 100_000_000})
	require.NoError(t, err)
	require.Nil(t, r.Failure)
	return r.Steps
}

// Rest lets time pass.
func (w *World) Rest(d time.Duration) { _ = w.Host().Clock().Sleep(context.Background(), d) }

// On runs f on a node, and answers when it has ended.
func (w *World) On(n *sim.Node, f func()) {
	done := false
	n.Go("asked", func() {
		f()
		w.Inline(func() { done = true })
	})
	for over := false; !over; {
		w.Rest(time.Millisecond)
		w.Inline(func() { over = done })
	}
}

// Small is a new node with a small agent.
func (w *World) Small(name string) (*sim.Node, *agent.Agent) {
	n := w.Node(name)
	w.nodes = append(w.nodes, n)
	a, err := agent.New(agent.Environment{Scheduler: n, Clock: n.Clock(), Dialer: w.network.Dialer(n)}, agent.DefaultConfig(protocol.RecipientService))
	require.NoError(w.T, err)
	return n, a
}

// Open is the store of data that outlives processes.
func (w *World) Open(n *sim.Node, data *store.Data) command.Store[Tx] {
	return models.Outliving[Tx](w.World, store.OpenMemory(n, data))
}

// Config is the usual configuration, with the world's router.
func Config() connection.Config {
	return connection.Config{Commands: command.DefaultConfig(), Routers: []protocol.Router{Router}}
}

// Peer is somebody who has connections, takes all that he is told of them, and says over them what the test likes.
type Peer struct {
	*connection.Agent[Tx]
	*World
	Node     *sim.Node
	Data     *store.Data
	Store    command.Store[Tx]
	Advanced []connection.Advanced
	Refused  []connection.Refused
	Repeated []connection.Repeated
	// Durably lets messages be acknowledged by commands, each under "ack " and the body of the message.
	Durably bool
	events  []command.Event
}

// Observe implements connection.Observer.
func (p *Peer) Observe(t connection.Transition) {
	p.Inline(func() {
		switch t := t.(type) {
		case connection.Advanced:
			p.Advanced = append(p.Advanced, t)
		case connection.Refused:
			p.Refused = append(p.Refused, t)
		case connection.Repeated:
			p.Repeated = append(p.Repeated, t)
		}
	})
}

// Peer starts a peer with what is stored; nil: nothing.
func (w *World) Peer(name string, data *store.Data) *Peer {
	if data == nil {
		data = store.NewData()
	}
	n, small := w.Small(name)
	p := &Peer{World: w, Node: n, Data: data, Store: w.Open(n, data)}
	w.On(n, func() {
		var err error
		p.Agent, err = connection.Start(connection.Environment{Scheduler: n, Clock: n.Clock(), Small: small, Observer: p}, Config(), p.Store)
		require.NoError(w.T, err)
		n.Go("events", p.take)
	})
	return p
}

// take takes events. Messages are acknowledged.
func (p *Peer) take() {
	for {
		e, open := p.Queue().Events().Recv()
		if !open {
			return
		}
		var correlation command.Correlation
		p.Inline(func() {
			p.events = append(p.events, e)
			if p.Durably {
				correlation = command.Correlation("ack " + string(e.Body))
			}
		})
		require.NoError(p.T, p.Queue().Update(func(c *command.Change[Tx]) error {
			_, err := c.Tx.TakeEvent(e.Number)
			if err == nil && e.Kind == command.Message {
				err = p.Acknowledge(c, e.Connection, correlation)
			}
			return err
		}))
	}
}

// Try asks for something, and answers the error.
func (p *Peer) Try(f func(*command.Change[Tx]) error) (err error) {
	p.On(p.Node, func() { err = p.Queue().Update(f) })
	return err
}

// Do is Try for what must succeed; then it rests until it is done.
func (p *Peer) Do(f func(*command.Change[Tx]) error) {
	require.NoError(p.T, p.Try(f))
	p.Rest(time.Minute)
}

// CreateLink makes a connection, and answers its link.
func (p *Peer) CreateLink(id command.Connection) (link protocol.Link) {
	p.Do(func(c *command.Change[Tx]) error {
		_, err := p.Create(c, id, command.Correlation("create "+id))
		return err
	})
	told := p.Told(id, command.Invitation)
	require.Len(p.T, told, 1)
	link, err := protocol.ParseLink(string(told[0].Body))
	require.NoError(p.T, err)
	return link
}

// JoinBy joins a connection by a link.
func (p *Peer) JoinBy(id command.Connection, link protocol.Link, info string) {
	p.Do(func(c *command.Change[Tx]) error {
		_, err := p.Join(c, id, command.Correlation("join "+id), link, []byte(info))
		return err
	})
}

// AllowIt allows a connection.
func (p *Peer) AllowIt(id command.Connection, info string) {
	p.Do(func(c *command.Change[Tx]) error {
		return p.Allow(c, id, command.Correlation("allow "+id), []byte(info))
	})
}

// Say sends a message.
func (p *Peer) Say(id command.Connection, text string) {
	p.Do(func(c *command.Change[Tx]) error { return p.Send(c, id, "", []byte(text)) })
}

// Told are the events of a kind of a connection, so far.
func (p *Peer) Told(id command.Connection, kind command.EventKind) (events []command.Event) {
	p.Inline(func() {
		for _, e := range p.events {
			if e.Connection == id && e.Kind == kind {
				events = append(events, e)
			}
		}
	})
	return events
}
