package simtest

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// Bounds of what a test says, for a program that says much more.
const (
	mostText  = 2000 // characters of one message, stack or note
	mostTasks = 16
	mostTrace = 1000 // events, the last ones
)

// text tells of a failure: what was violated, where, what the bug needs, and where it is kept. Of one that was made smaller it is the
// smallest that is told of. The line that repeats it comes after that.
func (c *corpus) text(found *search.Failure, k kept) string {
	f := smallest(found)
	var b strings.Builder
	fmt.Fprintf(&b, "%s violates %s: %s\n", f.Scenario, f.Property, limited(f.Message))
	if s := search.StatementOf(c.scenario, f.Property); s != "" {
		fmt.Fprintf(&b, "  must hold: %s\n", s)
	}
	fmt.Fprintf(&b, "  found by %s", found.Strategy)
	if found.Full.Seed != 0 {
		fmt.Fprintf(&b, ", seed %s", found.Seed)
	}
	if f.Hash != found.Hash {
		fmt.Fprintf(&b, "; made smaller, from %d decisions and %d steps to %d and %d", len(found.Full.Deviations), found.Steps, len(f.Full.Deviations), f.Steps)
	}
	b.WriteByte('\n')
	indented(&b, f.Stack)
	for i, task := range f.Tasks {
		if i == mostTasks {
			fmt.Fprintf(&b, "  and %d more tasks\n", len(f.Tasks)-i)
			break
		}
		fmt.Fprintf(&b, "  task %s waits to %s\n", task.Path, strings.TrimSpace(task.Operation+" "+task.Object))
		indented(&b, task.Stack)
	}
	if found.Shrunk != nil {
		if e, ok := found.Shrunk.Explanation.(*shrink.Explanation); ok && len(e.Bug) > 0 {
			b.WriteString("  the bug needs:\n")
			for _, sentence := range e.Bug {
				fmt.Fprintf(&b, "    %s\n", limited(sentence))
			}
		}
	}
	switch {
	case k.err != nil:
		fmt.Fprintf(&b, "  cannot be kept in %s: %v\n", c.folder, cause(k.err))
	case k.path != "":
		fmt.Fprintf(&b, "  kept in %s\n", k.path)
	}
	if k.page != "" {
		fmt.Fprintf(&b, "  shown in %s\n", k.page)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// searchText tells of a failure that is not one of a run but of the whole search.
func (c *corpus) searchText(f *search.Failure, runs int64, s settings) string {
	return fmt.Sprintf("%s violates %s: %s\n  %s", f.Scenario, f.Property, limited(f.Message),
		c.command(fmt.Sprintf("-%s=%d -%s=%s -%s=%s", runsName, runs, seedName, quoted(s.seed), strategyName, s.strategy.Name())))
}

// replayLine is the line that repeats a failure: by its token where it fits a command line, which works on any machine, else by its
// file, and by its seed if there is none.
func (c *corpus) replayLine(found *search.Failure, path string) string {
	f := smallest(found)
	failure := f.Full.String()
	switch {
	case len(failure) <= choice.LongToken:
	case path != "":
		failure = quoted(path)
	default:
		failure = found.Full.BySeed().String()
	}
	return c.command("-v -" + replayName + "=" + failure)
}

// command is the line that runs the test with some flags.
func (c *corpus) command(flags string) string {
	return fmt.Sprintf("go test%s -run %s %s", packageUnderTest(), quoted(pattern(c.test)), flags)
}

// packageUnderTest is how the go command is told to test the same package with the same tags.
func packageUnderTest() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return " ."
	}
	tags := ""
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			tags = " -tags " + quoted(s.Value)
		}
	}
	path := strings.TrimSuffix(info.Path, ".test")
	if path == "" || path == "command-line-arguments" { // of files, not of a package
		path = "."
	}
	return tags + " " + path
}

// pattern is what -run must be for this test alone.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// quoted makes a word safe for a shell.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// unlike says, in one line, why a run is not the one that was kept.
func unlike(token choice.Token, replayed search.Replayed, fit *choice.Fit) string {
	came := "nothing is violated any more"
	if replayed.Failure != nil {
		came = fmt.Sprintf("not the run that was kept, which violated %s", token.Property)
	}
	switch {
	case fit == nil:
		return came + "; a failure by seed repeats only on the build that found it"
	case fit.Exact():
		return came + "; each of its decisions fits the code"
	default:
		return fmt.Sprintf("%s; the failure does not fit the code any more: %s", came, fit.Diverged)
	}
}

// logSearch tells, in a line, what a search has done, and what it has not.
func logSearch(t *testing.T, r *search.ScenarioReport) {
	t.Helper()
	text := fmt.Sprintf("runs: %d, steps: %d, strategy %s, seed %s, trace %s", r.Runs, r.Steps, r.Strategy, r.FirstSeed, r.TraceHash)
	if r.Runs > 0 && r.Choices == 0 {
		text += "; no run left a choice of who moves"
	}
	var idle, never []string
	for _, f := range r.Faults {
		if f.Effect == 0 {
			idle = append(idle, f.Fault)
		}
	}
	for _, s := range r.Sometimes {
		if s.Runs == 0 {
			never = append(never, s.ID)
		}
	}
	if len(idle) > 0 {
		text += "; faults without any effect: " + strings.Join(idle, ", ")
	}
	if len(never) > 0 {
		text += "; not seen yet: " + strings.Join(never, ", ")
	}
	t.Log(text)
}

// withStack is an error with the stack of what is stuck.
func withStack(err error) string {
	if stuck := new(search.StuckError); errors.As(err, &stuck) {
		return err.Error() + "\n" + strings.TrimSpace(stuck.Stack)
	}
	return err.Error()
}

// cause is an error without the name of a temporary file.
func cause(err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// limited is the beginning of a long text.
func limited(text string) string {
	if len(text) <= mostText {
		return text
	}
	return strings.ToValidUTF8(text[:mostText], "") + fmt.Sprintf("... (%d characters in all)", len(text))
}

func indented(b *strings.Builder, stack string) {
	for line := range strings.Lines(limited(strings.TrimSpace(stack))) {
		fmt.Fprintf(b, "      %s\n", strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), "\n"))
	}
}

// trace keeps the last events of a run.
type trace struct {
	events []search.Event
	missed int
}

func (t *trace) add(e search.Event) {
	e.Note = limited(e.Note)
	if t.events = append(t.events, e); len(t.events) == 2*mostTrace {
		t.missed += mostTrace
		t.events = t.events[:copy(t.events, t.events[mostTrace:])]
	}
}

// String is a line for each event.
func (t *trace) String() string {
	var b strings.Builder
	b.WriteString("the run:\n")
	if t.missed > 0 {
		fmt.Fprintf(&b, "  %d events before\n", t.missed)
	}
	step := int64(-1)
	for _, e := range t.events {
		if e.Operation != "" && e.Step != step {
			step = e.Step
			fmt.Fprintf(&b, "  %6d  %12s  %s\n", e.Step, e.Time, e)
		} else {
			fmt.Fprintf(&b, "  %6s  %12s    # %s\n", "", "", e)
		}
	}
	return b.String()
}
