package explore

import (
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
)

// event is a step that was made.
type event struct {
	footprint
	actor    int32
	prev     int32 // event before of the same actor; -1: none
	ordinal  int32 // among the events of the actor, from 0
	actors   int32 // the highest actor id after it
	barrier  int32 // the last advance of time before it; -1: none
	from     int32 // where its accesses begin in trace.accesses
	clock    int32 // where its clock begins in trace.clocks
	width    int32 // and how long it is
	woke     int32 // where those that it woke begin in trace.woken
	wokeTo   int32
	waker    int32 // the event that completed the operation, if one did; -1: none
	op       kernel.Op
	kind     kernel.ActorKind
	parked   bool // its task had arrived at an unbuffered channel
	parks    bool // its task has
	settled  bool
	halts    bool   // it has ended or held up a task, or the run
	fixed    bool   // of the steps around it one order is enough
	name     uint64 // of the actor, the same in other runs
	identity uint64 // of actor, operation and object, if that is wanted
}

// time says whether it is an advance of time, which nothing passes, or a step of which one order is enough.
func (e *event) time() bool { return e.kind == kernel.ClockActor || e.fixed }

// awakening is a task whose operation an event has completed.
type awakening struct {
	actor  int32
	before int32 // who had done that before: what trace.wokenBy held
}

// trace is a run as a partial order: events, what they touch, and their vector clocks (Mattern 1989). A clock holds for each
// actor one more than the index of its last event that happens before, or is, the event. Everything lies in flat arrays that are
// cut off at their ends when the search goes back, so that a run allocates nothing.
type trace struct {
	kernel   *kernel.Kernel
	events   []event
	accesses []access
	clocks   []int32
	woken    []awakening
	masks    []uint64 // by event: what it shows
	lastOf   []int32  // by actor: one more than its last event
	makerOf  []int32  // by actor: the event that made it, if one did
	wokenBy  []int32  // by actor: one more than the event that completed its operation last
	heads    []int32  // by object: one more than the last access to it
	wide     int32    // events that touch what no object stands for

	current  int              // the event under way; -1: none
	touched  []*kernel.Object // of its accesses, to see what has become of them
	wakes    []int32          // actors whose operation it has completed
	world    bool
	shared   bool
	all      bool
	reached  kinds   // what it has touched beside what it has announced
	raising  []raise // memory for low
	enabling []int32 // memory for relateAll

	// Of some kinds of objects the operations commute unless something unusual is there. Who takes from a count commutes with who
	// adds to it as long as the count is never too low; who adds to a wait group has done so before anybody waits; nobody sends
	// to a closed channel; two that meet at an unbuffered channel commute as long as nobody looks who was there first, and
	// nothing touches everything, such as a crash. Once it shows that it is not so, a search begins anew, and strictly: then all operations at
	// objects of that kind conflict.
	stricter strictness // that must be
	strict   strictness // that is
	met      []uint64   // channels at which two have met, by path, and
	peeked   []uint64   // at which somebody has looked; over all runs

	lazy     bool  // who would only park at an unbuffered channel does so when nobody else can move
	ordered  bool  // of some events, over all runs, there was no other order to be made
	identify bool  // events are to have an identity
	setUp    int32 // the highest actor id before the first step
	objects  int32 // and object id
}

// Begin implements kernel.Listener.
func (t *trace) Begin(k *kernel.Kernel) { t.kernel, t.setUp, t.objects = k, k.Actors(), k.Objects() }

// Ids number actors and objects by their creation, which steps that commute may do in another order. So what is to be found
// again in another run has a name: the id if the set-up made it, else a hash of its path.
const made = 1 << 63

func (t *trace) actorName(a *kernel.Actor) uint64 {
	if a.ID <= t.setUp {
		return uint64(a.ID)
	}
	return a.PathHash() | made
}

func (t *trace) objectName(o *kernel.Object) uint64 {
	if id := o.ID(); 0 < id && id <= t.objects {
		return uint64(id)
	}
	return o.PathHash() | made
}

// numberOf tells the objects of a run apart, also those that have none among the others.
func numberOf(o *kernel.Object) int32 {
	if id := o.ID(); id < 0 {
		return -2*id - 1
	}
	return 2 * o.ID()
}

// choose answers who moves at a new step: the task that moved last, if it can, so that the runs have few switches.
func (t *trace) choose(current *kernel.Actor, enabled []*kernel.Actor) int {
	if current != nil && current.Enabled() && !t.idle(current) {
		return t.kernel.Choice(current.ID)
	}
	best := 0
	for at, a := range enabled {
		switch idle, bestIdle := t.idle(a), t.idle(enabled[best]); {
		case !idle && bestIdle, idle == bestIdle && a.ID < enabled[best].ID:
			best = at
		}
	}
	return best
}

// idle says whether the actor need not move while anybody else can. Nobody sends where it would park; so who looks there only when there is
// something to see comes to the same, and may choose among more than who has parked.
func (t *trace) idle(a *kernel.Actor) bool { return t.lazy && a.Idle() }

