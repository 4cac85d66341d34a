package explore

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// within makes the runs within a bound that the bounded search makes.
func within(t testing.TB, p program, bound Bound, most int) (ends map[string]bool, runs, pruned int) {
	return withinFrom(t, p, bound, most, strictness{})
}

func withinFrom(t testing.TB, p program, bound Bound, most int, strict strictness) (ends map[string]bool, runs, pruned int) {
	runner := sim.NewRunner()
	defer runner.Close()
	ends = map[string]bool{}
	for values := (setting{}); values != nil; {
		b := newBounded(bound, most, 0, strict, values)
		for more := true; more; more = b.next() {
			b.start()
			r, err := runner.Run(p.scenario, sim.RunConfig{Source: b, Listener: b, Options: p.options})
			require.NoError(t, err)
			require.Empty(t, b.defect)
			require.LessOrEqual(t, int(b.used), most)
			if again := b.outcome().again; !again.none() {
				again.add(b.strict)
				return withinFrom(t, p, bound, most, again)
			}
			if b.pruned {
				pruned++
				continue
			}
			runs++
			ends[p.end(r)] = true
		}
		values = b.values.next()
	}
	return ends, runs, pruned
}

// counter counts the preemptions and the delays of a run that another source decides.
type counter struct {
	watcher
	running *kernel.Actor
	turn    *kernel.Actor // running, if it could go on whenever another moved
	costs   [Delays + 1]int
}

func (c *counter) Begin(k *kernel.Kernel) {
	c.watcher.Begin(k)
	c.running, c.turn, c.costs = nil, nil, [Delays + 1]int{}
}

func (c *counter) Step(a *kernel.Actor) {
	if c.turn != nil && a != c.turn && !c.turn.Enabled() {
		c.turn = nil
	}
	if a.Kind == kernel.TaskActor {
		if c.turn != nil && a != c.turn {
			c.costs[Preemptions]++
		}
		c.turn = a
		var round []uint64 // all who could move, and who moved last
		c.kernel.Tasks(func(t *kernel.Actor) {
			if t.Enabled() || t == c.running {
				round = append(round, c.actorName(t))
			}
		})
		from := uint64(0)
		if c.running != nil {
			from = c.actorName(c.running)
			if !slices.Contains(round, from) {
				round = append(round, from)
			}
		}
		slices.Sort(round)
		for at := max(slices.Index(round, from), 0); round[at%len(round)] != c.actorName(a); at++ {
			if c.running == nil || round[at%len(round)] != from || c.running.Enabled() {
				c.costs[Delays]++
			}
		}
		c.running = a
	}
	c.watcher.Step(a)
}

// allWithin is what comes of all schedules within bounds up to, but without, three; false: there are more than most schedules.
func allWithin(t testing.TB, p program, most int) (ends [Delays + 1][3]map[string]bool, all bool) {
	for _, bound := range []Bound{Preemptions, Delays} {
		for n := range ends[bound] {
			ends[bound][n] = map[string]bool{}
		}
	}
	everything, runner, c, runs := new(conformance.Enumerator), sim.NewRunner(), new(counter), 0
	defer runner.Close()
	for everything.Next() {
		if runs++; runs > most {
			return ends, false
		}
		c.Source = everything
		r, err := runner.Run(p.scenario, sim.RunConfig{Source: c, Listener: c, Options: p.options})
		require.NoError(t, err)
		end := p.end(r)
		for _, bound := range []Bound{Preemptions, Delays} {
			for n := c.costs[bound]; n < len(ends[bound]); n++ {
				ends[bound][n][end] = true
			}
		}
	}
	return ends, true
}

func TestBoundedSearchEndsAsAllSchedulesWithinTheBound(t *testing.T) {
	s := []shape{{tasks: 3, length: 2, variables: 2, locks: 2, channels: 2}}
	everyProgram(t, 3, s, number(t, "HEDDLE_BOUNDED", 100), func(t *testing.T, what string, src source, s shape) bool {
		p := src.build(s)
		want, all := allWithin(t, p, number(t, "HEDDLE_MOST", 300))
		for _, bound := range []Bound{Preemptions, Delays} {
			for n := range want[bound] {
				if all {
					got, _, _ := within(t, p, bound, n)
					require.Equal(t, slices.Sorted(maps.Keys(want[bound][n])), slices.Sorted(maps.Keys(got)), "%s, bound %d of kind %d", what, n, bound)
				}
			}
		}
		return all
	})
}

// overtaken is a program that fails if the reader comes between the two stores of the writer, beside others that do something else.
func overtaken(others int) *sim.Scenario {
	return &sim.Scenario{Name: "overtaken", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		x := sched.NewAtomicInt64(s, 0)
		return func() {
			for range others {
				s.Go("other", func() { sched.NewAtomicInt64(s, 0).Store(1) })
			}
			s.Go("reader", func() {
				if x.Load() == 1 {
					w.Fail("overtaken", "it reads 1")
				}
			})
			x.Store(1)
			x.Store(2)
		}
	}}
}

// turns is a program of tasks that add to one number.
func turns(tasks, times int) *sim.Scenario {
	return &sim.Scenario{Name: "turns", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		x := sched.NewAtomicInt64(s, 0)
		return func() {
			for range tasks {
				s.Go("task", func() {
					for range times {
						x.Add(1)
					}
				})
			}
		}
	}}
}

func TestABoundIsKeptWhicheverSearchIsFirstAtItsEnd(t *testing.T) {
	explored := func(s *sim.Scenario, most int) *Report {
		report, err := Run(t.Context(), Config{Scenario: s, Bound: Preemptions, Most: most, Workers: 2})
		require.NoError(t, err)
		return report
	}
	all := explored(readers(6).scenario, 6)
	require.True(t, all.Complete)
	require.True(t, all.Whole, "64 classes in far more interleavings")
	require.EqualValues(t, 64, all.Executions)

	some := explored(turns(3, 6), 0)
	require.True(t, some.Complete)
	require.False(t, some.Whole, "17 million classes, six of them without a preemption")
	require.Less(t, some.Executions, int64(100))

	both := explored(&sim.Scenario{Name: "both", Setup: func(w *sim.World) func() {
		s := [...]*sim.Scenario{readers(6).scenario, turns(3, 6)}[w.Value("which", 2)]
		return s.Setup(w)
	}}, 0)
	require.True(t, both.Complete)
	require.False(t, both.Whole, "each value of the set-up is explored by itself, and of one there are too many classes")

	none := explored(overtaken(3), 0)
	require.True(t, none.Complete, none.Left)
	require.False(t, none.Whole)
	require.Empty(t, none.Failures, "it needs a preemption")
	require.NotEmpty(t, explored(overtaken(3), 1).Failures)
}
