package choice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Replay is a source that follows a list of deviations: the default policy everywhere, but for the addresses in the list. On
// the build that recorded the list it repeats the run exactly. On changed code it goes as far as the list fits, and on from there by the
// default policy with every entry that still fits: one whose address is never reached, or whose target cannot move there, is a default
// there, and Fit reports it.
//
// Like a Recorder it must hear of every step: a run has it as its source and its Tracer as its tracer. A Replay
// is reused from run to run, by one goroutine at a time.
type Replay struct {
	list    []Deviation
	entries map[visit]int // index into list
	state   []entryState
	tracer  Tracer
	policy  Policy
	places  places
}

// visit is one occurrence of a place.
type visit struct {
	place
	occurrence int
}

type entryState struct {
	reached bool
	problem string // why it does not fit; empty if it does
	drifted bool   // the run was already another one here
}

// Begin starts a replay. What is traced goes on to tracer, if that is not nil.
func (r *Replay) Begin(list []Deviation, tracer Tracer) {
	r.list, r.tracer = list, tracer
	r.policy = Policy{}
	r.places.reset()
	if r.entries == nil {
		r.entries = map[visit]int{}
	}
	clear(r.entries)
	r.state = append(r.state[:0], make([]entryState, len(list))...)
	for i, d := range list {
		where := place{actor: r.places.name(d.Actor), object: r.places.name(d.Object)}
		if d.Value > 0 {
			where.point = numberOfOps + r.places.name(d.Point)
		} else {
			op, ok := kernel.ParseOp(d.Point)
			if !ok {
				r.state[i].problem = "this build has no operation of that name"
				continue
			}
			where.point = int32(op)
			r.places.name(d.Target)
		}
		v := visit{where, d.Occurrence}
		if _, twice := r.entries[v]; twice {
			r.state[i].problem = "another entry has the same address"
			continue
		}
		r.entries[v] = i
	}
	r.places.closed = true
}

// Tracer hears of the steps of the run and hands everything on to the tracer given to Begin.
func (r *Replay) Tracer() Tracer { return listener{&r.places, r.tracer} }

// Schedule implements [Source].
func (r *Replay) Schedule(current *Actor, enabled, armed []*Actor) int {
	i := r.policy.Decide(current, enabled)
	if e, ok := r.entry(r.places.scheduling(current)); ok {
		if j := r.find(r.list[e].Target, enabled, armed); j >= 0 {
			i = j
		} else {
			r.state[e].problem = r.list[e].Target + " cannot move here; " + alternatives(enabled, armed) + " can"
		}
	}
	r.policy.Moved(at(i, enabled, armed))
	return i
}

// Value implements [Source].
func (r *Replay) Value(site Site, n int) int {
	v := 0
	where := r.places.asking(site)
	if e, ok := r.entry(where); ok {
		if want := r.list[e].Value; want < n {
			v = want
		} else {
			r.state[e].problem = fmt.Sprintf("only values below %d are asked for here", n)
		}
	}
	r.places.value(where, v)
	return v
}

// entry finds the entry of the list for the place that the run is at, and marks it as reached.
func (r *Replay) entry(where place) (int, bool) {
	if !where.known() {
		return 0, false
	}
	e, ok := r.entries[visit{where, r.places.occurrence(where)}]
	if !ok {
		return 0, false
	}
	s := &r.state[e]
	s.reached = true
	s.drifted = r.places.check() != r.list[e].Check
	return e, true
}

// find is the position of the actor with that path, -1 if it cannot move.
func (r *Replay) find(path string, enabled, armed []*Actor) int {
	target := r.places.name(path)
	for i, a := range enabled {
		if r.places.actor(a) == target {
			return i
		}
	}
	for i, a := range armed {
		if r.places.actor(a) == target {
			return len(enabled) + i
		}
	}
	return -1
}

func alternatives(enabled, armed []*Actor) string {
	const most = 6
	var paths []string
	for _, list := range [][]*Actor{enabled, armed} {
		for _, a := range list {
			if len(paths) == most {
				return strings.Join(paths, ", ") + fmt.Sprintf(" and %d more", len(enabled)+len(armed)-most)
			}
			paths = append(paths, a.Path())
		}
	}
	return strings.Join(paths, ", ")
}

// Misfit is an entry that did not fit the run.
type Misfit struct {
	Entry     int // index into the list
	Deviation Deviation
	Problem   string // what this run had in its place
}

// Fit says how well a list fitted the run that followed it.
type Fit struct {
	Entries int // in the list
	Misfits []Misfit

	// Diverged names the first place, in the order of the list, where the run is known to differ from the recorded one: what
	// the list says, and what this run did. It is empty if every entry fitted and met the history it was recorded in.
	Diverged string
}

// Exact says whether all entries fitted.
func (f Fit) Exact() bool { return f.Diverged == "" }

// Fit reports on the replay, once the run is over.
func (r *Replay) Fit() Fit {
	f := Fit{Entries: len(r.list)}
	for i, d := range r.list {
		s := r.state[i]
		problem := s.problem
		if problem == "" && !s.reached {
			problem = r.instead(d)
		}
		if problem != "" {
			f.Misfits = append(f.Misfits, Misfit{Entry: i, Deviation: d, Problem: problem})
		} else if s.drifted {
			problem = "the entry fits, but what this run did before it differs"
		}
		if problem != "" && f.Diverged == "" {
			f.Diverged = r.divergence(i, problem)
		}
	}
	return f
}

// instead says what this run had of the address of an entry that it never reached.
func (r *Replay) instead(d Deviation) string {
	who := place{actor: r.places.name(d.Actor), object: r.places.name(d.Object)}
	if d.Value > 0 {
		who.point = numberOfOps + r.places.name(d.Point)
	} else {
		op, _ := kernel.ParseOp(d.Point)
		who.point = int32(op)
	}
	switch times := r.places.reached[who]; {
	case times == 1:
		return "this run came there once"
	case times > 1:
		return fmt.Sprintf("this run came there %d times", times)
	case d.Actor != "" && !slices.Contains(r.places.actors, who.actor+1):
		return "this run never came there: nobody in it is " + d.Actor
	default:
		return "this run never came there"
	}
}

// divergence describes the first entry that differs. The digest kept in an entry tells whether the run had already left the
// recorded one before it, which puts the difference between the last good entry and this one.
func (r *Replay) divergence(i int, problem string) string {
	text := fmt.Sprintf("decision %d of %d in the token: %s; here: %s", i+1, len(r.list), r.list[i], problem)
	if s := r.state[i]; !s.reached || s.drifted {
		if i == 0 {
			return text + " (the difference lies before the first decision)"
		}
		return text + fmt.Sprintf(" (the difference lies after decision %d)", i)
	}
	return text
}