// reset forgets all events.
func (t *trace) reset() {
	t.events, t.accesses, t.clocks, t.woken = t.events[:0], t.accesses[:0], t.clocks[:0], t.woken[:0]
	clear(t.lastOf)
	clear(t.wokenBy)
	clear(t.heads)
	t.wide, t.current = 0, -1
}

// begin starts the event under way, whose place must have been appended.
func (t *trace) begin(i int, a *kernel.Actor) {
	e := &t.events[i]
	e.actor, e.op, e.kind, e.settled, e.halts, e.parked = a.ID, a.Op, a.Kind, false, false, a.Parked()
	e.name, e.fixed = t.actorName(a), false
	if t.identify {
		e.identity = kernel.Mix(kernel.Mix(a.PathHash(), uint64(a.Op)), a.Object().PathHash())
	}
	e.from = int32(len(t.accesses))
	e.barrier = -1
	if i > 0 {
		if e.barrier = t.events[i-1].barrier; t.events[i-1].time() {
			e.barrier = int32(i - 1)
		}
	}
	t.current, t.touched, t.wakes = i, t.touched[:0], t.wakes[:0]
	t.all, t.world, t.shared, t.reached = a.Kind == kernel.FaultActor, false, false, 0
	t.announced(a)
}

// fix lets nothing pass the event under way, if one order of it is enough.
func (t *trace) fix(a *kernel.Actor) {
	oneOrder := t.kernel.OneOrder()
	t.events[t.current].fixed, t.ordered = oneOrder || t.idle(a), t.ordered || oneOrder
}

// announced takes down what the actor announces to touch.
func (t *trace) announced(a *kernel.Actor) {
	if a.Op == kernel.OpResume {
		return // it still shows what it has waited for
	}
	parts, op := a.Parts()
	for _, part := range parts {
		t.touch(op, part)
		op = kernel.OpSelect
	}
	for i := range a.Accesses() {
		if o, op := a.Access(i); o != nil && o.Kind() != kernel.ContextObject { // it has parts
			t.touch(op, o)
			if op == kernel.OpSelect {
				t.selects(o, a.Sends(i))
				if a.Sends(i) {
					t.sends(o)
				}
			}
			t.elsewhere(op, o)
		}
	}
}

// elsewhere takes down what is touched through others. Where nobody sends only a close lets them go on.
func (t *trace) elsewhere(op kernel.Op, o *kernel.Object) {
	if op == kernel.OpClose || !o.IsOnlyClosed() {
		o.Elsewhere(func(other *kernel.Object) { t.touch(kernel.OpSelect, other) })
	}
}

// sends asks for strictness if the channel is unbuffered: somebody may be met there who has arrived.
func (t *trace) sends(o *kernel.Object) {
	if o.Kind() == kernel.ChanObject && o.Capacity() == 0 {
		t.stricter.kinds |= parks
	}
}

// selects notes what a select would do at the object.
func (t *trace) selects(o *kernel.Object, sends bool) {
	for i := len(t.accesses) - 1; ; i-- {
		if a := &t.accesses[i]; a.object == numberOf(o) {
			a.sends, a.receives = a.sends || sends, a.receives || !sends
			return
		}
	}
}

func (t *trace) touch(op kernel.Op, o *kernel.Object) {
	id := numberOf(o)
	for i := len(t.accesses) - len(t.touched); i < len(t.accesses); i++ {
		if t.accesses[i].object == id && t.accesses[i].op == op {
			return
		}
	}
	count, held := int32(o.Count()), o.Held()
	t.accesses = append(t.accesses, access{
		name: t.objectName(o), object: id, op: op, kind: o.Kind(), capacity: int32(o.Capacity()), before: count, after: count, heldBefore: held, heldAfter: held,
		signal: o.Kind() == kernel.ChanObject && o.Capacity() == 0 && (t.lazy || o.IsOnlyClosed()), event: int32(t.current),
	})
	if op == kernel.OpSend || op == kernel.OpTrySelect {
		t.sends(o)
	}
	t.touched = append(t.touched, o)
}

// Touch implements kernel.Listener. A try, such as a send by a timer, is what was announced, if it was.
//
//go:norace
func (t *trace) Touch(op kernel.Op, o *kernel.Object) {
	if t.current < 0 {
		return
	}
	if o.Kind() == kernel.ContextObject || op == kernel.OpTrySelect && slices.Contains(t.touched, o) {
		return
	}
	if !slices.Contains(t.touched, o) {
		t.reached |= reach(o.Kind())
	}
	t.shared = t.shared || op == kernel.OpTouch
	t.touch(op, o)
	t.elsewhere(op, o)
}

// TouchWorld implements kernel.Listener.
//
//go:norace
func (t *trace) TouchWorld() { t.world, t.reached = true, t.reached|models }

// TouchAll implements kernel.Listener. Of two that meet one goes on in a step of its own, before which a crash or a stall can come.
//
//go:norace
func (t *trace) TouchAll() {
	t.all = true
	if t.current >= 0 && !t.events[t.current].fixed {
		t.stricter.kinds |= unbuffered | parks
	}
}

