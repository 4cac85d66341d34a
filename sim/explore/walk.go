package explore

import (
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// walk makes runs of a plan, one after another, in one place: it follows the steps that the plan has for it, then goes on as it likes,
// and finds the races of what it has done. Each run repeats the one before as far as the plan has them in common, and what was found
// there is kept.
type walk struct {
	trace
	plan  *plan
	leaf  *branch  // that the run is to explore
	path  []*place // that lie on it, from the root, while the plan is locked
	marks []mark   // by step: what there was before it
	races []race
	waits []event // steps that were not made, but are late ones in races, or could have come instead of another
	notes []note  // of the steps of this run that none before has made
	dues  []int32 // by step: actors that are no tasks and could move
	draws []draw

	planned []label // from step fresh on
	values  []int32 // of them
	value   int     // of these values, the next one of the step under way
	valueTo int

	depth   int  // steps of this run so far
	fresh   int  // those below repeat the run before
	drawAt  int  // draws of this run so far
	limit   int  // steps of a run; 0: none
	marked  int  // the last step that has a mark
	mixed   bool // there are actors that are no tasks
	blocked bool
	cut     bool // the limit was reached
	over    bool // no step counts any more
	missed  bool // a step that was planned was not possible
	defect  string

	racing func(k int) bool // race, for steps
	late   int32            // the later step of the races that are looked for: an event, or ^i for waits[i]
	strike event            // that of any fault
	any    event            // see plan.careful
	halted []access         // what the step under way has touched, while another one is looked at; else none
	clock  []int32          // memory for plan.reverse

	moved      []gathered // what comes behind the first event of a race, and is not preceded by it
	movedNames uint64     // a bit for the name of each; two may share one
	movedMasks uint64     // what they show
}

// gathered is an event, with what tells quickly that it has nothing to do with another one.
type gathered struct {
	name  uint64
	shows uint64
	at    int32
}

// mark is how much there was before a step.
type mark struct {
	accesses, races, waits, dues int32
}

// draw is a decision in the course of a step.
type draw struct {
	owner int32 // event; -1: the set-up
	n     int32
	v     int32
}

// label names a step of a path: who moves, and how many values it draws.
type label struct {
	name  uint64 // of the actor; anyone: whoever the walk likes
	draws int32
	op    kernel.Op
}

const anyone = ^uint64(0)

func newWalk(p *plan, limit int) *walk {
	x := &walk{plan: p, limit: limit}
	x.strict, x.racing = p.strict, x.race
	x.lazy = p.strict.kinds&parks == 0
	x.strike.all = true
	x.current = -1
	return x
}

func (x *walk) outcome() outcome {
	return outcome{skipped: x.blocked, cut: x.cut, ordered: x.ordered, again: x.stricter.beyond(&x.strict), defect: x.defect}
}

func (x *walk) decisions() (actors, values []int32) {
	for i := range x.depth {
		actors = append(actors, x.events[i].actor)
	}
	for _, v := range x.draws[:x.drawAt] {
		values = append(values, v.v)
	}
	return actors, values
}

// start makes ready for the next run.
func (x *walk) start() {
	x.depth, x.drawAt, x.current, x.marked, x.value, x.valueTo = 0, 0, -1, -1, 0, 0
	x.blocked, x.cut, x.over, x.missed = false, false, false, false
	x.notes = x.notes[:0]
}

// Schedule implements choice.Source.
func (x *walk) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	x.finish()
	if x.over {
		return 0
	}
	i := x.depth
	if x.limited(i) {
		return 0
	}
	if i < x.fresh {
		if at := x.kernel.Choice(x.events[i].actor); at >= 0 {
			return at
		}
		x.missing(i)
		return 0
	}
	x.mark(i)
	if x.kernel.OneOrder() {
		return x.choose(current, enabled)
	}
	if x.mixed {
		x.look(i, enabled, armed)
	}
	if len(armed) > 0 {
		x.stricter.kinds |= parks // what strikes may see who has arrived
	}
	if p := i - x.fresh; p < len(x.planned) && x.planned[p].name != anyone {
		return x.find(i, x.planned[p].name, enabled, armed)
	}
	return x.choose(current, enabled)
}

// find answers the actor of that name.
func (x *walk) find(i int, name uint64, enabled, armed []*kernel.Actor) int {
	if name&made == 0 {
		if at := x.kernel.Choice(int32(name)); at >= 0 && !x.early(x.kernel.Actor(int32(name)), enabled) {
			return at
		}
	} else {
		for at, a := range enabled {
			if x.actorName(a) == name && !x.early(a, enabled) {
				return at
			}
		}
		for at, a := range armed {
			if x.actorName(a) == name {
				return len(enabled) + at
			}
		}
	}
	x.missing(i)
	return 0
}

// early says whether the actor would only park though others can move.
func (x *walk) early(a *kernel.Actor, enabled []*kernel.Actor) bool {
	return x.idle(a) && slices.ContainsFunc(enabled, func(o *kernel.Actor) bool { return !x.idle(o) })
}

// missing ends a run in which a step that was to be made cannot be.
func (x *walk) missing(i int) {
	switch {
	case i < x.fresh:
		x.fail("the program is not deterministic: an actor that could move in the run before cannot in its repetition")
	case i == x.fresh+len(x.planned)-1: // the late step of a race, which needs what came in between
		x.blocked, x.missed = true, true
		x.others(i, -1)
		x.over = true
		x.kernel.Stop()
	case x.strict.kinds != allKinds: // two that meet may have come in the other order
		x.stricter.kinds, x.missed, x.blocked, x.over = allKinds, true, true, true
		x.kernel.Stop()
	default:
		x.fail("a step that was taken for independent has made another one impossible")
	}
}

