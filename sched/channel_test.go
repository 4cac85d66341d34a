package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
)

func TestChanIsFirstInFirstOut(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		for _, capacity := range []int{0, 1, 2, 20} {
			c := sched.NewChan[int](e.Scheduler, capacity)
			require.Equal(e, capacity, c.Cap())
			e.Go(func() {
				for i := range 40 {
					c.Send(i)
				}
				c.Close()
			})
			for i := range 40 {
				v, ok := c.Recv()
				require.True(e, ok)
				require.Equal(e, i, v)
			}
			v, ok := c.Recv()
			require.Zero(e, v)
			require.False(e, ok)
			e.Join()
		}
	})
}

func TestChanLen(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c := sched.NewChan[string](e.Scheduler, 2)
		require.Zero(e, c.Len())
		c.Send("a")
		require.Equal(e, 1, c.Len())
		c.Send("b")
		require.Equal(e, 2, c.Len())
		require.False(e, c.TrySend("c"))
		c.Recv()
		require.Equal(e, 1, c.Len())
		c.Close()
		require.Equal(e, 1, c.Len())
		require.Equal(e, 2, c.Cap())
	})
}

func TestChanRecvOnly(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c := sched.NewChan[int](e.Scheduler, 1)
		end := c.RecvOnly()
		c.Send(1)
		v, ok := end.Recv()
		require.True(e, ok)
		require.Equal(e, 1, v)
		c.Send(2)
		first, second := sched.Recv(end), sched.Recv(sched.NewChan[int](e.Scheduler, 0))
		require.Zero(e, sched.Select2(&first, &second))
		require.Equal(e, 2, first.Value)
		require.PanicsWithValue(e, "sched: send of a receive-only Chan", func() { end.TrySend(3) })
		require.PanicsWithValue(e, "sched: close of a receive-only Chan", end.Close)
		c.Close()
		_, ok = end.Recv()
		require.False(e, ok)
	})
}

func TestChanTry(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c := sched.NewChan[int](e.Scheduler, 1)
		_, _, received := c.TryRecv()
		require.False(e, received)
		require.True(e, c.TrySend(1))
		require.False(e, c.TrySend(2))
		v, ok, received := c.TryRecv()
		require.Equal(e, []any{1, true, true}, []any{v, ok, received})
		c.Close()
		v, ok, received = c.TryRecv()
		require.Equal(e, []any{0, false, true}, []any{v, ok, received})
	})
}

func TestUnbufferedTryNeedsAPartnerThatWaits(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c := sched.NewChan[int](e.Scheduler, 0)
		require.False(e, c.TrySend(1))
		_, _, received := c.TryRecv()
		require.False(e, received)

		e.Go(func() {
			v, ok := c.Recv()
			require.Equal(e, []any{2, true}, []any{v, ok})
		})
		e.Until(func() bool { return c.TrySend(2) })
		require.False(e, c.TrySend(3))
		e.Join()

		e.Go(func() { c.Send(4) })
		e.Until(func() bool {
			v, ok, received := c.TryRecv()
			if received {
				require.Equal(e, []any{4, true}, []any{v, ok})
			}
			return received
		})
		e.Join()
	})
}

func TestUnbufferedIsARendezvous(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c, arrived := sched.NewChan[int](e.Scheduler, 0), sched.NewAtomicBool(e.Scheduler, false)
		e.Go(func() {
			arrived.Store(true)
			c.Recv()
		})
		c.Send(1)
		require.True(e, arrived.Load(), "a send went before its receiver had arrived")
		arrived.Store(false)
		e.Go(func() {
			arrived.Store(true)
			c.Send(2)
		})
		c.Recv()
		require.True(e, arrived.Load())
		require.Zero(e, c.Len())
		require.Zero(e, c.Cap())
		e.Join()
	})
}

