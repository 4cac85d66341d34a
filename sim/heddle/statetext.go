package heddle

import (
	"fmt"
	"io"
	"strings"

	"github.com/heddle-go/heddle/sim"
)

// writeState tells a person where a run is between two steps.
func writeState(w io.Writer, s *sim.State) {
	if s.Next != nil {
		fmt.Fprintf(w, "\nafter step %d, at %s; next is step %d: %s: %s\n", s.Step, virtual(s.Time), s.Step+1, s.Next.Actor, strings.TrimSpace(s.Next.Operation+" "+s.Next.Object))
	} else {
		fmt.Fprintf(w, "\nafter step %d, at %s; no step follows\n", s.Step, virtual(s.Time))
	}
	for _, t := range s.Tasks {
		writeTaskState(w, t)
	}
	if len(s.Tasks) == 0 {
		fmt.Fprintf(w, "\nall tasks have ended\n")
	}
	writeSection(w, "objects", len(s.Objects), func(i int) string { return objectText(s.Objects[i]) })
	writeSection(w, "timers", len(s.Timers), func(i int) string { return timerText(s.Timers[i], s) })
	writeSection(w, "may move too", len(s.Others), func(i int) string {
		o := s.Others[i]
		return strings.TrimSpace(o.Actor + ": " + o.Operation + " " + o.Object)
	})
	writeSection(w, "faults that have struck", len(s.Faults), func(i int) string {
		f := s.Faults[i]
		return fmt.Sprintf("%s: %s, %d with an effect", f.Fault, plural(f.Fired, "time"), f.Effect)
	})
}

// writeSection writes a heading and a line for each entry, if there is any.
func writeSection(w io.Writer, heading string, n int, line func(i int) string) {
	if n > 0 {
		fmt.Fprintf(w, "\n%s:\n", heading)
	}
	for i := range n {
		fmt.Fprintf(w, "  %s\n", line(i))
	}
}

func writeTaskState(w io.Writer, t sim.TaskState) {
	verb := "waits to"
	switch {
	case t.Stalled:
		verb = "is held up by a fault, and then is to"
	case t.Ready:
		verb = "is about to"
	}
	fmt.Fprintf(w, "\ntask %s of node %s %s %s", t.Task, t.Node, verb, t.Operation)
	if t.Object != "" && len(t.Waits) < 2 {
		fmt.Fprintf(w, " %s", withName(t.Object, t.Name))
	}
	if len(t.Waits) == 1 && t.Waits[0].State != "" {
		fmt.Fprintf(w, ": %s", t.Waits[0].State)
	}
	fmt.Fprintln(w)
	if len(t.Waits) > 1 {
		for _, arm := range t.Waits {
			fmt.Fprintf(w, "  %s %s: %s\n", arm.Operation, withName(arm.Object, arm.Name), arm.State)
		}
	}
	if len(t.Holds) > 0 {
		fmt.Fprintf(w, "  holds %s\n", strings.Join(t.Holds, ", "))
	}
	writeStack(w, t.Stack)
}

func objectText(o sim.ObjectState) string {
	text := o.Kind + " " + withName(o.Object, o.Name)
	if o.State != "" {
		text += ": " + o.State
	}
	if len(o.Contents) > 0 {
		text += ": " + strings.Join(o.Contents, ", ")
	}
	if len(o.Waiting) > 0 {
		text += "; wanted by " + strings.Join(o.Waiting, ", ")
	}
	return text
}

func timerText(t sim.TimerState, s *sim.State) string {
	text := t.Timer + ": "
	if t.Due {
		text += "due"
	} else {
		text += fmt.Sprintf("at %s, in %s", virtual(t.Deadline), t.Deadline-s.Time)
	}
	if t.Channel != "" {
		text += ", sends to " + t.Channel
	}
	return text
}

// withName is the path of an object with the name that people know it by.
func withName(path, name string) string {
	if name == "" {
		return path
	}
	return name + " (" + path + ")"
}
