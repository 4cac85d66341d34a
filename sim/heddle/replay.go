package heddle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

type replayFlags struct {
	until   int64
	stops   bool // until was given
	debug   bool
	log     bool
	explain bool
	formats []string
	html    string
	mutant  string
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay FAILURE...",
		Short: "Repeat a failure, a token or a file, and show its trace; of several, whether they still fail",
		Long: `Repeats the run of a failure and shows what happened in it, step for step. FAILURE is a token, as heddle run prints it, or a
file, as heddle run --out keeps it. On changed code a token with decisions replays as far as it fits, and goes on by the default
policy with every decision that still fits. The first place where it does not fit is named, with what is there now; of a file, which
has its trace, also the first step that is another one.

--until STEP stops after that step, and shows what there is between it and the next: where each task is, what it waits for and what it
holds, with the program's part of its stack; what is in channels and atomics; timers; faults that have struck. 0 is before the first step.
--debug then repeats the run once more and waits there for Delve, which then has the stack and the variables of the task that moves. --log adds to the trace what the
program logs by sim.Node.Logger.

Of several failures, such as those that a project keeps so that they do not come back, there is a line for each: whether its run violates
a property. --format jsonl is the trace with a JSON object on each line, and chrome as trace events, which Perfetto (ui.perfetto.dev) opens.

--explain tells the story of the failure instead of its trace: the steps that matter, and what it needs. That takes a run for each decision
and more, and it is for a failure that heddle shrink has made small.

--html writes one file that any browser opens, from disk and without a network: the steps of the run as a space-time diagram, with the state after
each, and all that --explain says.`,
		Example: `  heddle replay heddle1_...
  heddle replay failures/NAME.json --until 120
  heddle replay heddle1_... --until 119 --debug
  heddle replay heddle1_... --log
  heddle replay heddle1_... --format chrome=trace.json
  heddle replay failures/*.json
  heddle replay failures/NAME.json --html failure.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("heddle replay takes failures, each a token or a file, and was given none")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			f.stops = c.Flags().Changed("until")
			if err := f.check(len(args)); err != nil {
				return err
			}
			if f.debug {
				if err := a.canDebug(); err != nil {
					return err
				}
			}
			if c.Flags().Changed(mutantFlag) {
				return a.onMutant(c.Context(), f.mutant)
			}
			if len(args) > 1 {
				return a.replayAll(c.Context(), f, args)
			}
			return a.replay(c, f, args[0])
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.Int64Var(&f.until, "until", 0, "stop after `STEP`, and show the state of the run there")
	flags.BoolVar(&f.debug, "debug", false, "wait there for the debugger Delve, with --until")
	flags.BoolVar(&f.log, "log", false, "show in the trace what the program logs")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text, json, jsonl or chrome, to standard output or to a file; repeatable")
	flags.BoolVar(&f.explain, "explain", false, "show the story of the failure and what it needs, instead of the trace")
	flags.StringVar(&f.html, "html", "", "also write `FILE`, a page that shows the failure: its steps as a diagram, and what it needs")
	addMutantFlag(c, &f.mutant)
	return c
}

// check says what is wrong with the flags for so many failures.
func (f replayFlags) check(failures int) error {
	switch {
	case f.debug && !f.stops:
		return errors.New("--debug needs a step to wait at: give --until STEP as well")
	case failures > 1 && (f.stops || f.explain || f.log):
		return errors.New("--until, --log and --explain are about the trace of one failure, and several were given")
	case failures > 1 && f.html != "":
		return errors.New("--html shows one failure, and several were given")
	case f.debug && f.mutant != "":
		return errors.New("--debug and --mutant exclude each other: mutants are built without what a debugger needs; lay the patch over the sources and build them as --debug says")
	case f.until < 0:
		return fmt.Errorf("--until %d is no step: 0 is before the first one", f.until)
	case f.explain && f.stops:
		return errors.New("--explain and --until exclude each other: the one tells the story of the whole run, the other shows the beginning of its trace")
	case f.explain && f.log:
		return errors.New("--explain and --log exclude each other: the one shows a story instead of the trace, the other adds to the trace")
	}
	return nil
}

// mostTold is how many bytes of notes and of what the program logs a trace may hold.
const mostTold = 64 << 20

// traceOf repeats the run of a token, and answers the events that the flags ask for; and all of them if the whole is wanted.
func traceOf(sc *sim.Scenario, token choice.Token, f replayFlags, whole bool) (replayed search.Replayed, shown, all []search.Event, err error) {
	shown = []search.Event{}
	told, toldAt := 0, int64(-1) // the step in which it became too much
	tracer := search.NewTracer(func(e search.Event) {
		beyond, words := f.stops && e.Step > f.until, toldIn(e)
		if words > 0 && (beyond || toldAt >= 0) {
			return
		}
		if told += words; told > mostTold && toldAt < 0 {
			toldAt, shown = e.Step, nil
		}
		if whole {
			all = append(all, e)
		}
		if toldAt < 0 && !beyond {
			shown = append(shown, e)
		}
	})
	if f.log {
		tracer.WithLog()
	}
	replayed, err = search.Replay(sc, token, tracer)
	switch {
	case err != nil:
	case toldAt >= 0:
		err = fmt.Errorf("what the program tells until step %d is more than %d MB: --until shows the trace of a shorter part", toldAt, mostTold>>20)
	case f.stops && f.until > replayed.Steps:
		err = fmt.Errorf("--until %d is beyond the end: the run has %s", f.until, plural(replayed.Steps, "step"))
	case f.debug && f.until == replayed.Steps:
		err = fmt.Errorf("--until %d leaves --debug nothing to wait for: the run ends after that step", f.until)
	}
	return replayed, shown, all, err
}

// toldIn is how many bytes of an event are words of the program.
func toldIn(e search.Event) int {
	n := len(e.Note)
	if e.Log != nil {
		n += len(e.Log.Message)
		for _, a := range e.Log.Attributes {
			n += len(a.Key) + len(a.Value)
		}
	}
	return n
}

func (a *app) replay(c *cobra.Command, f replayFlags, failure string) error {
	outputs, err := placesOf(f.formats, linesFormat, chromeFormat)
	if err != nil {
		return err
	}
	files := outputs
	if c.Flags().Changed("html") {
		if f.html == "" {
			return errors.New("--html names no file")
		}
		files = append(slices.Clone(outputs), output{"the page", f.html})
	}
	if err := errors.Join(apart(failure, files), checkOutputs(files)); err != nil {
		return err
	}
	kept, token, err := readFailure(failure)
	if err != nil {
		return err
	}
	sc, err := a.scenario(token.Scenario)
	if err != nil {
		return fmt.Errorf("the failure is of a scenario that this build does not have: %w", err)
	}

	options, err := search.OptionsOf(token)
	if err != nil {
		return err
	}
	replayed, shown, whole, err := traceOf(sc, token, f, kept != nil) // the whole to compare with what a file has kept
	if err != nil {
		return err
	}
	document := replayDocument{Scenario: sc.Name, Only: options.Only, NoFaults: options.NoFaults, Expected: expectation{token.Property, hex(token.Hash)}, Trace: shown}
	document.finish(token, replayed)
	if f.stops {
		document.Until = &f.until
		if document.State, err = search.StateAfter(sc, token, f.until); err != nil {
			return err
		}
	}
	if f.explain && replayed.Same {
		if document.Explanation, err = shrink.Explain(c.Context(), sc, token, shrink.Limits{Steps: defaultShrink}); err != nil {
			return err
		}
	}
	if f.html != "" {
		page := report.Page{Scenario: sc, Token: token, Replay: onThisMutant("heddle replay " + quote(failure)), Statement: search.StatementOf(sc, document.Property), Explanation: document.Explanation}
		if err := a.writePage(c.Context(), f.html, page, replayed); err != nil {
			return err
		}
	}
	if kept != nil && !replayed.Same {
		document.Difference = kept.Difference(whole)
	}
	of := func(write func(io.Writer, report.Trace) error) func(io.Writer) error {
		return func(w io.Writer) error { return write(w, document.trace(failure)) }
	}
	err = a.print(outputs, document, func(w io.Writer) error { return document.writeText(w, sc, token) },
		rendering{linesFormat, of(report.WriteTraceLines)}, rendering{chromeFormat, of(report.WriteChromeTrace)})
	if err == nil && f.debug {
		err = a.debug(c.Context(), sc, token, document.State)
	}
	if err == nil && replayed.Failure != nil {
		return errFound
	}
	return err
}

// Formats of the trace, beside text and JSON.
const (
	linesFormat  = "jsonl"
	chromeFormat = "chrome"
)

// trace is the document for the formats of the trace. failure is what was replayed, a token or a file.
func (d *replayDocument) trace(failure string) report.Trace {
	return report.Trace{
		Scenario: d.Scenario, Property: d.Property, Message: d.Message, FailedAt: d.FailedAt, Steps: d.Steps, Hash: d.Hash,
		Replay: onThisMutant("heddle replay " + quote(failure)), Events: d.Trace,
	}
}

// readFailure reads a token, or a file and its token. kept is nil for a token.
func readFailure(failure string) (kept *search.File, token choice.Token, err error) {
	if choice.IsToken(failure) {
		token, err = choice.ParseToken(failure)
		return nil, token, err
	}
	if _, err := os.Stat(failure); err != nil {
		return nil, choice.Token{}, fmt.Errorf("%q is neither a token, which starts with heddle1_, nor a file that can be read", shortened(failure))
	}
	f, token, err := search.LoadFile(failure)
	return &f, token, err
}

// writePage writes the page of what a replay came to, explained if it can be: also where this build violates something in another way
// than the one that found the failure.
func (a *app) writePage(ctx context.Context, file string, page report.Page, replayed search.Replayed) (err error) {
	if page.Explanation == nil && replayed.Failure != nil {
		here := page.Token
		here.Property, here.Hash = replayed.Failure.Property, replayed.Hash
		page.Explanation, err = shrink.Explain(ctx, page.Scenario, here, shrink.Limits{Steps: defaultShrink})
		if tooLong := new(shrink.TooLongError); err != nil && !errors.As(err, &tooLong) {
			return err
		}
	}
	if err := page.WriteHTML(file); err != nil {
		return fmt.Errorf("cannot write %s: %w", file, cause(err))
	}
	return nil
}

func shortened(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

func hex(v uint64) string { return fmt.Sprintf("%016x", v) }

// replayDocument is the JSON of heddle replay.
type replayDocument struct {
	Scenario   string           `json:"scenario"`
	Only       string           `json:"only,omitempty"`
	NoFaults   bool             `json:"no_faults,omitempty"`
	Reproduced bool             `json:"reproduced"` // the same property with the same trace hash
	Expected   expectation      `json:"expected"`
	Property   string           `json:"property"` // empty: the run violated nothing
	Message    string           `json:"message"`
	FailedAt   int64            `json:"failed_at"` // step
	Steps      int64            `json:"steps"`
	Hash       string           `json:"trace_hash"`
	Diverged   string           `json:"diverged,omitempty"`   // the first difference from the recorded run, as far as it is known
	Difference string           `json:"difference,omitempty"` // the first step that is another one than in the trace that was kept
	Misfits    []string         `json:"misfits,omitempty"`    // decisions of the token that did not fit
	WentOn     string           `json:"went_on,omitempty"`    // how the run was decided from the first difference on
	Stack      string           `json:"stack,omitempty"`
	Tasks      []sim.TaskReport `json:"tasks,omitempty"`
	Until      *int64           `json:"until,omitempty"` // the step after which the trace ends
	State      *sim.State       `json:"state,omitempty"` // of the run there
	Trace      []search.Event   `json:"trace"`

	Explanation *shrink.Explanation `json:"explanation,omitempty"`
}

type expectation struct {
	Property string `json:"property"`
	Hash     string `json:"trace_hash"`
}

func (d *replayDocument) finish(token choice.Token, r search.Replayed) {
	d.Reproduced, d.Steps, d.Hash = r.Same, r.Steps, hex(r.Hash)
	if r.Failure != nil {
		d.Property, d.Message, d.FailedAt, d.Stack, d.Tasks = r.Failure.Property, r.Failure.Message, r.Failure.Step, r.Failure.Stack, r.Failure.Tasks
	}
	switch {
	case r.Fit == nil && !r.Same:
		d.Diverged = "the token repeats its run by seed " + hex(token.Seed) + " and not by decisions: that is exact on the same build only"
	case r.Fit == nil:
	case r.Fit.Exact() && !r.Same:
		d.Diverged = "every decision of the token fitted: the difference lies after the last one"
	default:
		d.Diverged = r.Fit.Diverged
		for _, m := range r.Fit.Misfits {
			d.Misfits = append(d.Misfits, fmt.Sprintf("%s: %s", m.Deviation, m.Problem))
		}
		d.WentOn = fmt.Sprintf("by the default policy, with %d of %d decisions, those that fit", r.Fit.Entries-len(r.Fit.Misfits), r.Fit.Entries)
	}
}

func (d *replayDocument) writeText(out io.Writer, sc *sim.Scenario, token choice.Token) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s: %s\n", sc.Name, sc.Summary)
	narrowed := narrowed(sim.Options{Only: d.Only, NoFaults: d.NoFaults})
	if token.Addressed() {
		fmt.Fprintf(w, "%s beside the default, found by %s%s\n\n", plural(int64(len(token.Deviations)), "decision"), token.Strategy, narrowed)
	} else {
		fmt.Fprintf(w, "by seed %s of %s%s\n\n", hex(token.Seed), token.Strategy, narrowed)
	}
	if d.Explanation != nil {
		writeExplanation(w, d.Explanation)
	} else {
		writeTrace(w, d.Trace)
	}
	if d.State != nil {
		fmt.Fprintf(w, "\nshown until step %d; the run has %s\n", *d.Until, plural(d.Steps, "step"))
		writeState(w, d.State)
	}
	fmt.Fprintln(w)
	if d.Property == "" {
		fmt.Fprintf(w, "nothing was violated in %s, trace %s\n", plural(d.Steps, "step"), d.Hash)
	} else {
		fmt.Fprintf(w, "%s violates %s at step %d: %s\n", sc.Name, d.Property, d.FailedAt, d.Message)
		if s := search.StatementOf(sc, d.Property); s != "" {
			fmt.Fprintf(w, "  must hold: %s\n", s)
		}
		if d.State == nil { // which has the stacks that were asked for
			writeStack(w, d.Stack)
			writeTasks(w, d.Tasks)
		}
	}
	if d.Reproduced {
		fmt.Fprintf(w, "reproduced: the same property failed, with the same trace %s\n", d.Hash)
		return w.Flush()
	}
	fmt.Fprintf(w, "not reproduced: expected %s with trace %s, came to %s with trace %s\n", orNothing(d.Expected.Property), d.Expected.Hash, orNothing(d.Property), d.Hash)
	for _, line := range [...]string{d.Difference, d.Diverged} {
		if line != "" {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	if d.WentOn != "" {
		fmt.Fprintf(w, "  went on %s\n", d.WentOn)
	}
	if len(d.Misfits) > 0 {
		fmt.Fprintf(w, "  %s of %d did not fit:\n", plural(int64(len(d.Misfits)), "decision"), len(token.Deviations))
		for _, m := range d.Misfits {
			fmt.Fprintf(w, "    %s\n", m)
		}
	}
	return w.Flush()
}

func orNothing(property string) string {
	if property == "" {
		return "no failure"
	}
	return property
}

// mostShown is how many bytes of a note, or of what the program logs, a line shows. The other formats have all of it.
const mostShown = 1000

// writeTrace writes a line for each event: steps with their number, time and task, and below them what was decided and noted
// in the course of them.
func writeTrace(w io.Writer, trace []search.Event) {
	width := len("task")
	for _, e := range trace {
		width = max(width, min(len(e.Actor), 40))
	}
	fmt.Fprintf(w, "%7s  %12s  %-*s  %s\n", "step", "time", width, "task", "operation")
	indent := strings.Repeat(" ", 7+2+12+2+width+2)
	actor := ""
	for _, e := range trace {
		switch {
		case e.Operation != "":
			name := e.Actor
			if name == actor {
				name = strings.Repeat(" ", min(len(name), 2)) + "|"
			}
			actor = e.Actor
			fmt.Fprintf(w, "%7s  %12s  %-*s  %s\n", strconv.FormatInt(e.Step, 10), virtual(e.Time), width, name, strings.TrimSpace(e.Operation+" "+e.Called()))
		case e.Site != "":
			of := ""
			if e.Object != "" {
				of = " of " + e.Called()
			}
			fmt.Fprintf(w, "%s%s%s = %d (below %d)\n", indent, e.Site, of, e.Value, e.Of)
		case e.Log != nil:
			fmt.Fprintf(w, "%7d  %12s  %-*s  %s\n", e.Step, virtual(e.Time), width, e.Actor, search.Shortened(search.LogText(e.Log), mostShown))
		default:
			fmt.Fprintf(w, "%s# %s\n", indent, search.Shortened(e.Note, mostShown))
		}
	}
}

// virtual writes a virtual time with as many digits as it needs.
func virtual(t time.Duration) string { return t.String() }
