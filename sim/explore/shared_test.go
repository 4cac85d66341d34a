package explore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// classesOf explores two tasks that each do one thing inside a step.
func classesOf(t *testing.T, first, second func(*sim.World, []*sim.Shared) func()) int64 {
	report, err := Run(t.Context(), Config{Scenario: &sim.Scenario{Name: "parts", Setup: func(w *sim.World) func() {
		parts := []*sim.Shared{w.Shared("one"), w.Shared("other")}
		s := w.Host().Scheduler()
		return func() {
			for _, do := range [...]func(){first(w, parts), second(w, parts)} {
				s.Go("task", func() {
					sched.Yield(s)
					do()
				})
			}
		}
	}}})
	require.NoError(t, err)
	require.True(t, report.Complete)
	return report.Executions
}

func TestWhatTwoPartsDoCommutes(t *testing.T) {
	nothing := func() {}
	part := func(i int) func(*sim.World, []*sim.Shared) func() {
		return func(_ *sim.World, parts []*sim.Shared) func() { return func() { parts[i].Inline(nothing) } }
	}
	observed := func(_ *sim.World, parts []*sim.Shared) func() { return func() { parts[0].Observe(nothing) } }
	touched := func(_ *sim.World, parts []*sim.Shared) func() { return parts[0].Touch }
	later := func(_ *sim.World, parts []*sim.Shared) func() { return func() { parts[0].After(0, nothing) } }
	whole := func(w *sim.World, _ []*sim.Shared) func() { return func() { w.Observe(nothing) } }

	require.Equal(t, int64(1), classesOf(t, part(0), part(1)))
	require.Equal(t, int64(2), classesOf(t, part(0), part(0)))
	require.Equal(t, int64(2), classesOf(t, part(0), observed))
	require.Equal(t, int64(2), classesOf(t, touched, part(0)))
	require.Equal(t, int64(1), classesOf(t, part(1), later))
	require.Equal(t, int64(2), classesOf(t, part(0), later))
	require.Equal(t, int64(2), classesOf(t, whole, part(0)))
	require.Equal(t, int64(2), classesOf(t, part(1), whole))
	require.Equal(t, int64(2), classesOf(t, whole, whole))
}

func TestAPartIsLookedAtAfterWhatTouchesIt(t *testing.T) {
	var seen []time.Duration
	result, err := sim.NewRunner().Run(&sim.Scenario{Name: "after", Setup: func(w *sim.World) func() {
		part, other := w.Shared("part"), w.Shared("other")
		part.AfterStep(func() { seen = append(seen, w.Elapsed()) })
		return func() {
			part.Touch()
			sched.Yield(w.Host().Scheduler())
			other.Touch()
			_ = w.Host().Clock().Sleep(context.Background(), time.Second)
		}
	}}, sim.RunConfig{Source: conformance.Random(1)})
	require.NoError(t, err)
	require.Nil(t, result.Failure)
	require.Equal(t, []time.Duration{0, time.Second}, seen)
}

func TestOfStepsForWhichOneOrderIsEnoughOneIsMade(t *testing.T) {
	explored := func(bound Bound, order bool) *Report {
		report, err := Run(t.Context(), Config{Bound: bound, Most: 2, Scenario: &sim.Scenario{Name: "phases", Setup: func(w *sim.World) func() {
			s, c := w.Host().Scheduler(), w.Host().Clock()
			x := sched.NewAtomicInt64(s, 0)
			w.OneOrder(order)
			w.After(time.Second, func() { w.OneOrder(false) })
			w.After(3*time.Second, func() { w.OneOrder(order) })
			return func() {
				for range 2 {
					s.Go("task", func() {
						for range 3 {
							x.Add(1)
							_ = c.Sleep(context.Background(), 2*time.Second)
						}
					})
				}
			}
		}}})
		require.NoError(t, err)
		require.True(t, report.Complete)
		return report
	}
	for _, bound := range [...]Bound{Unbounded, Preemptions, Delays} {
		some, all := explored(bound, true), explored(bound, false)
		require.True(t, some.OneOrder)
		require.False(t, all.OneOrder)
		require.Greater(t, all.Executions, 2*some.Executions)
		if bound == Unbounded { // of the others a class may be made more than once
			require.Equal(t, int64(2), some.Executions)
			require.Equal(t, int64(8), all.Executions)
		}
	}
}

// A crash in the midst of steps of which one order is enough halts tasks and timers that others might have come before: none of that is planned.
func TestOfACrashAmongStepsForWhichOneOrderIsEnoughOneIsMade(t *testing.T) {
	const steps = 20
	report, err := Run(t.Context(), Config{Duration: 10 * time.Second /* one that plans such steps does not end */, Scenario: &sim.Scenario{Name: "crash", Setup: func(w *sim.World) func() {
		left := 1 + w.Value("after steps", steps)
		w.OneOrder(true)
		n := w.Node("frail")
		mu := sched.NewMutex(n.Scheduler())
		for range 3 {
			n.Clock().AfterFunc(0, func() {})
			n.Go("worker", func() {
				mu.Lock()
				mu.Unlock()
			})
		}
		w.OnStep(func() {
			if left--; left == 0 {
				n.Crash()
			}
		})
		return func() {}
	}}})
	require.NoError(t, err)
	require.True(t, report.Complete, "%v", report.Left)
	require.EqualValues(t, steps, report.Executions)
	require.Zero(t, report.Blocked)
}
