package explore

import (
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// Bound is what a bounded exploration counts.
type Bound uint8

// The bounds.
const (
	Unbounded Bound = iota
	// Preemptions are switches from a task that could go on to another task (Musuvathi and Qadeer 2007). One that cannot go on, when
	// somebody else moves, has had its turn.
	Preemptions
	// Delays are passed over tasks (Emmi, Qadeer and Rakamaric 2011): by itself the task that moved last goes on or, if it cannot, the
	// next one in the round that can. The round is of the tasks that the set-up has made, in their order, and then of all others, in
	// one that is the same in all runs.
	Delays
)

// bounded is the search with a bound on preemptions or delays. Sleep sets and source sets would be wrong here: what they leave out for
// what was tried may cost less than that did (Coons, Musuvathi and McKinley 2013). So it tries everything within the bound, depth
// first, but for states in which it was before at no more cost: happens-before caching, as in CHESS. A state is known by the class of the
// steps that led there, a number of 64 bits, and by who has the turn. What a step that was made before comes to is foretold, and it is not made to see
// that this is known.
//
// Deliveries, due timers, faults and values cost nothing, and leave the turn to who has it.
type bounded struct {
	trace
	bound Bound
	most  int
	limit int

	values setting
	points []point
	at     int // point of this run
	states map[uint64]int32
	past   memory // of all runs
	valued bool   // the step under way has drawn values

	class   uint64 // of the steps so far
	running int32  // the task that moved last; with a bound on preemptions, if it has not had its turn
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

func newBounded(bound Bound, most, limit int, strict strictness, values setting) *bounded {
	b := &bounded{bound: bound, most: most, limit: limit, values: slices.Clone(values), states: map[uint64]int32{}, past: newMemory()}
	b.strict, b.identify = strict, true
	b.strict.kinds |= unbuffered
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

func (b *bounded) outcome() outcome {
	return outcome{skipped: b.pruned, cut: b.cut, ordered: b.ordered, again: strictness{kinds: b.stricter.kinds &^ b.strict.kinds}, defect: b.defect}
}

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
	i, ok := b.settle()
	if !ok {
		return
	}
	b.open(i)
	b.order(i, func(int) bool { return true })
	summand := b.summand(i)
	if b.at == len(b.points) && !b.valued && !b.kernel.Stopped() {
		b.past.remember(b.class, b.kernel.Actor(b.events[i].actor), &b.events[i], summand)
	}
	b.class += summand
}

func (b *bounded) first() bool { return true }

func (b *bounded) stop() {}

func (b *bounded) halt() { b.over = true; b.kernel.Stop() }

// Schedule implements choice.Source.
func (b *bounded) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	b.finish()
	switch {
	case b.over:
		return 0
	case b.kernel.OneOrder():
		return b.choose(current, enabled)
	case b.at == len(b.points) && !b.grow(enabled, armed):
		b.pruned = true
		b.halt()
		return 0
	}
	p := &b.points[b.at]
	b.at++
	if p.actors != nil {
		b.used += p.costs[p.v]
		if at := b.kernel.Choice(p.actors[p.v]); at >= 0 {
			return at
		}
	}
	b.defect = "the program is not deterministic: an actor that could move in the run before cannot in its repetition"
	b.halt()
	return 0
}

// turn takes the turn from a task that cannot go on.
func (b *bounded) turn() {
	if b.running != 0 && !b.kernel.Actor(b.running).Enabled() {
		b.running, b.path = 0, 0
	}
}

// grow adds a point, unless nothing new can come of it.
func (b *bounded) grow(enabled, armed []*kernel.Actor) bool {
	if b.bound == Preemptions {
		b.turn()
	}
	if b.known() {
		return false
	}
	b.visit(enabled, armed)
	p := point{}
	for _, a := range armed {
		b.option(&p, a, 0)
	}
	for _, a := range enabled {
		if a.Kind != kernel.TaskActor {
			b.option(&p, a, 0)
		}
	}
	for cost := int32(0); int(b.used+cost) <= b.most; cost++ {
		left := false
		for _, a := range enabled {
			if c := b.cost(a, enabled); a.Kind == kernel.TaskActor && c == cost {
				b.option(&p, a, cost)
			} else if c > cost {
				left = true
			}
		}
		if !left {
			break
		}
	}
	p.n = int32(len(p.actors))
	if p.n == 0 {
		return false
	}
	b.points = append(b.points, p)
	return true
}

// option adds an actor to those that can be chosen, unless it is foretold that nothing new comes of it.
func (b *bounded) option(p *point, a *kernel.Actor, cost int32) {
	path := b.path
	if a.Kind == kernel.TaskActor {
		path = a.PathHash()
	}
	if to, ok := b.past.leads[kernel.Mix(b.class, a.PathHash())]; ok && b.through(to, path, b.used+cost) {
		return
	}
	p.actors, p.costs = append(p.actors, a.ID), append(p.costs, cost)
}

// tried says whether the state was reached at no more cost: path is who has the turn. From where nobody has it all that can follow costs
// no more than from where somebody has; and where somebody else has, at most one preemption more.
func (b *bounded) tried(class, path uint64, used int32) bool {
	return b.within(b.state(class, path), used) || b.bound == Preemptions && b.within(class, used)
}

func (b *bounded) within(state uint64, used int32) bool {
	least, known := b.states[state]
	return known && least <= used
}

// state is a number for the class and who has the turn.
func (b *bounded) state(class, path uint64) uint64 {
	if b.bound == Preemptions && path == 0 {
		return class
	}
	return kernel.Mix(class, path)
}

// known says whether the state that the run has come to was tried at no more cost, and notes that it is.
func (b *bounded) known() bool {
	if b.tried(b.class, b.path, b.used) {
		return true
	}
	b.try(b.class, b.path, b.used)
	return false
}

// attempt is a state that is tried, and one more than the cost at which it was before; 0: it was not.
type attempt struct {
	state  uint64
	before int32
}

// try notes that a state is tried at that cost.
func (b *bounded) try(class, path uint64, used int32) (attempts [2]attempt) {
	attempts[0] = b.attempt(b.state(class, path), used)
	if b.bound == Preemptions && path != 0 && !b.within(class, used+1) {
		attempts[1] = b.attempt(class, used+1)
	}
	return attempts
}

func (b *bounded) attempt(state uint64, used int32) attempt {
	before, known := b.states[state]
	b.states[state] = used
	if !known {
		return attempt{state, 0}
	}
	return attempt{state, before + 1}
}

// undo forgets attempts.
func (b *bounded) undo(attempts [2]attempt) {
	for _, a := range attempts {
		if a.before == 0 {
			delete(b.states, a.state)
		} else {
			b.states[a.state] = a.before - 1
		}
	}
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
func (b *bounded) draw(n int) (v int) {
	switch {
	case len(b.events) == 0:
		v = b.settled(n)
		b.class = kernel.Mix(b.class, uint64(v)+1)
	case b.current < 0:
		v = b.point(n)
		b.class = kernel.Mix(b.class, uint64(v)+1)
	default:
		v = b.point(n)
		e := &b.events[b.current]
		e.identity = kernel.Mix(e.identity, uint64(v))
		b.valued = true
	}
	b.drawn = append(b.drawn, int32(v))
	return v
}

// settled is the next value of the set-up.
func (b *bounded) settled(n int) int {
	i := len(b.drawn)
	if i == len(b.values) {
		b.values = append(b.values, draw{owner: -1, n: int32(n)})
	}
	if int(b.values[i].n) != n {
		b.asks()
		return 0
	}
	return int(b.values[i].v)
}

// point is the next value of a step.
func (b *bounded) point(n int) int {
	if b.at == len(b.points) {
		b.points = append(b.points, point{n: int32(n)})
	}
	p := &b.points[b.at]
	b.at++
	if p.actors != nil || int(p.n) != n {
		b.asks()
		return 0
	}
	return int(p.v)
}

func (b *bounded) asks() {
	b.defect = "the program is not deterministic: it asks for another value than in the run before"
	b.halt()
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
	if b.bound == Preemptions && a.ID != b.running {
		b.turn()
	}
	if b.at == len(b.points) {
		if a.Kind == kernel.ClockActor && b.known() {
			b.pruned = true
			b.halt()
			return
		}
		b.past.moves(b.class, a)
	}
	b.choices = append(b.choices, a.ID)
	if a.Kind == kernel.TaskActor && a.ID != b.running {
		b.running, b.path, b.name = a.ID, a.PathHash(), b.actorName(a)
	}
	b.events = append(b.events, event{})
	b.begin(i, a)
	b.fix(a)
	b.valued = false
}

// Over implements kernel.Listener.
func (b *bounded) Over() {
	b.finish()
	if !b.over && !b.kernel.Stopped() {
		b.past.ends(b.class)
	}
	b.over = true
}
