package explore

import (
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// tree is the search: source sets with sleep sets (Abdulla, Aronis, Jonsson and Sagonas, "Source sets: a foundation for optimal
// dynamic partial order reduction", J. ACM 2017; POPL 2014). It decides the runs, depth first: each repeats the one before up to
// its last node with something left to try. At the end of a step its races with earlier ones are found, and for each the node before
// the earlier step gets an alternative that begins the run in which the later one comes first. What was tried at a node sleeps in
// what is tried there afterwards, until something that conflicts with it is done; a run in which all that could move sleeps is one
// that was made before, and is cut off as blocked.
//
// Departures from the paper. Locks, channels and wait groups block: a race is told from an enabling (see relate), tasks that are
// blocked at the end race as if they had gone on, and an alternative that could not move at its node is none. Values are decided in
// the course of a step: all of them are tried before its actor sleeps. A step may turn out to touch more than it had announced, so
// footprints are taken after the step; a sleeping one's is known, since it was made before. Instead of a step that ends
// the run, with a failure, whatever else could move is tried. Armed faults conflict with everything and need not ever strike: each is tried at each node.
type tree struct {
	trace
	nodes      []node
	candidates []candidate
	sleepers   []sleeper
	values     []value

	depth   int // steps of this run so far
	fresh   int // those below repeat the run before
	valueAt int // values of this run so far
	limit   int // steps of a run; 0: none
	blocked bool
	cut     bool // the limit was reached
	over    bool // no step counts any more
	defect  string
	initial []int32 // memory for race
	moved   []int32
	planned []event
	only    [1]*kernel.Actor
	due     []*kernel.Actor // timers and deliveries that could move instead of the step under way
}

// node is a place where an actor was chosen: the state before the event of the same index.
type node struct {
	candidates int32 // where they begin; they end where those of the next node begin
	sleepers   int32
	inherited  int32 // where those end that it has from the node before
	accesses   int32
	union      int32 // where the accesses of the present choice begin, over all its values
	world, all bool  // of the same
	shared     bool
}

// candidate is an actor that could move at a node.
type candidate struct {
	actor  int32
	wanted bool // it was, is or will be tried
	done   bool
	asleep bool // from before
	fault  bool
}

// sleeper is an actor whose next step need not be tried: what begins with it was.
type sleeper struct {
	footprint
	actor int32
}

// value is a decision in the course of a step.
type value struct {
	owner int32 // event; -1: the set-up
	n     int32
	v     int32
}

func newTree(limit int) *tree { return &tree{limit: limit} }

// restart forgets everything, to begin anew strictly.
func (x *tree) restart() {
	x.nodes, x.events, x.candidates, x.sleepers, x.values = x.nodes[:0], x.events[:0], x.candidates[:0], x.sleepers[:0], x.values[:0]
	x.accesses, x.clocks, x.woken = x.accesses[:0], x.clocks[:0], x.woken[:0]
	clear(x.lastOf)
	x.strict, x.stricter, x.fresh = true, false, 0
	x.met, x.peeked = x.met[:0], x.peeked[:0]
}

// anew begins from the start if what was seen asks for that, and says whether it does.
func (x *tree) anew() bool {
	if x.strict || !x.stricter {
		return false
	}
	x.restart()
	return true
}

func (x *tree) outcome() outcome {
	return outcome{skipped: x.blocked, cut: x.cut, defect: x.defect}
}

func (x *tree) decisions() (actors, values []int32) {
	for i := range x.depth {
		actors = append(actors, x.events[i].actor)
	}
	for _, v := range x.values[:x.valueAt] {
		values = append(values, v.v)
	}
	return actors, values
}

// start makes ready for the next run.
func (x *tree) start() {
	x.depth, x.valueAt, x.current = 0, 0, -1
	x.blocked, x.cut, x.over = false, false, false
}

// Schedule implements choice.Source.
func (x *tree) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	x.finish()
	if x.over {
		return 0
	}
	i := x.depth
	if x.limited(i) {
		return 0
	}
	if i == len(x.nodes) && !x.grow(current, enabled, armed) {
		x.block()
		return 0
	}
	actor := x.events[i].actor
	x.due = x.due[:0]
	for _, a := range enabled {
		if a.Kind != kernel.TaskActor && a.ID != actor {
			x.due = append(x.due, a)
		}
	}
	for j, a := range enabled {
		if a.ID == actor {
			return j
		}
	}
	for j, a := range armed {
		if a.ID == actor {
			return len(enabled) + j
		}
	}
	x.fail("the program is not deterministic: an actor that could move in the run before cannot in its repetition")
	return 0
}

// Value implements choice.Source.
func (x *tree) Value(site choice.Site, n int) int {
	if x.over {
		return 0
	}
	if site.Chance {
		return x.draw(2) * (n - 1)
	}
	return x.draw(n)
}

// draw decides a number below n.
func (x *tree) draw(n int) int {
	if x.valueAt == len(x.values) {
		x.values = append(x.values, value{owner: int32(x.depth - 1), n: int32(n)})
	}
	v := x.values[x.valueAt]
	x.valueAt++
	if int(v.n) != n || int(v.owner) != x.depth-1 {
		x.fail("the program is not deterministic: it asks for another value than in the run before")
		return 0
	}
	return int(v.v)
}

