package heddle

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// writeText tells a person what the search came to: a line for each scenario, then what failed, in words.
func (d runDocument) writeText(out io.Writer, scenarios []*sim.Scenario) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "seed %s, strategy %s, %s%s\n\n", d.Seed, d.Strategy, plural(int64(d.Workers), "worker"), narrowed(sim.Options{Only: d.Only, NoFaults: d.NoFaults}))
	width := 0
	for _, s := range d.Scenarios {
		width = max(width, len(s.Name))
	}
	var runs, steps, failures int64
	for _, s := range d.Scenarios {
		verdict := "ok  "
		switch {
		case len(s.Failures) > 0:
			verdict = "FAIL"
		case s.Runs == 0:
			verdict = "-   "
		}
		fmt.Fprintf(w, "%s  %-*s  %10s runs  %8s steps  %7.2f s  %8s runs/s  %8s steps/s  trace %s\n",
			verdict, width, s.Name, thousands(s.Runs), short(float64(s.Steps)), s.Seconds, rate(s.Runs, s.Seconds), rate(s.Steps, s.Seconds), s.TraceHash)
		runs, steps, failures = runs+s.Runs, steps+s.Steps, failures+int64(len(s.Failures))
	}
	writeBehaviour(w, d.Scenarios, width)
	writeGuarantees(w, d.Strategy, d.Scenarios, width)
	for i, s := range d.Scenarios {
		writeLedger(w, s)
		for _, f := range s.Failures {
			writeFailure(w, scenarios[i], f)
		}
	}
	fmt.Fprintf(w, "\n%s in %s, %s steps, %.1f s: %s runs/s, %s steps/s\n",
		plural(failures, "failure"), plural(runs, "run"), short(float64(steps)), d.Seconds, rate(runs, d.Seconds), rate(steps, d.Seconds))
	if d.Interrupted {
		fmt.Fprintln(w, "interrupted: this is what was done until then")
	}
	if d.Error != "" {
		fmt.Fprintln(w, "ended early:", d.Error)
	}
	return w.Flush()
}

// narrowed says what the options leave out; nothing if they leave out nothing.
func narrowed(o sim.Options) (text string) {
	if o.Only != "" {
		text += ", only " + o.Only + " is judged"
	}
	if o.NoFaults {
		text += ", without faults"
	}
	return text
}

// writeLedger shows what the faults did, and which did nothing.
func writeLedger(w io.Writer, s *search.ScenarioReport) {
	if len(s.Faults) > 0 && s.Runs > 0 {
		width := len("fault")
		for _, f := range s.Faults {
			width = max(width, len(f.Fault))
		}
		fmt.Fprintf(w, "\n%s:\n  %-*s  %9s  %9s  %9s\n", s.Name, width, "fault", "armed", "fired", "effect")
		for _, f := range s.Faults {
			note := ""
			if f.Effect == 0 {
				note = "  no effect"
			}
			fmt.Fprintf(w, "  %-*s  %9s  %9s  %9s%s\n", width, f.Fault, thousands(f.Armed), thousands(f.Fired), thousands(f.Effect), note)
		}
	}
	var never []string
	for _, seen := range s.Sometimes {
		if seen.Runs == 0 {
			never = append(never, seen.ID)
		}
	}
	if len(never) > 0 && s.Runs > 0 {
		fmt.Fprintf(w, "\n%s: not seen yet: %s\n", s.Name, strings.Join(never, ", "))
	}
	if s.Runs > 0 && s.Choices == 0 {
		fmt.Fprintf(w, "\n%s: no run left a choice of who moves\n", s.Name)
	}
	if s.Abandoned > 0 {
		fmt.Fprintf(w, "\n%s: %s would not end after their node had crashed\n", s.Name, plural(s.Abandoned, "task"))
	}
}

// writeFailure tells what went wrong, where, and how to repeat it.
func writeFailure(w io.Writer, sc *sim.Scenario, f *search.Failure) {
	fmt.Fprintln(w)
	writeViolation(w, sc, f)
	if f.Token != "" {
		alike := ""
		if f.Runs > 1 {
			alike = fmt.Sprintf(", and %s alike", plural(f.Runs-1, "other run"))
		}
		fmt.Fprintf(w, "  run %d (%s), %s, seed %s, trace %s%s\n", f.Run, f.Strategy, plural(f.Steps, "step"), f.Seed, f.Hash, alike)
	}
	writeStack(w, f.Stack)
	writeTasks(w, f.Tasks)
	writeKept(w, f)
	smallest := f.Shrunk != nil && f.Shrunk.Hash == f.Hash
	if smallest {
		writeBug(w, f.Shrunk.Explanation)
	}
	fmt.Fprintf(w, "  %s\n", f.Replay)
	if f.Shrunk != nil && !smallest {
		writeShrunk(w, f)
	}
}

// writeShrunk tells what a failure was made smaller to, and what that needs.
func writeShrunk(w io.Writer, f *search.Failure) {
	small := f.Shrunk
	more := ""
	if small.Ended != shrink.Complete {
		more = "; heddle shrink may find a smaller one"
	}
	fmt.Fprintf(w, "  shrunk from %s and %s to %d and %d%s\n", plural(int64(len(f.Full.Deviations)), "decision"), plural(f.Steps, "step"),
		len(small.Full.Deviations), small.Steps, more)
	writeBug(w, small.Explanation)
	writeKept(w, small.Failure)
	fmt.Fprintf(w, "  %s\n", orTooLong(small.Replay))
}

// writeKept says where a failure is kept, if it is.
func writeKept(w io.Writer, f *search.Failure) {
	if f.File != "" {
		fmt.Fprintf(w, "  kept in %s\n", f.File)
	}
	if f.Page != "" {
		fmt.Fprintf(w, "  shown in %s\n", f.Page)
	}
}

// writeBug says what the bug needs, if that is known.
func writeBug(w io.Writer, explained any) {
	e, ok := explained.(*shrink.Explanation)
	if !ok || len(e.Bug) == 0 {
		return
	}
	fmt.Fprintf(w, "  the bug needs:\n")
	for _, sentence := range e.Bug {
		fmt.Fprintf(w, "    %s\n", sentence)
	}
}

// writeViolation says which property of the scenario failed, and how.
func writeViolation(w io.Writer, sc *sim.Scenario, f *search.Failure) {
	fmt.Fprintf(w, "%s violates %s: %s\n", f.Scenario, f.Property, f.Message)
	if s := search.StatementOf(sc, f.Property); s != "" {
		fmt.Fprintf(w, "  must hold: %s\n", s)
	}
}

func writeTasks(w io.Writer, tasks []sim.TaskReport) {
	for _, t := range tasks {
		fmt.Fprintf(w, "  task %s waits to %s", t.Path, t.Operation)
		if t.Object != "" {
			fmt.Fprintf(w, " %s", t.Object)
		}
		fmt.Fprintln(w)
		writeStack(w, t.Stack)
	}
}

func writeStack(w io.Writer, stack string) {
	for line := range strings.Lines(strings.TrimSpace(stack)) {
		fmt.Fprintf(w, "      %s\n", strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), "\n"))
	}
}

func plural(n int64, what string) string { return pluralOf(n, what, what+"s") }

func pluralOf(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short writes a number with at most four significant digits and a unit.
func short(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.1f k", n/1e3)
	default:
		return fmt.Sprintf("%.0f", n)
	}
}

func rate(n int64, seconds float64) string {
	if seconds <= 0 {
		return "-"
	}
	return short(float64(n) / seconds)
}
