package sched_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

type key string

var errReason = errors.New("the reason")

// isDone says, without waiting, whether the context's channel is closed.
func isDone(ctx context.Context) bool {
	_, _, closed := sched.Done(ctx).TryRecv()
	return closed
}

func TestCancel(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		require.NoError(e, ctx.Err())
		require.NoError(e, sched.Cause(ctx))
		require.False(e, isDone(ctx))
		_, has := ctx.Deadline()
		require.False(e, has)
		cancel()
		cancel() // has no further effect
		require.Equal(e, context.Canceled, ctx.Err())
		require.Equal(e, context.Canceled, sched.Cause(ctx))
		require.True(e, isDone(ctx))
	})
}

func TestCancelWakesEverybodyWhoWaits(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		for range 2 {
			e.Go(func() {
				done, never := sched.Recv(sched.Done(ctx)), sched.Recv[int](nil)
				require.Equal(e, 0, sched.Select2(&done, &never))
				require.False(e, done.OK)
				require.Equal(e, context.Canceled, ctx.Err())
			})
		}
		cancel()
		e.Join()
	})
}

func TestCancelCause(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancelCause(e.Scheduler, context.Background())
		child, cancelChild := sched.WithCancel(e.Scheduler, ctx)
		defer cancelChild()
		cancel(errReason)
		cancel(errors.New("too late"))
		require.Equal(e, context.Canceled, ctx.Err())
		require.Equal(e, errReason, sched.Cause(ctx))
		require.Equal(e, context.Canceled, child.Err())
		require.Equal(e, errReason, sched.Cause(child))

		without, cancelWithout := sched.WithCancelCause(e.Scheduler, context.Background())
		cancelWithout(nil)
		require.Equal(e, context.Canceled, sched.Cause(without))
	})
}

func TestChildrenOfAContext(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		parent, cancelParent := sched.WithCancelCause(e.Scheduler, context.WithValue(context.Background(), key("above"), 1))
		one, cancelOne := sched.WithCancelCause(e.Scheduler, context.WithValue(parent, key("between"), 2))
		two, cancelTwo := sched.WithCancel(e.Scheduler, parent)
		grandchild, cancelGrandchild := sched.WithCancel(e.Scheduler, context.WithValue(one, key("below"), 3))
		defer cancelTwo()
		defer cancelGrandchild()
		for name, want := range map[key]any{"above": 1, "between": 2, "below": 3, "nowhere": nil} {
			require.Equal(e, want, grandchild.Value(name))
		}
		require.Nil(e, two.Value(key("between")))

		cancelOne(errReason)
		require.NoError(e, parent.Err())
		require.NoError(e, two.Err())
		require.Equal(e, context.Canceled, grandchild.Err())
		require.True(e, isDone(grandchild))
		require.Equal(e, errReason, sched.Cause(grandchild))

		cancelParent(errors.New("another"))
		require.Equal(e, errReason, sched.Cause(one), "the first cause stays")
		require.Equal(e, "another", sched.Cause(two).Error())
		require.True(e, isDone(two))

		late, cancelLate := sched.WithCancel(e.Scheduler, parent)
		defer cancelLate()
		require.Equal(e, context.Canceled, late.Err(), "derived from a cancelled one")
		require.Equal(e, "another", sched.Cause(late).Error())
		require.True(e, isDone(late))
	})
}

func TestDoneIsFoundThroughContextsOfOthers(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		require.Nil(e, sched.Done(context.Background()))
		require.Nil(e, sched.Done(context.WithValue(context.Background(), key("k"), 1)))
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		require.Same(e, sched.Done(ctx), sched.Done(context.WithValue(ctx, key("k"), 1)))

		without := context.WithoutCancel(ctx)
		cancel()
		require.True(e, isDone(context.WithValue(ctx, key("k"), 1)))
		require.Nil(e, sched.Done(without), "this one is never done")
		require.NoError(e, without.Err())
		require.NoError(e, sched.Cause(without))
		child, cancelChild := sched.WithCancel(e.Scheduler, without)
		require.NoError(e, child.Err())
		cancelChild()
		require.Equal(e, context.Canceled, child.Err())
	})
}

