package sim

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// sendWindow is how many transmissions a connection takes before the sender waits for one to arrive.
const sendWindow = 16

// unbounded is the capacity of an inbox, whose bound is the window of the sender.
const unbounded = 1 << 30

// Network is a simulated network of sessions that carry Out to acceptors and In to diallers. A handler's calls are delivery
// steps, outside any task. Faults (see NetworkFaults) are drawn by the swarm.
type Network[Out, In any] struct {
	world     *World
	shared    *kernel.Object // conns
	latency   time.Duration
	listeners map[net.Address]*listener[Out, In]
	order     []*listener[Out, In] // the same, as they came
	nodes     []*Node              // that have a dialler
	conns     []*conn[Out, In]     // not ended on both sides, in order of creation
	faults    networkFaults
	held      []heldUp[Out, In] // until another connection brings something

	// words for what is sent, if Words was called
	outWords func(Out) string
	inWords  func(In) string
}

// listener is a registered handler and what stands between it and its diallers.
type listener[Out, In any] struct {
	address net.Address
	handler net.Handler[Out, In]
	shared  *Shared // what the handler touches; nil: any of what tasks share with models
	object  *kernel.Object
	cut     [2]int // partitions that swallow what goes there (0) and what comes from there (1)
}

// NewNetwork makes a network on which nobody listens, and arms its faults if the swarm has them.
func NewNetwork[Out, In any](w *World) *Network[Out, In] {
	n := &Network[Out, In]{world: w, shared: w.kernel.NewShared("conns"), listeners: map[net.Address]*listener[Out, In]{}}
	n.arm()
	w.Inline(func() { w.networks = append(w.networks, n.fingerprint) })
	return n
}

// Listen registers the handler of an address. It fails if there is one.
func (n *Network[Out, In]) Listen(at net.Address, h net.Handler[Out, In]) error {
	return n.ListenWithin(nil, at, h)
}

// ListenWithin is Listen for a handler that touches only that part of what tasks share with models.
func (n *Network[Out, In]) ListenWithin(part *Shared, at net.Address, h net.Handler[Out, In]) (err error) {
	n.world.Inline(func() { err = n.listen(part, at, h) })
	return err
}

func (n *Network[Out, In]) listen(part *Shared, at net.Address, h net.Handler[Out, In]) error {
	if n.listeners[at] != nil {
		return fmt.Errorf("listen at %q: the address is in use", at)
	}
	l := &listener[Out, In]{address: at, handler: h, shared: part, object: n.world.kernel.NewObject(kernel.ConnObject, string(at))}
	n.listeners[at] = l
	n.order = append(n.order, l)
	n.armPartition(l)
	return nil
}

// Latency is how long a transmission takes, each way, where no fault delays it. By default it takes no time.
func (n *Network[Out, In]) Latency(d time.Duration) { n.latency = d }

// Words are what a person calls what is sent, there and back, in a picture of a failure. By default it is what fmt prints.
func (n *Network[Out, In]) Words(out func(Out) string, in func(In) string) {
	n.outWords, n.inWords = out, in
}

// ResetAfter breaks, after d of virtual time, all connections to an address at both ends at once.
func (n *Network[Out, In]) ResetAfter(d time.Duration, at net.Address) {
	n.world.kernel.After(nil, "reset", d, func() {
		n.touch()
		for _, c := range slices.Clone(n.conns) {
			if c.touch(); c.listener.address == at && !c.closed {
				n.world.Struck("reset")
				c.reset()
			}
		}
	})
}

// Dialer is how programs on the node connect.
func (n *Network[Out, In]) Dialer(node *Node) net.Dialer[Out, In] {
	n.world.Inline(func() {
		if !slices.Contains(n.nodes, node) {
			n.nodes = append(n.nodes, node)
			node.onCrash = append(node.onCrash, func() { n.crashed(node) })
		}
	})
	return dialer[Out, In]{n, node}
}

