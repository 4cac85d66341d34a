package kernel

import (
	"math"
	"time"
)

// A fingerprint of the machine at rest, when nothing can move but time: two states that differ only in how things are numbered
// have the same. What it is for stands in sim/livelock.go.
//
// Nothing is numbered by first use, which would depend on the order in which one looks, and with it on the schedule that led
// here. An object is described by its state and by who waits for it to do what; then a task by itself and by the objects that it
// waits for; and the descriptions are added up, so that no order matters: two rounds of the colour refinement of Weisfeiler
// and Leman (1968), which tells apart any two states that a person would.

// Shape takes fingerprints. It keeps nothing but memory from one to the next.
type Shape struct {
	// Watcher, if set, is a task that only looks on: it is left out, and so is the timer that it waits for.
	Watcher *Actor
	// Old are the tasks with an ID up to this: they are told apart by it. Of younger ones, which come and go, only the name is.
	Old int32

	waiters map[*Object]uint64
}

// Mix folds v into h. It is the round of every hash here.
//
//go:norace
func Mix(h, v uint64) uint64 { return mix(h, v) }

// Scatter spreads h, so that what is added up does not cancel out.
//
//go:norace
func Scatter(h uint64) uint64 { return splitmix(h) }

// HashString is a hash of s that is the same on every machine.
//
//go:norace
func HashString(s string) uint64 { return hashString(s) }

// Of is the fingerprint of the kernel's tasks, with what they wait for, and timers. It enters no hash of the run.
//
//go:norace
func (s *Shape) Of(k *Kernel) uint64 {
	if s.waiters == nil {
		s.waiters = make(map[*Object]uint64)
	}
	clear(s.waiters)
	for _, t := range k.live {
		if t == s.Watcher {
			continue
		}
		shape := s.task(t)
		for i := range t.waits {
			w := &t.waits[i]
			s.waiters[w.object] += splitmix(mix(mix(shape, uint64(i)), uint64(w.op)))
		}
	}
	sum := uint64(0)
	for _, t := range k.heap {
		if s.isWatchers(t) {
			continue
		}
		shape := mix(mix(hashString(t.actor.name), t.node.hash()), t.remaining())
		if t.interval != 0 {
			shape = mix(shape, uint64(t.interval))
		}
		sum += splitmix(shape)
		if t.channel != nil {
			s.waiters[t.channel] += splitmix(shape)
		}
	}
	for _, t := range k.live {
		if t == s.Watcher {
			continue
		}
		shape := s.task(t)
		for i := range t.waits {
			o := t.waits[i].object
			shape = mix(mix(shape, o.shape()), s.waiters[o])
		}
		sum += splitmix(shape)
	}
	return sum
}

// task describes a task by itself.
//
//go:norace
func (s *Shape) task(t *Actor) uint64 {
	flags := uint64(t.Op) | uint64(t.stalls)<<32
	for i, flag := range [...]bool{t.ready, t.parked, t.completed, t.dying} {
		if flag {
			flags |= 1 << (8 + i)
		}
	}
	h := mix(mix(hashString(t.name), t.node.hash()), flags)
	if t.ID <= s.Old {
		h = mix(h, uint64(t.ID))
	}
	return h
}

// shape describes an object by itself. Of the room in a channel it says only whether there is any: one without a bound of its
// own (Grow) has more with every element that it ever took.
//
//go:norace
func (o *Object) shape() uint64 {
	flags := uint64(o.kind)
	for i, flag := range [...]bool{o.held, o.done, o.count < o.capacity} {
		if flag {
			flags |= 1 << (8 + i)
		}
	}
	return mix(flags, uint64(uint32(o.count)))
}

//go:norace
func (n *Node) hash() uint64 {
	if n == nil {
		return 0
	}
	return hashString(n.Name)
}

// remaining is the time until the timer fires.
//
//go:norace
func (t *Timer) remaining() uint64 {
	if t.deadline == math.MaxInt64 {
		return math.MaxUint64 // never
	}
	return uint64(t.deadline - t.object.kernel.now)
}

// isWatchers says whether the timer is what the watcher waits for.
//
//go:norace
func (s *Shape) isWatchers(t *Timer) bool {
	if s.Watcher == nil || t.channel == nil {
		return false
	}
	for i := range s.Watcher.waits {
		if s.Watcher.waits[i].object == t.channel {
			return true
		}
	}
	return false
}

// WakesWatcherOnly says whether the advance of time to come concerns the watcher alone.
//
//go:norace
func (s *Shape) WakesWatcherOnly(k *Kernel) bool {
	for _, t := range k.heap {
		if t.deadline == k.heap[0].deadline && !s.isWatchers(t) {
			return false
		}
	}
	return true
}

// Actors is the number of actors that the run has made: the highest ID.
//
//go:norace
func (k *Kernel) Actors() int32 { return int32(k.made) - 1 }

// Move is a step that was recorded.
type Move struct {
	Step   int64
	Now    time.Duration
	Actor  *Actor
	Op     Op
	Object *Object
}

// Record begins to record steps, or ends it; either way what was recorded is forgotten.
//
//go:norace
func (k *Kernel) Record(on bool) {
	clear(k.moves)
	k.moves, k.recording = k.moves[:0], on
	k.told = k.tracer != nil || k.follower != nil || k.listener != nil || k.inspector != nil || on
}

// Recorded are the steps since Record, oldest first.
//
//go:norace
func (k *Kernel) Recorded() []Move { return k.moves }

// Recording says whether steps are recorded.
//
//go:norace
func (k *Kernel) Recording() bool { return k.recording }

// tell tells of a step who wants to know.
//
//go:norace
func (k *Kernel) tell(a *Actor) {
	if k.inspector != nil {
		k.inspector.step(a)
	}
	if k.tracer != nil {
		k.tracer.Step(k.steps, k.now, a)
	}
	if k.follower != nil {
		k.follower.Moved(a)
	}
	if k.listener != nil {
		k.listener.Step(a)
	}
	if k.recording {
		k.moves = append(k.moves, Move{Step: k.steps, Now: k.now, Actor: a, Op: a.Op, Object: a.object})
	}
}

// SetOnRest lets f run, outside any task, whenever nothing can move but time. f must change nothing that the run sees.
//
//go:norace
func (k *Kernel) SetOnRest(f func()) { k.onRest = f }
