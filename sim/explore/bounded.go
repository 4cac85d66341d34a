package explore

import (
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// Bound is what a bounded exploration counts.
type Bound uint8

// The bounds.
const (
	Unbounded Bound = iota
	// Preemptions are switches from a task that could go on to another task (Musuvathi and Qadeer 2007).
	Preemptions
	// Delays are passed over tasks (Emmi, Qadeer and Rakamaric 2011): by itself the task that moved last goes on or, if it cannot, the
	// next one in the round that can. The round is of the tasks that the set-up has made, in their order, and then of all others, in
	// one that is the same in all runs.
	Delays
)

// bounded is the search with a bound on preemptions or delays. Sleep sets and source sets would be wrong here: what they leave out for
// what was tried may cost less than that did (Coons, Musuvathi and McKinley 2013). So it tries everything within the bound, depth
// first, but for states in which it was before, with the same task running, at no more cost: happens-before caching, as in CHESS. A state
// is known by the class of the steps that led there, a number of 64 bits.
//
// Deliveries, due timers, faults and values cost nothing, and leave the running task what it is.
type bounded struct {
	trace
	bound Bound
	most  int
	limit int

	points []point
	at     int // point of this run
	states map[uint64]int32

	class   uint64 // of the steps so far
	running int32  // the task that moved last
	path    uint64 // of it
	name    uint64 // its place in the round
	used    int32
	cut     bool
	pruned  bool
	over    bool
	defect  string
	choices []int32 // actors of the run, by step
	drawn   []int32
}

// point is a decision with what is left to try.
type point struct {
	actors []int32 // that can be chosen; nil for a value
	costs  []int32 // of each
	n, v   int32
}

func newBounded(bound Bound, most, limit int) *bounded {
	b := &bounded{bound: bound, most: most, limit: limit, states: map[uint64]int32{}}
	b.strict, b.identify = allKinds, true
	return b
}

func (b *bounded) start() {
	b.at, b.class, b.running, b.path, b.name, b.used, b.current = 0, 0, 0, 0, 0, 0, -1
	b.cut, b.pruned, b.over = false, false, false
	b.reset()
	b.choices, b.drawn = b.choices[:0], b.drawn[:0]
}

func (b *bounded) next() bool {
	for n := len(b.points); n > 0; n-- {
		p := &b.points[n-1]
		if p.v++; p.v < p.n {
			b.points = b.points[:n]
			return true
		}
	}
	b.points = b.points[:0]
	return false
}

func (b *bounded) outcome() outcome { return outcome{skipped: b.pruned, cut: b.cut, defect: b.defect} }

func (b *bounded) decisions() (actors, values []int32) { return b.choices, b.drawn }

func (b *bounded) behind() float64 {
	share, behind := 1.0, 0.0
	for _, p := range b.points {
		behind += share * float64(p.v) / float64(p.n)
		share /= float64(p.n)
	}
	return behind
}

func (b *bounded) finish() {
	if i, ok := b.settle(); ok {
		b.open(i)
		b.order(i, func(int) bool { return true })
		b.class += b.summand(i)
	}
}

func (b *bounded) first() bool { return true }

func (b *bounded) stop() {}

func (b *bounded) halt() { b.over = true; b.kernel.Stop() }

// Schedule implements choice.Source.
func (b *bounded) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	b.finish()
	if b.over {
		return 0
	}
	if b.at == len(b.points) && !b.grow(enabled, armed) {
		b.pruned = true
		b.halt()
		return 0
	}
	p := &b.points[b.at]
	b.at++
	if p.actors != nil {
		b.used += p.costs[p.v]
		for i, list := range [...][]*choice.Actor{enabled, armed} {
			for j, a := range list {
				if a.ID == p.actors[p.v] {
					return i*len(enabled) + j
				}
			}
		}
	}
	b.defect = "the program is not deterministic: an actor that could move in the run before cannot in its repetition"
	b.halt()
	return 0
}

// grow adds a point, unless nothing new can come of it.
func (b *bounded) grow(enabled, armed []*kernel.Actor) bool {
	state := kernel.Mix(b.class, b.path)
	if used, known := b.states[state]; known && used <= b.used {
		return false
	}
	b.states[state] = b.used
	var p point
	for _, a := range enabled {
		if cost := b.cost(a, enabled); int(b.used+cost) <= b.most {
			p.actors, p.costs = append(p.actors, a.ID), append(p.costs, cost)
		}
	}
	for _, a := range armed {
		p.actors, p.costs = append(p.actors, a.ID), append(p.costs, 0)
	}
	p.n = int32(len(p.actors))
	b.points = append(b.points, p)
	return true
}

// cost is what it takes of the bound that the actor moves.
func (b *bounded) cost(a *kernel.Actor, enabled []*kernel.Actor) (cost int32) {
	if a.Kind != kernel.TaskActor {
		return 0
	}
	for _, other := range enabled {
		switch {
		case other.Kind != kernel.TaskActor || other == a:
		case b.bound == Delays && b.sooner(other, a), b.bound == Preemptions && other.ID == b.running:
			cost++
		}
	}
	return cost
}

// sooner says whether a comes before another task in the round that begins with the running one.
func (b *bounded) sooner(a, other *kernel.Actor) bool {
	x, y := b.actorName(a), b.actorName(other)
	if (x >= b.name) != (y >= b.name) {
		return x >= b.name
	}
	return x < y
}

// Value implements choice.Source.
func (b *bounded) Value(site choice.Site, n int) int {
	if b.over {
		return 0
	}
	if site.Chance {
		return b.draw(2) * (n - 1)
	}
	return b.draw(n)
}

// draw decides a number below n.
func (b *bounded) draw(n int) int {
	if b.at == len(b.points) {
		b.points = append(b.points, point{n: int32(n)})
	}
	p := &b.points[b.at]
	b.at++
	if p.actors != nil || int(p.n) != n {
		b.defect = "the program is not deterministic: it asks for another value than in the run before"
		b.halt()
		return 0
	}
	b.drawn = append(b.drawn, p.v)
	if b.current >= 0 {
		e := &b.events[b.current]
		e.identity = kernel.Mix(e.identity, uint64(p.v))
	} else {
		b.class = kernel.Mix(b.class, uint64(p.v)+1)
	}
	return int(p.v)
}

// Step implements kernel.Listener.
func (b *bounded) Step(a *kernel.Actor) {
	b.finish()
	if b.over {
		return
	}
	i := len(b.events)
	if b.limit > 0 && i >= b.limit {
		b.cut = true
		b.halt()
		return
	}
	b.choices = append(b.choices, a.ID)
	if a.Kind == kernel.TaskActor && a.ID != b.running {
		b.running, b.path, b.name = a.ID, a.PathHash(), b.actorName(a)
	}
	b.events = append(b.events, event{})
	b.begin(i, a)
}

// Over implements kernel.Listener.
func (b *bounded) Over() {
	b.finish()
	b.over = true
}
