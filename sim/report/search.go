// Package report writes what a search or a replay came to in the formats that people and CI systems read. A document is a function of what
// it tells of, and each names the line that repeats a failure.
package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// Search is a search and what it came to.
type Search struct {
	Seed        string
	Strategy    string
	Options     sim.Options
	Interrupted bool
	Error       string // in one line; empty: the search came to its end
	Scenarios   []*sim.Scenario
	Reports     []*search.ScenarioReport // of the scenarios, in their order
}

// Locate finds the place of each failure, and of its smaller version: the line of the program from which the step is made that decides, as the
// explanation says, or without one that in which the property failed. A failure of the whole search has the place of its scenario's set-up.
// The error is that of a replay.
func Locate(scenarios []*sim.Scenario, reports []*search.ScenarioReport) error {
	for i, r := range reports {
		for _, f := range r.Failures {
			err := locate(scenarios[i], f, f.Steps)
			if small := f.Shrunk; small != nil && err == nil {
				step := small.Steps
				if e := explanationOf(f); e != nil {
					step = e.Decisive()
				}
				err = locate(scenarios[i], small.Failure, step)
			}
			if err != nil {
				return fmt.Errorf("cannot find the place of a failure of %s: %w", r.Name, err)
			}
		}
	}
	return nil
}

func locate(sc *sim.Scenario, f *search.Failure, step int64) (err error) {
	if f.Full.Scenario != "" { // a failure of the whole search has no token
		if f.Place, err = search.PlaceOf(sc, f.Full, step); err != nil {
			return err
		}
	}
	if f.Place == nil {
		f.Place = search.PlaceOfSetup(sc)
	}
	return nil
}

// smallest is the smallest version of a failure.
func smallest(f *search.Failure) *search.Failure {
	if f.Shrunk != nil {
		return f.Shrunk.Failure
	}
	return f
}

// explanationOf is the explanation of the smallest version of a failure; nil if there is none.
func explanationOf(f *search.Failure) *shrink.Explanation {
	if f.Shrunk == nil {
		return nil
	}
	e, _ := f.Shrunk.Explanation.(*shrink.Explanation)
	return e
}

// replayOf is the version of a failure that a line repeats, the smallest that has one.
func replayOf(f *search.Failure) *search.Failure {
	if small := smallest(f); small.Replay != "" {
		return small
	}
	return f
}

// judged are the properties that the runs of a scenario were judged by.
func (s Search) judged(i int) (judged []sim.Property) {
	sc, r := s.Scenarios[i], s.Reports[i]
	for _, p := range search.PropertiesOf(sc) {
		switch {
		case r.Runs == 0, s.Options.Only != "" && p.ID != s.Options.Only:
		case p.ID == search.Sometimes && (len(sc.Sometimes) == 0 || r.Runs < search.SometimesRuns || s.Options.NoFaults):
		case slices.ContainsFunc(judged, func(other sim.Property) bool { return other.ID == p.ID }):
		default:
			judged = append(judged, sim.Property{ID: p.ID, Statement: search.StatementOf(sc, p.ID)})
		}
	}
	for _, f := range r.Failures { // of a property that its scenario does not list
		if !slices.ContainsFunc(judged, func(p sim.Property) bool { return p.ID == f.Property }) {
			judged = append(judged, sim.Property{ID: f.Property})
		}
	}
	return judged
}

// failures are those of a property.
func failures(r *search.ScenarioReport, property string) (of []*search.Failure) {
	for _, f := range r.Failures {
		if f.Property == property {
			of = append(of, f)
		}
	}
	return of
}

// told is a failure in a few lines, but for its message: what must hold, where it was decided, what the bug needs, how to repeat it.
func told(sc *sim.Scenario, f *search.Failure) string {
	var b strings.Builder
	if s := search.StatementOf(sc, f.Property); s != "" {
		fmt.Fprintf(&b, "must hold: %s\n", s)
	}
	if p := smallest(f).Place; p != nil && p.Step > 0 {
		fmt.Fprintf(&b, "decided at %s, step %d, by %s\n", p, p.Step, p.Task)
	}
	if e := explanationOf(f); e != nil && len(e.Bug) > 0 {
		fmt.Fprintf(&b, "the bug needs:\n")
		for _, sentence := range e.Bug {
			fmt.Fprintf(&b, "  %s\n", sentence)
		}
	}
	if f.Full.Scenario != "" {
		fmt.Fprintf(&b, "run %d (%s), seed %s, %s", f.Run, f.Strategy, f.Seed, count(f.Steps, "step"))
		if small := replayOf(f); small.Steps != f.Steps {
			fmt.Fprintf(&b, ", shrunk to %d", small.Steps)
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "%s\n", replayOf(f).Replay)
	return b.String()
}

// verdict sums a search up in one line.
func (s Search) verdict() string {
	var runs, steps, failed int64
	for _, r := range s.Reports {
		runs, steps, failed = runs+r.Runs, steps+r.Steps, failed+int64(len(r.Failures))
	}
	return fmt.Sprintf("%s in %s of %s, %s; seed %s, strategy %s",
		count(failed, "failure"), count(runs, "run"), count(int64(len(s.Reports)), "scenario"), count(steps, "step"), s.Seed, s.Strategy)
}

func count(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// firstLine is a text up to its first line break.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