// Step implements kernel.Listener.
func (x *tree) Step(a *kernel.Actor) {
	x.finish()
	if x.over {
		return
	}
	i := x.depth
	if x.limited(i) {
		return
	}
	if x.only[0] = a; i == len(x.nodes) && !x.grow(nil, x.only[:], nil) { // there was no choice
		x.block()
		return
	}
	if e := &x.events[i]; e.actor != a.ID || i < x.fresh && e.op != a.Op {
		x.fail("the program is not deterministic: another step is made than in the run before")
		return
	}
	if i >= x.fresh {
		if a.Kind == kernel.ClockActor {
			x.waiting() // nothing after it races with anything before
		}
		x.begin(i, a)
	}
	x.depth++
}

// limited ends a run that has as many steps as it may.
func (x *tree) limited(i int) bool {
	if x.limit == 0 || i < x.limit {
		return false
	}
	x.cut, x.over = true, true
	x.kernel.Stop()
	return true
}

// fail ends the run, and with it the search.
func (x *tree) fail(defect string) {
	x.defect, x.over = defect, true
	x.kernel.Stop()
}

// block ends a run in which all that could move sleeps.
func (x *tree) block() {
	x.blocked = true
	x.waiting()
	x.over = true
	x.kernel.Stop()
}

// Over implements kernel.Listener.
func (x *tree) Over() {
	x.finish()
	if !x.over {
		x.waiting()
	}
	x.over = true
}

// grow adds a node and chooses who moves there; false: all that could move sleep. The choice is the task that moved last, if
// it can, so that the runs have few switches.
func (x *tree) grow(current *kernel.Actor, enabled, armed []*kernel.Actor) bool {
	i := len(x.nodes)
	n := node{candidates: int32(len(x.candidates)), sleepers: int32(len(x.sleepers)), accesses: int32(len(x.accesses))}
	n.union = n.accesses
	for _, a := range enabled {
		x.candidates = append(x.candidates, candidate{actor: a.ID})
	}
	for _, a := range armed {
		x.candidates = append(x.candidates, candidate{actor: a.ID, wanted: true, fault: true})
	}
	if i > 0 {
		x.inherit(i)
	}
	n.inherited = int32(len(x.sleepers))
	x.nodes = append(x.nodes, n)
	for _, s := range x.sleepers[n.sleepers:n.inherited] {
		if c := x.candidate(i, s.actor); c != nil {
			c.asleep = true
		} else if x.defect == "" {
			x.defect = "a step that was taken for independent has made another one impossible"
		}
	}
	best := -1
	for j := int(n.candidates); j < len(x.candidates); j++ {
		c := &x.candidates[j]
		if c.asleep || c.fault {
			continue
		}
		if current != nil && c.actor == current.ID {
			best = j
			break
		}
		if best < 0 || c.actor < x.candidates[best].actor {
			best = j
		}
	}
	if best < 0 {
		x.drop()
		return false
	}
	x.candidates[best].wanted = true
	x.events = append(x.events, event{actor: x.candidates[best].actor})
	return true
}

// inherit lets sleep on at the new node i what the step before commutes with.
func (x *tree) inherit(i int) {
	before := &x.events[i-1]
	from, to := x.nodes[i-1].sleepers, int32(len(x.sleepers))
	for j := from; j < to; j++ {
		if s := x.sleepers[j]; !before.time && x.commute(s.footprint, before.footprint) {
			x.sleepers = append(x.sleepers, s)
		}
	}
}

// drop takes the last node away.
func (x *tree) drop() {
	n := x.nodes[len(x.nodes)-1]
	x.nodes = x.nodes[:len(x.nodes)-1]
	x.candidates = x.candidates[:n.candidates]
	x.sleepers = x.sleepers[:n.sleepers]
	x.accesses = x.accesses[:n.accesses]
}

func (x *tree) candidate(i int, actor int32) *candidate {
	to := len(x.candidates)
	if i+1 < len(x.nodes) {
		to = int(x.nodes[i+1].candidates)
	}
	for j := int(x.nodes[i].candidates); j < to; j++ {
		if x.candidates[j].actor == actor {
			return &x.candidates[j]
		}
	}
	return nil
}

// finish completes the step under way and finds its races.
func (x *tree) finish() {
	i, ok := x.settle()
	if !ok {
		return
	}
	n, e := &x.nodes[i], &x.events[i]
	n.world, n.shared, n.all = n.world || e.world, n.shared || e.shared, n.all || e.all
	x.open(i)
	x.order(i, x.sleepers[n.sleepers:n.inherited], func(k int) bool { return x.race(k, i) })
	for _, a := range x.due {
		if c := x.candidate(i, a.ID); c != nil && !a.Enabled() && !c.asleep {
			c.wanted = true // it was stopped, and would never be seen to race
		}
	}
	x.due = x.due[:0]
	if x.kernel.Stopped() && !x.over { // then every other step could have come before
		for j := int(n.candidates); j < len(x.candidates); j++ {
			if c := &x.candidates[j]; !c.asleep {
				c.wanted = true
			}
		}
	}
}

