package kernel

import (
	"fmt"
	"time"
)

// Node is a process of the simulated world: its tasks and timers end with it.
type Node struct {
	Name    string
	Offset  time.Duration // of its wall clock from virtual time
	kernel  *Kernel
	crashed bool
	stalls  int32 // that hold up its tasks
	heldUp  int32 // stalls under way, of all its tasks or of one
	freeAt  time.Duration
}

// NewNode makes a node.
//
//go:norace
func (k *Kernel) NewNode(name string) *Node {
	if !addressable(name) {
		panic(fmt.Sprintf("sim: node name %q: a name is part of an address and cannot hold '/', '#' or ':'", name))
	}
	return &Node{Name: name, kernel: k}
}

// Crashed says whether the node is down.
//
//go:norace
func (n *Node) Crashed() bool { return n.crashed }

// Crash ends the node: its tasks unwind without effect, its timers never fire. It is for good: a restarted process is a new node.
//
//go:norace
func (n *Node) Crash() {
	n.kernel.touchAll()
	n.crashed = true
	n.kernel.Tasks(func(t *Actor) {
		if t.node == n {
			n.kernel.Kill(t)
		}
	})
	for _, t := range append([]*Timer(nil), n.kernel.heap...) {
		if t.node == n {
			n.kernel.remove(t)
		}
	}
	for i := 0; i < len(n.kernel.enabled); {
		if a := n.kernel.enabled[i]; a.Kind == TimerActor && a.node == n {
			n.kernel.disable(a)
		} else {
			i++
		}
	}
}

// FreeSince is since when nothing holds up a task of the node: the end of the last stall. ok is false while one is under way.
//
//go:norace
func (n *Node) FreeSince() (since time.Duration, ok bool) { return n.freeAt, n.heldUp == 0 }

// hold counts a stall that begins, and free one that ends.
//
//go:norace
func (n *Node) hold() {
	if n != nil {
		n.heldUp++
	}
}

//go:norace
func (n *Node) free() {
	if n != nil {
		n.heldUp--
		n.freeAt = n.kernel.Now()
	}
}

// Stall holds up all tasks of the node for d of virtual time: a collector's pause, a suspended laptop.
//
//go:norace
func (n *Node) Stall(d time.Duration) {
	n.hold()
	n.stall(1)
	n.kernel.After(nil, "stall", d, func() {
		n.stall(-1)
		n.free()
	})
}

//go:norace
func (n *Node) stall(by int32) {
	n.kernel.touchAll()
	n.kernel.stalls += by
	n.stalls += by
	for _, t := range n.kernel.live {
		if t.node == n {
			if by > 0 {
				n.kernel.halt(t)
			}
			t.stalls += by
			n.kernel.update(t)
		}
	}
}

// StallTask holds up one task for d of virtual time, or until release is called, outside any task.
//
//go:norace
func (k *Kernel) StallTask(t *Actor, d time.Duration) (release func()) {
	k.touchAll()
	k.halt(t)
	t.stalls++
	k.stalls++
	k.update(t)
	t.node.hold()
	stalled := true
	release = func() {
		if !stalled {
			return
		}
		stalled = false
		t.node.free()
		k.stalls--
		k.touchAll()
		if t.stalls--; !t.finished {
			k.update(t)
		}
	}
	k.After(nil, "stall", d, release)
	return release
}

// Timer is a deadline of virtual time and what happens then, in a step of its own. All timers that are due are actors.
type Timer struct {
	node     *Node
	actor    *Actor
	object   Object
	channel  *Object // that it sends to, if it does
	deadline time.Duration
	interval time.Duration // until it is armed again when it fires; 0: it is not
	sequence int64
	index    int // in the heap; -1: not there
}

// NewTimer makes a timer that is not armed. fire runs as a step outside any task. A channel that it sends to is named, so that
// the table of dependences knows.
//
//go:norace
func (k *Kernel) NewTimer(node *Node, name string, channel *Object, fire func()) *Timer {
	t := &Timer{node: node, channel: channel, index: -1}
	t.actor = k.newActor(TimerActor, node, name)
	k.InitObject(&t.object, TimerObject, "")
	t.actor.Op, t.actor.object = OpFire, &t.object
	if channel != nil {
		t.actor.waits = append(t.actor.waits, wait{object: &t.object, op: OpFire}, wait{object: channel, op: OpSend})
	}
	t.actor.fire = func() {
		t.fired()
		raceAcquire(t.object.address())
		fire()
	}
	return t
}

// After arms a timer that no program sees. fire says what it touches.
//
//go:norace
func (k *Kernel) After(node *Node, name string, d time.Duration, fire func()) *Timer {
	t := k.NewTimer(node, name, nil, fire)
	t.arm(d)
	return t
}

// Arm is a program's operation: set the timer to fire d from now. It reports whether the timer had been armed.
//
//go:norace
func (t *Timer) Arm(d time.Duration) bool {
	t.point(OpArm)
	was := t.disarm()
	t.arm(d)
	return was
}

// ArmAfter is Arm with something that happens in the same step, just before.
//
//go:norace
func (t *Timer) ArmAfter(d time.Duration, f func()) bool {
	t.point(OpArm)
	was := t.disarm()
	f()
	t.arm(d)
	return was
}

// Repeat is ArmAfter for a timer with a channel that is armed again, for another d, whenever it fires. That is no program's operation, and so
// no edge for the race detector. Virtual time stands still until a timer that is due has fired, so it does not drift.
//
//go:norace
func (t *Timer) Repeat(d time.Duration, f func()) {
	t.actor.waits[1].op = OpTrySelect // what it sends is dropped if the channel is full, so its order with a receive matters
	t.ArmAfter(d, func() {
		t.interval = d
		f()
	})
}