func TestDoneOfAStandardContextOnGoroutines(t *testing.T) {
	conformance.Native(t, func(e *conformance.Side) {
		ours, cancelOurs := sched.WithCancel(e.Scheduler, context.Background())
		defer cancelOurs()
		theirs, cancelTheirs := context.WithCancel(ours)
		cancelTheirs()
		require.True(e, isDone(theirs))
		require.False(e, isDone(ours))
		below, cancelBelow := sched.WithCancel(e.Scheduler, theirs)
		defer cancelBelow()
		require.True(e, isDone(below))
	})
}

func TestStandardContextsAreRefusedInASimulation(t *testing.T) {
	conformance.Simulated(t, func(e *conformance.Side) {
		ours, cancelOurs := sched.WithCancel(e.Scheduler, context.Background())
		theirs, cancelTheirs := context.WithCancel(ours)
		require.Contains(e, conformance.Panic(func() { sched.Done(theirs) }), "derive it with packages sched and clock")
		cancelOurs()
		e.Until(func() bool { return theirs.Err() != nil }) // but it follows its parent
		cancelTheirs()

		outside, cancelOutside := context.WithCancel(context.Background())
		defer cancelOutside()
		require.Contains(e, conformance.Panic(func() { sched.WithCancel(e.Scheduler, outside) }), "cannot derive from one of the real world")
	})
}

func TestContextAfterFunc(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		ran := sched.NewChan[string](e.Scheduler, 4)
		note := func(name string) func() { return func() { ran.Send(name) } }
		stopOne := sched.AfterFunc(e.Scheduler, ctx, note("one"))
		stopTwo := sched.AfterFunc(e.Scheduler, ctx, note("two"))
		require.Zero(e, ran.Len())
		require.True(e, stopTwo())
		require.False(e, stopTwo(), "it was stopped already")
		cancel()
		name, _ := ran.Recv()
		require.Equal(e, "one", name)
		require.False(e, stopOne(), "it has run")
		stopThree := sched.AfterFunc(e.Scheduler, ctx, note("three"))
		name, _ = ran.Recv()
		require.Equal(e, "three", name)
		require.False(e, stopThree())
		require.Zero(e, ran.Len(), "what was stopped has run")
	})
}

func TestContextAfterFuncRunsApartFromCancel(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		mu, ran := sched.NewMutex(e.Scheduler), sched.NewChan[struct{}](e.Scheduler, 0)
		sched.AfterFunc(e.Scheduler, ctx, func() {
			mu.Lock() // held by the task that cancels
			mu.Unlock()
			ran.Send(struct{}{})
		})
		mu.Lock()
		cancel()
		mu.Unlock()
		ran.Recv()
	})
}

func TestContextAfterFuncOfOneThatNeverEnds(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		stop := sched.AfterFunc(e.Scheduler, context.Background(), func() { e.Errorf("the background context ended") })
		require.True(e, stop())
		require.False(e, stop())
	})
}

func TestContextAfterFuncFollowsTheDerivedContext(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		parent, cancel := sched.WithCancel(e.Scheduler, context.Background())
		child, cancelChild := sched.WithCancel(e.Scheduler, parent)
		defer cancelChild()
		ran := sched.NewChan[error](e.Scheduler, 0)
		sched.AfterFunc(e.Scheduler, context.WithValue(child, key("k"), 1), func() { ran.Send(child.Err()) })
		cancel()
		err, _ := ran.Recv()
		require.Equal(e, context.Canceled, err)
	})
}