// mark notes what there is before the new step i.
func (x *walk) mark(i int) {
	if i == x.marked {
		return
	}
	x.marked = i
	x.marks = append(x.marks[:i], mark{int32(len(x.accesses)), int32(len(x.races)), int32(len(x.waits)), int32(len(x.dues))})
	if i == x.fresh { // or later, when there are some
		x.mixed = x.kernel.Others() > 0
	}
}

// Value implements choice.Source.
func (x *walk) Value(site choice.Site, n int) int {
	if x.over {
		return 0
	}
	if site.Chance {
		return x.draw(2) * (n - 1)
	}
	return x.draw(n)
}

// draw decides a number below n.
func (x *walk) draw(n int) int {
	owner := int32(x.depth - 1)
	if x.drawAt == len(x.draws) {
		v := int32(0)
		if x.value < x.valueTo {
			v = x.values[x.value]
			x.value++
		}
		x.draws = append(x.draws, draw{owner: owner, n: int32(n), v: v})
	}
	d := x.draws[x.drawAt]
	x.drawAt++
	if int(d.n) != n || d.owner != owner || d.v >= d.n {
		x.fail("the program is not deterministic: it asks for another value than in the run before")
		return 0
	}
	return int(d.v)
}

// drawn are the draws of event i.
func (x *walk) drawn(i int) []draw {
	from := len(x.draws)
	for from > 0 && x.draws[from-1].owner >= int32(i) {
		from--
	}
	to := from
	for to < len(x.draws) && x.draws[to].owner == int32(i) {
		to++
	}
	return x.draws[from:to]
}

// Step implements kernel.Listener.
func (x *walk) Step(a *kernel.Actor) {
	i := x.depth
	if i < x.fresh && x.current < 0 {
		if e := &x.events[i]; e.actor != a.ID || e.op != a.Op {
			x.fail("the program is not deterministic: another step is made than in the run before")
		} else {
			x.depth++
		}
		return
	}
	x.finish()
	if x.over || x.limited(i) {
		return
	}
	x.mark(i) // if there was no choice
	if p := i - x.fresh; p < len(x.planned) {
		planned := x.planned[p]
		if planned.name != anyone && (planned.name != x.actorName(a) || planned.op != a.Op) {
			x.missing(i)
			return
		}
		x.value = x.valueTo
		x.valueTo += int(planned.draws)
	} else {
		x.value = x.valueTo
	}
	if (a.Kind == kernel.ClockActor || x.idle(a) || x.kernel.OneOrder()) && i > 0 && !x.events[i-1].time() {
		x.waiting() // nothing after it races with anything before
	}
	x.events = append(x.events[:i], event{})
	x.begin(i, a)
	x.fix(a)
	x.depth++
}

// limited ends a run that has as many steps as it may.
func (x *walk) limited(i int) bool {
	if x.limit == 0 || i < x.limit {
		return false
	}
	x.cut, x.over = true, true
	x.kernel.Stop()
	return true
}

// fail ends the run, and with it the search.
func (x *walk) fail(defect string) {
	x.defect, x.over = defect, true
	x.kernel.Stop()
}

// Over implements kernel.Listener.
func (x *walk) Over() {
	x.finish()
	if at := int(x.leaf.at.depth); at < x.depth && x.events[at].halts && !x.leaf.all && x.leaf.name != anyone {
		x.stricter.kinds |= others // that it does was not known when it was planned
	}
	if !x.over {
		x.mark(x.depth)
		x.waiting()
		if x.mixed && !x.kernel.Stopped() && !x.kernel.OneOrder() {
			x.unstruck()
		}
	}
	x.over = true
}

// finish completes the step under way and finds its races. A step that ends the run, with a failure, counts as one that touches
// everything, and what else could move then is tried instead.
func (x *walk) finish() {
	ends := x.kernel.Stopped() && !x.over
	x.all = x.all || ends
	i, ok := x.settle()
	if !ok {
		return
	}
	x.events[i].halts = x.events[i].halts || ends
	x.open(i)
	x.late = int32(i)
	x.order(i, x.racing)
	if x.mixed {
		for _, id := range x.due(i) {
			if id < 0 {
				continue
			}
			if a := x.kernel.Actor(id); id != x.events[i].actor && !a.Enabled() { // it was stopped, and would never be seen to race
				x.instead(i, i+1, a)
			}
		}
	}
	x.mixed = x.kernel.Others() > 0
	if ends && !x.events[i].fixed {
		x.others(i, x.events[i].actor)
	}
}

// backTo forgets the events from i on.
func (x *walk) backTo(i int) {
	for j := len(x.events) - 1; j >= i; j-- {
		x.unsettle(j)
	}
	x.events = x.events[:min(i, len(x.events))]
	if i < len(x.marks) {
		m := x.marks[i]
		x.accesses, x.races, x.waits, x.dues = x.accesses[:m.accesses], x.races[:m.races], x.waits[:m.waits], x.dues[:m.dues]
		x.marks = x.marks[:i]
	}
	for n := len(x.draws); n > 0 && x.draws[n-1].owner >= int32(i); n-- {
		x.draws = x.draws[:n-1]
	}
}
