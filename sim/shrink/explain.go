package shrink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// Explanation says why a failure comes to pass: its story, what it needs, and the run that is nearest to it and passes. It is data for
// whoever shows it.
type Explanation struct {
	Property string   `json:"property"`
	Message  string   `json:"message"`
	Steps    int64    `json:"steps"`
	Story    []Line   `json:"story"`
	Needs    []Need   `json:"needs"`
	Orders   []Order  `json:"orders"`
	Nearest  *Near    `json:"nearest,omitempty"` // none: no run that was tried passes
	Runs     int      `json:"runs"`              // that were made to find out
	Replayed int64    `json:"replayed_steps"`    // in all of them
	Bug      []string `json:"bug_needs"`         // in a sentence each: the orders or, without any, the decisions that it needs
	Races    int      `json:"races"`             // pairs of steps of different tasks whose order could have been another one
	Turned   int      `json:"turned"`            // of these, how many were turned round, the latest ones

	Interrupted bool `json:"interrupted,omitempty"` // not all of it was tried, since the context was done or the limit reached
}

// Line is a line of the story: a step that matters, steps in a row that do not, or lines that come again and again.
type Line struct {
	Step      int64         `json:"step"` // 0 is the set-up
	Time      time.Duration `json:"time_ns"`
	Task      string        `json:"task,omitempty"`
	Operation string        `json:"operation,omitempty"`
	Object    string        `json:"object,omitempty"` // by its name
	Meaning   []string      `json:"meaning,omitempty"`
	Decisions []int         `json:"decisions,omitempty"` // numbers of the decisions of Needs that were made here, from 1
	Switch    bool          `json:"switch,omitempty"`    // another task would have moved by default
	Decisive  bool          `json:"decisive,omitempty"`  // one end of an order in Orders
	Failed    bool          `json:"failed,omitempty"`    // the property was violated

	Left   int64    `json:"left_out,omitempty"` // so many steps, from Step on, are left out ...
	Of     []string `json:"of,omitempty"`       // ... of these tasks
	Again  int      `json:"again,omitempty"`    // so many times more, from Step on, ...
	Repeat int      `json:"repeat,omitempty"`   // ... what the so many lines before say
}

// Need is a decision beside the default. Without it there is no failure, or another one.
type Need struct {
	Decision string      `json:"decision"`
	Step     int64       `json:"step"`            // for which, or in the course of which, it was made
	Means    string      `json:"means,omitempty"` // of a decision who moves: what comes between what; of a value: what the set-up says
	Without  string      `json:"without"`         // the property that the run violates without it, or NoWorld; empty: it passes
	Larger   bool        `json:"larger"`          // it can be left out, and the failure is larger then
	First    *Difference `json:"first_difference,omitempty"`
}

// Order is a pair of steps that could have come the other way round, and then there would have been no failure.
type Order struct {
	First Point  `json:"first"`
	Then  Point  `json:"then"`
	Until *Point `json:"until,omitempty"` // if Then's task made it between two steps of First's task: the second one
}

// Point is a step in a few words.
type Point struct {
	Step      int64    `json:"step"`
	Task      string   `json:"task"`
	Operation string   `json:"operation"`
	Object    string   `json:"object,omitempty"`
	Meaning   []string `json:"meaning,omitempty"`
}

// Near is the run, of those that pass, that goes on like the failure for longest.
type Near struct {
	Change string     `json:"change"` // what is otherwise
	Steps  int64      `json:"steps"`
	First  Difference `json:"first_difference"`

	// Here and There are the failure and that run from a little before the difference on, for who shows them side by side.
	Here  []Line `json:"-"`
	There []Line `json:"-"`
}

// Difference is the first place in which two runs differ: a step, or what one meant.
type Difference struct {
	Step  int64  `json:"step"`
	Here  string `json:"here"`  // in the failure
	There string `json:"there"` // in the other run
}

// NoWorld is what there is without a decision that the set-up fails without.
const NoWorld = "set-up"

