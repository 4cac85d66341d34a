package heddle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

type shrinkFlags struct {
	duration time.Duration
	file     string
	formats  []string
	mutant   string
}

func (a *app) shrinkCommand() *cobra.Command {
	var f shrinkFlags
	c := &cobra.Command{
		Use:   "shrink FAILURE",
		Short: "Make a failure smaller, fewer inputs, faults and context switches, and explain it",
		Long: `Looks for the smallest run that violates the same property in the same way, as far as its message tells: fewer inputs first, then
fewer faults, fewer context switches, lower values and fewer steps. FAILURE is a token, as heddle run prints it, or a file, as heddle run
--out keeps it. The result is replayed twice before it is shown. Ctrl-C ends the work and shows the smallest failure so far.

Then it tells the story of what is left, step by step, but for steps that do not matter; which decisions and which order of steps it
needs, each left out or turned round once; and the run that passes and is nearest to it, with the first difference.

A failure that does not reproduce on this build is not touched: that is an error.`,
		Example: `  heddle shrink heddle1_...
  heddle shrink failures/NAME.json --for 1m --out small.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("heddle shrink takes one failure, a token or a file, and was given %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed(mutantFlag) {
				return a.onMutant(c.Context(), f.mutant)
			}
			return a.shrink(c.Context(), f, args[0])
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.DurationVar(&f.duration, "for", time.Minute, "at most `D`, such as 30s or 10m; most failures take seconds")
	flags.StringVar(&f.file, "out", "", "keep the result in `FILE`, as heddle run --out does, and a page beside it")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text or json, to standard output or to a file; repeatable")
	addMutantFlag(c, &f.mutant)
	return c
}

func (a *app) shrink(ctx context.Context, f shrinkFlags, failure string) error {
	if f.duration <= 0 {
		return fmt.Errorf("--for %s would try nothing: give a duration above 0, such as 30s", f.duration)
	}
	outputs, err := placesOf(f.formats)
	if err != nil {
		return err
	}
	if err := apart(failure, outputs); err != nil {
		return err
	}
	if f.file != "" {
		if err := checkOutputs(append(slices.Clone(outputs), output{"the failure", f.file}, output{"its page", pageBeside(f.file)})); err != nil {
			return err
		}
	}
	kept, token, err := readFailure(failure)
	if err != nil {
		return err
	}
	sc, err := a.scenario(token.Scenario)
	if err != nil {
		return fmt.Errorf("the failure is of a scenario that this build does not have: %w", err)
	}

	line := newShrinkLine(a.errOut)
	within, cancel := context.WithTimeoutCause(ctx, f.duration, errOutOfTime)
	defer cancel()
	small, result, err := shrink.Failure(within, sc, token, shrink.Limits{Progress: line.show})
	line.clear()
	if err != nil {
		return whichStep(err, sc, kept, token)
	}
	explanation, err := shrink.Explain(ctx, sc, small.Full, shrink.Limits{})
	if tooLong := new(shrink.TooLongError); err != nil && !errors.As(err, &tooLong) {
		return err
	}
	document := shrinkDocument{Scenario: sc.Name, Shrunk: small, Result: result, Explanation: explanation}
	if document.options, err = search.OptionsOf(token); err != nil {
		return err
	}
	document.Only, document.NoFaults = document.options.Only, document.options.NoFaults
	if small.Ended == shrink.Interrupted && errors.Is(context.Cause(within), errOutOfTime) {
		small.Ended = shrink.Spent
	}
	if f.file != "" {
		if err := search.SaveAs(f.file, sc, small.Failure); err != nil {
			return fmt.Errorf("cannot keep the failure: %w", err)
		}
		small.File = f.file
	}
	replayFrom(small)
	small.Replay = onThisMutant(small.Replay)
	if f.file != "" {
		if err := keepPage(sc, small.Failure, explanation, ""); err != nil {
			return err
		}
	}
	err = a.print(outputs, document, func(w io.Writer) error { return document.writeText(w, sc) })
	if err == nil {
		return errFound
	}
	return err
}

// defaultShrink is how many steps a search may make for smaller failures.
const defaultShrink = shrink.UsualSteps

// shrinkAll makes the failures of a search smaller and explains them, first those of the properties that were to end it. The budget, in
// steps, is shared out evenly among those that are left, so that what comes of each is a function of what was found.
func (a *app) shrinkAll(ctx context.Context, config search.Config, report *search.Report, budget int64) (failed error) {
	line := newShrinkLine(a.errOut)
	defer line.clear()
	limits := shrink.Limits{Progress: line.show}
	for _, wanted := range [...]bool{true, false} {
		var failures []*search.Failure
		for _, f := range report.Failures() {
			if f.Token != "" && wanted == (len(config.StopAt) == 0 || slices.Contains(config.StopAt, f.Property)) {
				failures = append(failures, f)
			}
		}
		for i, f := range failures {
			limits.Steps = budget / int64(len(failures)-i)
			if ctx.Err() != nil {
				return failed
			}
			sc := config.Scenarios[slices.IndexFunc(config.Scenarios, func(sc *sim.Scenario) bool { return sc.Name == f.Scenario })]
			spent, err := shrink.Found(ctx, sc, f, limits)
			budget -= min(limits.Steps, spent)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

var errOutOfTime = errors.New("the time for making the failure smaller is spent")

// replayFrom gives a failure whose token is too long for a command line the line that names its file, if it is kept in one.
func replayFrom(f *search.Shrunk) {
	if f.Token == "" && f.File != "" {
		f.Replay = "heddle replay " + quote(f.File)
	}
}

// whichStep adds to an error that says that a failure does not reproduce which step differs, if the failure is kept with its trace.
func whichStep(err error, sc *sim.Scenario, kept *search.File, token choice.Token) error {
	var other *shrink.NotReproducedError
	if !errors.As(err, &other) || kept == nil {
		return err
	}
	var trace []search.Event
	if _, again := search.Replay(sc, token, search.NewTracer(func(e search.Event) { trace = append(trace, e) })); again != nil {
		return err
	}
	if difference := kept.Difference(trace); difference != "" {
		return fmt.Errorf("%w; %s", err, difference)
	}
	return err
}

// shrinkDocument is the JSON of heddle shrink.
type shrinkDocument struct {
	Scenario string         `json:"scenario"`
	Shrunk   *search.Shrunk `json:"shrunk"`
	Result   shrink.Result  `json:"result"`
	Only     string         `json:"only,omitempty"`
	NoFaults bool           `json:"no_faults,omitempty"`

	Explanation *shrink.Explanation `json:"explanation"`

	options sim.Options
}

func (d shrinkDocument) writeText(out io.Writer, sc *sim.Scenario) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s: %s%s\n\n", sc.Name, sc.Summary, narrowed(d.options))
	fmt.Fprintf(w, "%-16s  %9s  %9s\n", "", "before", "after")
	before, after := d.Result.Before, d.Result.After
	for _, row := range []struct {
		what          string
		before, after int64
	}{
		{"inputs", int64(before.Inputs), int64(after.Inputs)},
		{"faults", before.Faults, after.Faults},
		{"context switches", int64(before.Switches), int64(after.Switches)},
		{"steps", before.Steps, after.Steps},
	} {
		fmt.Fprintf(w, "%-16s  %9s  %9s\n", row.what, thousands(row.before), thousands(row.after))
	}
	fmt.Fprintf(w, "\n%-25s  %9s  %9s  %9s  %9s  %9s\n", "pass", "replays", "inputs", "faults", "switches", "steps")
	for _, p := range d.Result.Passes {
		fmt.Fprintf(w, "%-25s  %9s  %9s  %9s  %9s  %9s\n", p.Name, thousands(int64(p.Replays)),
			away(int64(p.Taken.Inputs)), away(p.Taken.Faults), away(int64(p.Taken.Switches)), away(p.Taken.Steps))
	}
	fmt.Fprintf(w, "%s, %s steps in all; %s\n", plural(int64(d.Result.Replays), "replay"), short(float64(d.Result.Steps)), endings[d.Shrunk.Ended])
	if d.Explanation != nil {
		writeExplanation(w, d.Explanation)
	}
	fmt.Fprintf(w, "\n%s violates %s: %s\n", sc.Name, d.Shrunk.Property, d.Shrunk.Message)
	if s := search.StatementOf(sc, d.Shrunk.Property); s != "" {
		fmt.Fprintf(w, "  must hold: %s\n", s)
	}
	writeStack(w, d.Shrunk.Stack)
	writeTasks(w, d.Shrunk.Tasks)
	writeKept(w, d.Shrunk.Failure)
	fmt.Fprintf(w, "  %s\n", orTooLong(d.Shrunk.Replay))
	return w.Flush()
}

// away writes what a pass took away, or added.
func away(n int64) string {
	if n == 0 {
		return "."
	}
	return fmt.Sprintf("%+d", -n)
}

// endings are what the ways in which the work ends mean.
var endings = map[string]string{
	shrink.Complete:    "nothing that was tried is smaller",
	shrink.Spent:       "the budget is spent, and something smaller may be left",
	shrink.Interrupted: "interrupted: this is the smallest so far",
}

func orTooLong(replay string) string {
	if replay == "" {
		return "its token is too long for a command line: --out keeps it in a file"
	}
	return replay
}
