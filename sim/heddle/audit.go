package heddle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

type auditFlags struct {
	runs     int64
	seed     string
	strategy string
	workers  int
	formats  []string
	bare     bool // for a fresh process: the runs once, as JSON
}

// bareFlag is the flag of auditFlags.bare.
const bareFlag = "bare"

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit [SCENARIO...]",
		Short: "Check that scenarios are deterministic: the same runs under other conditions",
		Long: `Makes the runs of each scenario, of all if none is named, and then makes them again: in the same process, on one core, with a
tracer, from the decisions in a token, and in a fresh process, where maps have another order and values other addresses. Each run must
come to the same steps, virtual time, failure and trace hash. If one does not, the first step at which it differs is shown.

Exit status: 0 all runs were the same; 1 one differed; 2 wrong usage, or a scenario that cannot be run.`,
		Example: `  heddle audit
  heddle audit ` + a.usual() + ` --runs 10000 --format json=audit.json`,
		RunE: func(c *cobra.Command, args []string) error { return a.audit(c.Context(), f, args) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.Int64Var(&f.runs, "runs", 1000, "number `N` of runs of each scenario")
	flags.StringVar(&f.seed, "seed", "audit", "first seed `S`, any text")
	flags.StringVar(&f.strategy, "strategy", strategy.Default, "how to decide: `S` is one of those that heddle list shows")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "number `N` of runs at a time")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text or json, to standard output or to a file; repeatable")
	flags.BoolVar(&f.bare, bareFlag, false, "make the runs once and print what they come to as JSON")
	if err := flags.MarkHidden(bareFlag); err != nil {
		panic(err) // it was defined in the line before
	}
	return c
}

func (a *app) audit(ctx context.Context, f auditFlags, names []string) error {
	switch {
	case f.runs < 1:
		return fmt.Errorf("--runs %d would compare nothing: give 1 or more", f.runs)
	case f.workers < 1:
		return fmt.Errorf("--workers %d could run nothing: give 1 or more", f.workers)
	}
	s, err := strategy.Parse(f.strategy)
	if err != nil {
		return err
	}
	scenarios := a.scenarios
	if len(names) > 0 {
		if scenarios, err = a.selected(names); err != nil {
			return err
		}
	}
	outputs, err := placesOf(f.formats)
	if err != nil {
		return err
	}
	config := search.AuditConfig{Scenarios: scenarios, Seed: f.seed, Strategy: s, Runs: f.runs, Workers: f.workers}
	if f.bare {
		return a.auditBare(ctx, config)
	}

	line := newTerminalLine(a.errOut)
	config.Process = freshProcess{f}
	config.Progress = func(scenario, condition string) { line.write(strings.TrimSpace(scenario + "  " + condition)) }
	reports, failed := search.Audit(ctx, config)
	line.clear()
	if ctx.Err() != nil {
		failed = errors.New("the audit was interrupted before it was done")
	}
	document := newAuditDocument(f, reports, failed)
	failed = errors.Join(failed, a.print(outputs, document, document.writeText))
	if failed == nil && document.Different > 0 {
		return errFound
	}
	return failed
}

// auditBare is what a fresh process does.
func (a *app) auditBare(ctx context.Context, config search.AuditConfig) error {
	all := map[string][]search.AuditedRun{}
	for _, sc := range config.Scenarios {
		runs, err := search.AuditedRuns(ctx, config, sc)
		if err != nil {
			return err
		}
		all[sc.Name] = runs
	}
	return json.NewEncoder(a.out).Encode(all)
}

// freshProcess makes runs in a process of this program that is started for them.
type freshProcess struct{ auditFlags }

// Runs implements search.Process.
func (p freshProcess) Runs(ctx context.Context, sc *sim.Scenario) ([]search.AuditedRun, error) {
	var all map[string][]search.AuditedRun
	err := p.run(ctx, &all, "audit", "--"+bareFlag, "--runs", strconv.FormatInt(p.runs, 10), "--seed="+p.seed, "--strategy="+p.strategy, "--", sc.Name)
	return all[sc.Name], err
}

// Trace implements search.Process.
func (p freshProcess) Trace(ctx context.Context, token choice.Token) ([]search.Event, error) {
	var document replayDocument
	err := p.run(ctx, &document, "replay", "--format=json", token.String())
	return document.Trace, err
}

