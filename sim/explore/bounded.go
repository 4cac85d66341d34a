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
// steps that led there, a number of 64 bits, and by who has the turn. Where a step was tried before, from a state that differs by steps
// which commute with it, its outcome is foretold, and need not be made to see that it is known.
//
// Deliveries, due timers, faults and values cost nothing, and leave the turn to who has it.
type bounded struct {
	trace
	bound Bound
	most  int
	limit int

	points  []point
	at      int // point of this run
	states  map[uint64]int32
	records []record
	carried []int32 // records that hold at each point: see point.carried
	memory  []access

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

	// Of a point that is no value: the step that follows it, which records there were before it and whether it has one for its present
	// choice.
	event           int32
	carried         int32
	records, memory int32
	recorded        int32
}

// record is what a step did that was tried, for as long as what is done instead commutes with it.
type record struct {
	footprint
	actor   int32
	summand uint64
}

func newBounded(bound Bound, most, limit int, strict strictness) *bounded {
	b := &bounded{bound: bound, most: most, limit: limit, states: map[uint64]int32{}}
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
		if p.actors != nil {
			b.records, b.carried, b.memory = b.records[:p.records], b.carried[:p.carried], b.memory[:p.memory]
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
	b.class += summand
	if b.at == len(b.points) && b.at > 0 {
		b.record(&b.points[b.at-1], i, summand)
	}
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
	p := point{
		event: int32(len(b.events)), records: int32(len(b.records)), carried: int32(len(b.carried)), memory: int32(len(b.memory)), recorded: -1,
	}
	b.carry(&p)
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
		b.carried = b.carried[:p.carried]
		return false
	}
	b.points = append(b.points, p)
	return true
}

// option adds an actor to those that can be chosen, unless it is foretold that nothing new comes of it.
func (b *bounded) option(p *point, a *kernel.Actor, cost int32) {
	for _, r := range b.carried[p.carried:] {
		if r := &b.records[r]; r.actor == a.ID && b.foretold(r, a, b.used+cost) {
			return
		}
	}
	p.actors, p.costs = append(p.actors, a.ID), append(p.costs, cost)
}

// foretold says whether the step of the record leads to a state that is known.
func (b *bounded) foretold(r *record, a *kernel.Actor, used int32) bool {
	class, path := b.class+r.summand, b.path
	if a.Kind == kernel.TaskActor {
		path = a.PathHash()
	}
	if b.bound == Preemptions && b.within(class, used) {
		return true
	}
	return path != 0 && b.within(kernel.Mix(class, path), used)
}

// within says whether the state was reached at no more cost.
func (b *bounded) within(state uint64, used int32) bool {
	least, known := b.states[state]
	return known && least <= used
}

// known says whether what can follow was tried at no more cost, and notes that it is. From where nobody has the turn all that can
// follow costs no more than from where somebody has; and where somebody else has, at most one preemption more.
func (b *bounded) known() bool {
	state := b.class
	if b.bound == Delays || b.running != 0 {
		state = kernel.Mix(b.class, b.path)
	}
	if b.within(state, b.used) || b.bound == Preemptions && b.within(b.class, b.used) {
		return true
	}
	b.states[state] = b.used
	if b.bound == Preemptions && state != b.class && !b.within(b.class, b.used+1) {
		b.states[b.class] = b.used + 1
	}
	return false
}

// record notes what the first step behind a point did.
func (b *bounded) record(p *point, i int, summand uint64) {
	e := &b.events[i]
	if p.actors == nil || p.event != int32(i) || p.recorded == p.v || e.time() {
		return
	}
	p.recorded = p.v
	from := len(b.memory)
	b.memory = append(b.memory, e.accesses...)
	r := record{e.footprint, e.actor, summand}
	r.accesses = b.memory[from:len(b.memory):len(b.memory)]
	b.records = append(b.records, r)
}

// carry gives a new point the records that hold there: of the point before it, those that it had and those of what was tried there, which
// commute with what has been done since.
func (b *bounded) carry(p *point) {
	last := len(b.points) - 1
	for ; last >= 0 && b.points[last].actors == nil; last-- {
	}
	if last < 0 {
		return
	}
	before := &b.points[last]
	list := b.carried[before.carried:p.carried:p.carried]
	for _, r := range list {
		b.keep(before, r)
	}
	for r := before.records; r < p.records; r++ {
		b.keep(before, r)
	}
}

// keep carries a record on if what has been done since the point commutes with it.
func (b *bounded) keep(since *point, r int32) {
	x := &b.records[r]
	for i := int(since.event); i < len(b.events); i++ {
		if e := &b.events[i]; e.time() || e.actor == x.actor || !commute(&x.footprint, &e.footprint) {
			return
		}
	}
	b.carried = append(b.carried, r)
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
	if b.bound == Preemptions && a.ID != b.running {
		b.turn()
	}
	if a.Kind == kernel.ClockActor && b.at == len(b.points) && b.known() {
		b.pruned = true
		b.halt()
		return
	}
	b.choices = append(b.choices, a.ID)
	if a.Kind == kernel.TaskActor && a.ID != b.running {
		b.running, b.path, b.name = a.ID, a.PathHash(), b.actorName(a)
	}
	b.events = append(b.events, event{})
	b.begin(i, a)
	b.fix(a)
}

// Over implements kernel.Listener.
func (b *bounded) Over() {
	b.finish()
	b.over = true
}
