//go:build !race

package sched_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// The race detector is left out: the tasks of a duel note their results without synchronisation, which would be a step.

// The dependence table against brute force. Every two operations of a family are brought to their points in every state and
// done in both orders; what can come of it after that, over all further schedules, is compared. Where the orders differ, or
// one operation makes the other impossible, the table must say that they conflict.

// family is a primitive in several states and the operations on it. It is made anew for each run.
type family struct {
	states  []state
	ops     []operation
	observe func() any // what is left in the end, without blocking
}

type state struct {
	name string
	// reach runs in the main task; helper starts a task, which goes on until it is blocked.
	reach func(helper func(f func() any))
	// hold keeps the earliest due timer, by creation, from firing until the two operations have been done.
	hold bool
}

type operation struct {
	name string
	f    func() any // nil: the firing of the timer that the state holds
	at   kernel.Op  // the step in question; OpNone: the first of f
}

// duel is one attempt: two operations from one state, in one order. It decides all that comes before, and enumerates all
// that comes after.
type duel struct {
	conformance.Enumerator
	hold     bool
	at       [2]kernel.Op // by subject
	timer    [2]bool
	order    [2]int // subjects
	phase    phase
	met      bool // both were possible
	conflict bool
	disabled bool // the second was no more possible after the first
	steps    [2]kernel.Op
}

type phase int

const (
	bringing phase = iota // both subjects to their points, helpers to where they block
	striking              // the first subject's step comes next
	answering
	following // whatever is possible, but for the main task
	observing // the main task alone
)

var subjectNames = [2]string{"first", "second"}

func (d *duel) Schedule(_ *choice.Actor, enabled, _ []*choice.Actor) int {
	if d.phase == bringing {
		for i, a := range enabled {
			if !d.held(a, enabled) {
				return i
			}
		}
		d.phase = striking
	}
	switch d.phase {
	case striking:
		first, second := d.find(d.order[0], enabled), d.find(d.order[1], enabled)
		if d.met = first >= 0 && second >= 0; !d.met {
			d.phase = observing
			break
		}
		d.phase = answering
		d.conflict = kernel.Conflict(enabled[first], enabled[second])
		d.steps = [2]kernel.Op{enabled[first].Op, enabled[second].Op}
		return first
	case answering:
		d.phase = following
		if second := d.find(d.order[1], enabled); second >= 0 {
			return second
		}
		d.disabled = true
	}
	if d.phase == following {
		var others []int
		for i, a := range enabled {
			if a.Path() != "main" {
				others = append(others, i)
			}
		}
		if len(others) > 0 {
			return others[d.Enumerator.Value(choice.Site{}, len(others))]
		}
		d.phase = observing
	}
	return max(0, slices.IndexFunc(enabled, func(a *choice.Actor) bool { return a.Path() == "main" }))
}

func (d *duel) Value(site choice.Site, n int) int {
	if d.phase == bringing {
		return 0
	}
	return d.Enumerator.Value(site, n)
}

// held says whether the actor waits for the duel.
func (d *duel) held(a *choice.Actor, enabled []*choice.Actor) bool {
	return a.Path() == "main" && a.Op == kernel.OpYield || d.find(0, enabled) >= 0 && enabled[d.find(0, enabled)] == a ||
		d.find(1, enabled) >= 0 && enabled[d.find(1, enabled)] == a || d.hold && a == earliestTimer(enabled)
}

// find is the position of a subject that is at its point and can move; -1: it is not or cannot.
func (d *duel) find(subject int, enabled []*choice.Actor) int {
	return slices.IndexFunc(enabled, func(a *choice.Actor) bool {
		if d.timer[subject] {
			return d.hold && a == earliestTimer(enabled)
		}
		if a.Path() != "main/"+subjectNames[subject] {
			return false
		}
		return d.at[subject] == kernel.OpNone && a.Op != kernel.OpStart || a.Op == d.at[subject] && a.Op != kernel.OpNone
	})
}

func earliestTimer(enabled []*choice.Actor) (earliest *choice.Actor) {
	for _, a := range enabled {
		if a.Kind == kernel.TimerActor && (earliest == nil || a.ID < earliest.ID) {
			earliest = a
		}
	}
	return earliest
}

