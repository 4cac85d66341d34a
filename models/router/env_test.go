package router_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
)

// world is a router's Env, Faults and Rules by hand: time passes when the test says so, and what was chosen is chosen.
type world struct {
	now    time.Duration
	timers []timer
	chosen map[string]int // the answers of Value; 0 for the others
	fired  map[string]int
	effect map[string]int
	rules  map[string]func() bool
}

type timer struct {
	due time.Duration
	f   func()
}

func (w *world) After(d time.Duration, f func()) { w.timers = append(w.timers, timer{w.now + d, f}) }
func (w *world) Value(site string, n int) int    { return min(w.chosen[site], n-1) }
func (w *world) Swarm(string) bool               { return true } // but none strikes unless chosen
func (w *world) Fired(fault string)              { w.fired[fault]++ }
func (w *world) Effect(fault string)             { w.effect[fault]++ }

func (w *world) Rule(fault string, _ int, strike func() bool) {
	w.rules[fault] = func() bool {
		struck := strike()
		if struck {
			w.Fired(fault)
		}
		return struck
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	until := w.now + d
	for {
		next := -1
		for i, t := range w.timers {
			if t.due <= until && (next < 0 || t.due < w.timers[next].due) {
				next = i
			}
		}
		if next < 0 {
			w.now = until
			return
		}
		t := w.timers[next]
		w.timers = slices.Delete(w.timers, next, next+1)
		w.now = t.due
		t.f()
	}
}

// always lets a fault strike at every opportunity, with the decisions that go with it.
func (w *world) always(f router.Fault) { w.chosen[f.String()] = 1000 }

// never undoes always.
func (w *world) never(f router.Fault) { delete(w.chosen, f.String()) }

// strike lets a rule strike, now.
func (w *world) strike(f router.Fault) bool { return w.rules[f.String()]() }

// client is a peer that keeps what it was sent.
type client struct {
	id      net.SessionID
	grant   string
	blocks  [][]protocol.Response
	closed  bool
	service *protocol.ServiceID
}

func (c *client) Send(b []protocol.Response) {
	if !c.closed {
		c.blocks = append(c.blocks, b)
	}
}

func (c *client) Close() { c.closed = true }

// got are the kinds of what it was sent since the last call.
func (c *client) got() []protocol.Kind {
	kinds := []protocol.Kind{}
	for _, b := range c.blocks {
		for _, p := range b {
			kinds = append(kinds, p.Kind)
		}
	}
	c.blocks = nil
	return kinds
}

type bench struct {
	*world
	t      *testing.T
	r      *router.Router
	owners []string // of OnOwner
	asked  byte
}

var (
	messaging = protocol.Credential{Role: protocol.Messaging, CertificateHash: "certificate"}
	notifying = protocol.Credential{Role: protocol.Notifier, CertificateHash: "certificate"}
	plain     = protocol.Credential{}
)

// newBench makes a router with the queues 1 to 4 for both parties, each opened by "key" and "new key".
func newBench(t *testing.T) *bench {
	b := &bench{t: t, world: &world{
		chosen: map[string]int{}, fired: map[string]int{}, effect: map[string]int{}, rules: map[string]func() bool{},
	}}
	b.r = router.New(router.Options{Name: "r", Env: b.world, Faults: b.world, OnOwner: func(o router.Ownership) {
		b.owners = append(b.owners, fmt.Sprintf("%d %s %s", o.Queue.ID[0], o.Event, o.Session))
	}})
	for i := byte(1); i <= 4; i++ {
		b.r.NewQueue(protocol.RecipientService, queue(i), "key", "new key")
		b.r.NewQueue(protocol.NotifierService, queue(i), "key", "new key")
	}
	b.r.Arm(b.world, 1000)
	return b
}

func queue(i byte) protocol.QueueID { return protocol.QueueID{i} }

func (b *bench) connect(id net.SessionID, c protocol.Credential) *client {
	peer := &client{id: id}
	grant, err := b.r.Accept(id, c.Encode(), peer)
	require.NoError(b.t, err)
	peer.grant = grant
	peer.service, err = protocol.DecodeGrant(grant)
	require.NoError(b.t, err)
	return peer
}

// asks sends a block and answers what came back at once.
func (b *bench) asks(c *client, requests ...protocol.Request) []protocol.Response {
	before := len(c.blocks)
	b.sends(c, requests...)
	all := []protocol.Response{}
	for _, block := range c.blocks[before:] {
		all = append(all, block...)
	}
	c.blocks = c.blocks[:before]
	return all
}

func (b *bench) sends(c *client, requests ...protocol.Request) {
	for i := range requests {
		b.asked++
		requests[i].Correlation = protocol.CorrelationID{b.asked}
	}
	b.r.Receive(c.id, requests)
}

func (b *bench) owner(i byte) net.SessionID { return b.r.Owner(protocol.RecipientService, queue(i)) }

func sub(i byte) protocol.Request {
	return protocol.Request{Command: protocol.SUB, Queue: queue(i), Key: "key"}
}

func subs(id *protocol.ServiceID) protocol.Request {
	return protocol.Request{Command: protocol.SUBS, Service: protocol.ServiceSub{Service: *id}}
}

func kinds(answers []protocol.Response) []protocol.Kind {
	all := []protocol.Kind{}
	for _, a := range answers {
		all = append(all, a.Kind)
	}
	return all
}
