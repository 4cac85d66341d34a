package heddle

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// delve finds the debugger, in the path or where go install puts it; without it, or where no process may be traced, the test is skipped.
func delve(t *testing.T) string {
	path, err := exec.LookPath("dlv")
	if err != nil {
		folder, _ := exec.Command("go", "env", "GOPATH").Output()
		path, err = exec.LookPath(filepath.Join(strings.TrimSpace(string(folder)), "bin", "dlv"))
	}
	if err != nil {
		t.Skip("Delve is not there: go install github.com/go-delve/delve/cmd/dlv@v1.27.2")
	}
	return path
}

// deadlocked is the failure of the README: of litmus/ab-ba-deadlock, in sixteen steps.
const deadlocked = "heddle1_eAGUFESlDLQi1Da9FGiVaCP08umlvgA-K0UABwAIZGVhZGxvY2sAFWxpdG11cy9hYi1iYS1kZWFkbG9jawEDb2NrAAxtYWluL3BheXJvbGwFBnJlZnVuZAAFcGN0OjMAC3NldHVwOm11dGV4AQAFAAEEAgYBAAMaFX5RMh8"

// debugged starts the command, built with debug information, so that it waits for Delve between the first two times that a task of the failure
// above has the journal, and answers what it says of that.
func debugged(t *testing.T, ctx context.Context) (command *exec.Cmd, said string, more io.Reader) {
	if testing.Short() {
		t.Skip("builds the command with debug information")
	}
	if runtime.GOOS != "linux" {
		t.Skip("on Linux only")
	}
	binary := filepath.Join(t.TempDir(), "heddle")
	built, err := exec.Command("go", "build", "-tags", "nosqlite", "-o", binary, "../../cmd/heddle").CombinedOutput()
	require.NoError(t, err, "%s", built)
	command = exec.CommandContext(ctx, binary, "replay", deadlocked, "--until", "9", "--debug")
	told, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill() })
	buffer := make([]byte, 4096)
	n, err := told.Read(buffer)
	require.NoError(t, err)
	return command, string(buffer[:n]), told
}

// TestDelveStopsAtTheStep: a real debugger attaches, stops on the stack of the task that makes the next step, and then in the line of the program
// that follows it; and the run goes on to the failure that it was to have.
func TestDelveStopsAtTheStep(t *testing.T) {
	dlv := delve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	replay, said, more := debugged(t, ctx)
	attach := regexp.MustCompile(`process (\d+) waits for Delve before step 10, main/payroll: lock setup:mutex#3, at (models/scenario/litmus_deadlocks.go:\d+)\n  dlv attach (\d+)\n`).FindStringSubmatch(said)
	require.NotNil(t, attach, "%s", said)
	require.Equal(t, attach[1], attach[3])

	source, err := os.ReadFile("../../models/scenario/litmus_deadlocks.go")
	require.NoError(t, err)
	before, _, _ := strings.Cut(string(source), "journal.entries++")
	line := strings.Count(before, "\n") + 1

	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte(strings.Join([]string{
		"break models/scenario/litmus_deadlocks.go:" + strconv.Itoa(line), "continue", "stack 15", "continue", "clearall", "continue", "exit",
	}, "\n")), 0o644))
	debugger := exec.CommandContext(ctx, dlv, "attach", attach[3], "--init", script, "--allow-non-terminal-interactive=true")
	output, err := debugger.CombinedOutput()
	if bytes.Contains(output, []byte("operation not permitted")) {
		t.Skipf("no process may be traced here: %s", output)
	}
	if bytes.Contains(output, []byte("could not attach to pid")) && bytes.Contains(output, []byte("no child processes")) {
		t.Skipf("Delve lost a thread that has ended while it attached: %s", output)
	}
	require.NoError(t, err, "%s", output)
	plain := regexp.MustCompile(`\x1b\[\d*m`).ReplaceAllString(string(output), "")
	require.Contains(t, plain, "> [hardcoded-breakpoint] github.com/heddle-go/heddle/sim/heddle.waitForDelve() ")
	require.Regexp(t, `in github\.com/heddle-go/heddle/models/scenario\.abBaDeadlock\.func1\.2\n +at .*`+regexp.QuoteMeta(attach[2]), plain, "the stack of the task, at the line where it stands")
	require.Contains(t, plain, "> [Breakpoint 1] github.com/heddle-go/heddle/models/scenario.abBaDeadlock.func1.2() ")
	rest, err := io.ReadAll(more)
	require.NoError(t, err)
	require.Contains(t, string(rest), "the run is over: it violates deadlock at step 16\n")
	require.Error(t, replay.Wait())
	require.Equal(t, statusFound, replay.ProcessState.ExitCode())
}

func TestWhoWaitsForDelveCanBeInterrupted(t *testing.T) {
	replay, said, more := debugged(t, t.Context())
	require.Contains(t, said, " waits for Delve before step 10, ")
	require.NoError(t, replay.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(more)
	require.NoError(t, err)
	require.Contains(t, string(rest), "heddle: interrupted while waiting for a debugger\n")
	require.Error(t, replay.Wait())
	require.Equal(t, statusError, replay.ProcessState.ExitCode())
}
