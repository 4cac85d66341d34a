package heddle

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim/shrink"
)

// mostNamed is how many tasks are named of those whose steps are left out.
const mostNamed = 3

// writeExplanation tells a failure: its story, the decisions and the order that it needs, and the nearest run that passes.
func writeExplanation(w io.Writer, e *shrink.Explanation) {
	writeStory(w, e)
	if len(e.Needs) > 0 {
		fmt.Fprintf(w, "\n%s beside the default:\n", plural(int64(len(e.Needs)), "decision"))
	}
	if e.Interrupted {
		defer fmt.Fprintf(w, "interrupted: not all of this was tried\n")
	}
	for i, n := range e.Needs {
		fmt.Fprintf(w, "%3d  %s%s\n", i+1, n.Decision, without(n))
		if n.Means != "" {
			fmt.Fprintf(w, "     that is: %s\n", n.Means)
		}
	}
	if len(e.Orders) > 0 {
		fmt.Fprintf(w, "\nit passes if one of these comes in another order:\n")
	}
	for _, o := range e.Orders {
		if o.Until != nil {
			fmt.Fprintf(w, "  %s\n    comes between %s\n    and %s\n", o.Then, o.First, *o.Until)
			continue
		}
		fmt.Fprintf(w, "  %s\n    comes before %s\n", o.First, o.Then)
	}
	if e.Turned < e.Races && !e.Interrupted {
		fmt.Fprintf(w, "\nturned round were the last %s of %s pairs of steps whose order could be another one\n", thousands(int64(e.Turned)), thousands(int64(e.Races)))
	}
	if e.Nearest == nil {
		fmt.Fprintf(w, "\nnone of %s with one thing otherwise passes\n", plural(int64(e.Runs), "run"))
		return
	}
	fmt.Fprintf(w, "\nthe nearest run that passes is the one %s; it differs from step %d on:\n", e.Nearest.Change, e.Nearest.First.Step)
	fmt.Fprintf(w, "  here   %s\n  there  %s\n", e.Nearest.First.Here, e.Nearest.First.There)
}

// without says what the run comes to without a decision, if it does not just pass.
func without(n shrink.Need) string {
	switch {
	case n.Larger:
		return " (without it the failure is larger)"
	case n.Without == shrink.NoWorld:
		return " (without it the set-up fails)"
	case n.Without != "":
		return fmt.Sprintf(" (without it the run violates %s)", n.Without)
	default:
		return ""
	}
}

// writeStory writes a line for each step that matters, and below it what it meant.
func writeStory(w io.Writer, e *shrink.Explanation) {
	width := len("task")
	for _, l := range e.Story {
		width = max(width, min(len(l.Task), 40))
	}
	indent := strings.Repeat(" ", 2+6+2+12+2)
	fmt.Fprintf(w, "\n  %6s  %12s  %-*s  %s\n", "step", "time", width, "task", "what happened (> decides, by its order; [1] by a decision)")
	for _, l := range e.Story {
		switch {
		case l.Left > 0:
			fmt.Fprintf(w, "%s... %s of %s\n", indent, plural(l.Left, "step"), named(l.Of))
		case l.Again > 0:
			fmt.Fprintf(w, "%s... the same %s again, %s\n", indent, plural(int64(l.Repeat), "line"), plural(int64(l.Again), "time"))
		default:
			writeLine(w, l, width)
			for _, m := range l.Meaning {
				fmt.Fprintf(w, "%s%s  # %s\n", indent, strings.Repeat(" ", width), m)
			}
		}
	}
	message, _, _ := strings.Cut(e.Message, "\n")
	fmt.Fprintf(w, "%s%s  ! %s is violated: %s\n", indent, strings.Repeat(" ", width), e.Property, message)
}

func writeLine(w io.Writer, l shrink.Line, width int) {
	mark, what := " ", strings.TrimSpace(l.Operation+" "+l.Object)
	if l.Decisive {
		mark = ">"
	}
	if l.Step == 0 {
		what = "the world is made"
	}
	for _, d := range l.Decisions {
		what += " [" + strconv.Itoa(d) + "]"
	}
	fmt.Fprintf(w, "%s %6d  %12s  %-*s  %s\n", mark, l.Step, virtual(l.Time), width, l.Task, what)
}

// named are the first of some names, and how many more there are.
func named(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s", strings.Join(names[:mostNamed], ", "), plural(int64(len(names)-mostNamed), "other"))
}
