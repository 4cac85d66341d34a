package sched_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

func TestTasksRun(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ran := sched.NewChan[int](e.Scheduler, 0)
		e.Scheduler.Go("outer", func() {
			e.Scheduler.Go("inner", func() { ran.Send(2) })
			ran.Send(1)
		})
		a, _ := ran.Recv()
		b, _ := ran.Recv()
		require.Equal(e, 3, a+b)
	})
}

func TestReadFillsWithRandomBytes(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		const n = 37 // no multiple of a word
		seen := sched.NewChan[[n]byte](e.Scheduler, 3)
		take := func() {
			var p [n]byte
			e.Scheduler.Read(p[:])
			seen.Send(p)
		}
		take()
		take()
		e.Go(take)
		e.Join()
		a, _ := seen.Recv()
		b, _ := seen.Recv()
		c, _ := seen.Recv()
		require.NotEqual(e, a, b)
		require.NotEqual(e, a, c, "two tasks draw from one stream")
		require.NotZero(e, a[n-8:], "the end was not filled")
		e.Scheduler.Read(nil)
	})
}

// TestRandomBytesDoNotDependOnTheSchedule holds what lets a replay, or a run with one decision less, keep its data.
func TestRandomBytesDoNotDependOnTheSchedule(t *testing.T) {
	draw := func(schedule, dataSeed uint64) (words [3][16]byte) {
		scenario := &sim.Scenario{Name: "random", Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			return func() {
				for i := range words {
					s.Go("draw", func() {
						s.Read(words[i][:8])
						sched.Yield(s)
						s.Read(words[i][8:])
					})
				}
			}
		}}
		_, err := sim.NewRunner().Run(scenario, sim.RunConfig{Source: conformance.Random(schedule), DataSeed: dataSeed})
		require.NoError(t, err)
		return words
	}
	require.Equal(t, draw(1, 7), draw(2, 7))
	require.NotEqual(t, draw(1, 7), draw(1, 8))
}

func TestDoneIsReceiveOnly(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		defer cancel()
		require.NotEmpty(e, conformance.Panic(sched.Done(ctx).Close))
		require.NotEmpty(e, conformance.Panic(func() { sched.Done(ctx).TrySend(struct{}{}) }))
		require.NoError(e, ctx.Err())
		require.Zero(e, sched.Done(ctx).Len())
	})
}

func TestANamedSchedulerOfProductionIsThatScheduler(t *testing.T) {
	require.Equal(t, sched.Goroutines(), sched.Named(sched.Goroutines(), "journal"))
}
