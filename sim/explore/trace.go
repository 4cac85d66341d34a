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
	clock    int32 // where its clock begins in trace.clocks
	width    int32 // and how long it is
	woke     int32 // where those that it woke begin in trace.woken
	wokeTo   int32
	op       kernel.Op
	time     bool // it is an advance of time, which nothing passes
	settled  bool
	identity uint64 // of actor, operation and object, the same in every run
}

// trace is a run as a partial order: events, what they touch, and their vector clocks (Mattern 1989). A clock holds for each
// actor one more than the index of its last event that happens before, or is, the event. Everything lies in flat arrays that are
// cut off at their ends when the search goes back, so that a run allocates nothing.
type trace struct {
	kernel   *kernel.Kernel
	events   []event
	accesses []access
	clocks   []int32
	woken    []int32
	masks    []uint64 // by event: what it shows
	lastOf   []int32  // by actor: one more than its last event

	current  int              // the event under way; -1: none
	touched  []*kernel.Object // of its accesses, to see what has become of them
	wakes    []int32          // actors that it has woken
	world    bool
	shared   bool
	all      bool
	sums     []int32 // memory for markShort
	lows     []int32
	enabling []int32 // memory for relateAll

	// Two pairs commute unless a third step is there. Who takes from a count commutes with who adds to it as long as the count is
	// never too low. Two that meet at an unbuffered channel commute as long as nobody looks who was there first. Once it shows
	// that they do not, a search begins anew, and strictly: then they never commute.
	stricter bool
	met      []uint64 // channels at which two have met, by path, and
	peeked   []uint64 // at which somebody has looked; over all runs
	strict   bool

	setUp int32 // the highest actor id before the first step
}

// Begin implements kernel.Listener.
func (t *trace) Begin(k *kernel.Kernel) { t.kernel, t.setUp = k, k.Actors() }

// begin starts the event under way, whose place must have been appended.
func (t *trace) begin(i int, a *kernel.Actor) {
	e := &t.events[i]
	e.actor, e.op, e.settled = a.ID, a.Op, false
	e.time = a.Kind == kernel.ClockActor
	e.identity = kernel.Mix(kernel.Mix(a.PathHash(), uint64(a.Op)), a.Object().PathHash())
	e.from = int32(len(t.accesses))
	e.barrier = -1
	if i > 0 {
		if e.barrier = t.events[i-1].barrier; t.events[i-1].time {
			e.barrier = int32(i - 1)
		}
	}
	t.current, t.touched, t.wakes = i, t.touched[:0], t.wakes[:0]
	t.all, t.world, t.shared = a.Kind == kernel.FaultActor, false, false
	t.announced(a)
}

