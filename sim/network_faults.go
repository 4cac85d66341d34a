package sim

import (
	"slices"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// slowReader holds up who reads from a connection, slowClose who closes it.
const (
	slowReader = "slow-reader"
	slowClose  = "slow-close"
)

// NetworkFaults are the faults that a Network draws by swarm, each under its name in the ledger.
func NetworkFaults() []string {
	return []string{
		"refuse", "black-hole", "handshake-stall", "mute", "delay", "loss", "reset", "reset-in-batch", "reset-on-connect",
		"half-open", "partition", slowReader, slowClose,
	}
}

// networkFaults are those that ask at each event; the others are rules.
type networkFaults struct {
	refuse, blackHole, handshakeStall, mute, delay, loss, resetInBatch, resetOnConnect, slowReader, slowClose bool
}

// dialFault is what may be wrong with a connection from its beginning.
type dialFault uint8

const (
	noDialFault    dialFault = iota
	blackHole                // no answer to the dial until the world heals
	handshakeStall           // accepted, and no word of it until the world heals
	mute                     // connected, and nothing comes back
	resetOnConnect
)

// String is the name in the ledger.
func (f dialFault) String() string {
	return [...]string{"none", "black-hole", "handshake-stall", "mute", "reset-on-connect"}[f]
}

// delays are how long a transmission may take beyond the default of no time at all; around usual timeouts.
var delays = [...]time.Duration{
	0, 0, 0, 0, 0, 0, time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 9 * time.Second,
	29 * time.Second, 31 * time.Second, 46 * time.Second,
}

// cutTimes are how long a partition lasts.
var cutTimes = [...]time.Duration{time.Second, 10 * time.Second, 40 * time.Second, 120 * time.Second}

// hits is true once in so many times, while faults strike.
func (w *World) hits(site string, oneIn int) bool { return !w.healed && w.Chance(site, oneIn) }

// arm draws the faults of the network and arms its rules.
func (n *Network[Out, In]) arm() {
	w := n.world
	n.faults = networkFaults{
		refuse: w.Swarm("refuse"), blackHole: w.Swarm("black-hole"), handshakeStall: w.Swarm("handshake-stall"), mute: w.Swarm("mute"),
		delay: w.Swarm("delay"), loss: w.Swarm("loss"), resetInBatch: w.Swarm("reset-in-batch"), resetOnConnect: w.Swarm("reset-on-connect"),
		slowReader: w.Swarm(slowReader), slowClose: w.Swarm(slowClose),
	}
	w.Rule("reset", 4, func() bool {
		c := n.draw("reset-which")
		if c == nil {
			return false
		}
		w.Effect("reset")
		c.reset()
		return true
	})
	w.Rule("half-open", 2, func() bool {
		c := n.draw("half-open-which")
		if c == nil || !c.served {
			return false
		}
		c.lose("half-open", 0, 1)
		c.toServer.clear()
		c.toClient.clear()
		c.tellClosed()
		return true
	})
	w.OnHeal(n.heal)
}

// draw picks one of the connections that are open at the dialler's end.
func (n *Network[Out, In]) draw(site string) *conn[Out, In] {
	open := 0
	for _, c := range n.conns {
		if !c.closed {
			open++
		}
	}
	if open == 0 {
		return nil
	}
	which := n.world.Value(site, open)
	for _, c := range n.conns {
		if !c.closed {
			if which == 0 {
				return c
			}
			which--
		}
	}
	return nil
}

// armPartition arms the partition of one address from its diallers, in one direction or both.
func (n *Network[Out, In]) armPartition(l *listener[Out, In]) {
	w := n.world
	w.Rule("partition", 2, func() bool {
		directions := [...][2]int{{1, 1}, {1, 0}, {0, 1}}[w.Value("partition-way", 3)]
		for i := range l.cut {
			l.cut[i] += directions[i]
		}
		w.After(cutTimes[w.Value("partition-time", len(cutTimes))], func() {
			for i := range l.cut {
				l.cut[i] = max(l.cut[i]-directions[i], 0)
			}
		})
		w.Logf("%s is cut off", l.address)
		return true
	})
}

// dialFault decides what is wrong with a new connection.
func (n *Network[Out, In]) dialFault(l *listener[Out, In]) dialFault {
	w := n.world
	switch {
	case w.healed:
		return noDialFault
	case l.cut[0]+l.cut[1] > 0:
		w.Effect("partition")
		return blackHole
	case n.faults.blackHole && w.hits("black-hole", 6):
		w.Fired("black-hole")
		return blackHole
	case n.faults.handshakeStall && w.hits("handshake-stall", 6):
		w.Fired("handshake-stall")
		return handshakeStall
	case n.faults.mute && w.hits("mute", 6):
		w.Fired("mute")
		return mute
	case n.faults.resetOnConnect && w.hits("reset-on-connect", 5):
		return resetOnConnect
	}
	return noDialFault
}

// connected is the step in which the dialler's end opens.
func (c *conn[Out, In]) connected() {
	w := c.network.world
	switch {
	case w.healed:
	case c.fault == mute:
		c.lose("mute", 1)
	case c.fault == resetOnConnect:
		w.Struck("reset-on-connect")
		c.reset()
	}
}

// lose makes the connection swallow everything that goes one of the ways, from now on.
func (c *conn[Out, In]) lose(by string, ways ...int) {
	c.lostBy = by
	for _, way := range ways {
		c.lost[way] = true
	}
}

// delay draws how long a transmission takes.
func (n *Network[Out, In]) delay() time.Duration {
	if !n.faults.delay || n.world.healed {
		return n.latency
	}
	d := delays[n.world.Value("delay", len(delays))]
	if d > 0 {
		n.world.Struck("delay")
	}
	return n.latency + d
}

// slowAtArrival and slowAtEnd are, for what arrives and for the end of a connection, out of how many times the reader is held up, and
// slowAtClose out of how many times who closes it.
const (
	slowAtArrival = 10
	slowAtEnd     = 3
	slowAtClose   = 2
)

// heldUp is a task that the network holds up in its use of a connection, until other connections of the same two ends have brought so
// many transmissions more.
type heldUp[Out, In any] struct {
	conn    *conn[Out, In]
	task    *kernel.Actor
	until   int
	release func()
}

// slowsReader decides whether who reads from the connection comes to it only later: the others who use the connection know of its end
// long before, and by then there may be another.
func (n *Network[Out, In]) slowsReader(c *conn[Out, In], oneIn int) {
	if n.faults.slowReader && c.reader != nil && n.world.hits(slowReader, oneIn) {
		n.holdsUp(c, c.reader, slowReader)
	}
}

// closesSlowly decides whether who closes the connection is held up before it is closed, as by a last word to a peer that takes none.
// Both ends go on using it meanwhile.
//
//go:norace
func (n *Network[Out, In]) closesSlowly(c *conn[Out, In]) (slow bool) {
	if !n.faults.slowClose {
		return false
	}
	w := n.world
	w.Inline(func() {
		if slow = !c.closed && w.hits(slowClose, slowAtClose); slow {
			n.holdsUp(c, w.kernel.Acting(), slowClose)
		}
	})
	return slow
}

// holdsUp holds up a task for some time, or until just when another connection of the same two ends brings its first transmission, or
// one soon after.
func (n *Network[Out, In]) holdsUp(c *conn[Out, In], task *kernel.Actor, fault string) {
	w := n.world
	w.Fired(fault)
	until := w.Value(fault+"-until", 4)
	if until == 0 {
		w.stallTask(task, fault)
		return
	}
	w.Logf("%s stalls until another connection brings transmission %d", task.Path(), until)
	n.held = slices.DeleteFunc(n.held, func(h heldUp[Out, In]) bool {
		if h.task == task {
			h.release() // it is held up anew
		}
		return h.task == task
	})
	n.held = append(n.held, heldUp[Out, In]{c, task, until, w.kernel.StallTask(task, stallTimes[len(stallTimes)-1])})
	w.Effect(fault)
}

// letGo lets those go on who are held up at other connections of the same two ends until this one brings something.
func (n *Network[Out, In]) letGo(c *conn[Out, In]) {
	if len(n.held) == 0 { // who is held up, and who is let go, concerns all; how many more are wanted, only those who count
		return
	}
	n.touch()
	for i := range n.held {
		if h := &n.held[i]; h.conn != c && h.conn.node == c.node && h.conn.listener == c.listener {
			h.until--
		}
	}
	n.held = slices.DeleteFunc(n.held, func(h heldUp[Out, In]) bool {
		if h.until == 0 {
			h.release()
		}
		return h.until == 0
	})
}

// resets decides whether a transmission of the dialler meets a reset.
func (n *Network[Out, In]) resets(c *conn[Out, In]) bool {
	if !n.faults.resetInBatch || !n.world.hits("reset-in-batch", 24) {
		return false
	}
	n.world.Struck("reset-in-batch")
	c.reset()
	return true
}

// swallows decides whether a packet of the connection, going there (0) or coming back (1), is lost. Once one was, all that
// go the same way are, until the world heals: then the next packet, either way, is answered with a reset.
func (n *Network[Out, In]) swallows(c *conn[Out, In], way int) bool {
	w := n.world
	if w.healed {
		dead := c.lost[0] || c.lost[1]
		if dead {
			c.after(c.reset)
		}
		return dead
	}
	if !c.lost[way] {
		if c.listener.cut[way] > 0 {
			w.Fired("partition")
			c.lose("partition", way)
		} else if n.faults.loss && w.hits("loss", 40) {
			w.Fired("loss")
			c.lose("loss", way)
		}
	}
	if c.lost[way] && !c.closed {
		w.Effect(c.lostBy)
	}
	return c.lost[way]
}

// heal lets go what was held back, and says again what would be repeated until it is heard: the end of a connection, and the
// request for one, which a host that does not know of it answers with a reset.
func (n *Network[Out, In]) heal() {
	for _, l := range n.order {
		l.cut = [2]int{}
	}
	for _, c := range slices.Clone(n.conns) {
		lost := c.lost[0] || c.lost[1]
		switch {
		case c.closed && c.served && lost:
			c.toServer.push(event[Out]{closing: true, number: c.sends(true, closes)}, 0)
		case c.closed:
		case c.fault == blackHole:
			c.toServer.push(event[Out]{opening: true, number: c.sends(true, opens)}, 0)
		case !c.opened && lost:
			c.reset()
		case c.fault == handshakeStall && c.served:
			c.toClient.push(event[In]{opening: true, number: c.sends(false, accepts)}, 0)
		}
		c.fault = noDialFault
	}
}
