package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

func TestATickerThatNobodyHearsKeepsNoRunGoing(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		w.Host().Clock().NewTicker(time.Second)
		w.Host().Clock().NewTicker(time.Minute)
	})
	require.Nil(t, result.Failure)
	require.Less(t, result.Steps, int64(200))
	result = resultOf(t, 1, func(w *sim.World) {
		w.Host().Clock().NewTicker(time.Second)
		sched.NewChan[int](w.Host().Scheduler(), 0).Recv()
	})
	require.Equal(t, sim.Deadlock, result.Failure.Property, "it brings nothing about")
	require.Less(t, result.Steps, int64(10))
}

func TestATickerGoesOnForWhoComesLate(t *testing.T) {
	for seed := range uint64(50) {
		runSeed(t, seed, func(w *sim.World) {
			c := w.Host().Clock()
			begin := c.Now()
			ticker, done := c.NewTicker(time.Second), sched.NewWaitGroup(w.Host().Scheduler())
			done.Add(1)
			c.AfterFunc(time.Hour, func() { // nothing else is pending until then
				defer done.Done()
				first, _ := ticker.C.Recv()
				if first != begin.Add(time.Second) {
					w.Fail("first", "the tick that has waited is of %v", first)
				}
			})
			done.Wait()
			ticker.Stop()
		})
	}
}

func TestATickerEndsWithItsNode(t *testing.T) {
	run(t, func(w *sim.World) {
		n := w.Node("frail")
		ticks := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
		n.Go("ticking", func() {
			for ticker := n.Clock().NewTicker(time.Second); ; ticks.Add(1) {
				ticker.C.Recv()
			}
		})
		sleep := w.Host().Clock().Sleep
		_ = sleep(context.Background(), 3500*time.Millisecond)
		n.Crash()
		_ = sleep(context.Background(), time.Minute)
		if n := ticks.Load(); n != 3 {
			w.Fail("ticks", "%d", n)
		}
	})
}
