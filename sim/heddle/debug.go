package heddle

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// canDebug says why no debugger could look into this process.
func (p program) canDebug() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("--debug needs Linux, which tells a process that a debugger is attached; this is %s", runtime.GOOS)
	}
	binary, err := elf.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("--debug cannot read this binary: %w", err)
	}
	defer binary.Close()
	if binary.Section(".debug_info") == nil && binary.Section(".zdebug_info") == nil {
		return fmt.Errorf("--debug needs debug information, which go run leaves out: go build -gcflags='all=-N -l' -o heddle %s, and use that", p.command)
	}
	return nil
}

// debug repeats the run of a token once more, and waits for Delve before the step that comes next in the state.
func (a *app) debug(ctx context.Context, sc *sim.Scenario, token choice.Token, at *sim.State) error {
	place := ""
	for _, t := range at.Tasks {
		if t.Task == at.Next.Actor {
			if _, after, ok := strings.Cut(t.Stack, "\n\t"); ok {
				line, _, _ := strings.Cut(after, "\n")
				place = ", at " + line
			}
		}
	}
	pid := os.Getpid()
	fmt.Fprintf(a.errOut, "\nprocess %d waits for Delve before step %d, %s: %s%s\n  dlv attach %d\n", pid, at.Step+1,
		at.Next.Actor, strings.TrimSpace(at.Next.Operation+" "+at.Next.Object), place, pid)
	fmt.Fprintf(a.errOut, "then, with breakpoints or without: continue, which stops in heddle.waitForDelve on the stack of that task, and continue once more\n")
	replayed, err := search.PauseAfter(sc, token, at.Step, func() bool { return waitForDelve(ctx) })
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return errors.New("interrupted while waiting for a debugger")
	case replayed.Failure == nil:
		fmt.Fprintf(a.errOut, "the run is over: nothing was violated in %s\n", plural(replayed.Steps, "step"))
	default:
		fmt.Fprintf(a.errOut, "the run is over: it violates %s at step %d\n", replayed.Failure.Property, replayed.Failure.Step)
	}
	return nil
}

// waitForDelve waits until a debugger is attached, and then stops for it. What calls it is the task that is about to make the step, or
// whoever makes a step that is no task's. It is false if ctx ends first.
//
//go:noinline
func waitForDelve(ctx context.Context) bool {
	for !traced() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	runtime.Breakpoint()
	return true
}

// traced says whether a debugger is attached to this process.
func traced() bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	_, after, found := bytes.Cut(status, []byte("TracerPid:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return found && string(bytes.TrimSpace(line)) != "0"
}
