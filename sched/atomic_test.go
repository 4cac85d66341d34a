package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
)

func TestAtomicInt64(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		a := sched.NewAtomicInt64(e.Scheduler, 7)
		require.Equal(e, int64(7), a.Load())
		a.Store(-3)
		require.Equal(e, int64(-1), a.Add(2))
		require.Equal(e, int64(-1), a.Swap(10))
		require.False(e, a.CompareAndSwap(9, 11))
		require.Equal(e, int64(10), a.Load())
		require.True(e, a.CompareAndSwap(10, 11))
		require.Equal(e, int64(11), a.Load())
	})
}

func TestAtomicInt64AddsAreNotLost(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		a := sched.NewAtomicInt64(e.Scheduler, 0)
		for range 3 {
			e.Go(func() {
				for range 5 {
					a.Add(1)
				}
			})
		}
		e.Join()
		require.Equal(e, int64(15), a.Load())
	})
}

func TestAtomicBool(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		a := sched.NewAtomicBool(e.Scheduler, true)
		require.True(e, a.Load())
		a.Store(false)
		require.False(e, a.Swap(true))
		require.True(e, a.Swap(true))
		require.False(e, a.CompareAndSwap(false, true))
		require.True(e, a.CompareAndSwap(true, false))
		require.False(e, a.Load())
	})
}

func TestAtomicPointer(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		one, other := new(int), new(int)
		a := sched.NewAtomicPointer(e.Scheduler, one)
		require.Same(e, one, a.Load())
		a.Store(nil)
		require.Nil(e, a.Load())
		require.Nil(e, a.Swap(other))
		require.False(e, a.CompareAndSwap(one, nil))
		require.Same(e, other, a.Load())
		require.True(e, a.CompareAndSwap(other, one))
		require.Same(e, one, a.Load())
	})
}

func TestCompareAndSwapHasOneWinner(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		number, flag := sched.NewAtomicInt64(e.Scheduler, 0), sched.NewAtomicBool(e.Scheduler, false)
		pointer, wins := sched.NewAtomicPointer[int](e.Scheduler, nil), sched.NewAtomicInt64(e.Scheduler, 0)
		for i := range int64(3) {
			e.Go(func() {
				if number.CompareAndSwap(0, i+1) {
					wins.Add(1)
				}
				if flag.CompareAndSwap(false, true) {
					wins.Add(1)
				}
				if pointer.CompareAndSwap(nil, new(int)) {
					wins.Add(1)
				}
			})
		}
		e.Join()
		require.Equal(e, int64(3), wins.Load())
	})
}

func TestZeroValuesPanicWithOneClearLine(t *testing.T) {
	var (
		mutex   sched.Mutex
		rwMutex sched.RWMutex
		group   sched.WaitGroup
		once    sched.Once
		number  sched.AtomicInt64
		flag    sched.AtomicBool
		pointer sched.AtomicPointer[int]
		channel sched.Chan[int]
	)
	uses := map[string][]func(){
		"Mutex": {mutex.Lock, mutex.Unlock, func() { mutex.TryLock() }},
		"RWMutex": {rwMutex.Lock, rwMutex.Unlock, rwMutex.RLock, rwMutex.RUnlock, func() { rwMutex.TryLock() }, func() {
			rwMutex.TryRLock()
		}},
		"WaitGroup": {func() { group.Add(1) }, group.Done, group.Wait},
		"Once":      {func() { once.Do(func() {}) }},
		"AtomicInt64": {func() { number.Load() }, func() { number.Store(1) }, func() { number.Add(1) }, func() { number.Swap(1) },
			func() { number.CompareAndSwap(0, 1) }},
		"AtomicBool": {func() { flag.Load() }, func() { flag.Store(true) }, func() { flag.Swap(true) }, func() {
			flag.CompareAndSwap(false, true)
		}},
		"AtomicPointer": {func() { pointer.Load() }, func() { pointer.Store(nil) }, func() { pointer.Swap(nil) }, func() {
			pointer.CompareAndSwap(nil, nil)
		}},
		"Chan": {
			func() { channel.Send(1) }, func() { channel.Recv() }, func() { channel.TrySend(1) }, func() { channel.TryRecv() },
			channel.Close, func() { channel.Len() }, func() { channel.Cap() },
			func() {
				sound, zero := sched.Recv(sched.NewChan[int](sched.Goroutines(), 1)), sched.Recv(&channel)
				sched.TrySelect2(&sound, &zero)
			},
			func() {
				sound, zero := sched.Send(sched.NewChan[int](sched.Goroutines(), 1), 1), sched.Recv(&channel)
				sched.Select2(&sound, &zero)
			},
		},
	}
	for name, functions := range uses {
		for i, f := range functions {
			text := conformance.Panic(f)
			require.Equal(t, "sched: use of a "+name+" that was not made with New"+name, text, "use %d of a zero %s", i, name)
		}
	}
}