// fight does the two operations in one order and answers all outcomes. met is false if they are never possible together.
func fight(t *testing.T, build func(*sim.World) family, st, a, b int, order [2]int) (outcomes []string, d *duel, met bool) {
	runner := sim.NewRunner()
	seen := map[string]bool{}
	d = &duel{}
	for d.Next() {
		var outcome string
		scenario := &sim.Scenario{Name: "duel", Setup: func(w *sim.World) func() {
			f := build(w)
			subjects := [2]operation{f.ops[a], f.ops[b]}
			d.phase, d.hold, d.order, d.met, d.disabled = bringing, f.states[st].hold, order, false, false
			for i, op := range subjects {
				d.at[i], d.timer[i] = op.at, op.f == nil
			}
			return func() {
				results := []string{"blocked", "blocked"}
				record := func(i int, f func() any) {
					defer func() {
						if r := recover(); r != nil {
							if text, ok := r.(string); ok {
								results[i] = "panic: " + text
								return
							}
							panic(r)
						}
					}()
					results[i] = fmt.Sprint(f())
				}
				s := w.Host().Scheduler()
				f.states[st].reach(func(f func() any) {
					i := len(results)
					results = append(results, "blocked")
					s.Go("helper", func() { record(i, f) })
				})
				for i, op := range subjects {
					if op.f != nil {
						s.Go(subjectNames[i], func() { record(i, op.f) })
					}
				}
				sched.Yield(s)
				outcome = strings.Join(results, ", ")
				outcome += fmt.Sprintf("; left: %v", f.observe())
			}
		}}
		_, err := runner.Run(scenario, sim.RunConfig{Source: d, MaxSteps: 10_000})
		require.NoError(t, err)
		if !d.met {
			return nil, d, false
		}
		if d.disabled {
			return []string{subjectNames[order[1]] + " is not possible after the other"}, d, true
		}
		seen[outcome] = true
	}
	return slices.Sorted(maps.Keys(seen)), d, true
}

// stepPair names the steps of two subjects, whichever comes first.
func stepPair(d *duel) string {
	names := []string{d.steps[0].String(), d.steps[1].String()}
	slices.Sort(names)
	return strings.Join(names, " / ")
}

func TestDependenceTable(t *testing.T) {
	differ, same, misused := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for name, build := range families {
		t.Run(name, func(t *testing.T) {
			var f family
			_, err := sim.NewRunner().Run(&sim.Scenario{Name: "count", Setup: func(w *sim.World) func() {
				f = build(w)
				return func() {}
			}}, sim.RunConfig{Source: conformance.Random(0)})
			require.NoError(t, err)
			for st := range f.states {
				for a := range f.ops {
					for b := a; b < len(f.ops); b++ {
						there, d, met := fight(t, build, st, a, b, [2]int{0, 1})
						if !met || d.timer == [2]bool{true, true} {
							continue
						}
						back, e, met := fight(t, build, st, a, b, [2]int{1, 0})
						require.True(t, met)
						require.Equal(t, d.conflict, e.conflict, "the table is not symmetric")
						pair := stepPair(d)
						if fmt.Sprint(there) != fmt.Sprint(back) {
							differ[pair] = true
							switch misuse := strings.Contains(fmt.Sprint(there, back), "panic: sync: "); {
							case d.conflict:
							case misuse:
								misused[pair] = true
							default:
								t.Errorf("%s, %s and %s (%s): no conflict by the table, but one order gives\n\t%s\nand the other\n\t%s", f.states[st].name,
									f.ops[a].name, f.ops[b].name, pair, strings.Join(there, "\n\t"), strings.Join(back, "\n\t"))
							}
						} else if d.conflict {
							same[pair] = true
						}
					}
				}
			}
		})
	}
	for pair := range differ {
		delete(same, pair)
	}
	require.Empty(t, slices.Sorted(maps.Keys(same)), "pairs that the table calls conflicts although their order never mattered")
	require.Equal(t, onlyMisuse, slices.Sorted(maps.Keys(misused)), "pairs that the table does not call conflicts although one order is a misuse")
}
