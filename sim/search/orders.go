package search

import "github.com/heddle-go/heddle/internal/kernel"

// orders notes which conflicting operations of different actors follow each other at an object: what of a run depends on its
// schedule, whatever the program. A pair is told from others by what the actors are called, what each does, and the class of the
// object, so there are as many as the program has places that meet, and not as many as it has tasks. It implements
// [kernel.Listener].
//
// Its memory is fixed, and a run allocates nothing. Objects whose ids are equal modulo orderedObjects push each other out, and of
// a run with more than mostOrders pairs the rest is passed over.
type orders struct {
	run     uint32 // tells its entries from those of runs before it
	objects [orderedObjects]visited
	seen    [2 * mostOrders]seenPair // by hash, with linear probing
	pairs   []uint64                 // of the run, each once
}

const (
	orderedObjects = 1 << 10
	mostOrders     = 1 << 12
	visits         = 4 // that are remembered of an object, of as many kinds of operation
)

// visited is an object and what was done to it last, the latest first.
type visited struct {
	run  uint32
	id   int32
	last [visits]visit
}

type visit struct {
	op    kernel.Op // OpNone: there is none
	actor int32
	class uint64 // of the actor and its operation
}

type seenPair struct {
	run  uint32
	pair uint64
}

// begin starts a run.
func (o *orders) begin() {
	o.run++
	o.pairs = o.pairs[:0]
}

// Step implements kernel.Listener.
func (o *orders) Step(a *kernel.Actor) {
	for i := range a.Accesses() {
		if object, op := a.Access(i); object != nil {
			o.visit(a, object, op)
		}
	}
}

// visit notes the pair that the operation makes with the last one that it conflicts with.
func (o *orders) visit(a *kernel.Actor, object *kernel.Object, op kernel.Op) {
	v := &o.objects[object.ID()%orderedObjects]
	if v.run != o.run || v.id != object.ID() {
		*v = visited{run: o.run, id: object.ID()}
	}
	now := visit{op, a.ID, kernel.Mix(a.NameHash(), uint64(op))}
	same := visits - 1 // the place of the last one of its kind, or of the oldest, which it takes
	paired := false
	for i := range v.last {
		before := &v.last[i]
		if before.op == kernel.OpNone || before.op == op {
			same = min(same, i)
		}
		if !paired && before.op != kernel.OpNone && kernel.Conflicts(false, before.op, op) {
			paired = true
			if before.actor != a.ID {
				o.note(kernel.Mix(kernel.Mix(kernel.Mix(0, before.class), now.class), object.Class()))
			}
		}
	}
	copy(v.last[1:same+1], v.last[:same])
	v.last[0] = now
}

// note adds a pair to those of the run.
func (o *orders) note(pair uint64) {
	if len(o.pairs) == mostOrders {
		return
	}
	for i := pair; ; i++ {
		s := &o.seen[i%uint64(len(o.seen))]
		if s.run != o.run {
			*s = seenPair{o.run, pair}
			o.pairs = append(o.pairs, pair)
			return
		}
		if s.pair == pair {
			return
		}
	}
}

// Begin implements kernel.Listener, as the rest does: what a step announces is enough here.
func (o *orders) Begin(*kernel.Kernel) {}

// Touch implements kernel.Listener.
func (o *orders) Touch(kernel.Op, *kernel.Object) {}

// TouchWorld implements kernel.Listener.
func (o *orders) TouchWorld() {}

// TouchAll implements kernel.Listener.
func (o *orders) TouchAll() {}

// Halt implements kernel.Listener.
func (o *orders) Halt(*kernel.Actor) {}

// Wake implements kernel.Listener.
func (o *orders) Wake(*kernel.Actor) {}

// Over implements kernel.Listener.
func (o *orders) Over() {}
