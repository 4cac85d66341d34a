package heddle

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

func TestShrinkTellsHowMuchSmaller(t *testing.T) {
	token := failing(t, "account")
	out := found(t, "shrink", token.String())
	require.Contains(t, out, "account: two deposits without a lock\n\n                     before      after\n")
	require.Regexp(t, `(?m)^context switches +[2-9] +1$`, out)
	require.Regexp(t, `(?m)^rewrite +\d+ +\. +\. +-\d+ +\.$`, out)
	require.Contains(t, out, "in all; nothing that was tried is smaller\n")
	require.Contains(t, out, "\n1 decision beside the default:\n  1  main/depositor#2 moves while main/depositor is at store setup:atomic (1st time)\n     that is: ")
	require.Contains(t, out, "account violates all-counted: balance is 1 after two deposits of 1\n  must hold: Every deposit is in the balance.\n")
	require.Regexp(t, `(?m)^  +step +time +task +what happened `, out)
	require.Regexp(t, `(?m)^> +\d+ +0s  main/depositor#2 +start \[1\]$`, out)
	require.Regexp(t, `(?m)^ +# balance was 0$`, out)
	require.Regexp(t, `(?m)^ +! all-counted is violated: balance is 1 after two deposits of 1$`, out)
	require.Contains(t, out, "\nit passes if one of these comes in another order:\n")
	require.Contains(t, out, "\nthe nearest run that passes is ")
	replay := regexp.MustCompile(`(?m)^  heddle replay (heddle1_[\w-]+)$`).FindStringSubmatch(out)
	require.NotNil(t, replay)
	again := found(t, "replay", replay[1])
	require.Contains(t, again, "1 decision beside the default, found by ")
	require.Contains(t, again, "reproduced: ")
}

func TestShrinkJSON(t *testing.T) {
	var d shrinkDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "shrink", failing(t, "account").String(), "--format", "json")), &d))
	require.Equal(t, "all-counted", d.Shrunk.Property)
	require.Equal(t, 1, d.Shrunk.Switches)
	require.Equal(t, shrink.Complete, d.Shrunk.Ended)
	require.Equal(t, d.Result.After.Steps, d.Shrunk.Steps)
	require.Equal(t, "heddle replay "+d.Shrunk.Token, d.Shrunk.Replay)
	require.Len(t, d.Explanation.Needs, 1)
	require.NotNil(t, d.Explanation.Nearest)
	last := d.Explanation.Story[len(d.Explanation.Story)-1]
	require.True(t, last.Failed)
	require.Equal(t, d.Shrunk.Steps, last.Step)
	replays := 2 // of the result
	for _, p := range d.Result.Passes {
		replays += p.Replays
	}
	require.Equal(t, d.Result.Replays, replays)
}

func TestShrinkKeepsTheResultInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "small.json")
	out := found(t, "shrink", failing(t, "account").String(), "--out", file)
	require.Contains(t, out, "kept in "+file)
	require.Contains(t, out, "shown in "+strings.TrimSuffix(file, ".json")+".html")
	require.FileExists(t, strings.TrimSuffix(file, ".json")+".html")
	require.Contains(t, found(t, "replay", file), "reproduced: ")
	require.Contains(t, found(t, "shrink", file), "\n1 decision beside the default:\n")
}

func TestShrinkOfATokenBySeed(t *testing.T) {
	out := found(t, "shrink", failing(t, "long").BySeed().String())
	require.Regexp(t, `(?m)^context switches +[1-9]\d* +0$`, out)
	require.NotContains(t, out, "beside the default")
}

func TestShrinkKeepsToTheOptionsOfTheRun(t *testing.T) {
	out := found(t, "run", "two-faced", "--runs", "50", "--seed", "7", "--only", "all-counted", "--shrink", "0")
	out = found(t, "shrink", regexp.MustCompile(`heddle1_[\w-]+`).FindString(out))
	require.Contains(t, out, ", only all-counted is judged\n")
	require.Contains(t, out, "\n1 decision beside the default:\n  1  coin = 1 for main (1st time)\n")
	require.Contains(t, out, "two-faced violates all-counted: tails, too\n")
}

func TestWhatDoesNotReproduceIsNotShrunk(t *testing.T) {
	notReproduced := func(failure string) string {
		out, errOut, status := heddle(t, "shrink", failure)
		require.Equal(t, statusError, status)
		require.Empty(t, out)
		require.Equal(t, 1, strings.Count(errOut, "\n"), errOut)
		require.Regexp(t, `^heddle: the failure does not reproduce, so there is nothing to make smaller or to explain: expected \S+ with trace \w{16}, came to `, errOut)
		return errOut
	}
	changed := failing(t, "account")
	changed.Deviations[1].Point = "lock"
	require.Contains(t, notReproduced(changed.String()), "; decision 2 of ")
	other := failing(t, "account")
	other.Property = "deadlock"
	require.Contains(t, notReproduced(other.String()), "expected deadlock with trace ")

	folder := t.TempDir()
	found(t, "run", "account", "--runs", "100", "--seed", "7", "--out", folder, "--shrink", "0")
	files, err := filepath.Glob(folder + "/*.json")
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	kept, token, err := search.LoadFile(files[0])
	require.NoError(t, err)
	token.Hash++ // as if the program had changed at step 5
	text := strings.Replace(string(content), kept.Token, token.String(), 1)
	text = regexp.MustCompile(`("step":5,.*"operation":)"[\w-]+"`).ReplaceAllString(text, `$1"levitate"`)
	require.NoError(t, os.WriteFile(files[0], []byte(text), 0o644))
	require.Regexp(t, `; step 5 was \S+: levitate.*, and here it is \S+: .+\n$`, notReproduced(files[0]))
}

