package explore

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// result is all that came of the runs of a program.
type result struct {
	runs, blocked int
	classes       map[uint64]int
	ends          map[string]bool // final states, deadlocks and failures
	defect        string
	strict        kinds
	failed        bool // a step has ended a run
	foreseen      bool // no step has touched more than it has announced
}

func (o result) sorted() []string { return slices.Sorted(maps.Keys(o.ends)) }

func (o result) classed() []uint64 { return slices.Sorted(maps.Keys(o.classes)) }

// program is a scenario that leaves a description of its final state.
type program struct {
	scenario *sim.Scenario
	state    func() string
	options  sim.Options
	watched  bool // faults can tell whether a task has started
}

func (p program) end(r sim.Result) string {
	end := p.state()
	if f := r.Failure; f != nil {
		if len(f.Tasks) == 0 {
			return f.Property + " " + f.Message // whatever the others have done by then
		}
		end += " " + f.Property
		var tasks []string
		for _, task := range f.Tasks {
			tasks = append(tasks, fmt.Sprint(task.Path, task.Operation, task.Object))
		}
		slices.Sort(tasks) // they come in the order of their creation
		end += fmt.Sprint(tasks)
	}
	return end
}

// reduced makes the runs that the search makes.
func reduced(t testing.TB, p program, most int) result {
	return reducedFrom(t, strictness{}, p, most)
}

func reducedFrom(t testing.TB, strict strictness, p program, most int) result {
	runner := sim.NewRunner()
	defer runner.Close()
	o := result{classes: map[uint64]int{}, ends: map[string]bool{}, strict: strict.kinds, foreseen: strict.foreseen()}
	for values := (setting{}); values != nil && o.runs+o.blocked < most; {
		plan := newPlan(strict, values)
		x := newWalk(plan, 0)
		x.identify = true
		more := x.first()
		for ; more && o.runs+o.blocked < most; more = x.next() {
			x.start()
			r, err := runner.Run(p.scenario, sim.RunConfig{Source: x, Listener: x, Options: p.options})
			require.NoError(t, err)
			if o.defect = x.defect; o.defect != "" {
				return o
			}
			if again := x.outcome().again; !again.none() {
				again.add(strict)
				return reducedFrom(t, again, p, most)
			}
			if x.blocked {
				o.blocked++
				continue
			}
			o.runs++
			o.classes[x.class(x.draws)]++
			o.ends[p.end(r)] = true
			o.failed = o.failed || r.Failure != nil && len(r.Failure.Tasks) == 0
		}
		require.True(t, more || len(plan.places) == 0)
		values = plan.setUp.next()
	}
	return o
}

// class is a number for the Mazurkiewicz trace of the run so far: equal ones have the same steps in the same partial order.
func (t *trace) class(draws []draw) (sum uint64) {
	for _, d := range draws {
		if d.owner < 0 {
			sum = kernel.Mix(sum, uint64(d.v)+1)
		}
	}
	for i := range t.events {
		s := t.summand(i)
		for _, d := range draws {
			if int(d.owner) == i {
				s = kernel.Mix(s, uint64(d.v)+1)
			}
		}
		sum += kernel.Scatter(s)
	}
	return sum
}

// watcher is a tree that looks on while another source decides.
type watcher struct {
	trace
	choice.Source
	draws   []draw
	counted int // of the draws, those of the run before
}

func (w *watcher) Value(site choice.Site, n int) int {
	times := 1
	if site.Chance {
		n, times = 2, n-1
	}
	v := w.Source.Value(site, n)
	w.draws = append(w.draws, draw{int32(len(w.events) - 1), int32(n), int32(v)})
	return v * times
}

func (w *watcher) Begin(k *kernel.Kernel) {
	w.kernel, w.setUp, w.current = k, k.Actors(), -1
	w.reset()
	w.draws = w.draws[w.counted:]
	for i := range w.draws {
		w.draws[i].owner = -1
	}
}

func (w *watcher) finish() {
	if i, ok := w.settle(); ok {
		w.open(i)
		w.order(i, func(int) bool { return true })
	}
}

func (w *watcher) Step(a *kernel.Actor) {
	w.finish()
	w.events = append(w.events, event{})
	w.begin(len(w.events)-1, a)
}

func (w *watcher) Over() {
	w.finish()
	w.counted = len(w.draws)
}

// exhaustive makes every schedule; false: there are more than most.
func exhaustive(t testing.TB, p program, most int, strict kinds) (o result, all bool) {
	everything, runner := &orderly{watched: p.watched}, sim.NewRunner()
	w := &watcher{Source: everything}
	w.identify, w.strict.kinds = true, strict
	defer runner.Close()
	o = result{classes: map[uint64]int{}, ends: map[string]bool{}}
	for everything.Next() {
		if o.runs == most {
			return o, false
		}
		r, err := runner.Run(p.scenario, sim.RunConfig{Source: w, Listener: w})
		require.NoError(t, err)
		o.runs++
		o.classes[w.class(w.draws)]++
		o.ends[p.end(r)] = true
	}
	return o, true
}

var _ choice.Source = (*walk)(nil)

// filesystem is the program of Flanagan and Godefroid ("Dynamic partial-order reduction for model checking software", POPL 2005):
// each thread gives an inode a block, the first free one from a place that depends on the inode; both under locks.
func filesystem(threads int) program {
	const inodes, blocks = 32, 26
	return program{&sim.Scenario{Name: "filesystem", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		var lockInode [inodes]sched.Mutex
		var lockBlock [blocks]sched.Mutex
		var inode [inodes]int
		var busy [blocks]bool
		for i := range lockInode {
			lockInode[i] = sched.NewMutex(s)
		}
		for i := range lockBlock {
			lockBlock[i] = sched.NewMutex(s)
		}
		thread := func(t int) func() {
			return func() {
				i := t % inodes
				lockInode[i].Lock()
				if inode[i] == 0 {
					for b := i * 2 % blocks; ; b = (b + 1) % blocks {
						lockBlock[b].Lock()
						if !busy[b] {
							busy[b], inode[i] = true, b+1
							lockBlock[b].Unlock()
							break
						}
						lockBlock[b].Unlock()
					}
				}
				lockInode[i].Unlock()
			}
		}
		return func() {
			for t := range threads {
				s.Go("thread", thread(t))
			}
		}
	}}, func() string { return "" }, sim.Options{}, false}
}

// readers is one writer of a variable and n readers of it.
func readers(n int) program {
	return program{&sim.Scenario{Name: "readers", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		x := sched.NewAtomicInt64(s, 0)
		return func() {
			s.Go("writer", func() { x.Store(1) })
			for range n {
				s.Go("reader", func() { x.Load() })
			}
		}
	}}, func() string { return "" }, sim.Options{}, false}
}

func TestClassesOfTheLiterature(t *testing.T) {
	for _, c := range []struct {
		name    string
		program program
		classes int
	}{
		{"filesystem 14", filesystem(14), 2}, {"filesystem 16", filesystem(16), 8}, {"filesystem 18", filesystem(18), 32}, {"filesystem 19", filesystem(19), 64},
		{"filesystem 26", filesystem(26), 8192},
		{"readers 2", readers(2), 4}, {"readers 8", readers(8), 256}, {"readers 13", readers(13), 8192},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.classes > 1000 && slowdown > 1 {
				t.Skip("takes half a minute under the race detector")
			}
			o := reduced(t, c.program, 100_000)
			require.Empty(t, o.defect)
			require.Equal(t, c.classes, o.runs)
			require.Len(t, o.classes, c.classes)
			t.Logf("%d blocked", o.blocked)
		})
	}
}
