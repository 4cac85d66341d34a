package sim_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// What tasks ask of the world from within a step, and what observers do between steps: the same in every build.

func TestADyingTaskHasNoEffectThroughTheWorld(t *testing.T) {
	for seed := uint64(1); seed < 20; seed++ {
		result := resultOf(t, seed, func(w *sim.World) {
			n := w.Node("victim")
			c := sched.NewChan[int](n, 0)
			effects := []func(){
				func() { w.Sometimes("undead") },
				func() { w.Fail("undead", "by %s", "a task") },
				func() { w.Value("undead", 9) },
				func() { w.Inline(func() { panic("undead") }) },
			}
			for _, effect := range effects {
				n.Go("task", func() {
					defer effect()
					c.Recv()
				})
				n.Go("suicide", func() {
					defer effect()
					if w.Elapsed() >= 0 {
						sleepOn(n, time.Second)
						n.Crash()
						effect()
					}
				})
			}
			sleep(w, 2*time.Second)
			require.True(t, n.Crashed())
			sched.NewChan[int](w.Host(), 1).Send(1)
		})
		require.Nil(t, result.Failure, "seed %d", seed)
		require.Empty(t, result.Sometimes)
		require.Zero(t, result.Abandoned)
	}
}

func sleepOn(n *sim.Node, d time.Duration) { _ = n.Clock().Sleep(context.Background(), d) }

func TestATaskThatCrashesItselfAndWillNotEndIsAbandoned(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		n := w.Node("victim")
		n.Go("stubborn", func() {
			for {
				func() {
					defer func() { _ = recover() }()
					n.Crash()
					sched.Yield(n)
				}()
			}
		})
		sleep(w, time.Second)
	})
	require.Nil(t, result.Failure)
	require.Equal(t, 1, result.Abandoned)
}

func TestAPanicInsideInlineIsTheTasksToRecover(t *testing.T) {
	for _, inside := range []string{"inline", "observe"} {
		run(t, func(w *sim.World) {
			do := map[string]func(func()){"inline": w.Inline, "observe": w.Observe}[inside]
			require.PanicsWithValue(t, "model", func() { do(func() { panic("model") }) })
			c := sched.NewChan[int](w.Host(), 0)
			w.Host().Go("sender", func() { c.Send(7) })
			v, _ := c.Recv()
			require.Equal(t, 7, v)
		})
	}
	failure := resultOf(t, 1, func(w *sim.World) { w.Inline(func() { panic("model") }) }).Failure
	require.NotNil(t, failure)
	require.Equal(t, "task main panicked: model", failure.Message)
}

// paths is a tracer that keeps the paths of those who moved.
type paths map[string]bool

func (p paths) Step(_ int64, _ time.Duration, a *choice.Actor) { p[a.Path()] = true }
func (p paths) Value(choice.Site, int, int)                    {}
func (p paths) Note(text string)                               { p[text] = true }

func TestTheLimitOfStepsMayStrikeAfterATimersStep(t *testing.T) {
	for limit := int64(100); limit < 120; limit++ {
		trace := paths{}
		sc := &sim.Scenario{Name: "sleeps", Setup: func(w *sim.World) func() {
			return func() {
				for {
					sleep(w, time.Second)
				}
			}
		}}
		result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: seeded(1), MaxSteps: limit, Tracer: trace})
		require.NoError(t, err)
		require.NotNil(t, result.Failure)
		require.Equal(t, sim.Steps, result.Failure.Property)
		require.Contains(t, trace, fmt.Sprintf("violated steps: %s", result.Failure.Message))
	}
}

func TestWhatAnObserverOfStepsSendsWakesWhoIsAboutToWait(t *testing.T) {
	var waits atomic.Bool // the world's, not the program's
	sc := &sim.Scenario{Name: "observed", Setup: func(w *sim.World) func() {
		c := sched.NewChan[int](w.Host(), 1)
		w.OnStep(func() {
			if waits.CompareAndSwap(true, false) {
				c.TrySend(7)
			}
		})
		return func() {
			waits.Store(true)
			c.Recv()
		}
	}}
	result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: seeded(1)})
	require.NoError(t, err)
	require.Nil(t, result.Failure)
}

func TestWhatAnObserverOfStepsMakesIsNobodysChild(t *testing.T) {
	trace, made := paths{}, 0
	sc := &sim.Scenario{Name: "observed", Setup: func(w *sim.World) func() {
		w.OnStep(func() {
			if made++; made < 20 {
				w.After(time.Duration(made), func() {})
			}
		})
		return func() {
			for range 5 {
				sleep(w, time.Second)
			}
		}
	}}
	_, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: seeded(1), Tracer: trace})
	require.NoError(t, err)
	require.Contains(t, trace, "after#19")
	require.NotContains(t, trace, "main/after")
}

// striking lets faults strike whenever they can.
type striking struct{ choice.Source }

func (s striking) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	return len(enabled) + len(armed) - 1
}
func (s striking) Value(_ choice.Site, n int) int { return n - 1 }

func TestARuleThatMayNeverStrikeDoesNot(t *testing.T) {
	for times := range 3 {
		strikes := 0
		sc := &sim.Scenario{Name: "rules", Setup: func(w *sim.World) func() {
			w.Rule("fault", times, func() bool { strikes++; return true })
			return func() {
				for range 9 {
					sched.Yield(w.Host())
				}
			}
		}}
		result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: striking{}, MaxSteps: 1000})
		require.NoError(t, err)
		require.Nil(t, result.Failure)
		require.Equal(t, times, strikes)
	}
}
