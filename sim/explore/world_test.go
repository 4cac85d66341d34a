package explore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// echo is a handler that answers everything, in capitals of what it has heard so far.
type echo struct {
	peers map[net.SessionID]net.Peer[string]
	heard string
}

func (e *echo) Accept(id net.SessionID, credential string, p net.Peer[string]) (string, error) {
	if credential == "stranger" {
		return "", errors.New("who are you?")
	}
	e.peers[id] = p
	return "", nil
}

func (e *echo) Receive(id net.SessionID, in string) {
	e.heard += in
	e.peers[id].Send(e.heard)
}

func (e *echo) Closed(id net.SessionID) { e.heard += "." }

// faulty are two tasks at a variable, and rules that strike in between.
func faulty(rules, times int) program {
	var state func() string
	return program{&sim.Scenario{Name: "faulty", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		x, notes, struck := sched.NewAtomicInt64(s, 0), make([]string, 2), 0
		for i := range rules {
			w.Rule(fmt.Sprintf("rule-%d", i), times, func() bool {
				struck = struck*10 + i + 1
				x.Store(int64(struck))
				return true
			})
		}
		state = func() string { return fmt.Sprint(notes, x.Load(), struck) }
		for i := range notes {
			w.Host().Go("task", func() {
				notes[i] += fmt.Sprint(x.Add(100))
			})
		}
		return func() {}
	}}, func() string { return state() }, sim.Options{}, true}
}

// calls are tasks that each dial, send and receive once; by what is given, one hangs up at once.
func calls(credentials ...string) program {
	var state func() string
	return program{&sim.Scenario{Name: "calls", Setup: func(w *sim.World) func() {
		n := sim.NewNetwork[string, string](w)
		e, notes := &echo{peers: map[net.SessionID]net.Peer[string]{}}, make([]string, len(credentials))
		if err := n.Listen("router", e); err != nil {
			panic(err)
		}
		d := n.Dialer(w.Host())
		for i, credential := range credentials {
			w.Host().Go("caller", func() {
				c, err := d.Dial(context.Background(), "router", credential)
				if err != nil {
					notes[i] = err.Error()
					return
				}
				if credential != "shy" {
					c.Send(context.Background(), fmt.Sprint(i))
					notes[i], err = c.Receive()
				}
				notes[i] += fmt.Sprint(err)
				c.Close()
			})
		}
		state = func() string { return fmt.Sprint(notes, e.heard) }
		return func() {}
	}}, func() string { return state() }, sim.Options{NoFaults: true}, false}
}

// stalled is a task that reads what another writes, stalled by a third.
func stalled() program {
	var state func() string
	return program{&sim.Scenario{Name: "stalled", Setup: func(w *sim.World) func() {
		n := w.Node("slow")
		x, note := sched.NewAtomicInt64(n.Scheduler(), 0), ""
		n.Go("reader", func() {
			note += fmt.Sprint(x.Load())
			note += fmt.Sprint(x.Load())
		})
		w.Host().Go("writer", func() {
			x.Store(1)
			w.Host().Clock().Sleep(context.Background(), time.Second)
			x.Store(2)
		})
		w.Host().Go("staller", func() {
			sched.Yield(w.Host().Scheduler())
			n.Stall(time.Second)
		})
		state = func() string { return note }
		return func() {}
	}}, func() string { return state() }, sim.Options{}, true}
}

// crashed is a node that goes down in the middle of what it does.
func crashed() program {
	var state func() string
	return program{&sim.Scenario{Name: "crashed", Setup: func(w *sim.World) func() {
		n := w.Node("frail")
		x := sched.NewAtomicInt64(n.Scheduler(), 0)
		mu := sched.NewMutex(n.Scheduler())
		n.Go("worker", func() {
			mu.Lock()
			x.Add(1)
			x.Add(10)
			mu.Unlock()
		})
		n.Go("worker", func() {
			mu.Lock()
			x.Store(5)
			mu.Unlock()
		})
		w.Host().Go("killer", func() {
			sched.Yield(w.Host().Scheduler())
			n.Crash()
		})
		state = func() string { return fmt.Sprint(x.Load()) }
		return func() {}
	}}, func() string { return state() }, sim.Options{}, true}
}

// checked has a check after every step.
func checked() program {
	var state func() string
	return program{&sim.Scenario{Name: "checked", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		x, y := sched.NewAtomicInt64(s, 0), sched.NewAtomicInt64(s, 0)
		raised, lowered := 0, 0
		w.OnStep(func() {
			if raised > lowered+1 {
				w.Fail("balance", "raised %d times and lowered %d times", raised, lowered)
			}
		})
		for _, v := range []*sched.AtomicInt64{x, y} {
			w.Host().Go("task", func() {
				v.Add(1)
				w.Inline(func() { raised++ })
				v.Add(-1)
				w.Inline(func() { lowered++ })
			})
		}
		state = func() string { return fmt.Sprint(raised, lowered) }
		return func() {}
	}}, func() string { return state() }, sim.Options{}, true}
}

func TestWorldsEndAsInAllSchedules(t *testing.T) {
	for name, p := range map[string]program{
		"one fault": faulty(1, 1), "one fault, twice": faulty(1, 2), "two faults": faulty(2, 1),
		"a stall": stalled(), "a crash": crashed(), "a check after every step": checked(),
	} {
		t.Run(name, func(t *testing.T) {
			some := reduced(t, p, 100_000)
			require.Empty(t, some.defect)
			everything, runner, ends, runs := new(conformance.Enumerator), sim.NewRunner(), map[string]bool{}, 0
			defer runner.Close()
			w := &watcher{Source: everything}
			w.identify = true
			classes := map[uint64]bool{}
			for everything.Next() {
				r, err := runner.Run(p.scenario, sim.RunConfig{Source: w, Listener: w})
				require.NoError(t, err)
				classes[w.class(w.draws)] = true
				ends[p.end(r)] = true
				runs++
				require.Less(t, runs, 1_000_000)
			}
			t.Logf("%d schedules, %d executions, %d blocked, %d ends, %d classes of %d", runs, some.runs, some.blocked, len(ends), len(some.classes), len(classes))
			require.Equal(t, ends, some.ends)
			require.Len(t, some.classes, len(classes))
			require.Equal(t, some.runs, len(classes))
		})
	}
}

func TestRandomSchedulesOfCallsEndAsSomeExecution(t *testing.T) {
	for _, credentials := range [][]string{{"a"}, {"shy"}, {"stranger"}, {"a", "shy"}, {"a", "b"}} {
		p := calls(credentials...)
		some := reduced(t, p, 30_000)
		require.Empty(t, some.defect)
		require.Less(t, some.runs+some.blocked, 30_000)
		runner, ends := sim.NewRunner(), map[string]bool{}
		for i := range uint64(3000) {
			r, err := runner.Run(p.scenario, sim.RunConfig{Source: conformance.Random(i), Options: p.options})
			require.NoError(t, err)
			ends[p.end(r)] = true
			require.Contains(t, some.ends, p.end(r))
		}
		runner.Close()
		t.Logf("%v: %d executions, %d blocked, %d ends, of which random schedules have %d", credentials, some.runs, some.blocked, len(some.ends), len(ends))
	}
}
