package heddle

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

// TestMain makes the test binary a heddle as well: the fresh process of an audit is one of the program that runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "audit" || os.Args[1] == "replay") {
		os.Exit(ours.execute(context.Background(), auditScenarios(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// counts is a scenario whose main task counts as often as f says.
func counts(name string, f func(w *sim.World, count func(times int))) *sim.Scenario {
	return &sim.Scenario{Name: name, Setup: func(w *sim.World) func() {
		n := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
		return func() {
			f(w, func(times int) {
				for range times {
					n.Add(1)
				}
			})
		}
	}}
}

// auditScenarios are a few that repeat, and some that something outside the simulation has a say in.
func auditScenarios() []*sim.Scenario {
	return append(testScenarios(),
		counts("map-order", func(w *sim.World, count func(int)) {
			weights := map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}
			for name, weight := range weights {
				w.Host().Go(name, func() { count(weight) })
			}
		}),
		counts("wall-clock", func(w *sim.World, count func(int)) {
			time.Sleep(time.Microsecond)
			count(1 + int(time.Now().UnixNano()/100%5))
		}),
		counts("process", func(w *sim.World, count func(int)) {
			count(3)
			_ = w.Host().Clock().Sleep(context.Background(), time.Duration(os.Getpid()))
			count(1)
		}),
		counts("watched", func(w *sim.World, count func(int)) {
			if w.Tracing() {
				count(1)
			}
		}),
	)
}

func audited(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = ours.execute(context.Background(), auditScenarios(), append([]string{"audit"}, args...), &stdout, &stderr)
	require.Empty(t, stderr.String())
	return stdout.String(), status
}

func TestAuditOfWhatRepeats(t *testing.T) {
	out, status := audited(t, "account", "account-fixed", "stuck-forks", "two-faced", "faulty", "--runs", "300", "--seed", "s")
	require.Equal(t, statusClean, status, out)
	require.Regexp(t, `seed s, strategy mix, \d+ workers?

same     account  +300 runs .* trace [0-9a-f]{16}
same     account-fixed  `, out)
	require.Contains(t, out, "1,500 runs of 5 scenarios")
	require.Contains(t, out, "the same again, on one core, traced, from token, in a fresh process\n")
}

func TestAuditMakesTheRunsOfASearch(t *testing.T) {
	var audit auditDocument
	out, status := audited(t, "account", "--runs", "600", "--seed", "s", "--format", "json")
	require.Equal(t, statusClean, status)
	require.NoError(t, json.Unmarshal([]byte(out), &audit))
	var run runDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "run", "account", "--runs", "600", "--seed", "s", "--keep-going", "--format", "json")), &run))

	a, r := audit.Scenarios[0], run.Scenarios[0]
	require.Equal(t, r.TraceHash, a.TraceHash)
	require.Equal(t, []int64{r.Runs, r.Steps, r.Failed}, []int64{a.Runs, a.Steps, a.Failed})
	require.Equal(t, []string{search.ConditionAgain, search.ConditionOneCore, search.ConditionTraced, search.ConditionReplayed, search.ConditionFresh}, a.Conditions)
	require.Nil(t, a.Difference)
}

func TestAuditNamesTheFirstStepThatDiffers(t *testing.T) {
	for _, test := range []struct {
		scenario, condition string
		located             bool
	}{
		{"map-order", search.ConditionAgain, true},
		{"wall-clock", search.ConditionAgain, true},
		{"process", search.ConditionFresh, true},
		{"watched", search.ConditionTraced, false},
	} {
		t.Run(test.scenario, func(t *testing.T) {
			out, status := audited(t, test.scenario, "account-fixed", "--runs", "40", "--format", "json")
			require.Equal(t, statusFound, status, out)
			var document auditDocument
			require.NoError(t, json.Unmarshal([]byte(out), &document))
			require.Equal(t, 1, document.Different)
			require.Nil(t, document.Scenarios[1].Difference, "the others are audited all the same")

			d := document.Scenarios[0].Difference
			require.Equal(t, test.condition, d.Condition)
			require.NotEqual(t, d.First, d.Second)
			require.Len(t, d.Seed, 16)
			require.Contains(t, d.Replay, "heddle replay heddle1_")
			require.Equal(t, test.located, d.Step > 0)
			require.Equal(t, test.located, d.Here != nil || d.There != nil)
			if test.located {
				require.NotEqual(t, d.Here, d.There)
			}
		})
	}
}

func TestAuditShowsBothSides(t *testing.T) {
	out, status := audited(t, "process", "watched", "--runs", "3", "--seed", "s")
	require.Equal(t, statusFound, status)
	require.Regexp(t, `
process is not deterministic: run 0 \(random\), seed [0-9a-f]{16}, differs when repeated: fresh process
  first:  no failure \(\d+ steps in .*, trace [0-9a-f]{16}\)
  second: no failure \(\d+ steps in .*, trace [0-9a-f]{16}\)
  the traces part at step \d+
    first:  step \d+ at \S+: .*
    second: step \d+ at \S+: .*
  heddle replay heddle1_\S+
`, out)
	require.Contains(t, out, "it matters to the run whether it is traced")
	require.Contains(t, out, ": 2 scenarios not deterministic\n")
	require.Contains(t, out, time.Duration(os.Getpid()).String())
}

func TestAuditSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		want string
		args []string
	}{
		{"--runs 0 would compare nothing: give 1 or more", []string{"--runs", "0"}},
		{"--workers 0 could run nothing: give 1 or more", []string{"--workers", "0"}},
		{"unknown strategy \"best\"", []string{"--strategy", "best"}},
		{"unknown scenario \"acount\": did you mean account?", []string{"acount"}},
		{"unknown format \"xml\"", []string{"--format", "xml"}},
		{"unknown flag: --until: heddle audit --help shows what it takes", []string{"--until", "3"}},
	} {
		out, errOut, status := heddle(t, append([]string{"audit"}, test.args...)...)
		require.Equal(t, statusError, status, test.args)
		require.Empty(t, out)
		require.Contains(t, errOut, test.want)
		require.Regexp(t, `\Aheddle: .*\n\z`, errOut, "one line")
	}
}

func TestAuditEndsWithASetUpThatFails(t *testing.T) {
	out, errOut, status := heddle(t, "audit", "account", "broken", "--runs", "300")
	require.Equal(t, statusError, status)
	require.Contains(t, out, "same     account ", "what was done until then")
	require.Regexp(t, `ended early: scenario broken panicked outside a task: no configuration \(.*\) \(run \d+, seed `, out)
	require.Regexp(t, `\Aheddle: scenario broken panicked .*\n\z`, errOut)
}