// crashed ends the connections of a node.
func (n *Network[Out, In]) crashed(node *Node) {
	for _, c := range slices.Clone(n.conns) {
		if c.node == node {
			c.end(net.ErrReset)
			c.toServer.push(event[Out]{closing: true, number: c.sends(true, closes)}, 0)
		}
	}
}

type dialer[Out, In any] struct {
	network *Network[Out, In]
	node    *Node
}

// Dial connects from the node.
//
//go:norace
func (d dialer[Out, In]) Dial(ctx context.Context, to net.Address, credential string) (net.Conn[Out, In], error) {
	n, w := d.network, d.network.world
	l := n.listeners[to]
	if l == nil {
		w.kernel.Point(kernel.OpDial, nil)
		return nil, fmt.Errorf("dial %q: %w", to, net.ErrRefused)
	}
	w.kernel.Point(kernel.OpDial, l.object)
	var c *conn[Out, In]
	w.kernel.Covered(func() { c = n.dial(d.node, l, credential) })
	if c == nil {
		return nil, fmt.Errorf("dial %q: %w", to, net.ErrRefused)
	}
	answer, cancelled := sched.Recv(c.accepted), sched.Recv(sched.Done(ctx))
	if sched.Select2(&answer, &cancelled) == 1 {
		w.kernel.ObserveCovered(c.giveUp)
		return nil, ctx.Err()
	}
	if answer.Value != nil {
		return nil, fmt.Errorf("dial %q: %w", to, answer.Value)
	}
	return c, nil
}

// dial makes a connection and sends its handshake on its way; nil if that was refused.
func (n *Network[Out, In]) dial(node *Node, l *listener[Out, In], credential string) *conn[Out, In] {
	n.touch()
	if n.faults.refuse && n.world.hits("refuse", 3) {
		n.world.Struck("refuse")
		return nil
	}
	c := n.newConn(node, l, credential)
	if c.fault = n.dialFault(l); c.fault != blackHole { // which goes on when the world heals
		c.toServer.push(event[Out]{opening: true, number: c.sends(true, opens)}, n.delay())
	}
	return c
}

// conn is both ends of a connection: the dialler's Conn and, as peer, the handler's.
type conn[Out, In any] struct {
	network    *Network[Out, In]
	node       *Node
	listener   *listener[Out, In]
	credential string
	session    net.Session
	object     *kernel.Object
	shared     *kernel.Object // all below, and what is on its way
	accepted   *sched.Chan[error]
	inbox      *sched.Chan[In]
	window     *sched.Chan[struct{}]
	ended      *sched.Chan[struct{}]
	toServer   link[Out]
	toClient   link[In]
	opened     bool  // the dialler has had the answer to its handshake
	err        error // of Receive once the dialler's end is closed
	closed     bool  // the dialler's end
	served     bool  // the handler has accepted and has not been told Closed
	serverDone bool  // the handler has closed its end, or been told
	fault      dialFault
	lost       [2]bool       // swallows what goes there (0), what comes back (1)
	lostBy     string        // which fault
	reader     *kernel.Actor // the task that receives; nil before it did
}

func (n *Network[Out, In]) newConn(node *Node, l *listener[Out, In], credential string) *conn[Out, In] {
	s := node.Scheduler()
	var id [16]byte
	s.Read(id[:])
	c := &conn[Out, In]{
		network: n, node: node, listener: l, credential: credential, session: net.Session{ID: net.SessionID(hex.EncodeToString(id[:]))},
		object: n.world.kernel.NewObject(kernel.ConnObject, ""), shared: n.world.kernel.NewShared("conn"),
		accepted: sched.NewChan[error](sched.Named(s, "handshake"), 1), inbox: sched.NewChan[In](sched.Named(s, "inbox"), unbounded),
		window: sched.NewChan[struct{}](s, sendWindow), ended: sched.NewChan[struct{}](s, 0),
	}
	c.ended.Object().OnlyClosed()
	c.toServer.init(n.world, "to-server", l.object, c.shared, c.atServer)
	c.toClient.init(n.world, "to-client", c.inbox.Object(), c.shared, c.atClient)
	n.conns = append(n.conns, c)
	return c
}