func TestTimeoutExpires(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		const d = time.Millisecond
		begin := e.Clock.Now()
		ctx, cancel := clock.WithTimeout(e.Clock, e.Scheduler, context.Background(), d)
		defer cancel()
		deadline, has := ctx.Deadline()
		require.True(e, has)
		require.False(e, deadline.Before(begin.Add(d)))
		_, ok := sched.Done(ctx).Recv()
		require.False(e, ok)
		require.Equal(e, context.DeadlineExceeded, ctx.Err())
		require.Equal(e, context.DeadlineExceeded, sched.Cause(ctx))
		require.False(e, e.Clock.Now().Before(deadline), "it expired before its deadline")
		cancel()
		require.Equal(e, context.DeadlineExceeded, ctx.Err())
	})
}

func TestTimeoutCancelledBefore(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := clock.WithTimeout(e.Clock, e.Scheduler, context.Background(), time.Hour)
		require.NoError(e, ctx.Err())
		cancel()
		require.True(e, isDone(ctx))
		require.Equal(e, context.Canceled, ctx.Err())
	})
}

func TestEarlierDeadlineRules(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		now := e.Clock.Now()
		parent, cancelParent := clock.WithDeadline(e.Clock, e.Scheduler, context.Background(), now.Add(time.Hour))
		defer cancelParent()
		later, cancelLater := clock.WithDeadline(e.Clock, e.Scheduler, parent, now.Add(2*time.Hour))
		defer cancelLater()
		deadline, _ := later.Deadline()
		require.True(e, deadline.Equal(now.Add(time.Hour)))
		plain, cancelPlain := sched.WithCancel(e.Scheduler, later)
		defer cancelPlain()
		deadline, _ = plain.Deadline()
		require.True(e, deadline.Equal(now.Add(time.Hour)))

		soon, cancelSoon := clock.WithTimeout(e.Clock, e.Scheduler, plain, time.Millisecond)
		defer cancelSoon()
		sched.Done(soon).Recv()
		require.Equal(e, context.DeadlineExceeded, soon.Err())
		require.NoError(e, parent.Err())
		require.NoError(e, plain.Err())
	})
}

func TestExpiryReachesChildren(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		parent, cancelParent := clock.WithTimeout(e.Clock, e.Scheduler, context.Background(), time.Millisecond)
		defer cancelParent()
		child, cancelChild := sched.WithCancelCause(e.Scheduler, parent)
		defer cancelChild(nil)
		sched.Done(child).Recv()
		require.Equal(e, context.DeadlineExceeded, child.Err())
		require.Equal(e, context.DeadlineExceeded, sched.Cause(child))
	})
}

func TestDeadlineThatHasPassed(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		for _, d := range []time.Duration{0, -time.Second} {
			ctx, cancel := clock.WithTimeout(e.Clock, e.Scheduler, context.Background(), d)
			require.Equal(e, context.DeadlineExceeded, ctx.Err(), "as the standard one it is over at once, with %v", d)
			require.True(e, isDone(ctx))
			cancel()
		}
	})
}

func TestTimeoutOfACancelledParent(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		parent, cancelParent := sched.WithCancelCause(e.Scheduler, context.Background())
		cancelParent(errReason)
		ctx, cancel := clock.WithTimeout(e.Clock, e.Scheduler, parent, time.Hour)
		defer cancel()
		require.Equal(e, context.Canceled, ctx.Err())
		require.Equal(e, errReason, sched.Cause(ctx))
	})
}

// TestNoTimerOutlivesItsContext goes by virtual time: a timer that was left armed would let it pass.
func TestNoTimerOutlivesItsContext(t *testing.T) {
	everything := new(conformance.Enumerator)
	for runner := sim.NewRunner(); everything.Next(); {
		result, err := runner.Run(&sim.Scenario{Name: "timeout", Setup: func(w *sim.World) func() {
			s, c := w.Host().Scheduler(), w.Host().Clock()
			return func() {
				parent, cancelParent := sched.WithCancel(s, context.Background())
				s.Go("cancel", cancelParent)
				ctx, cancel := clock.WithTimeout(c, s, parent, time.Minute)
				sched.Done(ctx).Recv()
				cancel()
			}
		}}, sim.RunConfig{Source: everything})
		require.NoError(t, err)
		require.Nil(t, result.Failure)
		require.Zero(t, result.Elapsed)
	}
}
