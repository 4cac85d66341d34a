package explore

import (
	"slices"
	"sync"

	"github.com/heddle-go/heddle/internal/kernel"
)

// plan is what is left to explore, and what was: the wake-up trees of optimal dynamic partial-order reduction. It is shared by
// all walks. A place is a state of the program where several steps are, were or will be tried: its branches, in their order. A
// branch sleeps in those behind it until they do something that conflicts with it. A run explores a leaf: a branch with nothing
// planned behind it; along the run no more is kept of it than the places to which races have led.
type plan struct {
	mu      sync.Mutex
	changed sync.Cond // a leaf was added, or the last run has ended
	places  []*place  // all but those that are planned
	runs    int       // under way
	over    bool      // no more are wanted
	setUp   setting

	strict   strictness // see trace.stricter
	stricter strictness // if there are any, all runs so far do not count
	met      []uint64
	peeked   []uint64

	freePlaces   []*place
	freePlanned  []*place // those that were planned, whose paths are short
	freeBranches []*branch
	widest       int // most sleepers of a place so far, for which each has room
}

// place is a state of the program.
type place struct {
	above    *place
	depth    int32
	planned  bool    // it lies directly behind a branch that was not made when it was planned
	path     []label // from the place above
	values   []int32 // of them
	sleepers []*branch
	branches []*branch
	refs     int32 // branches to explore, or being so, and places below with any
	open     int32 // leaves to explore here and at the planned places below
	index    int32 // in plan.places
}

// branch is a step at a place.
type branch struct {
	footprint // as it was, or is expected
	at        *place
	after     *place  // what is planned behind it; nil: it is a leaf
	name      uint64  // of the actor
	values    []int32 // that it draws, or begins to
	op        kernel.Op
	taken     bool // a leaf that is, or was, explored
	missed    bool // it was not possible
	memory    []access
}

func newPlan(strict strictness, values setting) *plan {
	p := &plan{strict: strict, setUp: values}
	p.changed.L = &p.mu
	p.begin()
	return p
}

// begin plans one run, of which nothing is known.
func (p *plan) begin() {
	root := p.newPlace(nil, 0)
	p.addLeaf(root, p.newBranch(root, anyone))
}

func (p *plan) newPlace(above *place, depth int) *place {
	at := reuse(&p.freePlaces)
	at.above, at.depth, at.index = above, int32(depth), int32(len(p.places))
	p.places = append(p.places, at)
	return at
}

func reuse(free *[]*place) *place {
	n := len(*free)
	if n == 0 {
		return &place{}
	}
	at := (*free)[n-1]
	*free = (*free)[:n-1]
	*at = place{path: at.path[:0], values: at.values[:0], sleepers: at.sleepers[:0], branches: at.branches[:0]}
	return at
}

func (p *plan) newBranch(at *place, name uint64) *branch {
	var b *branch
	if n := len(p.freeBranches); n > 0 {
		b, p.freeBranches = p.freeBranches[n-1], p.freeBranches[:n-1]
	} else {
		b = &branch{memory: make([]access, 0, 1)} // most steps touch one object
	}
	*b = branch{at: at, name: name, values: b.values[:0], memory: b.memory[:0]}
	at.branches = append(at.branches, b)
	return b
}

// resembles gives the branch the footprint of an event.
func (b *branch) resembles(f *footprint) {
	b.memory = append(b.memory[:0], f.accesses...)
	b.footprint = *f
	b.accesses = b.memory
}

// addLeaf makes the branch one to explore.
func (p *plan) addLeaf(at *place, b *branch) {
	at.ref()
	for ; ; at = at.above {
		if at.open++; !at.planned {
			break
		}
	}
	p.changed.Signal()
}

func (at *place) ref() {
	if at.refs++; at.refs == 1 && at.above != nil {
		at.above.ref()
	}
}

func (p *plan) unref(at *place) {
	if at.refs--; at.refs > 0 {
		return
	}
	if at.above != nil {
		p.unref(at.above)
	}
	if !at.planned {
		p.free(at)
	}
}

