package sim_test

import (
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// steady lets who moved last go on, and else the first.
type steady struct{}

func (steady) Schedule(current *choice.Actor, enabled, _ []*choice.Actor) int {
	return max(slices.Index(enabled, current), 0)
}

func (steady) Value(choice.Site, int) int { return 0 }

// stateOf is the state of a steady run at a step, or at its end if step is 0.
func stateOf(t *testing.T, step int64, main func(w *sim.World)) *sim.State {
	if step == 0 {
		step = sim.DefaultMaxSteps
	}
	sc := &sim.Scenario{Name: t.Name(), Setup: func(w *sim.World) func() { return func() { main(w) } }}
	r := sim.NewRunner()
	defer r.Close()
	result, err := r.Run(sc, sim.RunConfig{Source: steady{}, Until: step})
	require.NoError(t, err)
	require.Nil(t, result.Failure, "the end of a look is none")
	return result.State
}

// objects are the states of the objects in words, by name.
func objects(s *sim.State) map[string]string {
	words := map[string]string{}
	for _, o := range s.Objects {
		words[o.Name] = strings.TrimSpace(o.State + " " + strings.Join(o.Contents, " "))
	}
	return words
}

func task(t *testing.T, s *sim.State, path string) sim.TaskState {
	i := slices.IndexFunc(s.Tasks, func(task sim.TaskState) bool { return task.Task == path })
	require.GreaterOrEqual(t, i, 0, "no task %s", path)
	return s.Tasks[i]
}

// TestAStateNamesWhoHoldsWhatAndWhatIsInside: each kind of primitive, held and waited for.
func TestAStateNamesWhoHoldsWhatAndWhatIsInside(t *testing.T) {
	s := stateOf(t, 0, func(w *sim.World) {
		host := w.Host().Scheduler()
		named := func(name string) sched.Scheduler { return sched.Named(host, name) }
		mutex, tried, given := sched.NewMutex(named("mutex")), sched.NewMutex(named("tried")), sched.NewMutex(named("given back"))
		read, written, wanted := sched.NewRWMutex(named("read")), sched.NewRWMutex(named("written")), sched.NewRWMutex(named("wanted"))
		queue, empty, full := sched.NewChan[string](named("queue"), 3), sched.NewChan[int](named("empty"), 0), sched.NewChan[int](named("full"), 1)
		group, once := sched.NewWaitGroup(named("group")), sched.NewOnce(named("once"))
		count, flag, pointer := sched.NewAtomicInt64(named("count"), 7), sched.NewAtomicBool(named("flag"), true), sched.NewAtomicPointer(named("pointer"), &struct{ N int }{3})
		mutex.Lock()
		tried.TryLock()
		tried.TryLock()
		given.Lock()
		given.Unlock()
		read.RLock()
		host.Go("reader", func() { read.RLock(); read.RUnlock(); read.RLock(); empty.Recv() })
		written.Lock()
		wanted.RLock()
		host.Go("writer", func() { wanted.Lock() })
		host.Go("locker", func() { mutex.Lock() })
		host.Go("once", func() { once.Do(func() { full.Send(2) }) })
		host.Go("chooser", func() { a, b := sched.Recv(empty), sched.Send(full, 2); sched.Select2(&a, &b) })
		full.Send(1)
		queue.Send("first")
		queue.Send(strings.Repeat("long", 100))
		group.Add(2)
		count.Add(1)
		_, _ = flag, pointer
		w.Node("other").Go("elsewhere", func() { _ = w.Host().Clock().Sleep(context.Background(), time.Minute); group.Wait() })
		group.Wait()
	})
	require.Equal(t, map[string]string{
		"mutex":   "locked by main",
		"tried":   "locked by main",
		"read":    "read by main, main/reader",
		"written": "locked for writing by main",
		"wanted":  "read by main; main/writer waits to write",
		"queue":   "2 of 3 first " + strings.Repeat("long", 50) + "... (400 bytes)",
		"empty":   "unbuffered",
		"full":    "1 of 1 1",
		"group":   "counter 2",
		"once":    "run by main/once",
		"count":   "8", "flag": "true", "pointer": "&{N:3}",
	}, objects(s))
	require.Nil(t, s.Next)
	require.Equal(t, []string{"mutex", "tried", "read", "written", "wanted"}, task(t, s, "main").Holds)
	locker := task(t, s, "main/locker")
	require.Equal(t, "locked by main", locker.Waits[0].State)
	require.False(t, locker.Ready)
	require.Contains(t, locker.Stack, "sim/state_test.go:")
	chooser := task(t, s, "main/chooser")
	require.Equal(t, "select", chooser.Operation)
	require.Equal(t, "receive empty unbuffered, send full 1 of 1", chooser.Waits[0].Operation+" "+chooser.Waits[0].Name+" "+chooser.Waits[0].State+
		", "+chooser.Waits[1].Operation+" "+chooser.Waits[1].Name+" "+chooser.Waits[1].State)
	require.Equal(t, "other", task(t, s, "main/elsewhere").Node)
	require.Equal(t, time.Minute, s.Time)
}

func TestALockOfATaskThatCrashedIsHeldByIt(t *testing.T) {
	s := stateOf(t, 0, func(w *sim.World) {
		n := w.Node("victim")
		m := sched.NewMutex(sched.Named(n, "left behind"))
		n.Go("holder", func() { m.Lock(); _ = n.Clock().Sleep(context.Background(), time.Hour) })
		sleep(w, time.Second)
		n.Crash()
		m.Lock()
	})
	require.Equal(t, "locked by main/holder (ended)", objects(s)["left behind"])
}

func TestAStateHasTimersAndTheFaultsThatHaveStruck(t *testing.T) {
	s := stateOf(t, 0, func(w *sim.World) {
		n := w.Node("client")
		w.Swarm("never")
		w.Struck("thunder")
		w.Fired("thunder")
		n.Clock().NewTimer(3 * time.Hour)
		w.After(time.Hour, w.Heal)
		n.Stall(time.Hour)
		n.Go("held up", func() {})
		sleep(w, time.Minute)
		w.Fail("enough", "the run ends here")
	})
	require.Equal(t, []sim.FaultCount{{Fault: "thunder", Fired: 2, Effect: 1}}, s.Faults)
	require.Equal(t, []sim.TimerState{
		{Timer: "main/after", Deadline: time.Hour},
		{Timer: "main/stall", Deadline: time.Hour},
		{Timer: "main/timer", Node: "client", Deadline: 3 * time.Hour, Channel: "main:chan"},
	}, s.Timers)
	held := task(t, s, "main/held up")
	require.True(t, held.Stalled)
	require.Contains(t, held.Stack, "sim/state_test.go:", "where it begins")
}

// TestAStateOfEachStep: the step that comes next is the trace's, a task stands before it, and to look changes nothing.
func TestAStateOfEachStep(t *testing.T) {
	sc := &sim.Scenario{Name: "looked at", Setup: func(w *sim.World) func() {
		w.Rule("spark", 2, func() bool { return true })
		return func() { ring(w.Host().Scheduler(), 3, 2); sleep(w, time.Second) }
	}}
	r := sim.NewRunner()
	defer r.Close()
	whole, err := r.Run(sc, sim.RunConfig{Source: seeded(3)})
	require.NoError(t, err)
	for step := int64(1); step <= whole.Steps; step++ {
		var next sim.NextStep
		look, err := r.Run(sc, sim.RunConfig{Source: seeded(3), Until: step, Tracer: stepTracer(func(n int64, a *choice.Actor) {
			if n == step {
				next = sim.NextStep{Actor: a.Path(), Operation: a.Op.String(), Object: a.Object().Path()}
			}
		})})
		require.NoError(t, err)
		require.Equal(t, step-1, look.State.Step)
		require.Equal(t, &next, look.State.Next)
		for _, task := range look.State.Tasks {
			require.NotEmpty(t, task.Stack, "%s at step %d", task.Task, step)
			require.NotContains(t, task.Stack, "/internal/kernel")
		}
		held := 0
		for _, o := range look.State.Objects {
			require.Equal(t, strings.HasPrefix(o.State, "locked by main"), len(o.Holders) == 1, "%s is %s at step %d", o.Object, o.State, step)
			held += len(o.Holders)
		}
		for _, task := range look.State.Tasks {
			held -= len(task.Holds)
		}
		require.Zero(t, held, "who holds a lock and what is held agree at step %d", step)
		_, err = json.Marshal(look.State)
		require.NoError(t, err)
		again, err := r.Run(sc, sim.RunConfig{Source: seeded(3), Until: step})
		require.NoError(t, err)
		require.Equal(t, look.State, again.State)
	}
	beyond, err := r.Run(sc, sim.RunConfig{Source: seeded(3), Until: whole.Steps + 10})
	require.NoError(t, err)
	require.Equal(t, whole.Steps, beyond.State.Step)
	require.Equal(t, whole.Hash, beyond.Hash)
	require.Nil(t, beyond.State.Next)
}

// stepTracer is a tracer of steps.
type stepTracer func(step int64, a *choice.Actor)

func (f stepTracer) Step(step int64, _ time.Duration, a *choice.Actor) { f(step, a) }
func (stepTracer) Value(choice.Site, int, int)                         {}
func (stepTracer) Note(string)                                         {}

// TestAPauseIsOnTheStackOfTheTaskThatMovesNext, whichever it is, and changes nothing of the run.
func TestAPauseIsOnTheStackOfTheTaskThatMovesNext(t *testing.T) {
	sc := &sim.Scenario{Name: "paused", Setup: func(w *sim.World) func() {
		return func() { ring(w.Host().Scheduler(), 3, 2); sleep(w, time.Second) }
	}}
	r := sim.NewRunner()
	defer r.Close()
	whole, err := r.Run(sc, sim.RunConfig{Source: seeded(3)})
	require.NoError(t, err)
	require.Nil(t, whole.Failure)
	for step := int64(1); step <= whole.Steps; step++ {
		look, err := r.Run(sc, sim.RunConfig{Source: seeded(3), Until: step})
		require.NoError(t, err)
		paused := 0
		result, err := r.Run(sc, sim.RunConfig{Source: seeded(3), Until: step, Pause: func() bool {
			paused++
			for _, task := range look.State.Tasks {
				if task.Task == look.State.Next.Actor && task.Operation != "start" {
					_, place, _ := strings.Cut(task.Stack, "\n\t")
					place, _, _ = strings.Cut(place, "\n")
					stack := make([]byte, 1<<16)
					require.Contains(t, string(stack[:runtime.Stack(stack, false)]), place, "step %d", step)
				}
			}
			return true
		}})
		require.NoError(t, err)
		require.Equal(t, 1, paused, "step %d", step)
		require.Equal(t, whole.Hash, result.Hash)
		require.Nil(t, result.Failure)

		result, err = r.Run(sc, sim.RunConfig{Source: seeded(3), Until: step, Pause: func() bool { return false }})
		require.NoError(t, err)
		require.Nil(t, result.Failure)
		require.LessOrEqual(t, result.Steps, step)
	}
}
