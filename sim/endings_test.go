package sim_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// How runs end: each built-in property, and what a failure tells of it.

func TestADeadlockNamesEachTaskWithItsStack(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) {
		s := w.Host().Scheduler()
		m := sched.NewMutex(s)
		m.Lock()
		s.Go("second", func() { m.Lock() })
		m.Lock()
	}).Failure
	require.NotNil(t, failure)
	require.Equal(t, sim.Deadlock, failure.Property)
	require.Contains(t, failure.Message, "main waits to lock main:mutex")
	require.Len(t, failure.Tasks, 2)
	require.Equal(t, "main/second", failure.Tasks[1].Path)
	for _, task := range failure.Tasks {
		require.Contains(t, task.Stack, "endings_test.go")
		require.NotContains(t, task.Stack, "internal/kernel")
	}
}

func TestATaskThatNeverEndsIsALeak(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) {
		w.Host().Go("forgotten", func() { sched.NewChan[int](w.Host(), 0).Recv() })
	}).Failure
	require.NotNil(t, failure)
	require.Equal(t, sim.Leak, failure.Property)
	require.Contains(t, failure.Message, "main/forgotten waits to receive")
}

func TestATickingTaskIsALeakAfterAnHour(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		w.Host().Go("ticker", func() {
			for {
				_ = w.Host().Clock().Sleep(context.Background(), time.Minute)
			}
		})
	})
	require.NotNil(t, result.Failure)
	require.Equal(t, sim.Leak, result.Failure.Property)
	require.InDelta(t, time.Hour, result.Elapsed, float64(2*time.Minute))
}

func TestATaskThatSleepsBeyondTheHourIsALeak(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		w.Host().Go("sleeper", func() { sleep(w, 3*time.Hour) })
	})
	require.NotNil(t, result.Failure)
	require.Equal(t, sim.Leak, result.Failure.Property)
}

func TestTasksMayEndAfterTheMainTask(t *testing.T) {
	run(t, func(w *sim.World) {
		w.Host().Go("late", func() { _ = w.Host().Clock().Sleep(context.Background(), time.Minute) })
	})
}

func TestAPanicIsAFailureWithTheStackOfItsTask(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) {
		w.Host().Go("clumsy", func() { panic("dropped it") })
		sched.NewChan[int](w.Host(), 0).Recv()
	}).Failure
	require.NotNil(t, failure)
	require.Equal(t, sim.Panic, failure.Property)
	require.Equal(t, "task main/clumsy panicked: dropped it", failure.Message)
	require.Contains(t, failure.Stack, "endings_test.go")
}

// dive calls itself and then f.
func dive(depth int, f func()) {
	if depth > 0 {
		dive(depth-1, f)
		return
	}
	f()
}

// TestThePanicsOfAProgramShowItsFramesOnly: none of the library, though the compiler inlines some of it into the program, and nothing that
// differs from machine to machine.
func TestThePanicsOfAProgramShowItsFramesOnly(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) {
		s := w.Host().Scheduler()
		var m sched.Mutex
		var once sched.Once
		once = sched.NewOnce(s)
		s.Go("clumsy", func() {
			once.Do(func() {
				w.Inline(func() {
					dive(1, func() { m.Unlock() })
				})
			})
		})
		sched.NewChan[int](s, 0).Recv()
	}).Failure
	require.NotNil(t, failure)
	require.Equal(t, sim.Panic, failure.Property)
	lines := strings.Split(failure.Stack, "\n")
	var functions []string
	for i := 0; i < len(lines); i += 2 {
		functions = append(functions, lines[i])
		require.Regexp(t, `^\tsim/endings_test\.go:\d+$`, lines[i+1])
	}
	if !raceDetector { // where what Inline runs panics on another goroutine
		require.Equal(t, "github.com/heddle-go/heddle/sim_test.dive", functions[1])
	}
	for _, f := range functions {
		require.Regexp(t, `^github\.com/heddle-go/heddle/sim_test\.(TestThePanics|dive)`, f)
	}
}

func TestTheStackOfADeepPanicIsCut(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) { dive(10_000, func() { panic("bottom") }) }).Failure
	require.Equal(t, 2*101, len(strings.Split(failure.Stack, "\n")))
	require.Regexp(t, `(?m)^\.\.\.\n\t9\d\d\d frames are left out$`, failure.Stack)
	require.Contains(t, failure.Stack, "TestTheStackOfADeepPanicIsCut.func1\n", "down to what the task began with")
}

// shy is an error that cannot say what is wrong.
type shy struct{ at *int }

func (s *shy) Error() string { return strconv.Itoa(*s.at) }