// passed says whether the run is a whole one that violated nothing. A set-up that fails makes no step.
func (r Run) passed() bool { return r.Property == "" && r.Steps > 0 }

// mostRaces bounds for how many races the other order is tried, the latest first.
const mostRaces = 200

// mostSteps bounds the steps of all these runs together.
const mostSteps = 500_000

// Explain explains the failure of a token, which should be a small one. A failure that does not reproduce is a [NotReproducedError];
// one of very many steps is a [TooLongError]; other errors are those of the scenario. A context that is done and a limit end it early.
func Explain(ctx context.Context, sc *sim.Scenario, token choice.Token, limits Limits) (*Explanation, error) {
	replayer, err := search.NewReplayer(sc, token)
	if err != nil {
		return nil, err
	}
	defer replayer.Close()
	e := &explainer{ctx: ctx, limits: limits, world: world{replayer: replayer}}
	failure, err := e.world.first(token)
	if err != nil {
		return nil, err
	}
	message := failure.Message
	if failure, err = e.begin(failure); err != nil {
		return nil, err
	}
	explanation, err := e.explain(failure)
	if err == nil {
		explanation.Message = message
	}
	return explanation, err
}

// explainer is the state of the work.
type explainer struct {
	ctx    context.Context
	limits Limits
	world  world
	list   []choice.Deviation
	failed Run
	whole  *chronicle // of the failure
	result Explanation
	ends   map[int]bool // moments that are an end of an order or of a need
	near   int          // moments that the nearest passing run has in common
	passed *chronicle   // that run
}

func (e *explainer) explain(failure Run) (*Explanation, error) {
	var err error
	e.list, e.ends, e.near = failure.Taken, map[int]bool{}, -1
	if e.failed, e.whole, err = e.told(e.list); err != nil {
		return nil, err
	}
	if !e.failed.same(failure) {
		return nil, &UnstableError{failure, e.failed}
	}
	e.result = Explanation{Property: failure.Property, Message: failure.Message, Steps: failure.Steps, Needs: []Need{}, Orders: []Order{}}
	if err := e.needs(); err != nil {
		return nil, err
	}
	if err := e.orders(); err != nil {
		return nil, err
	}
	e.result.Story, e.result.Bug = e.story(), e.bug()
	if n := e.result.Nearest; n != nil {
		n.Here, n.There = e.whole.beside(e.near, e.ends), e.passed.beside(e.near, nil)
	}
	return &e.result, nil
}

// told makes the run of a list and writes it down.
func (e *explainer) told(list []choice.Deviation) (Run, *chronicle, error) {
	e.result.Runs++
	w := &e.world
	c := newChronicle(&w.recorder)
	w.replay.Begin(list, c)
	w.recorder.Begin(&w.replay, w.replay.Tracer())
	r, err := w.run(&w.recorder, w.recorder.Tracer(), e.maxSteps())
	e.result.Replayed += r.Steps + replayCost
	return r, c, err
}

// maxSteps bounds the other runs: one that goes on for much longer does not pass.
func (e *explainer) maxSteps() int64 {
	if e.failed.Steps == 0 {
		return 0
	}
	return 20*e.failed.Steps + 100_000
}

// over says that no further run is to be made.
func (e *explainer) over() bool {
	return e.ctx.Err() != nil || e.limits.Steps > 0 && e.result.Replayed >= e.limits.Steps
}