// Halt implements kernel.Listener.
func (t *trace) Halt(*kernel.Actor) {}

// Wake implements kernel.Listener.
//
//go:norace
func (t *trace) Wake(a *kernel.Actor) {
	if t.current >= 0 {
		t.wakes = append(t.wakes, a.ID)
	}
}

// settle completes the event under way, now that its step has ended. It answers whether there was one.
func (t *trace) settle() (i int, ok bool) {
	i = t.current
	if i < 0 {
		return 0, false
	}
	t.current = -1
	e := &t.events[i]
	e.world, e.shared, e.all, e.settled = t.world, t.shared, t.all, true
	t.stricter.reaches[e.op] |= t.reached
	e.accesses = t.accesses[e.from:len(t.accesses):len(t.accesses)]
	e.actors = t.kernel.Actors()
	e.parks = t.kernel.Actor(e.actor).Parked()
	t.accessed(i, e)
	for len(t.masks) <= i {
		t.masks = append(t.masks, 0)
	}
	t.masks[i] = e.shows()
	if e.world || e.all {
		t.wide++
	}
	for int32(len(t.lastOf)) <= e.actors {
		t.lastOf, t.makerOf, t.wokenBy = append(t.lastOf, 0), append(t.makerOf, -1), append(t.wokenBy, 0)
	}
	before := t.setUp
	if i > 0 {
		before = t.events[i-1].actors
	}
	for a := before + 1; a <= e.actors; a++ {
		t.makerOf[a] = int32(i)
	}
	e.woke = int32(len(t.woken))
	for _, a := range t.wakes {
		t.woken = append(t.woken, awakening{a, t.wokenBy[a]})
		t.wokenBy[a] = int32(i + 1)
	}
	e.wokeTo = int32(len(t.woken))
	e.waker = -1
	if e.op == kernel.OpResume {
		e.waker = t.wokenBy[e.actor] - 1
	}
	e.prev = t.lastOf[e.actor] - 1
	t.lastOf[e.actor] = int32(i + 1)
	e.ordinal = 0
	if e.prev >= 0 {
		e.ordinal = t.events[e.prev].ordinal + 1
	}
	return i, true
}

// accessed completes what the event has touched, and puts it behind what was done to the objects before.
func (t *trace) accessed(i int, e *event) {
	e.objects = 0
	for j, o := range t.touched {
		a := &e.accesses[j]
		e.objects |= bit(a.name)
		a.after, a.heldAfter = int32(o.Count()), o.Held()
		kind := a.kindOf()
		a.strict = a.kind == kernel.MutexObject || t.strict.kinds&kind != 0
		if a.misuse() && !a.strict {
			t.stricter.kinds |= kind
		}
		if !a.strict && kind == unbuffered {
			t.watch(a, o)
		}
		for int32(len(t.heads)) <= a.object {
			t.heads = append(t.heads, 0)
		}
		a.last = t.heads[a.object] - 1
		t.count(a)
		t.heads[a.object] = e.from + int32(j) + 1
	}
}

// watch notes what there is to see at an unbuffered channel.
func (t *trace) watch(a *access, o *kernel.Object) {
	switch path := o.PathHash(); {
	case a.peeks():
		if !slices.Contains(t.peeked, path) {
			t.peeked = append(t.peeked, path)
		}
		if slices.Contains(t.met, path) {
			t.stricter.kinds |= unbuffered
		}
	case a.op == kernel.OpSend || a.op == kernel.OpRecv:
		if len(t.wakes) > 0 && !slices.Contains(t.met, path) {
			t.met = append(t.met, path)
		}
		if len(t.wakes) > 0 && slices.Contains(t.peeked, path) {
			t.stricter.kinds |= unbuffered
		}
	}
}

// count adds up what has been sent on a channel, and received from it, in all.
func (t *trace) count(a *access) {
	if a.kind != kernel.ChanObject {
		return
	}
	a.sent, a.received = a.before, 0
	if a.last >= 0 {
		a.sent, a.received = t.accesses[a.last].sent, t.accesses[a.last].received
	}
	if a.after > a.before {
		a.sent += a.after - a.before
	} else {
		a.received += a.before - a.after
	}
}

// unsettle takes the event, which must be the last, out of the trace, but leaves its accesses.
func (t *trace) unsettle(i int) {
	e := &t.events[i]
	if !e.settled {
		return
	}
	e.settled = false
	if e.world || e.all {
		t.wide--
	}
	for j := len(e.accesses) - 1; j >= 0; j-- {
		t.heads[e.accesses[j].object] = e.accesses[j].last + 1
	}
	for j := len(t.woken) - 1; j >= int(e.woke); j-- {
		t.wokenBy[t.woken[j].actor] = t.woken[j].before
	}
	t.lastOf[e.actor] = e.prev + 1
	t.clocks = t.clocks[:e.clock]
	t.woken = t.woken[:e.woke]
}