// run runs a command of this program and reads the JSON that it prints. The error is one line.
func (p freshProcess) run(ctx context.Context, document any, args ...string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("a fresh process cannot be started: %w", err)
	}
	var out, errOut bytes.Buffer
	command := exec.CommandContext(ctx, program, args...)
	command.Stdout, command.Stderr = &out, &errOut
	// Whatever depends on when the collector runs shall have other times for it.
	command.Env = append(os.Environ(), "GOGC=20")
	err = command.Run()
	if code := command.ProcessState.ExitCode(); err != nil && code != statusFound {
		line, _, _ := strings.Cut(strings.TrimPrefix(errOut.String(), "heddle: "), "\n")
		return fmt.Errorf("a fresh process failed with %w: %s", err, line)
	}
	if err := json.Unmarshal(out.Bytes(), document); err != nil {
		return fmt.Errorf("a fresh process has not answered as it should: %w", err)
	}
	return nil
}

// auditDocument is the JSON of heddle audit.
type auditDocument struct {
	Seed      string                `json:"seed"`
	Strategy  string                `json:"strategy"`
	Workers   int                   `json:"workers"`
	Go        string                `json:"go"`
	Different int                   `json:"different"` // scenarios
	Error     string                `json:"error,omitempty"`
	Scenarios []*search.AuditReport `json:"scenarios"`
}

func newAuditDocument(f auditFlags, reports []*search.AuditReport, failed error) auditDocument {
	d := auditDocument{Seed: f.seed, Strategy: f.strategy, Workers: f.workers, Go: runtime.Version(), Scenarios: append([]*search.AuditReport{}, reports...)}
	for _, r := range reports {
		if r.Difference != nil {
			d.Different++
		}
	}
	if failed != nil {
		d.Error, _, _ = strings.Cut(failed.Error(), "\n")
	}
	return d
}

func (d auditDocument) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "seed %s, strategy %s, %s\n\n", d.Seed, d.Strategy, plural(int64(d.Workers), "worker"))
	width := 0
	for _, r := range d.Scenarios {
		width = max(width, len(r.Scenario))
	}
	var runs, steps int64
	seconds := 0.0
	for _, r := range d.Scenarios {
		verdict := "same   "
		if r.Difference != nil {
			verdict = "DIFFERS"
		}
		fmt.Fprintf(w, "%s  %-*s  %8s runs  %8s steps  %6.2f s  trace %s\n", verdict, width, r.Scenario, thousands(r.Runs), short(float64(r.Steps)), r.Seconds, r.TraceHash)
		runs, steps, seconds = runs+r.Runs, steps+r.Steps, seconds+r.Seconds
	}
	for _, r := range d.Scenarios {
		if r.Difference != nil {
			writeDifference(w, r)
		}
	}
	fmt.Fprintf(w, "\n%s of %s, %s steps, %.1f s: %s\n", plural(runs, "run"), plural(int64(len(d.Scenarios)), "scenario"), short(float64(steps)), seconds, d.verdict())
	if d.Error != "" {
		fmt.Fprintln(w, "ended early:", d.Error)
	}
	return w.Flush()
}

func (d auditDocument) verdict() string {
	if d.Different == 0 {
		return "the same " + strings.Join([]string{search.ConditionAgain, "on " + search.ConditionOneCore, search.ConditionTraced, search.ConditionReplayed, "in a " + search.ConditionFresh}, ", ")
	}
	return plural(int64(d.Different), "scenario") + " not deterministic"
}

// writeDifference shows both sides of a difference.
func writeDifference(w io.Writer, r *search.AuditReport) {
	d := r.Difference
	fmt.Fprintf(w, "\n%s is not deterministic: run %d (%s), seed %s, differs when repeated: %s\n", r.Scenario, d.Run, d.Strategy, d.Seed, d.Condition)
	fmt.Fprintf(w, "  first:  %s\n  second: %s\n", d.First, d.Second)
	if d.Here != nil || d.There != nil {
		fmt.Fprintf(w, "  the traces part at step %d\n    first:  %s\n    second: %s\n", d.Step, eventText(d.Here), eventText(d.There))
	}
	if d.Remark != "" {
		fmt.Fprintf(w, "  %s\n", d.Remark)
	}
	fmt.Fprintf(w, "  %s\n", d.Replay)
}

// eventText is an event of a trace in one line; nil is the end of the trace.
func eventText(e *search.Event) string {
	switch {
	case e == nil:
		return "the run has ended"
	case e.Site != "":
		return strings.TrimSpace(fmt.Sprintf("step %d at %s: %s %s = %d (below %d)", e.Step, virtual(e.Time), e.Actor, e.Site, e.Value, e.Of))
	}
	return strings.TrimSpace(fmt.Sprintf("step %d at %s: %s %s %s", e.Step, virtual(e.Time), e.Actor, e.Operation, e.Object))
}
