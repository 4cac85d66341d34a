package search

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// elsewhere is a process in which a scenario is another one.
type elsewhere struct {
	config   AuditConfig
	scenario *sim.Scenario
	err      error
}

func (e elsewhere) Runs(ctx context.Context, _ *sim.Scenario) ([]AuditedRun, error) {
	if e.err != nil {
		return nil, e.err
	}
	return AuditedRuns(ctx, e.config, e.scenario)
}

func (e elsewhere) Trace(_ context.Context, token choice.Token) ([]Event, error) {
	events, _, err := traceOf(e.scenario, token)
	return events, err
}

func auditOf(t *testing.T, runs int64, scenarios ...*sim.Scenario) AuditConfig {
	return AuditConfig{Scenarios: scenarios, Seed: "a", Strategy: mix(t), Runs: runs, Workers: 2}
}

// adds adds to a counter as often as often says.
func adds(often func(w *sim.World) int) *sim.Scenario {
	return &sim.Scenario{Name: "adds", Setup: func(w *sim.World) func() {
		n := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
		return func() {
			for range often(w) {
				n.Add(1)
			}
		}
	}}
}

func TestAnAuditOfWhatRepeatsFindsNothing(t *testing.T) {
	config := auditOf(t, 300, lostUpdate, quarrel, correct)
	var conditions []string
	config.Progress = func(_, condition string) { conditions = append(conditions, condition) }
	reports, err := Audit(context.Background(), config)
	require.NoError(t, err)
	require.Len(t, reports, 3)
	for _, r := range reports {
		require.Nil(t, r.Difference, r.Scenario)
		require.Equal(t, []string{ConditionAgain, ConditionOneCore, ConditionTraced, ConditionReplayed}, r.Conditions)
		require.EqualValues(t, 300, r.Runs)
	}
	require.NotZero(t, reports[0].Failed, "failures are no difference")
	require.Len(t, conditions, 3*5)
}

func TestAnAuditFindsTheStepAtWhichProcessesPart(t *testing.T) {
	here, there := adds(func(*sim.World) int { return 3 }), adds(func(*sim.World) int { return 4 })
	config := auditOf(t, 5, here)
	config.Process = elsewhere{config: config, scenario: there}
	reports, err := Audit(context.Background(), config)
	require.NoError(t, err)

	d := reports[0].Difference
	require.Equal(t, ConditionFresh, d.Condition)
	require.EqualValues(t, 0, d.Run)
	require.EqualValues(t, 4, d.First.Steps, "the start and three additions")
	require.EqualValues(t, 5, d.Second.Steps)
	require.EqualValues(t, 5, d.Step)
	require.Nil(t, d.Here, "the run has ended here")
	require.Equal(t, "atomic-add", d.There.Operation)
}

func TestAnAuditFindsWhatTheNumberOfCoresDecides(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	reports, err := Audit(context.Background(), auditOf(t, 5, adds(func(*sim.World) int { return runtime.GOMAXPROCS(0) })))
	require.NoError(t, err)
	require.Equal(t, ConditionOneCore, reports[0].Difference.Condition)
	require.EqualValues(t, 3, reports[0].Difference.Step)
	require.Equal(t, 2, runtime.GOMAXPROCS(0), "as it was")
}

func TestAnAuditSaysIfTheDifferenceDoesNotShowAgain(t *testing.T) {
	runs := 0
	config := auditOf(t, 5, adds(func(*sim.World) int {
		if runs++; runs == 8 { // the third of the second time
			return 2
		}
		return 1
	}))
	config.Workers = 1
	reports, err := Audit(context.Background(), config)
	require.NoError(t, err)
	d := reports[0].Difference
	require.Equal(t, ConditionAgain, d.Condition)
	require.EqualValues(t, 2, d.Run)
	require.Contains(t, d.Remark, "20 more runs had the same trace")
}

func TestAnAuditEndsWithTheErrorOfTheOtherProcess(t *testing.T) {
	config := auditOf(t, 5, correct)
	config.Process = elsewhere{err: errors.New("no such program")}
	_, err := Audit(context.Background(), config)
	require.ErrorContains(t, err, "no such program")
}

func TestAnAuditEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	reports, err := Audit(ctx, auditOf(t, 5, correct))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, reports)
}
