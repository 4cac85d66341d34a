package explore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

func TestAnExplorationThatIsInterruptedIsNotComplete(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := Run(ctx, Config{Scenario: filesystem(19).scenario})
	require.NoError(t, err)
	require.False(t, report.Complete)
	require.Equal(t, []string{"interrupted"}, report.Left)
}

func TestAnExplorationWhoseTimeIsSpentIsNotComplete(t *testing.T) {
	report, err := Run(t.Context(), Config{Scenario: readers(20).scenario, Duration: 20 * time.Millisecond})
	require.NoError(t, err)
	require.False(t, report.Complete)
	require.Equal(t, []string{"the time was spent: 20ms"}, report.Left)
	require.Greater(t, report.Estimate, float64(report.Executions))
}

// halfway is a search that has made half of what it has planned.
type halfway struct{ searcher }

func (halfway) behind() float64 { return 0.5 }

func TestTheEstimateTakesEachSettingForWhatItIs(t *testing.T) {
	e := &exploration{report: &Report{Executions: 30}, tallies: [2]tally{ofAll: {executions: 1000}}}
	for v, want := range map[int32]float64{3: 30 + 2000, 1: 2 * (30 + 2000)} { // the last of four, and the second
		e.setting = setting{{owner: -1, n: 4, v: v}}
		require.InDelta(t, want, e.progress(halfway{}).Estimate(), 0.001)
	}
	require.Zero(t, (&exploration{report: &Report{}}).progress(halfway{}).Estimate(), "nothing is known yet")
}

func TestExecutionsThatAreTooLongAreCutOff(t *testing.T) {
	spinning := &sim.Scenario{Name: "spinning", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		set := sched.NewAtomicBool(s, false)
		return func() {
			s.Go("waiter", func() {
				for !set.Load() {
				}
			})
			set.Store(true)
		}
	}}
	report, err := Run(t.Context(), Config{Scenario: spinning, Steps: 30})
	require.NoError(t, err)
	require.Positive(t, report.Cut)
	require.False(t, report.Complete)
}

func TestAProgramThatIsNotDeterministicCannotBeExplored(t *testing.T) {
	runs := 0
	drifting := &sim.Scenario{Name: "drifting", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		runs++
		x, y := sched.NewAtomicInt64(s, 0), sched.NewAtomicInt64(s, 0)
		return func() {
			if runs%2 == 0 {
				y.Add(1)
			}
			s.Go("task", func() { x.Store(1) })
			s.Go("task", func() { x.Store(2) })
		}
	}}
	report, err := Run(t.Context(), Config{Scenario: drifting})
	require.ErrorContains(t, err, "not deterministic")
	require.False(t, report.Complete)
}

func TestTheEstimateIsExactWhereNoBranchesAreAdded(t *testing.T) {
	x, runner := newWalk(newPlan(strictness{}, nil), 0), sim.NewRunner()
	defer runner.Close()
	x.first()
	for n := 1; n <= 64; n++ {
		x.start()
		_, err := runner.Run(filesystem(19).scenario, sim.RunConfig{Source: x, Listener: x})
		require.NoError(t, err)
		require.Equal(t, n < 64, x.next())
		if n >= 32 && n < 64 { // the first half has seen all branches
			require.InDelta(t, 64, float64(n)/x.behind(), 0.001)
		}
	}
}