//go:norace
func (t *Timer) fired() {
	t.object.kernel.disable(t.actor)
	if t.interval > 0 {
		t.set(t.interval)
	}
}

// Stop is a program's operation: it reports whether the timer had been armed.
//
//go:norace
func (t *Timer) Stop() bool {
	t.point(OpStop)
	return t.disarm()
}

// point is the one before an operation on the timer, which takes back what the channel holds.
//
//go:norace
func (t *Timer) point(op Op) {
	k := t.object.kernel
	if t.channel != nil {
		k.touch(op, &t.object, OpRecv, t.channel)
		return
	}
	k.point(op, &t.object, true, false)
}

// Cancel disarms a timer that no program sees.
//
//go:norace
func (t *Timer) Cancel() bool { return t.disarm() }

// Object is what operations on the timer touch.
//
//go:norace
func (t *Timer) Object() *Object { return &t.object }

//go:norace
func (t *Timer) arm(d time.Duration) {
	raceReleaseMerge(t.object.address())
	t.set(d)
}

//go:norace
func (t *Timer) set(d time.Duration) {
	k := t.object.kernel
	if t.node != nil && t.node.crashed {
		return
	}
	t.deadline = k.now + max(d, 0)
	if t.deadline < k.now {
		t.deadline = 1<<63 - 1
	}
	if d <= 0 {
		k.enable(t.actor)
		return
	}
	k.timerSeq++
	t.sequence = k.timerSeq
	t.index = len(k.heap)
	k.heap = append(k.heap, t)
	k.up(t.index)
}

//go:norace
func (t *Timer) disarm() bool {
	k := t.object.kernel
	if t.actor.enabled >= 0 {
		k.disable(t.actor)
		return true
	}
	if t.index < 0 {
		return false
	}
	k.remove(t)
	return true
}

// ReadClock is a program's operation: the virtual time, on the node's clock.
//
//go:norace
func (n *Node) ReadClock() time.Duration {
	n.kernel.point(OpNow, nil, true, false)
	return n.kernel.now + n.Offset
}

// advance moves virtual time to the earliest deadline and makes every timer due then an actor. It is a barrier: it only
// happens when nothing else can move.
//
//go:norace
func (k *Kernel) advance() {
	k.now = k.heap[0].deadline
	k.due = k.onDue != nil
	for len(k.heap) > 0 && k.heap[0].deadline <= k.now {
		t := k.heap[0]
		k.remove(t)
		k.enable(t.actor)
	}
}

// pending says whether time has anything to bring: a timer that is armed, other than one that goes on to send to a full channel, which
// changes nothing until somebody receives.
//
//go:norace
func (k *Kernel) pending() bool {
	for _, t := range k.heap {
		if t.interval == 0 || t.channel.count < t.channel.capacity {
			return true
		}
	}
	return false
}

// NextDeadline is the earliest deadline of an armed timer, of which there must be one.
//
//go:norace
func (k *Kernel) NextDeadline() time.Duration { return k.heap[0].deadline }

//go:norace
func (k *Kernel) before(i, j int) bool {
	a, b := k.heap[i], k.heap[j]
	return a.deadline < b.deadline || a.deadline == b.deadline && a.sequence < b.sequence
}

//go:norace
func (k *Kernel) swap(i, j int) {
	k.heap[i], k.heap[j] = k.heap[j], k.heap[i]
	k.heap[i].index, k.heap[j].index = i, j
}

//go:norace
func (k *Kernel) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !k.before(i, parent) {
			return
		}
		k.swap(i, parent)
		i = parent
	}
}

//go:norace
func (k *Kernel) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(k.heap) {
			return
		}
		if child+1 < len(k.heap) && k.before(child+1, child) {
			child++
		}
		if !k.before(child, i) {
			return
		}
		k.swap(i, child)
		i = child
	}
}

//go:norace
func (k *Kernel) remove(t *Timer) {
	i, n := t.index, len(k.heap)-1
	if i != n {
		k.swap(i, n)
	}
	k.heap[n] = nil
	k.heap = k.heap[:n]
	t.index = -1
	if i != n {
		k.down(i)
		k.up(i)
	}
}

// NewActor makes an actor of a kind other than a task: fire is its step, outside any task. Enable and Disable say whether it
// can be chosen; a fault is armed instead.
//
//go:norace
func (k *Kernel) NewActor(kind ActorKind, name string, op Op, o *Object, fire func()) *Actor {
	a := k.newActor(kind, nil, name)
	a.Op, a.object, a.fire = op, o, fire
	return a
}

// Enable lets the actor be chosen.
//
//go:norace
func (k *Kernel) Enable(a *Actor) { k.enable(a) }

// Disable takes the actor out of the choice.
//
//go:norace
func (k *Kernel) Disable(a *Actor) { k.disable(a) }

// Arm puts a fault rule among those that may strike at any step.
//
//go:norace
func (k *Kernel) Arm(a *Actor) {
	if a.armed < 0 {
		a.armed = int32(len(k.armed))
		k.armed = append(k.armed, a)
	}
}

// Disarm takes it out again.
//
//go:norace
func (k *Kernel) Disarm(a *Actor) {
	if i := a.armed; i >= 0 {
		n := len(k.armed) - 1
		moved := k.armed[n]
		k.armed[i] = moved
		moved.armed = i
		k.armed = k.armed[:n]
		a.armed = -1
	}
}

// Point is a program's operation that is possible at any time, such as those of the network.
//
//go:norace
func (k *Kernel) Point(op Op, o *Object) { k.point(op, o, true, false) }

// Set is Arm for a timer that no program sees: no point.
//
//go:norace
func (t *Timer) Set(d time.Duration) {
	t.disarm()
	t.arm(d)
}