func TestAnInterruptedShrinkShowsTheSmallestSoFar(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errOut bytes.Buffer
	status := ours.execute(ctx, testScenarios(), []string{"shrink", failing(t, "account").String()}, &out, &errOut)
	require.Equal(t, statusFound, status)
	require.Empty(t, errOut.String())
	require.Contains(t, out.String(), "interrupted: this is the smallest so far")
	require.Contains(t, out.String(), "\ninterrupted: not all of this was tried\n")
	require.Contains(t, out.String(), "  heddle replay heddle1_")
	out.Reset()
	ours.execute(context.Background(), testScenarios(), []string{"shrink", failing(t, "account").String(), "--for", "1ns"}, &out, &errOut)
	require.Contains(t, out.String(), "the budget is spent, and something smaller may be left")
}

func TestRunShrinksBesideWhatItReports(t *testing.T) {
	run := func(arguments ...string) *search.Failure {
		var d runDocument
		out := found(t, append([]string{"run", "account", "--runs", "100", "--seed", "7", "--strategy", "random", "--format", "json"}, arguments...)...)
		require.NoError(t, json.Unmarshal([]byte(out), &d))
		return d.Scenarios[0].Failures[0]
	}
	plain, shrunk := run("--shrink", "0"), run()
	require.Nil(t, plain.Shrunk)
	small := shrunk.Shrunk
	require.Equal(t, 1, small.Switches)
	require.Equal(t, shrunk.Property, small.Property)
	require.Contains(t, found(t, "replay", small.Token), "reproduced: ")
	require.Equal(t, small, run("--workers", "2").Shrunk)
	shrunk.Shrunk = nil
	require.Equal(t, plain, shrunk, "what was found stays as it is")

	little := run("--shrink", "100").Shrunk
	require.Equal(t, shrink.Spent, little.Ended)
	require.Contains(t, found(t, "run", "account", "--runs", "100", "--seed", "7", "--strategy", "random", "--shrink", "100"), "; heddle shrink may find a smaller one\n")
}

func TestRunSharesOutTheStepsForShrinking(t *testing.T) {
	var d runDocument
	out := found(t, "run", "account", "stuck-forks", "--runs", "1000", "--seed", "7", "--keep-going", "--format", "json", "--shrink", "400")
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	for _, s := range d.Scenarios {
		require.NotNil(t, s.Failures[0].Shrunk, "%s has its share", s.Name)
	}
}

func TestRunSaysWhatTheBugNeeds(t *testing.T) {
	out := found(t, "run", "account", "--runs", "100", "--seed", "7", "--strategy", "random", "--format", "json")
	var d struct {
		Scenarios []struct {
			Failures []struct {
				Shrunk struct{ Explanation shrink.Explanation }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	e := d.Scenarios[0].Failures[0].Shrunk.Explanation
	require.NotEmpty(t, e.Story)
	require.NotNil(t, e.Nearest)
	require.Contains(t, found(t, "run", "account", "--runs", "100", "--seed", "7", "--strategy", "random"), "\n  the bug needs:\n    "+e.Bug[0]+"\n")
}

func TestRunShrinksFirstWhatItStopsAt(t *testing.T) {
	var d runDocument
	out := found(t, "run", "account", "stuck-forks", "--runs", "1000", "--seed", "7", "--stop-at", "deadlock", "--format", "json", "--shrink", "3000")
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	for _, s := range d.Scenarios {
		for _, f := range s.Failures {
			if f.Property == "deadlock" {
				require.Equal(t, shrink.Complete, f.Shrunk.Ended)
			}
		}
	}
}

func TestShrinkLine(t *testing.T) {
	l := newShrinkLine(&bytes.Buffer{})
	l.show(shrink.Progress{}) // no terminal: nothing happens
	l.clear()
	require.Equal(t, "drop blocks  1,200 replays  3 inputs  1 fault  2 context switches  640 steps",
		l.line(shrink.Progress{Pass: "drop blocks", Replays: 1200, Size: shrink.Size{Inputs: 3, Faults: 1, Switches: 2, Values: 7, Steps: 640}}))
	require.Equal(t, time.Time{}, l.shown)
}