func TestUnbufferedValuesAreNotMixed(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c, sum := sched.NewChan[int](e.Scheduler, 0), sched.NewAtomicInt64(e.Scheduler, 0)
		for i := range 3 {
			e.Go(func() {
				c.Send(1 << (2 * i))
				c.Send(2 << (2 * i))
			})
			e.Go(func() {
				for range 2 {
					v, ok := c.Recv()
					require.True(e, ok)
					sum.Add(int64(v))
				}
			})
		}
		e.Join()
		require.Equal(e, int64(63), sum.Load())
	})
}

func TestClosedChanDrains(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c := sched.NewChan[int](e.Scheduler, 3)
		c.Send(1)
		c.Send(2)
		c.Close()
		for _, want := range []int{1, 2, 0, 0} {
			v, ok := c.Recv()
			require.Equal(e, want, v)
			require.Equal(e, want != 0, ok)
		}
	})
}

func TestMisuseOfChanPanics(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		for _, capacity := range []int{0, 2} {
			c := sched.NewChan[int](e.Scheduler, capacity)
			c.Close()
			send, other := sched.Send(c, 1), sched.Recv[int](nil)
			for _, f := range []func(){
				func() { c.Send(1) }, func() { c.TrySend(1) }, func() { sched.Select2(&send, &other) },
				func() { sched.TrySelect2(&other, &send) },
			} {
				require.Equal(e, "send on closed channel", conformance.Panic(f))
			}
			require.Equal(e, "close of closed channel", conformance.Panic(c.Close))
			_, ok := c.Recv()
			require.False(e, ok, "the channel is as it was")
		}
		var c *sched.Chan[int]
		require.Equal(e, "close of nil channel", conformance.Panic(c.Close))
		require.Contains(e, conformance.Panic(func() { sched.NewChan[int](e.Scheduler, -1) }), "size out of range")
	})
}

func TestNilChan(t *testing.T) {
	var c *sched.Chan[int]
	for _, f := range []func(){func() { c.Send(1) }, func() { c.Recv() }} {
		require.Equal(t, "sched: operation on a nil Chan, which would block for ever", conformance.Panic(f))
	}
	require.Zero(t, c.Len())
	require.Zero(t, c.Cap())
	require.False(t, c.TrySend(1), "a select with a default takes the default")
	_, _, received := c.TryRecv()
	require.False(t, received)
}

func TestCloseWakesEverybodyWhoReceives(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		for _, capacity := range []int{0, 1} {
			c := sched.NewChan[int](e.Scheduler, capacity)
			for range 3 {
				e.Go(func() {
					v, ok := c.Recv()
					require.Equal(e, []any{0, false}, []any{v, ok})
				})
			}
			c.Close()
			e.Join()
		}
	})
}

// On goroutines this is so too, but the race detector rightly objects to the program.
func TestClosePanicsThoseWhoSend(t *testing.T) {
	conformance.Simulated(t, func(e *conformance.Side) {
		for _, capacity := range []int{0, 1} {
			c := sched.NewChan[int](e.Scheduler, capacity)
			for range capacity {
				c.Send(0)
			}
			for range 2 {
				e.Go(func() {
					require.Equal(e, "send on closed channel", conformance.Panic(func() { c.Send(1) }))
				})
			}
			c.Close()
			e.Join()
			for range capacity {
				_, ok := c.Recv()
				require.True(e, ok)
			}
			_, ok := c.Recv()
			require.False(e, ok, "a value of a send that panicked was received")
		}
	})
}

func TestChanCarriesAnything(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		errors, empty := sched.NewChan[error](e.Scheduler, 1), sched.NewChan[struct{}](e.Scheduler, 1)
		inner := sched.NewChan[*sched.Chan[int]](e.Scheduler, 1)
		errors.Send(nil)
		err, ok := errors.Recv()
		require.True(e, ok)
		require.NoError(e, err)
		empty.Send(struct{}{})
		_, ok = empty.Recv()
		require.True(e, ok)
		c := sched.NewChan[int](e.Scheduler, 1)
		inner.Send(c)
		received, _ := inner.Recv()
		require.Same(e, c, received)
	})
}