// atServer is the step in which something arrives at the handler.
func (c *conn[Out, In]) atServer(e event[Out]) {
	c.listener.touch()
	c.network.world.arrived(e.number, "")
	switch {
	case e.opening:
		grant, err := c.listener.handler.Accept(c.session.ID, c.credential, peer[Out, In]{c})
		if err != nil {
			c.serverDone = true
			c.toClient.push(event[In]{refusal: fmt.Errorf("%w: %w", net.ErrHandshake, err), opening: true, number: c.sends(false, refuses)}, c.network.delay())
			return
		}
		c.served = true
		c.session.Grant = grant
		if c.fault != handshakeStall {
			c.toClient.push(event[In]{opening: true, number: c.sends(false, accepts)}, c.network.delay())
		}
		if c.serverDone {
			c.serverHangUp()
		}
	case e.closing:
		c.tellClosed()
	case c.served && !c.serverDone:
		c.listener.handler.Receive(c.session.ID, e.value)
		fallthrough
	default:
		c.window.TryRecv()
	}
}

// atClient is the step in which something arrives at the dialler.
func (c *conn[Out, In]) atClient(e event[In]) {
	c.readerArrived(e.number)
	switch {
	case c.closed:
	case e.opening:
		c.opened = true
		c.accepted.TrySend(e.refusal)
		if e.refusal != nil {
			c.end(net.ErrClosed)
		} else {
			c.connected()
		}
	case e.closing:
		c.accepted.TrySend(net.ErrReset) // if the handshake has stalled
		c.end(net.ErrClosed)
	default:
		c.inbox.TrySend(e.value)
		c.network.letGo(c)
		c.network.slowsReader(c, slowAtArrival)
	}
}

// tellClosed tells the handler, once, that the session has ended.
func (c *conn[Out, In]) tellClosed() {
	c.touch()
	c.listener.touch()
	if c.served {
		c.served, c.serverDone = false, true
		c.listener.handler.Closed(c.session.ID)
	}
	c.forget()
}

// end closes the dialler's end.
func (c *conn[Out, In]) end(err error) {
	c.touch()
	if c.closed {
		return
	}
	c.closed, c.err = true, err
	c.inbox.Close()
	c.ended.Close()
	c.network.slowsReader(c, slowAtEnd)
	c.forget()
}

// reset breaks the connection at both ends at once.
func (c *conn[Out, In]) reset() {
	c.toServer.clear()
	c.toClient.clear()
	c.accepted.TrySend(net.ErrReset)
	c.end(net.ErrReset)
	c.tellClosed()
}

// forget takes the connection out of the network when both its ends are closed.
func (c *conn[Out, In]) forget() {
	if !c.closed || c.served {
		return
	}
	c.network.touch()
	conns := c.network.conns
	for i, other := range conns {
		if other == c {
			c.network.conns = append(conns[:i], conns[i+1:]...)
			return
		}
	}
}

// giveUp is what a dialler whose context is done leaves behind.
func (c *conn[Out, In]) giveUp() {
	if c.fault == blackHole || c.fault == handshakeStall {
		c.network.world.Effect(c.fault.String())
	}
	c.end(net.ErrClosed)
	c.toServer.push(event[Out]{closing: true, number: c.sends(true, closes)}, 0)
}

// Session is what the handshake has agreed.
//
//go:norace
func (c *conn[Out, In]) Session() net.Session { return c.session }

// Send hands one transmission to the connection; it waits while too many are on their way.
//
//go:norace
func (c *conn[Out, In]) Send(ctx context.Context, out Out) error {
	room, ended, cancelled := sched.Send(c.window, struct{}{}), sched.Recv(c.ended), sched.Recv(sched.Done(ctx))
	switch sched.Select3(&room, &ended, &cancelled) {
	case 1:
		return c.err
	case 2:
		return ctx.Err()
	}
	if c.closed {
		return c.err
	}
	c.network.world.kernel.ObserveCovered(func() { c.transmit(out) })
	return nil
}

