package heddle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// replayAll repeats several failures, and tells of each in a line. One that cannot be repeated keeps none of the others back.
func (a *app) replayAll(ctx context.Context, f replayFlags, failures []string) error {
	outputs, err := placesOf(f.formats)
	if err != nil {
		return err
	}
	document := replaysDocument{Failures: []replayedFailure{}}
	var failed error
	for _, failure := range failures {
		if ctx.Err() != nil {
			failed = errors.Join(failed, fmt.Errorf("interrupted: %d of %d failures were repeated", len(document.Failures), len(failures)))
			break
		}
		r, err := a.replayed(failure)
		if err != nil {
			r.Error = err.Error()
			failed = errors.Join(failed, fmt.Errorf("cannot repeat %s: %w", nameOf(failure), err))
		}
		document.Failures = append(document.Failures, r)
	}
	failed = errors.Join(failed, a.print(outputs, document, document.writeText))
	if failed == nil && document.violated() > 0 {
		return errFound
	}
	return failed
}

func (a *app) replayed(failure string) (replayedFailure, error) {
	r := replayedFailure{Failure: failure}
	_, token, err := readFailure(failure)
	if err != nil {
		return r, err
	}
	r.Scenario, r.Expected = token.Scenario, token.Property
	sc, err := a.scenario(token.Scenario)
	if err != nil {
		return r, fmt.Errorf("the failure is of a scenario that this build does not have: %w", err)
	}
	replayed, err := search.Replay(sc, token, nil)
	if err != nil {
		return r, err
	}
	r.Reproduced, r.Fits = replayed.Same, replayed.Fit == nil || replayed.Fit.Exact()
	if replayed.Failure != nil {
		r.Property, r.Message = replayed.Failure.Property, replayed.Failure.Message
	}
	return r, nil
}

// replaysDocument is the JSON of heddle replay with several failures.
type replaysDocument struct {
	Failures []replayedFailure `json:"failures"`
}

type replayedFailure struct {
	Failure    string `json:"failure"` // the token or the file
	Scenario   string `json:"scenario"`
	Expected   string `json:"expected"` // the property that it violated when it was kept
	Property   string `json:"property"` // that it violates now; empty: none
	Message    string `json:"message"`
	Reproduced bool   `json:"reproduced"` // the same property with the same trace hash
	Fits       bool   `json:"fits"`       // every decision of the token still has its place in the run
	Error      string `json:"error,omitempty"`
}

func (d replaysDocument) violated() (n int) {
	for _, r := range d.Failures {
		if r.Property != "" {
			n++
		}
	}
	return n
}

func (d replaysDocument) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	for _, r := range d.Failures {
		fits := ""
		if !r.Fits {
			fits = "; not all of its decisions fit any more"
		}
		switch {
		case r.Error != "":
			fmt.Fprintf(w, "error  %s: %s\n", nameOf(r.Failure), firstLine(r.Error))
		case r.Property != "":
			fmt.Fprintf(w, "FAIL   %s: %s violates %s: %s\n       %s\n", nameOf(r.Failure), r.Scenario, r.Property, firstLine(r.Message), onThisMutant("heddle replay "+quote(r.Failure)))
		default:
			fmt.Fprintf(w, "ok     %s: %s violates nothing, and did violate %s%s\n", nameOf(r.Failure), r.Scenario, r.Expected, fits)
		}
	}
	fmt.Fprintf(w, "\n%d of %s still fail\n", d.violated(), plural(int64(len(d.Failures)), "failure"))
	return w.Flush()
}

// nameOf is a file, or the beginning of a token.
func nameOf(failure string) string {
	if choice.IsToken(failure) {
		return shortened(failure)
	}
	return failure
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
