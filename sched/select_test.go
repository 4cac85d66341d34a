package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
)

func TestSelectReachesEveryReadyArm(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		numbers, words := sched.NewChan[int](e.Scheduler, 1), sched.NewChan[string](e.Scheduler, 1)
		signals, bytes := sched.NewChan[struct{}](e.Scheduler, 1), sched.NewChan[byte](e.Scheduler, 1)
		numbers.Send(0)
		signals.Send(struct{}{})
		var went2, went3, went4, tried2, tried3 [4]int
		for range 200 {
			number, word := sched.Recv(numbers), sched.Send(words, "x")
			signal, char := sched.Recv(signals), sched.Send(bytes, 'x')
			restore := func(arm int) int {
				switch arm {
				case 0:
					numbers.Send(0)
				case 1:
					words.Recv()
				case 2:
					signals.Send(struct{}{})
				case 3:
					bytes.Recv()
				}
				return arm
			}
			went2[restore(sched.Select2(&number, &word))]++
			tried2[restore(sched.TrySelect2(&number, &word))]++
			went3[restore(sched.Select3(&number, &word, &signal))]++
			tried3[restore(sched.TrySelect3(&number, &word, &signal))]++
			went4[restore(sched.Select4(&number, &word, &signal, &char))]++
		}
		for _, went := range [][]int{went2[:2], tried2[:2], went3[:3], tried3[:3], went4[:]} {
			for arm, n := range went {
				require.Positive(e, n, "arm %d of %d never went in 200 selects that all of them were ready for", arm, len(went))
			}
		}
	})
}

func TestSelectTakesTheReadyArm(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		empty, full := sched.NewChan[int](e.Scheduler, 1), sched.NewChan[int](e.Scheduler, 1)
		full.Send(1)
		a, b := sched.Recv(empty), sched.Send(full, 2)
		c, d := sched.Recv(full), sched.Recv[string](nil)
		require.Equal(e, -1, sched.TrySelect2(&a, &b))
		require.Equal(e, -1, sched.TrySelect3(&a, &b, &d))
		require.Equal(e, 2, sched.Select3(&a, &b, &c))
		require.Equal(e, []any{1, true}, []any{c.Value, c.OK})
		require.Equal(e, 1, sched.Select4(&a, &b, &c, &d))
		v, _ := full.Recv()
		require.Equal(e, 2, v)
	})
}

func TestSelectWaits(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		for _, capacity := range []int{0, 1} {
			numbers, words := sched.NewChan[int](e.Scheduler, capacity), sched.NewChan[string](e.Scheduler, capacity)
			e.Go(func() { numbers.Send(5) })
			number, word := sched.Recv(numbers), sched.Recv(words)
			require.Equal(e, 0, sched.Select2(&number, &word))
			require.Equal(e, []any{5, true}, []any{number.Value, number.OK})
			require.Equal(e, "", word.Value)
			e.Join()
			for range capacity {
				words.Send("w")
			}
			e.Go(func() {
				v, ok := words.Recv()
				require.Equal(e, []any{"w", true}, []any{v, ok})
			})
			send := sched.Send(words, "w")
			require.Equal(e, 1, sched.Select2(&number, &send))
			e.Join()
		}
	})
}

func TestSelectOfClosed(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		open, closed := sched.NewChan[int](e.Scheduler, 0), sched.NewChan[int](e.Scheduler, 1)
		closed.Send(1)
		closed.Close()
		a, b := sched.Recv(open), sched.Recv(closed)
		require.Equal(e, 1, sched.Select2(&a, &b))
		require.Equal(e, []any{1, true}, []any{b.Value, b.OK})
		require.Equal(e, 1, sched.Select2(&a, &b))
		require.Equal(e, []any{0, false}, []any{b.Value, b.OK}, "a case can be used again")
		require.Equal(e, 1, sched.TrySelect2(&a, &b))

		e.Go(open.Close)
		c := sched.Recv[string](nil)
		require.Equal(e, 0, sched.Select2(&a, &c))
		require.False(e, a.OK)
		e.Join()
	})
}

func TestSelectOfNilsOnly(t *testing.T) {
	a, b, c, d := sched.Recv[int](nil), sched.Send[int](nil, 1), sched.Recv[string](nil), sched.Recv[bool](nil)
	for _, f := range []func(){
		func() { sched.Select2(&a, &b) }, func() { sched.Select3(&a, &b, &c) }, func() { sched.Select4(&a, &b, &c, &d) },
	} {
		require.Equal(t, "sched: select of nil channels only, which would block for ever", conformance.Panic(f))
	}
	require.Equal(t, -1, sched.TrySelect2(&a, &b))
	require.Equal(t, -1, sched.TrySelect3(&a, &b, &c))
}