// waiting finds the races of the tasks that are blocked, as if they had gone on: another one may have taken from them what they
// wait for. (Those that are parked at an unbuffered channel have made a step to arrive there.) It is called where no task could
// move: at the end, before time advances, and where all that could sleep.
func (x *tree) waiting() {
	i := x.depth
	planned := append(x.planned[:0], x.events[i:]...) // an advance of time
	x.kernel.Tasks(func(a *kernel.Actor) {
		if a.Ready() || a.Parked() {
			return
		}
		x.events = append(x.events[:i], event{})
		mark := len(x.accesses)
		x.begin(i, a)
		x.settle()
		x.open(i)
		x.order(i, nil, func(k int) bool { return x.race(k, i) })
		x.unsettle(i)
		x.accesses = x.accesses[:mark]
	})
	x.events = append(x.events[:i], planned...)
	x.planned = planned
}

// race plans the run in which event i comes before event k, with which it conflicts: at the node of k, unless one is tried there
// already, an actor that can begin the steps between them that k does not precede, and then i. It answers false if the actor of
// i was waiting there and could not move, so that nothing but k can have made it possible.
func (x *tree) race(k, i int) (possible bool) {
	late := &x.events[i]
	x.initial, x.moved = x.initial[:0], x.moved[:0]
	own := false // the actor of i has an earlier step among those moved
	for j := k + 1; j < i; j++ {
		if x.precedes(k, j) {
			continue
		}
		own = own || x.events[j].actor == late.actor
		first := true
		for _, f := range x.initial {
			if x.precedes(int(f), j) {
				first = false
				break
			}
		}
		if first {
			x.initial = append(x.initial, int32(j))
		}
		x.moved = append(x.moved, int32(j))
	}
	begins := !own
	for j := 0; begins && j < len(x.moved); j++ {
		begins = x.relation(x.events[x.moved[j]].footprint, late.footprint) == independent
	}
	choice := x.candidate(k, late.actor)
	possible = own || choice != nil
	if !begins {
		choice = nil
	}
	if choice != nil && (choice.wanted || choice.asleep) {
		return possible
	}
	for _, f := range x.initial {
		c := x.candidate(k, x.events[f].actor)
		switch {
		case c == nil:
			if x.defect == "" {
				x.defect = "a step that was taken for independent has made another one possible"
			}
		case c.wanted || c.asleep:
			return possible
		case choice == nil:
			choice = c
		}
	}
	if choice != nil {
		choice.wanted = true
	}
	return possible
}

// next goes back to the last decision with something left to try, and takes that. It answers false if there is none: the search
// is complete.
func (x *tree) next() bool {
	for {
		top := len(x.nodes) - 1
		if top >= 0 {
			x.unsettle(top)
		}
		if n := len(x.values); n > 0 && int(x.values[n-1].owner) == top {
			if last := &x.values[n-1]; last.v+1 < last.n {
				last.v++
				x.fresh = max(top, 0)
				return true
			}
			x.values = x.values[:n-1]
			continue
		}
		if top < 0 {
			return false
		}
		n := &x.nodes[top]
		x.candidate(top, x.events[top].actor).done = true
		all := footprint{from: n.union, to: int32(len(x.accesses)), world: n.world, shared: n.shared, all: n.all}
		for _, a := range x.accesses[all.from:] {
			all.objects |= bit(a.object)
		}
		x.sleepers = append(x.sleepers, sleeper{actor: x.events[top].actor, footprint: all})
		n.union, n.world, n.shared, n.all = int32(len(x.accesses)), false, false, false
		if c := x.untried(top); c != nil {
			x.events[top] = event{actor: c.actor}
			x.fresh = top
			return true
		}
		x.events = x.events[:top]
		x.drop()
	}
}

func (x *tree) untried(i int) *candidate {
	for j := int(x.nodes[i].candidates); j < len(x.candidates); j++ {
		if c := &x.candidates[j]; c.wanted && !c.done && !c.asleep {
			return c
		}
	}
	return nil
}

// behind is the share of the tree, as it is planned now, that lies behind (after Knuth 1975): exact if nothing is added to it.
func (x *tree) behind() float64 {
	share, behind, at := 1.0, 0.0, 0
	values := func(owner int) {
		for ; at < len(x.values) && int(x.values[at].owner) == owner; at++ {
			n := float64(x.values[at].n)
			behind += share * float64(x.values[at].v) / n
			share /= n
		}
	}
	values(-1)
	for i := range x.nodes {
		to := len(x.candidates)
		if i+1 < len(x.nodes) {
			to = int(x.nodes[i+1].candidates)
		}
		wanted, done := 0.0, 0.0
		for _, c := range x.candidates[x.nodes[i].candidates:to] {
			if c.wanted && !c.asleep {
				wanted++
			}
			if c.done {
				done++
			}
		}
		behind += share * done / wanted
		share /= wanted
		values(i)
	}
	return behind
}