// free takes back a place, when all behind it was explored.
func (p *plan) free(at *place) {
	for _, b := range at.branches {
		if b.after != nil {
			p.free(b.after)
		}
		p.freeBranches = append(p.freeBranches, b)
	}
	if at.planned {
		p.freePlanned = append(p.freePlanned, at)
	} else {
		last := p.places[len(p.places)-1]
		last.index = at.index
		p.places[at.index] = last
		p.places = p.places[:len(p.places)-1]
		p.freePlaces = append(p.freePlaces, at)
	}
}

// first takes the first leaf to explore at the place or those planned below it.
func (at *place) take() *branch {
	for i := 0; ; i++ {
		switch b := at.branches[i]; {
		case b.after != nil && b.after.open > 0:
			return b.after.take()
		case b.after == nil && !b.taken:
			b.taken = true
			for ; ; at = at.above {
				if at.open--; !at.planned {
					return b
				}
			}
		}
	}
}

// next ends the run of the walk, with what follows from it, and gives it another one: the last leaf on its way, or one of another's.
// It answers false if there is none.
func (x *walk) next() bool {
	p := x.plan
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := x.leaf.at
	if x.defect == "" {
		p.learn(x)
	}
	p.runs--
	if !p.stricter.none() || x.defect != "" {
		p.over = true
	}
	if p.over {
		p.changed.Broadcast()
		return false
	}
	for i := len(x.path) - 1; i >= 0; i-- {
		if at := x.path[i]; at.open > 0 {
			x.take(at.take(), at)
			p.unref(ended)
			return true
		}
	}
	p.unref(ended)
	x.leaf = nil
	return x.await()
}

// first gives the walk its first run.
func (x *walk) first() bool {
	x.plan.mu.Lock()
	defer x.plan.mu.Unlock()
	return x.await()
}

// await waits for a leaf to explore.
func (x *walk) await() bool {
	p := x.plan
	for {
		if p.over || len(p.places) == 0 {
			p.changed.Broadcast()
			return false
		}
		var best *place
		for _, at := range p.places {
			if at.open > 0 && (best == nil || at.depth < best.depth) {
				best = at
			}
		}
		if best != nil {
			x.take(best.take(), nil)
			return true
		}
		p.changed.Wait()
	}
}

// stop ends the exploration.
func (x *walk) stop() {
	p := x.plan
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.changed.Broadcast()
}

// take makes the walk ready to explore the leaf. from is a place on the way there that it comes from; nil: it begins anew.
func (x *walk) take(b *branch, from *place) {
	p := x.plan
	p.runs++
	x.leaf = b
	x.fresh = 0
	if from != nil {
		x.fresh = int(from.depth)
	}
	x.backTo(x.fresh)
	if from == nil {
		x.draws = append(x.draws[:0], p.setUp...)
	}
	x.planned, x.values = x.planned[:0], x.values[:0]
	x.follow(b.at, from)
	x.planned, x.values = append(x.planned, label{b.name, int32(len(b.values)), b.op}), append(x.values, b.values...)
}

// follow plans the way to a place.
func (x *walk) follow(at, from *place) {
	if at == from || at == nil {
		return
	}
	x.follow(at.above, from)
	x.planned, x.values = append(x.planned, at.path...), append(x.values, at.values...)
}

// way is the branch of the place above that leads here; nil if that has none.
func (at *place) way() *branch {
	if at.above == nil {
		return nil
	}
	return at.above.branch(at.path[0].name, at.values[:at.path[0].draws])
}

// branch is the one that makes that step.
func (at *place) branch(name uint64, values []int32) *branch {
	for _, b := range at.branches {
		if b.name == name && slices.Equal(b.values, values) {
			return b
		}
	}
	return nil
}

// behind is the share of the tree, as it is planned now, that lies before the leaf of the walk, as if branches were alike (after
// Knuth 1975).
func (x *walk) behind() float64 {
	x.plan.mu.Lock()
	defer x.plan.mu.Unlock()
	if x.leaf == nil {
		return 1
	}
	behind, share := 0.0, 1.0
	for at, way := x.leaf.at, x.leaf; at != nil; at, way = at.above, at.way() {
		n := float64(len(at.branches))
		before := float64(max(slices.Index(at.branches, way), 0))
		behind, share = before/n+behind/n, share/n
	}
	return behind
}
