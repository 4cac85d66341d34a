//go:build !race

package sched_test

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// onlyMisuse are the pairs that the table calls no conflict although, in some state, one of the orders is a misuse that
// panics: to unlock what is free, to take a counter below zero. With these as conflicts every release would race with every
// acquisition (see the note on wait groups in conflict.go); without them a search that reduces by the table can miss a panic
// of this kind.
var onlyMisuse = []string{
	"add / add", "lock / unlock", "read-lock / read-unlock", "read-unlock / try-read-lock", "write-lock / write-unlock",
}

// families are the primitives for the test of the dependence table.
var families = map[string]func(w *sim.World) family{
	"mutex": mutexFamily, "rwmutex": rwMutexFamily, "wait group": waitGroupFamily, "once": onceFamily, "atomic": atomicFamily,
	"unbuffered": func(w *sim.World) family { return chanFamily(w, 0) },
	"capacity 1": func(w *sim.World) family { return chanFamily(w, 1) },
	"capacity 2": func(w *sim.World) family { return chanFamily(w, 2) },
	"context":    contextFamily, "timer": timerFamily,
}

// silent makes an operation without a result.
func silent(f func()) func() any {
	return func() any {
		f()
		return "done"
	}
}

func mutexFamily(w *sim.World) family {
	mu := sched.NewMutex(w.Host().Scheduler())
	return family{
		states: []state{
			{name: "free", reach: func(func(func() any)) {}},
			{name: "locked", reach: func(func(func() any)) { mu.Lock() }},
			{name: "locked, one waits", reach: func(helper func(func() any)) {
				mu.Lock()
				helper(silent(mu.Lock))
			}},
		},
		ops: []operation{
			{name: "Lock", f: silent(mu.Lock)},
			{name: "TryLock", f: func() any { return mu.TryLock() }},
			{name: "Unlock", f: silent(mu.Unlock)},
		},
		observe: func() any { return mu.TryLock() },
	}
}

func rwMutexFamily(w *sim.World) family {
	mu := sched.NewRWMutex(w.Host().Scheduler())
	return family{
		states: []state{
			{name: "free", reach: func(func(func() any)) {}},
			{name: "a reader", reach: func(func(func() any)) { mu.RLock() }},
			{name: "two readers", reach: func(func(func() any)) {
				mu.RLock()
				mu.RLock()
			}},
			{name: "a writer", reach: func(func(func() any)) { mu.Lock() }},
			{name: "a reader, a writer waits", reach: func(helper func(func() any)) {
				mu.RLock()
				helper(silent(mu.Lock))
			}},
			{name: "a writer, a writer waits", reach: func(helper func(func() any)) {
				mu.Lock()
				helper(silent(mu.Lock))
			}},
			{name: "a writer, a reader waits", reach: func(helper func(func() any)) {
				mu.Lock()
				helper(silent(mu.RLock))
			}},
		},
		ops: []operation{
			{name: "Lock, announced", f: silent(mu.Lock)},
			{name: "Lock, drained", f: silent(mu.Lock), at: kernel.OpDrain},
			{name: "TryLock", f: func() any { return mu.TryLock() }},
			{name: "Unlock", f: silent(mu.Unlock)},
			{name: "RLock", f: silent(mu.RLock)},
			{name: "TryRLock", f: func() any { return mu.TryRLock() }},
			{name: "RUnlock", f: silent(mu.RUnlock)},
		},
		observe: func() any {
			readable := mu.TryRLock()
			if readable {
				mu.RUnlock()
			}
			return []bool{readable, mu.TryLock()}
		},
	}
}

func waitGroupFamily(w *sim.World) family {
	group := sched.NewWaitGroup(w.Host().Scheduler())
	at := func(n int, waits bool) state {
		return state{name: fmt.Sprintf("counter %d, waiter %t", n, waits), reach: func(helper func(func() any)) {
			group.Add(n)
			if waits {
				helper(silent(group.Wait))
			}
		}}
	}
	return family{
		states: []state{at(0, false), at(1, false), at(2, false), at(1, true), at(2, true)},
		ops: []operation{
			{name: "Add(1)", f: silent(func() { group.Add(1) })},
			{name: "Add(2)", f: silent(func() { group.Add(2) })},
			{name: "Done", f: silent(group.Done)},
			{name: "Wait", f: silent(group.Wait)},
		},
		observe: func() any { // how often Done goes without a panic
			n := 0
			for ; n < 5; n++ {
				if panics(group.Done) {
					break
				}
			}
			return n
		},
	}
}

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