func (c *conn[Out, In]) transmit(out Out) {
	c.touch()
	n := c.network
	if n.resets(c) {
		return
	}
	number := c.network.world.sent(string(c.listener.address), true, func() string { return words(n.outWords, out) })
	if n.swallows(c, 0) {
		return
	}
	c.toServer.push(event[Out]{value: out, number: number}, n.delay())
}

// Receive waits for the next transmission.
//
//go:norace
func (c *conn[Out, In]) Receive() (In, error) {
	if c.reader == nil && c.network.faults.slowReader {
		c.touch() // only who has begun to read is held up
	}
	c.reader = c.network.world.kernel.Acting()
	v, ok := c.inbox.Recv()
	if !ok {
		return v, c.err
	}
	return v, nil
}

// Close ends the session on this side; the other hears of it after what was sent before.
//
//go:norace
func (c *conn[Out, In]) Close() error {
	w := c.network.world
	w.kernel.Point(kernel.OpHangUp, c.object)
	if c.network.closesSlowly(c) {
		w.kernel.Point(kernel.OpHangUp, c.object)
	}
	w.kernel.ObserveCovered(c.hangUp)
	return nil
}

func (c *conn[Out, In]) hangUp() {
	c.touch()
	if c.closed {
		return
	}
	c.end(net.ErrClosed)
	if !c.network.swallows(c, 0) {
		c.toServer.push(event[Out]{closing: true, number: c.sends(true, closes)}, 0)
	}
}

// peer is the handler's end of a connection.
type peer[Out, In any] struct{ conn *conn[Out, In] }

// Send sends to the dialler.
func (p peer[Out, In]) Send(in In) {
	c := p.conn
	c.touch()
	if c.serverDone {
		return
	}
	n := c.network
	number := n.world.sent(string(c.listener.address), false, func() string { return words(n.inWords, in) })
	if n.swallows(c, 1) || c.closed {
		return
	}
	c.toClient.push(event[In]{value: in, number: number}, n.delay())
}

// Close ends the session from the handler's side; the handler hears Closed in a step of its own.
func (p peer[Out, In]) Close() {
	c := p.conn
	c.touch()
	if c.serverDone {
		return
	}
	c.serverDone = true
	if c.served { // else Accept has not returned
		c.serverHangUp()
	}
}

func (c *conn[Out, In]) serverHangUp() {
	if !c.network.swallows(c, 1) {
		c.toClient.push(event[In]{closing: true, number: c.sends(false, closes)}, 0)
	}
	c.after(c.tellClosed)
}

// What a connection carries beside transmissions, in words.
const (
	opens   = "opens a session"
	accepts = "accepts the session"
	refuses = "refuses the session"
	closes  = "closes the session"
)

// sends tells the watcher of what is no transmission; see World.sent.
func (c *conn[Out, In]) sends(toAddress bool, what string) int64 {
	return c.network.world.sent(string(c.listener.address), toAddress, func() string { return what })
}

// readerArrived tells the watcher of what arrives at the dialler.
func (c *conn[Out, In]) readerArrived(number int64) {
	if number == 0 {
		return
	}
	reader := c.node.Name()
	if c.reader != nil {
		reader = c.reader.Path()
	}
	c.network.world.arrived(number, reader)
}

// words are what a person calls a transmission.
func words[T any](named func(T) string, value T) string {
	if named == nil {
		return fmt.Sprint(value)
	}
	return named(value)
}

// after lets f run in a step of its own.
func (c *conn[Out, In]) after(f func()) { c.network.world.kernel.After(nil, "after", 0, f) }

func (c *conn[Out, In]) touch() { c.network.world.kernel.Touch(kernel.OpTouch, c.shared) }

func (n *Network[Out, In]) touch() { n.world.kernel.Touch(kernel.OpTouch, n.shared) }

func (l *listener[Out, In]) touch() {
	switch k := l.object.Kernel(); {
	case l.shared == nil:
		k.TouchWorld()
	default:
		l.shared.Touch()
	}
}
