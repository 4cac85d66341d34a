package search

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// first lets the main task go on for as long as it can, and then the first task that was spawned or, if false, the last.
type first bool

func (f first) Schedule(_ *choice.Actor, enabled, _ []*choice.Actor) int {
	earliest, latest := 0, 0
	for i, a := range enabled {
		if a.Name() == "main" {
			return i
		}
		if a.ID < enabled[earliest].ID {
			earliest = i
		}
		if a.ID > enabled[latest].ID {
			latest = i
		}
	}
	if f {
		return earliest
	}
	return latest
}

func (first) Value(choice.Site, int) int { return 0 }

// shared is what the tasks of a test share.
type shared struct {
	n, m *sched.AtomicInt64
	mu   sched.Mutex
	c    *sched.Chan[int]
}

type task struct {
	name string
	does func(*shared)
}

// ordersOf are the pairs of a run of these tasks, one after the other.
func ordersOf(t *testing.T, inTurn first, tasks ...task) []uint64 {
	o := &orders{}
	o.begin()
	sc := &sim.Scenario{Name: "pairs", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		all := &shared{n: sched.NewAtomicInt64(s, 0), m: sched.NewAtomicInt64(s, 0), mu: sched.NewMutex(s), c: sched.NewChan[int](s, 8)}
		return func() {
			for _, task := range tasks {
				s.Go(task.name, func() { task.does(all) })
			}
		}
	}}
	runner := sim.NewRunner()
	defer runner.Close()
	result, err := runner.Run(sc, sim.RunConfig{Source: inTurn, Listener: o})
	require.NoError(t, err)
	require.Nil(t, result.Failure)
	pairs := slices.Sorted(slices.Values(o.pairs))
	require.Len(t, slices.Compact(slices.Clone(pairs)), len(pairs), "each once")
	return pairs
}

func TestOrdersAreOfOperationsThatConflict(t *testing.T) {
	load, store := func(s *shared) { s.n.Load() }, func(s *shared) { s.n.Store(1) }
	other := func(s *shared) { s.m.Store(1) }
	locked := func(s *shared) { s.mu.Lock(); s.mu.Unlock() }
	for _, c := range []struct {
		what  string
		pairs int
		tasks []task
	}{
		{"a store after a store", 1, []task{{"a", store}, {"b", store}}},
		{"of one task alone", 0, []task{{"a", func(s *shared) { store(s); store(s); load(s) }}}},
		{"loads of what was stored, in any order", 2, []task{{"a", store}, {"b", load}, {"c", load}}},
		{"loads alone", 0, []task{{"a", load}, {"b", load}}},
		{"what has come between counts", 2, []task{{"a", store}, {"b", store}, {"c", load}}},
		{"at two objects", 0, []task{{"a", store}, {"b", other}}},
		{"at both objects", 2, []task{{"a", func(s *shared) { store(s); other(s) }}, {"b", func(s *shared) { store(s); other(s) }}}},
		{"locks although each was unlocked, and unlocks", 2, []task{{"a", locked}, {"b", locked}}},
		{"a send and its receive", 0, []task{{"a", func(s *shared) { s.c.Send(1) }}, {"b", func(s *shared) { s.c.Recv() }}}},
		{"two sends", 1, []task{{"a", func(s *shared) { s.c.Send(1) }}, {"b", func(s *shared) { s.c.Send(1) }}}},
	} {
		require.Len(t, ordersOf(t, true, c.tasks...), c.pairs, c.what)
	}
	two := []task{{"a", store}, {"b", load}}
	require.NotEqual(t, ordersOf(t, true, two...), ordersOf(t, false, two...), "a load before and one after the store")

	var many []task
	for range 100 {
		many = append(many, task{"a", store})
	}
	require.Equal(t, ordersOf(t, true, many[:2]...), ordersOf(t, true, many...), "tasks of one name are alike")
}

func TestOrdersForgetTheRunBefore(t *testing.T) {
	o := &orders{}
	for range 3 {
		o.begin()
		for i := range uint64(mostOrders + 10) {
			o.note(i * i)
			o.note(i * i)
		}
		require.Len(t, o.pairs, mostOrders, "and are bounded")
	}
	require.Zero(t, testing.AllocsPerRun(10, func() {
		o.begin()
		o.note(7)
	}))
}

// pingPong is a program of nothing but operations that conflict.
var pingPong = &sim.Scenario{Name: "ping-pong", Setup: func(w *sim.World) func() {
	s := w.Host().Scheduler()
	n, mu := sched.NewAtomicInt64(s, 0), sched.NewMutex(s)
	return func() {
		for i := range 4 {
			s.Go(fmt.Sprintf("task %d", i), func() {
				for range 100 {
					mu.Lock()
					n.Add(1)
					mu.Unlock()
				}
			})
		}
	}
}}

// BenchmarkMeasured is a run whose behaviour is noted, of a program that does nothing but make pairs, and of the agent. x-run is its time
// against that of a run like any other, and x-search what that comes to in a search, of whose runs one in eight is measured.
func BenchmarkMeasured(b *testing.B) {
	for _, sc := range []*sim.Scenario{pingPong, scenario.SmallAgent()} {
		b.Run(sc.Name, func(b *testing.B) {
			plain, noted := &worker{runner: sim.NewRunner()}, &worker{runner: sim.NewRunner()}
			random := parse(b, "random")
			source := random.Source()
			run := func(w *worker, measured bool, seed uint64) time.Duration {
				source.Begin(seed, 1000)
				o := outcome{plan: plan{strategy: random, measured: measured}}
				begun := time.Now()
				w.run(sc, &o, sim.RunConfig{Source: source, DataSeed: seed})
				require.NoError(b, o.err)
				return time.Since(begun)
			}
			const turns = 21
			ratios := make([]float64, turns)
			for i := range ratios {
				var without, with time.Duration
				for n := range uint64(b.N/turns + 10) {
					without += run(plain, false, n)
					with += run(noted, true, n)
				}
				ratios[i] = float64(with) / float64(without)
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[turns/2], "x-run")
			b.ReportMetric(1+(ratios[turns/2]-1)/measuredShare, "x-search")
		})
	}
}