func onceFamily(w *sim.World) family {
	once, gate := sched.NewOnce(w.Host().Scheduler()), sched.NewChan[int](w.Host().Scheduler(), 1)
	calls := 0
	do := silent(func() { once.Do(func() { calls++ }) })
	return family{
		states: []state{
			{name: "fresh", reach: func(func(func() any)) {}},
			{name: "running", reach: func(helper func(func() any)) { helper(silent(func() { once.Do(func() { gate.Recv() }) })) }},
			{name: "done", reach: func(func(func() any)) { once.Do(func() {}) }},
		},
		ops: []operation{
			{name: "Do", f: do},
			{name: "Do, again", f: do},
			{name: "Do, leaving", f: do, at: kernel.OpOnceDone},
		},
		observe: func() any { return calls },
	}
}

func atomicFamily(w *sim.World) family {
	a := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
	return family{
		states: []state{{name: "0", reach: func(func(func() any)) {}}},
		ops: []operation{
			{name: "Load", f: func() any { return a.Load() }},
			{name: "Store(1)", f: silent(func() { a.Store(1) })},
			{name: "Store(2)", f: silent(func() { a.Store(2) })},
			{name: "Add(3)", f: func() any { return a.Add(3) }},
			{name: "Swap(4)", f: func() any { return a.Swap(4) }},
			{name: "CompareAndSwap(0, 5)", f: func() any { return a.CompareAndSwap(0, 5) }},
			{name: "CompareAndSwap(1, 6)", f: func() any { return a.CompareAndSwap(1, 6) }},
		},
		observe: func() any { return a.Load() },
	}
}

func chanFamily(w *sim.World, capacity int) family {
	s := w.Host().Scheduler()
	c, other := sched.NewChan[int](s, capacity), sched.NewChan[int](s, 1)
	recv := func() any {
		v, ok := c.Recv()
		return []any{v, ok}
	}
	send := func(v int) func() any { return silent(func() { c.Send(v) }) }
	fill := func(n int) state {
		return state{name: fmt.Sprintf("%d buffered", n), reach: func(func(func() any)) {
			for i := range n {
				c.Send(10 + i)
			}
		}}
	}
	states := []state{
		{name: "one receives", reach: func(helper func(func() any)) { helper(recv) }},
		{name: "two receive", reach: func(helper func(func() any)) {
			helper(recv)
			helper(recv)
		}},
		{name: "full, one sends", reach: func(helper func(func() any)) {
			fill(capacity).reach(nil)
			helper(send(20))
		}},
		{name: "full, two send", reach: func(helper func(func() any)) {
			fill(capacity).reach(nil)
			helper(send(20))
			helper(send(21))
		}},
		{name: "full, a select sends or receives elsewhere", reach: func(helper func(func() any)) {
			fill(capacity).reach(nil)
			helper(func() any {
				send, recv := sched.Send(c, 20), sched.Recv(other)
				return []any{sched.Select2(&send, &recv), recv.Value}
			})
		}},
		{name: "full, a select sends or receives", reach: func(helper func(func() any)) {
			fill(capacity).reach(nil)
			helper(func() any {
				send, recv := sched.Send(c, 20), sched.Recv(c)
				return []any{sched.Select2(&send, &recv), recv.Value}
			})
		}},
		{name: "closed", reach: func(func(func() any)) { c.Close() }},
		{name: "full and closed", reach: func(func(func() any)) {
			fill(capacity).reach(nil)
			c.Close()
		}},
		{name: "something elsewhere", reach: func(func(func() any)) { other.Send(30) }},
	}
	for n := range capacity + 1 {
		states = append(states, fill(n))
	}
	return family{
		states: states,
		ops: []operation{
			{name: "Send", f: send(1)},
			{name: "Send, again", f: send(2)},
			{name: "Recv", f: recv},
			{name: "TrySend", f: func() any { return c.TrySend(3) }},
			{name: "TryRecv", f: func() any {
				v, ok, received := c.TryRecv()
				return []any{v, ok, received}
			}},
			{name: "Close", f: silent(c.Close)},
			{name: "Len", f: func() any { return c.Len() }},
			{name: "select: receive, receive elsewhere", f: func() any {
				here, there := sched.Recv(c), sched.Recv(other)
				return []any{sched.Select2(&here, &there), here.Value, there.Value}
			}},
			{name: "select: receive elsewhere, send", f: func() any {
				there, here := sched.Recv(other), sched.Send(c, 4)
				return []any{sched.Select2(&there, &here), there.Value}
			}},
			{name: "select: send, default", f: func() any {
				here, there := sched.Send(c, 5), sched.Recv(other)
				return []any{sched.TrySelect2(&here, &there), there.Value}
			}},
			{name: "Send elsewhere", f: silent(func() { other.Send(31) })},
			{name: "TryRecv elsewhere", f: func() any {
				v, ok, received := other.TryRecv()
				return []any{v, ok, received}
			}},
		},
		observe: func() any {
			left := []any{c.Len(), other.Len()}
			for range 4 {
				v, ok, received := c.TryRecv()
				left = append(left, v, ok, received)
			}
			return append(left, panics(func() { c.TrySend(9) }))
		},
	}
}