func TestSelectOfTheSameChanTwice(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		c := sched.NewChan[int](e.Scheduler, 0)
		send, recv := sched.Send(c, 1), sched.Recv(c)
		require.Equal(e, -1, sched.TrySelect2(&send, &recv), "a task is no partner of its own")

		// Two tasks that would both send and receive meet.
		met := sched.NewChan[int](e.Scheduler, 2)
		for i := range 2 {
			e.Go(func() {
				send, recv := sched.Send(c, i), sched.Recv(c)
				if sched.Select2(&send, &recv) == 1 {
					require.Equal(e, []any{1 - i, true}, []any{recv.Value, recv.OK})
					met.Send(i)
				}
			})
		}
		e.Join()
		require.Equal(e, 1, met.Len())

		// Both cases of a select may receive from one channel.
		b := sched.NewChan[int](e.Scheduler, 1)
		b.Send(7)
		first, second := sched.Recv(b), sched.Recv(b)
		if sched.Select2(&first, &second) == 1 {
			first = second
		}
		require.Equal(e, []any{7, true}, []any{first.Value, first.OK})
		require.Zero(e, b.Len())

		// And, parked at an unbuffered one, only one of them does.
		e.Go(func() { c.Send(8) })
		first, second = sched.Recv(c), sched.Recv(c)
		if sched.Select2(&first, &second) == 1 {
			first = second
		}
		require.Equal(e, []any{8, true}, []any{first.Value, first.OK})
		e.Join()
	})
}

func TestSelectsMeet(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		there, back := sched.NewChan[int](e.Scheduler, 0), sched.NewChan[int](e.Scheduler, 0)
		balance := sched.NewAtomicInt64(e.Scheduler, 0)
		for range 2 {
			e.Go(func() {
				for range 3 {
					send, recv := sched.Send(there, 1), sched.Recv(back)
					if sched.Select2(&send, &recv) == 0 {
						balance.Add(1)
					} else {
						require.True(e, recv.OK)
						balance.Add(int64(-recv.Value))
					}
				}
			})
			e.Go(func() {
				for range 3 {
					recv, send := sched.Recv(there), sched.Send(back, 10)
					if sched.Select2(&recv, &send) == 0 {
						require.True(e, recv.OK)
						balance.Add(int64(-recv.Value))
					} else {
						balance.Add(10)
					}
				}
			})
		}
		e.Join()
		require.Zero(e, balance.Load(), "what was sent is what was received")
	})
}

func TestSelectLeavesTheOtherArmsAlone(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		unbuffered, ready := sched.NewChan[int](e.Scheduler, 0), sched.NewChan[int](e.Scheduler, 1)
		e.Go(func() {
			a, b := sched.Recv(unbuffered), sched.Recv(ready)
			require.Equal(e, 1, sched.Select2(&a, &b))
		})
		ready.Send(1)
		e.Join()
		require.False(e, unbuffered.TrySend(1), "a select that has gone still waits at another arm")
	})
}

func TestWhoHasMadeAnArmReadyHasTakenTheSelectOffTheOthers(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		unbuffered, ready := sched.NewChan[int](e.Scheduler, 0), sched.NewChan[int](e.Scheduler, 1)
		e.Go(func() {
			a, b := sched.Recv(unbuffered), sched.Recv(ready)
			require.Equal(e, 1, sched.Select2(&a, &b))
		})
		ready.Send(1)
		require.False(e, unbuffered.TrySend(1), "whether the select waited already or not, it goes on with what was sent before")
		e.Join()
	})
}

func TestPingPongOverUnbuffered(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		there, back := sched.NewChan[int](e.Scheduler, 0), sched.NewChan[int](e.Scheduler, 0)
		e.Go(func() {
			for {
				v, ok := there.Recv()
				if !ok {
					back.Close()
					return
				}
				back.Send(v + 1)
			}
		})
		for i := range 20 {
			there.Send(i)
			v, ok := back.Recv()
			require.Equal(e, []any{i + 1, true}, []any{v, ok})
		}
		there.Close()
		_, ok := back.Recv()
		require.False(e, ok)
		e.Join()
	})
}
