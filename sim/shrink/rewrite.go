package shrink

import (
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// trace is a recorded run: each step with what it touched, and where decisions could be made.
type trace struct {
	steps    []step
	accesses []access
	visits   []visit
	names    *names
}

type step struct {
	actor    uint64 // hash of its path
	accesses int32  // end of its accesses; they begin where those of the step before end
	barrier  bool
	did      address
}

type access struct {
	object int32
	family family
}

// family groups operations on an object that commute with each other, whatever its state. Steps of other families, and two
// of the family none, keep their order. That is more than the table of dependence says, which knows of fewer orders that
// matter, but the table tells apart what conflicts from what enables, and here both must be kept.
type family uint8

const (
	none family = iota
	looking
	reading
	adding
)

func familyOf(op choice.Op) family {
	switch op {
	case kernel.OpNow, kernel.OpLoad, kernel.OpLen:
		return looking
	case kernel.OpRLock, kernel.OpRUnlock:
		return reading
	case kernel.OpAdd:
		return adding
	default:
		return none
	}
}

// add takes the next step. A strike may hit anything and looks at who moved before it, and time passes when nothing else can
// happen: what comes before them stays before, and what comes after, after.
func (t *trace) add(a *choice.Actor, did address) {
	for i := range a.Accesses() {
		if o, op := a.Access(i); o != nil {
			t.accesses = append(t.accesses, access{o.ID(), familyOf(op)})
		}
	}
	strike := a.Kind == kernel.FaultActor
	if strike && len(t.steps) > 0 {
		t.steps[len(t.steps)-1].barrier = true
	}
	t.steps = append(t.steps, step{a.PathHash(), int32(len(t.accesses)), strike || a.Kind == kernel.ClockActor, did})
}

// touched is what has been done to an object lately: the steps of the family that is at it, and those that these must follow.
type touched struct {
	family        family
	group, before []int32
}

// plan is the partial order of the steps of a trace.
type plan struct {
	actors []uint64           // of each step
	of     map[uint64][]int32 // steps of each actor, in order
	after  [][]int32          // for each step, those of other actors that must follow it
	before []int32            // for each step, how many of other actors must come first
}

// order finds what must stay in order.
func (t *trace) order() *plan {
	p := &plan{
		actors: make([]uint64, len(t.steps)), of: map[uint64][]int32{},
		after: make([][]int32, len(t.steps)), before: make([]int32, len(t.steps)),
	}
	objects := map[int32]*touched{}
	barrier := int32(-1)
	first := int32(0) // access of the step
	for i, s := range t.steps {
		at := int32(i)
		p.actors[i] = s.actor
		p.of[s.actor] = append(p.of[s.actor], at)
		if s.barrier {
			for j := max(barrier, 0); j < at; j++ {
				p.edge(j, at)
			}
			barrier = at
			clear(objects)
		} else if barrier >= 0 {
			p.edge(barrier, at)
		}
		for _, a := range t.accesses[first:s.accesses] {
			o := objects[a.object]
			if o == nil {
				o = &touched{family: a.family}
				objects[a.object] = o
			} else if a.family == none || a.family != o.family {
				o.family, o.before, o.group = a.family, o.group, o.before[:0]
			}
			for _, b := range o.before {
				p.edge(b, at)
			}
			o.group = append(o.group, at)
		}
		first = s.accesses
	}
	return p
}

// edge notes that a step must follow another one, if they are of different actors: those of one are in order anyway.
func (p *plan) edge(first, then int32) {
	if p.actors[first] != p.actors[then] {
		p.after[first] = append(p.after[first], then)
		p.before[then]++
	}
}

// rewriter is a source that makes the steps of a plan, in an order that the plan allows, and deviates from the default policy as
// seldom as it can: the default moves if the plan lets it, else whoever can go on for longest. Where the run is not as planned
// (what seemed independent was not), the default moves.
type rewriter struct {
	plan   *plan
	next   map[uint64]int // how many steps each actor has made
	policy choice.Policy
	values choice.Replay // answers values as the recorded run did
}

// begin starts the rewriting of a recorded run. What is traced goes on to tracer.
func (r *rewriter) begin(recorded Run, tracer choice.Tracer) {
	r.plan, r.next, r.policy = recorded.trace.order(), map[uint64]int{}, choice.Policy{}
	var values []choice.Deviation
	for _, d := range recorded.Taken {
		if d.Value > 0 {
			values = append(values, d)
		}
	}
	r.values.Begin(values, tracer)
}

// moved hears of a step.
func (r *rewriter) moved(a *choice.Actor) {
	n := r.next[a.PathHash()]
	r.next[a.PathHash()]++
	if steps := r.plan.of[a.PathHash()]; n < len(steps) {
		for _, after := range r.plan.after[steps[n]] {
			r.plan.before[after]--
		}
	}
}

// Schedule implements [choice.Source].
func (r *rewriter) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	chosen := r.policy.Decide(current, enabled)
	if r.stretch(enabled[chosen], 1) == 0 {
		longest := 0
		for i := range len(enabled) + len(armed) {
			if n := r.stretch(at(i, enabled, armed), len(r.plan.actors)); n > longest {
				chosen, longest = i, n
			}
		}
	}
	r.policy.Moved(at(chosen, enabled, armed))
	return chosen
}

// Value implements [choice.Source].
func (r *rewriter) Value(site choice.Site, n int) int { return r.values.Value(site, n) }

// stretch is how many steps in a row the plan lets an actor make now; beyond most it does not count.
func (r *rewriter) stretch(a *choice.Actor, most int) (n int) {
	steps := r.plan.of[a.PathHash()]
	for i := r.next[a.PathHash()]; n < most && i < len(steps) && r.plan.before[steps[i]] == 0; i++ {
		n++
	}
	return n
}

func at(i int, enabled, armed []*choice.Actor) *choice.Actor {
	if i < len(enabled) {
		return enabled[i]
	}
	return armed[i-len(enabled)]
}
