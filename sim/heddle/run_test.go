package heddle

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// timeless replaces what depends on the clock.
func timeless(text string) string {
	text = regexp.MustCompile(`[0-9.]+ s\b`).ReplaceAllString(text, "# s")
	return regexp.MustCompile(` +[0-9.]+( [kMG])? (runs|steps)/s`).ReplaceAllString(text, " # $2/s")
}

func TestRunTellsWhatFailedAndHowToRepeatIt(t *testing.T) {
	out := found(t, "run", "account", "account-fixed", "--runs", "300", "--seed", "7", "--strategy", "random", "--workers", "2")
	token := regexp.MustCompile(`heddle1_[\w-]+`).FindString(out)
	require.NotEmpty(t, token)
	want, err := os.ReadFile("testdata/run.txt")
	require.NoError(t, err)
	got := regexp.MustCompile(`heddle1_[\w-]+`).ReplaceAllString(timeless(out), "TOKEN")
	got = regexp.MustCompile(`\b[0-9a-f]{16}\b`).ReplaceAllString(got, "HEX")
	require.Equal(t, string(want), got)

	again := found(t, "replay", token)
	require.Contains(t, again, "all-counted at step ")
	require.Contains(t, again, "reproduced: the same property failed, with the same trace ")
}

func TestRunOfAllScenariosLeavesOutThoseThatFailOnPurpose(t *testing.T) {
	out := clean(t, "run", "--runs", "100", "--seed", "x")
	require.Contains(t, out, "account-fixed")
	require.NotContains(t, out, "stuck-forks")
}

func TestRunPrintsTheSeedItHasDrawn(t *testing.T) {
	out := clean(t, "run", "account-fixed", "--runs", "50", "--format", "json")
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.Len(t, d.Seed, 8)
	again := clean(t, "run", "account-fixed", "--runs", "50", "--format", "json", "--seed", d.Seed)
	var e runDocument
	require.NoError(t, json.Unmarshal([]byte(again), &e))
	require.Equal(t, d.Scenarios[0].TraceHash, e.Scenarios[0].TraceHash)
}

func TestRunJSONHasItsFields(t *testing.T) {
	out := found(t, "run", "account", "--runs", "100", "--seed", "7", "--format", "json")
	var d struct{ Scenarios []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	s := d.Scenarios[0]
	for _, field := range []string{"name", "strategy", "runs", "steps", "seconds", "first_seed", "trace_hash", "faults", "failures"} {
		require.Contains(t, s, field)
	}
	f := s["failures"].([]any)[0].(map[string]any)
	for _, field := range []string{"property", "message", "seed", "token", "steps", "trace_hash"} {
		require.Contains(t, f, field)
	}
	require.Equal(t, "heddle replay "+f["token"].(string), f["replay"])
}

func TestRunJSONDoesNotDependOnWorkers(t *testing.T) {
	hash := func(workers string) string {
		var d runDocument
		out, _, _ := heddle(t, "run", "account", "account-fixed", "--runs", "600", "--seed", "7", "--keep-going", "--format", "json", "--workers", workers)
		require.NoError(t, json.Unmarshal([]byte(out), &d))
		return d.Scenarios[0].TraceHash + d.Scenarios[1].TraceHash
	}
	require.Equal(t, hash("1"), hash("2"))
	require.Equal(t, hash("2"), hash("2"))
}

func TestRunExplainsADeadlock(t *testing.T) {
	out := found(t, "run", "stuck-forks", "--runs", "1000", "--seed", "7")
	require.Contains(t, out, "stuck-forks violates deadlock: ")
	require.Contains(t, out, "must hold: The main task returns")
	require.Contains(t, out, "  task main/left-handed waits to lock setup:mutex#2\n")
	require.Contains(t, out, "scenarios_test.go:")
}

func TestRunOnlyOneProperty(t *testing.T) {
	require.Contains(t, found(t, "run", "two-faced", "--runs", "50", "--seed", "7", "--keep-going"), "two-faced violates never: ")
	args := []string{"run", "two-faced", "--runs", "50", "--seed", "7", "--only", "all-counted"}
	out := found(t, args...)
	require.Contains(t, out, ", only all-counted is judged\n")
	require.Contains(t, out, "two-faced violates all-counted: tails, too")
	require.NotContains(t, out, "violates never")
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, append(args, "--format", "json")...)), &d))
	require.Equal(t, "all-counted", d.Only)
	replayed := found(t, "replay", d.Scenarios[0].Failures[0].Token)
	require.Contains(t, replayed, "# not judged: never: tails\n")
	require.Contains(t, replayed, ", only all-counted is judged\n")
	require.Contains(t, replayed, "reproduced: ")
	clean(t, "run", "two-faced", "--runs", "50", "--seed", "7", "--only", "deadlock")
}

func TestRunStopsAtAProperty(t *testing.T) {
	out := found(t, "run", "two-faced", "account", "--runs", "1000", "--seed", "7", "--stop-at", "all-counted", "--format", "json")
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.NotEmpty(t, d.Scenarios[0].Failures, "failures of others are kept")
	require.Len(t, d.Scenarios[1].Failures, 1)
	require.Less(t, d.Scenarios[1].Runs, int64(1000))
}

func TestRunWithoutFaults(t *testing.T) {
	out := clean(t, "run", "faulty", "--runs", "10000", "--seed", "7", "--no-faults")
	require.Contains(t, out, ", without faults\n")
	require.Regexp(t, `(?m)^  lightning +0 +0 +0 `, out)
}

