package kernel

import "strconv"

// Object is the simulated side of a primitive: what operations touch, and all of its state that decides which of them are
// possible. Values that a primitive carries (a channel's elements) stay with the primitive.
type Object struct {
	kernel   *Kernel
	creator  *Actor
	label    string
	hash     uint64 // of the path; 0: not yet known
	name     string // for people; empty: the path
	id       int32
	ordinal  int32
	kind     ObjectKind
	held     bool // mutex: locked; rwmutex: a writer is announced or inside; once: running; chan: closed
	done     bool // once
	signal   bool // chan: see OnlyClosed
	count    int32
	capacity int32
	first    *wait
	last     *wait
	race     raceState
}

// wait is one object that a task waits for, linked into the object's list in order of arrival.
type wait struct {
	task   *Actor
	object *Object
	next   *wait
	prev   *wait
	op     Op
	slot   int32
}

// NewObject makes an object and numbers it. A label names it in paths; without one the path is the creator's, the kind and an ordinal.
//
//go:norace
func (k *Kernel) NewObject(kind ObjectKind, label string) *Object {
	o := &Object{}
	k.InitObject(o, kind, label)
	return o
}

// NewNamed is NewObject for an object that the label alone identifies, whoever is the first to come across it. It must be the only one
// of its kind with that label.
//
//go:norace
func (k *Kernel) NewNamed(kind ObjectKind, label string) *Object {
	k.objects++
	return &Object{kernel: k, kind: kind, label: label, id: k.objects, creator: k.root}
}

// NewShared makes an object that stands for state which is no primitive's, such as a model's: who reads or writes it says so by
// Touch. No step is about it alone, and it has no number among the others: a run is the same with it and without it.
//
//go:norace
func (k *Kernel) NewShared(label string) *Object {
	k.shared--
	o := &Object{kernel: k, kind: SharedObject, label: label, id: k.shared, creator: k.actor, ordinal: k.actor.made[SharedObject]}
	k.actor.made[SharedObject]++
	return o
}

// InitObject is NewObject for an object that is part of something else.
//
//go:norace
func (k *Kernel) InitObject(o *Object, kind ObjectKind, label string) {
	k.objects++
	o.kernel, o.kind, o.label, o.id, o.creator = k, kind, label, k.objects, k.actor
	o.ordinal = k.actor.made[kind]
	k.actor.made[kind]++
}

// Kernel is the kernel that owns the object.
//
//go:norace
func (o *Object) Kernel() *Kernel { return o.kernel }

// ID numbers objects by creation in their run, from 1, and shared ones from -1 downwards.
//
//go:norace
func (o *Object) ID() int32 { return o.id }

// Kind is the kind of the object.
//
//go:norace
func (o *Object) Kind() ObjectKind { return o.kind }

// Path is the object's label or, without one, its creator's path, its kind and its ordinal under that creator.
//
//go:norace
func (o *Object) Path() string {
	if o == nil {
		return ""
	}
	name := o.label
	if name == "" {
		name = o.kind.String()
	}
	b := append(o.creator.appendPath(nil), ':')
	b = append(b, name...)
	if o.ordinal > 0 {
		b = append(b, '#')
		b = strconv.AppendInt(b, int64(o.ordinal)+1, 10)
	}
	return string(b)
}

// Name is what people call the object: its path, unless SetName has given it another one.
//
//go:norace
func (o *Object) Name() string {
	if o == nil || o.name == "" {
		return o.Path()
	}
	return o.name
}

// SetName gives the object a name for people. It is no part of its path, and of no hash.
//
//go:norace
func (o *Object) SetName(name string) { o.name = name }

// PathHash identifies the path.
//
//go:norace
func (o *Object) PathHash() uint64 {
	if o == nil {
		return 0
	}
	if o.hash == 0 {
		o.hash = mix(mix(mix(o.creator.hash, hashString(o.label)), uint64(o.kind)), uint64(o.ordinal))
	}
	return o.hash
}

// Class identifies objects that can be expected to be used alike, in this run and in others: those of one kind and label that an actor of
// one name has made, the first few of them apart.
//
//go:norace
func (o *Object) Class() uint64 {
	return mix(mix(mix(o.creator.named, hashString(o.label)), uint64(o.kind)), uint64(min(o.ordinal, alike)))
}

// link puts the task's waits into the lists of their objects.
//
//go:norace
func (a *Actor) link() {
	a.listed = true
	for i := range a.waits {
		w := &a.waits[i]
		w.task = a
		o := w.object
		w.next, w.prev = nil, o.last
		if o.last != nil {
			o.last.next = w
		} else {
			o.first = w
		}
		o.last = w
	}
}

// unlink takes them out again.
//
//go:norace
func (a *Actor) unlink() {
	a.listed = false
	for i := range a.waits {
		w := &a.waits[i]
		o := w.object
		if w.prev != nil {
			w.prev.next = w.next
		} else {
			o.first = w.next
		}
		if w.next != nil {
			w.next.prev = w.prev
		} else {
			o.last = w.prev
		}
		w.next, w.prev = nil, nil
	}
}

// refresh decides again, after the object has changed, which of the tasks waiting for it can move.
//
//go:norace
func (o *Object) refresh() {
	k := o.kernel
	for w := o.first; w != nil; w = w.next {
		t := w.task
		ready := t.possible()
		if t.parked && t.ready && !ready {
			// Another task took what it could have had. It arrives anew, since nobody met it in the meantime: see partner.
			t.parked = false
			ready = t.possible()
		}
		if ready != t.ready {
			k.setReady(t, ready)
		}
	}
}

// possible says whether the operation of a waiting task can be done now.
//
//go:norace
func (a *Actor) possible() bool {
	for i := range a.waits {
		w := &a.waits[i]
		o := w.object
		switch w.op { // in the order of how often they wait
		case OpLock, OpAnnounce, OpRLock, OpOnce:
			if !o.held {
				return true
			}
		case OpDrain, OpWait:
			if o.count == 0 {
				return true
			}
		case OpSend:
			if o.held || o.count < o.capacity || o.capacity == 0 && !a.parked {
				return true
			}
		case OpRecv:
			if o.held || o.count > 0 || o.capacity == 0 && !a.parked {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// partner is the first task parked at the other side of an unbuffered channel, other than a itself. One that can go on by another
// arm of its select is none: in Go whoever made that arm possible has taken it off all its channels.
//
//go:norace
func (o *Object) partner(op Op, a *Actor) *wait {
	if o.capacity != 0 {
		return nil
	}
	for w := o.first; w != nil; w = w.next {
		if w.op == op && w.task != a && w.task.parked && !w.task.ready && !w.task.dying {
			return w
		}
	}
	return nil
}
