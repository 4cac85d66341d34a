package explore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// oracle makes every schedule but what follows states in which it was before: it tries all that can move at each state once, depth first. A
// state is known by the class of the steps that led there. It knows nothing of races, sleeping, plans and reversals.
type oracle struct {
	watcher
	points  []point
	at      int
	known   map[uint64]bool
	pruned  bool
	watched bool
}

func (o *oracle) next() bool {
	for n := len(o.points); n > 0; n-- {
		if p := &o.points[n-1]; p.v+1 < p.n {
			p.v++
			o.points = o.points[:n]
			return true
		}
	}
	return false
}

func (o *oracle) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	o.finish()
	for i, a := range enabled { // what touches nothing comes first
		if !o.watched && (a.Op == kernel.OpStart || a.Op == kernel.OpResume) {
			return i
		}
	}
	if o.at == len(o.points) {
		state := o.class(o.draws)
		if o.known[state] {
			o.pruned = true
			o.kernel.Stop()
			return 0
		}
		o.known[state] = true
		p := point{}
		for _, a := range enabled {
			p.actors = append(p.actors, a.ID)
		}
		for _, a := range armed {
			p.actors = append(p.actors, a.ID)
		}
		p.n = int32(len(p.actors))
		o.points = append(o.points, p)
	}
	p := &o.points[o.at]
	o.at++
	return max(o.kernel.Choice(p.actors[p.v]), 0)
}

func (o *oracle) value(n int) int {
	if o.pruned {
		return 0
	}
	if o.at == len(o.points) {
		o.points = append(o.points, point{n: int32(n)})
	}
	o.at++
	return int(o.points[o.at-1].v)
}

// values is the oracle as the watcher's source of values.
type values struct{ *oracle }

func (v values) Value(_ choice.Site, n int) int { return v.value(n) }

// everyState is what the oracle finds; false: there are more than so many states.
func everyState(t testing.TB, p program, most int, strict kinds) (r result, all bool) {
	o, runner := &oracle{known: map[uint64]bool{}, watched: p.watched}, sim.NewRunner()
	o.Source, o.identify, o.strict.kinds = values{o}, true, strict
	defer runner.Close()
	r = result{classes: map[uint64]int{}, ends: map[string]bool{}}
	for more := true; more; more = o.next() {
		if len(o.known) > most {
			return r, false
		}
		o.at, o.pruned = 0, false
		run, err := runner.Run(p.scenario, sim.RunConfig{Source: o, Listener: o, Options: p.options})
		require.NoError(t, err)
		if o.pruned {
			continue
		}
		r.runs++
		r.classes[o.class(o.draws)]++
		r.ends[p.end(run)] = true
	}
	return r, true
}
