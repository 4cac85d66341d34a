package rapidtest_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/simtest/rapidtest"
)

// counting is a world in which some tasks add one each, in one step or in two.
func counting(tasks int, atomic bool) *sim.Scenario {
	return &sim.Scenario{Name: "counting", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		return func() {
			done.Add(tasks)
			for range tasks {
				s.Go("task", func() {
					defer done.Done()
					if atomic {
						n.Add(1)
					} else {
						n.Store(n.Load() + 1)
					}
				})
			}
			done.Wait()
			if n.Load() != int64(tasks) {
				w.Fail("counted", "%d tasks make %d", tasks, n.Load())
			}
		}
	}}
}

// Rapid draws the world, and what happens in it.
func ExampleRun() {
	var t *testing.T // of func TestCounting(t *testing.T)
	rapid.Check(t, func(t *rapid.T) {
		tasks := rapid.IntRange(1, 5).Draw(t, "tasks")
		rapidtest.Run(t, counting(tasks, true))
	})
}

func TestAWorldThatHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapidtest.Run(t, counting(rapid.IntRange(1, 5).Draw(t, "tasks"), true))
	})
}

const child = "HEDDLE_RAPID_CHILD"

// Rapid cannot be asked what it has found, so the property that fails runs in a child.
func TestRapidFindsAShortList(t *testing.T) {
	if os.Getenv(child) != "" {
		rapid.Check(t, func(t *rapid.T) {
			rapidtest.Run(t, counting(rapid.IntRange(1, 5).Draw(t, "tasks"), false))
		})
		return
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-rapid.nofailfile", "-rapid.checks=1000")
	c.Env = append(os.Environ(), child+"=1")
	output, err := c.CombinedOutput()
	require.Error(t, err, string(output))
	require.Contains(t, string(output), "counting violates counted at step ")
	require.Regexp(t, `: [2-5] tasks make [1-4]\n`, string(output))
	require.Regexp(t, `draw tasks: [2-5]\n`, string(output))
	require.LessOrEqual(t, strings.Count(string(output), "Gap:"), 3, "one switch is enough, and rapid comes near to that")
	require.Equal(t, 1, strings.Count(string(output), "--- FAIL"))
	require.NotContains(t, string(output), "flaky")
}

// A task that blocks on a lock which nobody simulates is told of, with its stack, as everywhere else.
func TestWhatIsStuckIsToldOf(t *testing.T) {
	if os.Getenv(child) != "" {
		rapid.Check(t, func(t *rapid.T) {
			rapidtest.Run(t, &sim.Scenario{Name: "stuck", Setup: func(*sim.World) func() {
				return func() {
					var native sync.Mutex
					native.Lock()
					native.Lock()
				}
			}})
		})
		return
	}
	if os.Getenv("HEDDLE_QUICK") != "" {
		t.Skip("rapid makes the run three times, and each is watched for ten seconds")
	}
	t.Parallel()
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-rapid.nofailfile", "-rapid.checks=1", "-rapid.shrinktime=1ns", "-test.timeout=5m")
	c.Env = append(os.Environ(), child+"=1")
	output, err := c.CombinedOutput()
	require.Error(t, err, string(output))
	require.Contains(t, string(output), "scenario stuck is stuck: no step for 10s in a run (a native lock or channel in a task? an endless loop?)")
	require.Contains(t, string(output), "rapidtest_test.go:")
}