// needs leaves out each decision in turn.
func (e *explainer) needs() error {
	for i, d := range e.list {
		at := slices.IndexFunc(e.whole.moments, func(m moment) bool { return slices.Contains(m.decided, i) })
		n := Need{Decision: e.decision(i), Step: e.whole.moments[max(at, 0)].step}
		if e.result.Interrupted = e.over(); !e.result.Interrupted {
			r, other, err := e.told(without(e.list, i, i+1))
			if err != nil {
				return err
			}
			n.Without, n.Larger = r.Property, alike(r, e.failed)
			if r.Steps == 0 {
				n.Without = NoWorld
			}
			if where := e.whole.parts(other); where >= 0 {
				n.First = e.whole.difference(other, where)
				if r.passed() {
					e.nearer(where, "without decision "+fmt.Sprint(i+1), other, r)
				}
			}
			switch {
			case d.Value == 0 && at > 0:
				n.Means = e.means(at, other)
			case d.Value > 0 && !e.whole.chances[i] && n.First != nil && n.First.Step == 0:
				n.Means = instead(n.First.Here, n.First.There)
			}
		}
		e.result.Needs = append(e.result.Needs, n)
	}
	return nil
}

// orders turns races round, the latest first, and keeps those whose other order passes.
func (e *explainer) orders() error {
	var passing []race
	races := e.whole.races()
	e.result.Races = len(races)
	steps := int64(0)
	for _, r := range races[:min(mostRaces, len(races))] {
		if e.result.Interrupted = e.over(); e.result.Interrupted || steps > mostSteps {
			break
		}
		e.result.Turned++
		run, other, err := e.turn(r)
		if err != nil {
			return err
		}
		steps += run.Steps
		if where := e.whole.parts(other); run.passed() && where >= 0 {
			passing = append(passing, r)
			e.nearer(where, fmt.Sprintf("with step %d before step %d", e.whole.moments[r.then].step, e.whole.moments[r.first].step), other, run)
		}
	}
	e.result.Orders = e.ordered(passing)
	return nil
}

func (e *explainer) turn(r race) (Run, *chronicle, error) {
	e.result.Runs++
	w := &e.world
	c := newChronicle(nil)
	var t turned
	t.begin(e.whole, e.list, r, c)
	w.recorder.Begin(&t, t.values.Tracer())
	run, err := w.run(&w.recorder, w.recorder.Tracer(), e.maxSteps())
	e.result.Replayed += run.Steps + replayCost
	return run, c, err
}

// mostOrders is how many orders are told.
const mostOrders = 8

// ordered are the orders to tell: first those in which a task comes between two steps of another one. One for each pair of tasks.
func (e *explainer) ordered(passing []race) []Order {
	moments := e.whole.moments
	orders := []Order{}
	told := map[[2]uint64]bool{}
	tell := func(o Order, first, then int) {
		pair := [2]uint64{moments[first].actor, moments[then].actor}
		if told[pair] || told[[2]uint64{pair[1], pair[0]}] || len(orders) == mostOrders {
			return
		}
		told[pair] = true
		e.ends[first], e.ends[then] = true, true
		orders = append(orders, o)
	}
	for _, after := range passing {
		for _, before := range passing {
			if moments[before.first].actor == moments[after.then].actor && moments[before.then].actor == moments[after.first].actor &&
				before.then <= after.first {
				until := e.whole.point(after.then)
				tell(Order{First: e.whole.point(before.first), Then: e.whole.point(before.then), Until: &until}, before.first, before.then)
				e.ends[after.then] = true
				break
			}
		}
	}
	for _, r := range passing {
		tell(Order{First: e.whole.point(r.first), Then: e.whole.point(r.then)}, r.first, r.then)
	}
	return orders
}

// nearer keeps a passing run that goes on like the failure for longer than those before.
func (e *explainer) nearer(where int, change string, other *chronicle, r Run) {
	if where > e.near {
		e.near, e.passed = where, other
		e.result.Nearest = &Near{Change: change, Steps: r.Steps, First: *e.whole.difference(other, where)}
	}
}

// parts is the first moment that differs from that of another run, or means something else; -1 for none.
func (c *chronicle) parts(other *chronicle) int {
	for i := range c.moments {
		if i >= len(other.moments) || !c.moments[i].is(&other.moments[i]) || !slices.Equal(c.moments[i].notes, other.moments[i].notes) {
			return i
		}
	}
	if len(other.moments) > len(c.moments) {
		return len(c.moments)
	}
	return -1
}