func contextFamily(w *sim.World) family {
	s := w.Host().Scheduler()
	parent, cancelParent := sched.WithCancel(s, context.Background())
	child, cancelChild := sched.WithCancelCause(s, parent)
	ran := 0
	stop := func() bool { return false }
	tryDone := func(ctx context.Context) func() any {
		return func() any {
			_, _, received := sched.Done(ctx).TryRecv()
			return received
		}
	}
	return family{
		states: []state{
			{name: "open", reach: func(func(func() any)) {}},
			{name: "open, with a function after the child", reach: func(func(func() any)) {
				stop = sched.AfterFunc(s, child, func() { ran++ })
			}},
			{name: "open, one waits for the child", reach: func(helper func(func() any)) {
				helper(silent(func() { sched.Done(child).Recv() }))
			}},
			{name: "cancelled", reach: func(func(func() any)) { cancelParent() }},
		},
		ops: []operation{
			{name: "parent.Err", f: func() any { return parent.Err() }},
			{name: "child.Err", f: func() any { return child.Err() }},
			{name: "Cause(child)", f: func() any { return sched.Cause(child) }},
			{name: "cancel parent", f: silent(cancelParent)},
			{name: "cancel child", f: silent(func() { cancelChild(context.DeadlineExceeded) })},
			{name: "try Done(parent)", f: tryDone(parent)},
			{name: "try Done(child)", f: tryDone(child)},
			{name: "wait for Done(child)", f: silent(func() { sched.Done(child).Recv() })},
			{name: "derive from the parent", f: func() any {
				ctx, _ := sched.WithCancel(s, parent)
				return ctx.Err()
			}},
			{name: "derive from the child", f: func() any {
				ctx, _ := sched.WithCancel(s, child)
				return ctx.Err()
			}},
			{name: "function after the child", f: silent(func() { sched.AfterFunc(s, child, func() { ran += 10 }) })},
			{name: "stop the function", f: func() any { return stop() }},
		},
		observe: func() any { return []any{parent.Err(), child.Err(), sched.Cause(child), ran} },
	}
}

func timerFamily(w *sim.World) family {
	const d = time.Second
	c := w.Host().Clock()
	var timer, function *clock.Timer
	ran := 0
	sleep := func(d time.Duration) {
		if err := c.Sleep(context.Background(), d); err != nil {
			panic(err)
		}
	}
	arm := func(first, second *time.Duration) func(func(func() any)) {
		return func(func(func() any)) {
			if first != nil {
				timer = c.NewTimer(*first)
			}
			function = c.AfterFunc(*second, func() { ran++ })
			if first == nil {
				timer = c.NewTimer(2 * d)
			}
			sleep(d)
		}
	}
	soon, late := d, 2*d
	return family{
		states: []state{
			{name: "the channel's timer is due", reach: arm(&soon, &late), hold: true},
			{name: "the function's timer is due", reach: arm(nil, &soon), hold: true},
			{name: "both have fired", reach: arm(&soon, &soon)},
			{name: "both are armed", reach: arm(&late, &late)},
		},
		ops: []operation{
			{name: "fire"},
			{name: "Stop", f: func() any { return timer.Stop() }},
			{name: "Reset", f: func() any { return timer.Reset(2 * d) }},
			{name: "TryRecv", f: func() any {
				_, _, received := timer.C.TryRecv()
				return received
			}},
			{name: "Recv", f: silent(func() { timer.C.Recv() })},
			{name: "Len", f: func() any { return timer.C.Len() }},
			{name: "Stop the function's", f: func() any { return function.Stop() }},
			{name: "Reset the function's", f: func() any { return function.Reset(2 * d) }},
			{name: "Now", f: func() any { return c.Now() }},
		},
		observe: func() any {
			_, _, received := timer.C.TryRecv()
			return []any{received, timer.Stop(), function.Stop(), ran}
		},
	}
}
