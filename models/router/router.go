// Package router is the SMP router as a state machine: a net.Handler that takes blocks of requests and sends blocks of responses.
// It runs on a simulated network, where *sim.World is its Env, and on the in-process one, with LocalEnv. It does wrong only what
// it is told to (file faults.go), so it serves as the environment of a test and as the judge of who owns a queue.
//
// A Router has no locks: its network calls it, and what it asked to do later, one at a time. It never reads a clock, never draws
// a random number and never depends on the order of a map.
package router

import (
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// Env is a router's world. *sim.World is one.
type Env interface {
	// After lets f run once, d from now, as if it were a call of the handler. It never runs f at once.
	After(d time.Duration, f func())
	// Value is a decision out of [0, n); 0 is the simplest: no delay, nothing stored.
	Value(site string, n int) int
}

// Options of a router. Only Name and Env must be set.
type Options struct {
	Name string
	Env  Env
	// Faults decides on faults; nil for none at all.
	Faults Faults
	// Timeout is that of the clients for an answer; late answers are late by that measure. 0 for 30 s.
	Timeout time.Duration
	// NoServices makes it a router that knows no services, as before an upgrade.
	NoServices bool
	// Mailboxes lets clients make queues, and send to them: NEW, KEY, SEND, ACK and DEL.
	Mailboxes bool
	// OnOwner hears of each change of a queue's owner, in the step of the change.
	OnOwner func(Ownership)
}

// defaultTimeout is the timeout of an answer in the background.
const defaultTimeout = 30 * time.Second

// Router is one SMP router. It implements net.Handler.
type Router struct {
	Options
	queues     map[QueueName]*queue
	order      []*queue   // as created
	mailboxes  []*mailbox // those of NEW, as created
	byKey      map[protocol.AuthKey]*mailbox
	bySender   map[protocol.QueueID]*mailbox
	sessions   map[net.SessionID]*session
	open       []*session // as accepted, strangers included
	services   []*service // as first seen
	issued     uint64     // service ids given out, ever
	strangers  int        // other clients imagined, ever
	delayed    []*delayed // in the order in which it was put off
	armed      [faultCount]bool
	healed     bool
	downgraded bool // by a fault, so Heal upgrades it
}

var _ net.Handler[[]protocol.Request, []protocol.Response] = (*Router)(nil)

// New makes a router that has no queues, and asks Faults which of them it may use.
func New(o Options) *Router {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	r := &Router{
		Options: o, queues: map[QueueName]*queue{}, sessions: map[net.SessionID]*session{},
		byKey: map[protocol.AuthKey]*mailbox{}, bySender: map[protocol.QueueID]*mailbox{},
	}
	r.draw()
	return r
}

// session is a connected client, or, without a peer, another client that the router imagines (see Displace).
type session struct {
	id         net.SessionID
	peer       net.Peer[[]protocol.Response]
	credential protocol.Credential
	service    *service // as granted; nil for none
	gone       bool
	wronged    bool                 // its subscriptions were forgotten, or figures withheld: it must end
	ignored    bool                 // queues subscribed on it are not associated with its service
	slow       bool                 // a slow block is under way
	backlog    [][]protocol.Request // blocks behind it
	held       []protocol.Response  // pushes that wait for the next block
}

// Accept lets a client in. Its grant is the service id of its certificate, if it has one and the router knows services.
func (r *Router) Accept(id net.SessionID, credential string, peer net.Peer[[]protocol.Response]) (string, error) {
	c, err := protocol.DecodeCredential(credential)
	if err != nil {
		return "", fmt.Errorf("router %s: %w", r.Name, err)
	}
	if r.strikes(HandshakeRefused) {
		r.struck(HandshakeRefused)
		return "", fmt.Errorf("router %s does not accept the session", r.Name)
	}
	s := &session{id: id, peer: peer, credential: c, service: r.serviceOf(c)}
	r.sessions[id] = s
	r.open = append(r.open, s)
	if s.service == nil {
		return "", nil
	}
	if s.ignored = r.strikes(ServiceIgnored); s.ignored {
		r.fired(ServiceIgnored)
	}
	return protocol.EncodeGrant(&s.service.id), nil
}

// Receive takes a block. Its answers go back as one block, unless a fault has it otherwise.
func (r *Router) Receive(id net.SessionID, block []protocol.Request) {
	s := r.sessions[id]
	if s == nil || s.gone {
		return
	}
	if s.slow {
		s.backlog = append(s.backlog, block)
		return
	}
	r.take(s, block)
}

// Closed forgets the session and its subscriptions.
func (r *Router) Closed(id net.SessionID) {
	if s := r.sessions[id]; s != nil {
		r.release(s)
	}
}

// Sessions are the connected clients, in the order of their arrival.
func (r *Router) Sessions() []net.SessionID {
	ids := make([]net.SessionID, 0, len(r.open))
	for _, s := range r.open {
		if s.peer != nil {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// Restart ends all sessions and with them all subscriptions. Queues, associations and services are on disk and stay.
func (r *Router) Restart() {
	for _, s := range slices.Clone(r.open) {
		r.drop(s)
	}
}

// drop ends a session from the router's side.
func (r *Router) drop(s *session) {
	r.release(s)
	if s.peer != nil {
		s.peer.Close()
	}
}

// release forgets a session.
func (r *Router) release(s *session) {
	if s.gone {
		return
	}
	s.gone, s.backlog = true, nil
	delete(r.sessions, s.id)
	r.open = slices.DeleteFunc(r.open, func(o *session) bool { return o == s })
	for _, q := range r.order {
		if q.owner == s {
			q.owner = nil
			r.owner(q, OwnerClosed, s)
		}
		q.forgetEnds(s)
	}
	for _, v := range r.services {
		v.forgetEnds(s)
		if v.subscriber == s {
			v.subscriber = nil
		}
	}
}

// push sends what nobody asked for, in the order in which it is said.
func (r *Router) push(s *session, p protocol.Response) {
	switch {
	case s.gone || s.peer == nil:
	case len(s.held) > 0:
		s.held = append(s.held, p)
	case r.strikes(PushJoined):
		r.fired(PushJoined)
		s.held = append(s.held, p)
		r.after(r.lateness(), func() { r.send(s, nil) })
	default:
		s.peer.Send([]protocol.Response{p})
	}
}

// send sends a block, behind the pushes that were held for it.
func (r *Router) send(s *session, block []protocol.Response) {
	if len(s.held) > 0 && len(block) > 0 {
		r.effect(PushJoined)
	}
	block = append(s.held, block...)
	s.held = nil
	if len(block) > 0 && !s.gone {
		s.peer.Send(block)
	}
}

// serve carries out one request and gives its answer.
func (r *Router) serve(s *session, q protocol.Request) protocol.Response {
	if e := r.refusal(q); e != nil {
		return answer(q, protocol.Response{Kind: protocol.ERR, Err: e})
	}
	switch q.Command {
	case protocol.SUB:
		return answer(q, r.subscribe(s, protocol.RecipientService, q))
	case protocol.NSUB:
		return answer(q, r.subscribe(s, protocol.NotifierService, q))
	case protocol.SUBS:
		return answer(q, r.subscribeService(s, protocol.RecipientService, q.Service))
	case protocol.NSUBS:
		return answer(q, r.subscribeService(s, protocol.NotifierService, q.Service))
	case protocol.PING:
		return answer(q, protocol.Response{Kind: protocol.PONG})
	case protocol.NEW, protocol.KEY, protocol.SEND, protocol.ACK, protocol.DEL:
		if r.Options.Mailboxes {
			return answer(q, r.mail(s, q))
		}
		fallthrough
	default:
		return answer(q, protocol.Response{Kind: protocol.OK})
	}
}

func answer(to protocol.Request, p protocol.Response) protocol.Response {
	p.Correlation, p.Queue = to.Correlation, to.Queue
	return p
}

func refused(code string) protocol.Response {
	return protocol.Response{Kind: protocol.ERR, Err: &protocol.Error{Kind: protocol.Protocol, Code: code}}
}