func TestWhatAPanicSaysIsTheSameEveryTime(t *testing.T) {
	type node struct {
		id   int
		next *node
		wake chan int
	}
	for want, value := range map[string]any{
		"dropped it":                    "dropped it",
		"no shelf":                      errors.New("no shelf"),
		"42":                            42,
		"&{id:1 next:0x... wake:0x...}": &node{1, &node{}, make(chan int)},
		"0x...":                         new(int),
		"%!v(PANIC=Error method: runtime error: invalid memory address or nil pointer dereference)": &shy{},
	} {
		failure := resultOf(t, 1, func(w *sim.World) { panic(value) }).Failure
		require.Equal(t, "task main panicked: "+want, failure.Message)
	}
}

func TestGoexitIsReportedAndTheRunnerGoesOn(t *testing.T) {
	r := sim.NewRunner()
	exits := &sim.Scenario{Name: "exits", Setup: func(w *sim.World) func() {
		return func() { w.Host().Go("t", func() { runtime.Goexit() }) }
	}}
	result, err := r.Run(exits, sim.RunConfig{Source: seeded(1)})
	require.NoError(t, err)
	require.NotNil(t, result.Failure)
	require.Equal(t, sim.Goexit, result.Failure.Property)
	require.Contains(t, result.Failure.Stack, "endings_test.go")
	require.NotContains(t, result.Failure.Stack, "0x", "addresses differ from run to run")

	fine := &sim.Scenario{Name: "fine", Setup: func(w *sim.World) func() {
		return func() { w.Host().Go("t", func() {}) }
	}}
	result, err = r.Run(fine, sim.RunConfig{Source: seeded(1)})
	require.NoError(t, err)
	require.Nil(t, result.Failure)
}

func TestALivelockRunsIntoTheLimitOfSteps(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) {
		for {
			sched.Yield(w.Host())
		}
	}).Failure
	require.NotNil(t, failure)
	require.Equal(t, sim.Steps, failure.Property)
}

func TestAPanicOutsideATaskIsAnErrorAndTheRunnerGoesOn(t *testing.T) {
	r := sim.NewRunner()
	broken := &sim.Scenario{Name: "broken", Setup: func(w *sim.World) func() { panic("no world today") }}
	_, err := r.Run(broken, sim.RunConfig{Source: seeded(1)})
	require.ErrorContains(t, err, "scenario broken panicked outside a task: no world today")

	later := &sim.Scenario{Name: "later", Setup: func(w *sim.World) func() {
		w.After(time.Second, func() { panic("too late") })
		return func() {}
	}}
	_, err = r.Run(later, sim.RunConfig{Source: seeded(1)})
	require.ErrorContains(t, err, "too late")

	fine := &sim.Scenario{Name: "fine", Setup: func(w *sim.World) func() { return func() {} }}
	_, err = r.Run(fine, sim.RunConfig{Source: seeded(1)})
	require.NoError(t, err)
}

func TestOnlyTheFirstViolationOfARunCounts(t *testing.T) {
	failure := resultOf(t, 1, func(w *sim.World) {
		w.Fail("first", "with %d", 1)
		w.Fail("second", "with %d", 2)
		panic("third")
	}).Failure
	require.NotNil(t, failure)
	require.Equal(t, "first", failure.Property)
	require.Equal(t, "with 1", failure.Message)
}

func TestAClosedRunnerLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	r := sim.NewRunner()
	for seed := uint64(1); seed <= 20; seed++ {
		sc := &sim.Scenario{Name: "tasks", Setup: func(w *sim.World) func() {
			return func() {
				for range 9 {
					w.Host().Go("task", func() { sched.Yield(w.Host()); sched.Yield(w.Host()) })
				}
			}
		}}
		result, err := r.Run(sc, sim.RunConfig{Source: seeded(seed)})
		require.NoError(t, err)
		require.Nil(t, result.Failure)
	}
	r.Close()
	for i := 0; i < 1_000_000 && runtime.NumGoroutine() > before; i++ {
		runtime.Gosched() // the last of them may be about to end
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// TestARobbedSelectMeetsWhoHasComeMeanwhile: a task is parked in a select, and what made its one case possible is taken by another
// task. It then waits at the other case again, where somebody may have come in the meantime: they must not wait for each other.
func TestARobbedSelectMeetsWhoHasComeMeanwhile(t *testing.T) {
	robbed := 0
	for seed := uint64(1); seed <= 3000; seed++ {
		result := resultOf(t, seed, func(w *sim.World) {
			n := w.Host()
			buffered, unbuffered := sched.NewChan[int](n, 1), sched.NewChan[int](n, 0)
			n.Go("select", func() {
				received, sent := sched.Recv(buffered), sched.Send(unbuffered, 1)
				sched.Select2(&received, &sent)
			})
			n.Go("receive", func() { unbuffered.Recv() })
			n.Go("rob", func() {
				buffered.Send(1)
				if _, _, ok := buffered.TryRecv(); ok {
					robbed++
				}
			})
		})
		if result.Failure != nil {
			require.Len(t, result.Failure.Tasks, 1, "seed %d: %s", seed, result.Failure.Message) // who receives, if the select took what was buffered
		}
	}
	require.Positive(t, robbed)
}