// announced takes down what the actor announces to touch.
func (t *trace) announced(a *kernel.Actor) {
	if a.Op == kernel.OpResume {
		return // it still shows what it has waited for
	}
	for i := range a.Accesses() {
		if o, op := a.Access(i); o != nil {
			t.touch(op, o)
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

func (t *trace) touch(op kernel.Op, o *kernel.Object) {
	from := len(t.accesses) - len(t.touched)
	for i := from; i < len(t.accesses); i++ {
		if t.accesses[i].object == o.ID() && t.accesses[i].op == op {
			return
		}
	}
	t.accesses = append(t.accesses, access{
		object: o.ID(), op: op, kind: o.Kind(), capacity: int32(o.Capacity()), before: int32(o.Count()), after: int32(o.Count()),
		heldBefore: o.Held(), heldAfter: o.Held(), signal: o.IsOnlyClosed(),
	})
	t.touched = append(t.touched, o)
}

// Touch implements kernel.Listener. A try, such as a send by a timer, is what was announced, if it was.
//
//go:norace
func (t *trace) Touch(op kernel.Op, o *kernel.Object) {
	if t.current < 0 {
		return
	}
	if op == kernel.OpTrySelect && slices.Contains(t.touched, o) {
		return
	}
	t.shared = t.shared || op == kernel.OpTouch
	t.touch(op, o)
	t.elsewhere(op, o)
}

// TouchWorld implements kernel.Listener.
//
//go:norace
func (t *trace) TouchWorld() { t.world = true }

// TouchAll implements kernel.Listener.
//
//go:norace
func (t *trace) TouchAll() { t.all = true }

// Wake implements kernel.Listener.
//
//go:norace
func (t *trace) Wake(a *kernel.Actor) { t.wakes = append(t.wakes, a.ID) }

// settle completes the event under way, now that its step has ended. It answers whether there was one.
func (t *trace) settle() (i int, ok bool) {
	i = t.current
	if i < 0 {
		return 0, false
	}
	t.current = -1
	e := &t.events[i]
	e.to = int32(len(t.accesses))
	e.world, e.shared, e.all, e.settled = t.world, t.shared, t.all, true
	e.objects = 0
	for _, a := range t.accesses[e.from:e.to] {
		e.objects |= bit(a.object)
	}
	e.actors = t.kernel.Actors()
	e.woke = int32(len(t.woken))
	t.woken = append(t.woken, t.wakes...)
	e.wokeTo = int32(len(t.woken))
	for j, o := range t.touched {
		a := &t.accesses[int(e.from)+j]
		a.after, a.heldAfter = int32(o.Count()), o.Held()
		a.strict, t.stricter = t.strict, t.stricter || a.misuse()
		if !t.strict && a.kind == kernel.ChanObject && a.capacity == 0 {
			t.watch(a, o)
		}
		t.count(i, a)
	}
	for len(t.masks) <= i {
		t.masks = append(t.masks, 0)
	}
	t.masks[i] = e.shows()
	for len(t.lastOf) <= int(e.actors) {
		t.lastOf = append(t.lastOf, 0)
	}
	e.prev = t.lastOf[e.actor] - 1
	t.lastOf[e.actor] = int32(i + 1)
	e.ordinal = 0
	if e.prev >= 0 {
		e.ordinal = t.events[e.prev].ordinal + 1
	}
	return i, true
}

// watch notes what there is to see at an unbuffered channel.
func (t *trace) watch(a *access, o *kernel.Object) {
	switch path := o.PathHash(); {
	case a.peeks():
		if !slices.Contains(t.peeked, path) {
			t.peeked = append(t.peeked, path)
		}
		t.stricter = t.stricter || slices.Contains(t.met, path)
	case a.op == kernel.OpSend || a.op == kernel.OpRecv:
		if len(t.wakes) > 0 && !slices.Contains(t.met, path) {
			t.met = append(t.met, path)
		}
		t.stricter = t.stricter || len(t.wakes) > 0 && slices.Contains(t.peeked, path)
	}
}

// count adds up what has been sent on a channel, and received from it, in all.
func (t *trace) count(i int, a *access) {
	if a.kind != kernel.ChanObject {
		return
	}
	a.sent, a.received = int64(a.before), 0
	if last := t.lastAccess(i, a.object); last != nil {
		a.sent, a.received = last.sent, last.received
	}
	if a.after > a.before {
		a.sent += int64(a.after - a.before)
	} else {
		a.received += int64(a.before - a.after)
	}
}

func (t *trace) lastAccess(i int, object int32) *access {
	for j := i - 1; j >= 0; j-- {
		for k := t.events[j].to - 1; k >= t.events[j].from; k-- {
			if t.accesses[k].object == object {
				return &t.accesses[k]
			}
		}
	}
	return nil
}

// unsettle takes the event, which must be the last, out of the trace, but leaves its accesses.
func (t *trace) unsettle(i int) {
	e := &t.events[i]
	if !e.settled {
		return
	}
	e.settled = false
	t.lastOf[e.actor] = e.prev + 1
	t.clocks = t.clocks[:e.clock]
	t.woken = t.woken[:e.woke]
}

// precedes says whether event k happens before event i, or is it.
func (t *trace) precedes(k, i int) bool {
	e := &t.events[i]
	a := t.events[k].actor
	return a < e.width && t.clocks[e.clock+a] > int32(k)
}

// open makes room for the clock of event i and puts in what comes before it in its own task: the event before, the step that
// made the actor, the step that woke it, and the last advance of time.
func (t *trace) open(i int) {
	e := &t.events[i]
	e.clock, e.width = int32(len(t.clocks)), e.actors+1
	for range e.width {
		t.clocks = append(t.clocks, 0)
	}
	if e.time {
		for a := range e.width {
			t.clocks[e.clock+a] = t.lastOf[a]
		}
		return
	}
	t.joinOrigins(i, e)
}

func (t *trace) joinOrigins(i int, e *event) {
	if e.prev >= 0 {
		t.join(e, int(e.prev))
	} else if maker := t.maker(e.actor, i); maker >= 0 {
		t.join(e, maker)
	}
	if e.op == kernel.OpResume {
		if waker := t.waker(e.actor, i); waker >= 0 {
			t.join(e, waker)
		}
	}
	if e.barrier >= 0 {
		t.join(e, int(e.barrier))
	}
}

// maker is the event that made the actor; -1: the set-up did.
func (t *trace) maker(actor int32, i int) int {
	if actor <= t.setUp {
		return -1
	}
	for j := i - 1; j >= 0; j-- {
		if j == 0 || t.events[j-1].actors < actor {
			return j
		}
	}
	return -1
}

// waker is the event that completed the operation of the actor.
func (t *trace) waker(actor int32, i int) int {
	for j := i - 1; j >= 0; j-- {
		for _, a := range t.woken[t.events[j].woke:t.events[j].wokeTo] {
			if a == actor {
				return j
			}
		}
	}
	return -1
}

// join lets event k happen before the one whose clock is open.
func (t *trace) join(e *event, k int) {
	other := &t.events[k]
	for a := range min(e.width, other.width) {
		t.clocks[e.clock+a] = max(t.clocks[e.clock+a], t.clocks[other.clock+a])
	}
}

// order completes the clock of event i, which must be open. race is called for every earlier event that i conflicts with and could
// have preceded, the latest first, and answers whether it really could have: else it is what made event i possible. Conflicts are found against the clock of the task alone, before any edge of the objects that the
// step touches is added: that an unlock enables a lock must not hide that two locks conflict.
func (t *trace) order(i int, sleeping []sleeper, race func(k int) bool) {
	e := &t.events[i]
	if e.time {
		t.clocks[e.clock+e.actor] = int32(i + 1)
		return
	}
	t.markShort(i, sleeping)
	t.relateAll(i, e, race)
	for _, a := range t.woken[e.woke:e.wokeTo] {
		if last := t.lastOf[a] - 1; last >= 0 {
			t.join(e, int(last))
		}
	}
	t.clocks[e.clock+e.actor] = int32(i + 1)
}

// relateAll orders event i after those before it that it depends on.
func (t *trace) relateAll(i int, e *event, race func(k int) bool) {
	clock := t.clocks[e.clock : e.clock+e.width]
	enabling, mask := t.enabling[:0], e.looksFor()
	for k := i - 1; k > int(e.barrier); k-- {
		if t.masks[k]&mask == 0 {
			continue
		}
		other := &t.events[k]
		if clock[other.actor] > int32(k) {
			continue
		}
		switch t.relation(other.footprint, e.footprint) {
		case conflicts:
			if race(k) {
				t.join(e, k)
				continue
			}
			fallthrough
		case enables:
			enabling = append(enabling, int32(k))
		}
	}
	for _, k := range enabling {
		t.join(e, int(k))
	}
	t.enabling = enabling
}

// markShort finds what takes from a count, such as Done, that could have come when the count was too low: an order that is a
// misuse. The count is at least what comes before in the own task makes it, less the most that each other task can have taken,
// and those that sleep.
func (t *trace) markShort(i int, sleeping []sleeper) {
	e := &t.events[i]
	for j := e.from; j < e.to; j++ {
		a := &t.accesses[j]
		taken := a.takes()
		if taken == 0 {
			continue
		}
		least := a.before
		t.sums, t.lows = t.sums[:0], t.lows[:0]
		for range e.width {
			t.sums, t.lows = append(t.sums, 0), append(t.lows, 0)
		}
		for k := int(e.barrier) + 1; k < i; k++ {
			if t.precedes(k, i) {
				continue
			}
			other := &t.events[k]
			for l := other.from; l < other.to; l++ {
				if b := &t.accesses[l]; b.object == a.object {
					change := b.after - b.before
					least -= change
					t.sums[other.actor] += change
					t.lows[other.actor] = min(t.lows[other.actor], t.sums[other.actor])
				}
			}
		}
		for _, low := range t.lows {
			least += low
		}
		for _, s := range sleeping {
			for l := s.from; l < s.to; l++ {
				if b := &t.accesses[l]; b.object == a.object {
					least -= b.takes()
				}
			}
		}
		a.short = least < taken
	}
}

// class is a number for the Mazurkiewicz trace of the run so far: equal ones have the same steps in the same partial order.
func (t *trace) class() (sum uint64) {
	for i := range t.events {
		sum += t.summand(i)
	}
	return sum
}

// summand is what event i adds to the class.
func (t *trace) summand(i int) uint64 {
	e := &t.events[i]
	past := uint64(0)
	for a := range e.width {
		if last := t.clocks[e.clock+a]; last > 0 {
			p := &t.events[last-1]
			past += kernel.Scatter(kernel.Mix(p.identity, uint64(p.ordinal)))
		}
	}
	return kernel.Scatter(kernel.Mix(kernel.Mix(e.identity, uint64(e.ordinal)), past))
}