func TestRunShowsTheLedgerAndWhatWasNotSeen(t *testing.T) {
	out := clean(t, "run", "faulty", "--runs", "500", "--seed", "7")
	require.Regexp(t, `fault +armed +fired +effect\n`, out)
	require.Regexp(t, `lightning +\d+ +\d+ +\d+\n`, out)
	require.Regexp(t, `flood +\d+ +0 +0  no effect\n`, out)
	require.Contains(t, out, "faulty: not seen yet: impossible\n")
}

func TestSometimesNeverSeenIsAFailureWithALineToCopy(t *testing.T) {
	out := found(t, "run", "faulty", "--runs", "10000", "--seed", "it's")
	require.Contains(t, out, "faulty violates sometimes: not seen in 10000 runs: impossible\n")
	require.Contains(t, out, `  heddle run faulty --runs 10000 --seed 'it'\''s' --strategy mix --keep-going`+"\n")
}

func TestRunKeepsFailuresInAFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "kept", "here")
	out := found(t, "run", "account", "--runs", "300", "--seed", "7", "--out", folder)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 4, "the failure as it was found, and a smaller one, each with its page")
	for _, f := range files {
		path := filepath.Join(folder, f.Name())
		if filepath.Ext(path) == ".html" {
			require.Contains(t, out, "shown in "+path)
			continue
		}
		require.Contains(t, out, "kept in "+path)
		require.Contains(t, found(t, "replay", path), "reproduced: ")
	}
}

func TestThePageOfAFailureThatWasMadeSmallerLeadsToTheSmallerOne(t *testing.T) {
	folder := t.TempDir()
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "run", "account", "--runs", "300", "--seed", "7", "--out", folder, "--format", "json")), &d))
	f := d.Scenarios[0].Failures[0]
	page, err := os.ReadFile(f.Page)
	require.NoError(t, err)
	require.Contains(t, string(page), `<a href="`+filepath.Base(f.Shrunk.Page)+`">`)
	require.Contains(t, string(page), f.Replay)
	small, err := os.ReadFile(f.Shrunk.Page)
	require.NoError(t, err)
	require.Contains(t, string(small), "The bug needs")
	require.Contains(t, string(small), f.Shrunk.Replay)
}

func TestRunWritesSeveralFormats(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	out := clean(t, "run", "account-fixed", "--runs", "10", "--seed", "7", "--format", "text", "--format", "json="+file)
	require.Contains(t, out, "0 failures in 10 runs")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, json.Valid(content))
}

func TestPanicOutsideATaskKeepsWhatWasFound(t *testing.T) {
	out, errOut, status := heddle(t, "run", "account", "broken", "--runs", "1000", "--seed", "7", "--keep-going")
	require.Equal(t, statusError, status)
	require.Regexp(t, `^heddle: scenario broken panicked outside a task: no configuration.*\n$`, errOut)
	require.Contains(t, out, "account violates all-counted: ")
	require.Contains(t, out, "heddle replay heddle1_")
	require.Contains(t, out, "ended early: scenario broken panicked outside a task")
}

func TestInterruptedRunPrintsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var out, errOut bytes.Buffer
	status := ours.execute(ctx, testScenarios(), []string{"run", "account-fixed", "--for", "1h"}, &out, &errOut)
	require.Equal(t, statusClean, status)
	require.Contains(t, out.String(), "interrupted: this is what was done until then")
	require.Empty(t, errOut.String())
}

func TestRunOfNothingButWhatIsBuiltToFailIsAnError(t *testing.T) {
	var out, errOut bytes.Buffer
	status := ours.execute(t.Context(), []*sim.Scenario{{Name: "broken", Setup: nothing, Fails: "deadlock"}}, []string{"run"}, &out, &errOut)
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: every scenario of this program is built to fail, so none is meant without its name: name one, such as broken\n", errOut.String())
	require.Empty(t, out.String())
}

func TestRunThatNeverBeginsIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errOut bytes.Buffer
	status := ours.execute(ctx, testScenarios(), []string{"run", "account-fixed"}, &out, &errOut)
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: nothing was explored: the search ended before its first run\n", errOut.String())
}

func TestProgressLine(t *testing.T) {
	s, err := strategy.Parse("mix")
	require.NoError(t, err)
	p := newProgressLine(&bytes.Buffer{}, search.Config{Strategy: s, Duration: time.Minute})
	p.show(search.Progress{}) // no terminal: nothing happens
	p.clear()
	require.Equal(t, "1,200 runs  100 runs/s  5000 steps/s  1 failure  48s left",
		p.line(search.Progress{Elapsed: 12 * time.Second, Runs: 1200, Steps: 60_000, Failures: 1}))
	p.total = 2400
	require.Equal(t, "1,200 runs  100 runs/s  5000 steps/s  0 failures  12s left",
		p.line(search.Progress{Elapsed: 12 * time.Second, Runs: 1200, Steps: 60_000}))
}

func TestLongTokenIsReplayedBySeedOrFromItsFile(t *testing.T) {
	args := []string{"run", "long", "--runs", "1", "--seed", "7", "--strategy", "random", "--format", "json"}
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, args...)), &d))
	f := d.Scenarios[0].Failures[0]
	token, err := choice.ParseToken(f.Token)
	require.NoError(t, err)
	require.False(t, token.Addressed())
	require.Contains(t, found(t, "replay", f.Token), "reproduced: ")

	folder := filepath.Join(t.TempDir(), "a folder")
	require.NoError(t, json.Unmarshal([]byte(found(t, append(args, "--out", folder)...)), &d))
	f = d.Scenarios[0].Failures[0]
	require.Equal(t, "heddle replay '"+f.File+"'", f.Replay)
	_, kept, err := search.LoadFile(f.File)
	require.NoError(t, err)
	require.Greater(t, len(kept.String()), choice.LongToken)
	require.Contains(t, found(t, "replay", f.File), "reproduced: ")
}
