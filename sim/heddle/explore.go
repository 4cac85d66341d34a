package heddle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/explore"
	"github.com/heddle-go/heddle/sim/search"
)

type exploreFlags struct {
	preemptions int
	delays      int
	steps       int
	workers     int
	duration    time.Duration
	keepGoing   bool
	only        string
	noFaults    bool
	formats     []string
}

func (a *app) exploreCommand() *cobra.Command {
	var f exploreFlags
	c := &cobra.Command{
		Use:   "explore SCENARIO",
		Short: "Every interleaving that can make a difference, and every value and fault",
		Long: `Makes a run for each class of interleavings that differ only in the order of steps which commute, with every value that the
scenario draws and every fault at every step. It ends with "complete" if nothing was left out, or says what was. A violation
ends it, unless --keep-going is given, with the line that repeats it.

Time passes only when nothing else can move, as in every simulation, and random bytes are those of one data seed: these are
bounds of every exploration. What tasks share with models and checks counts as one object, but for the parts that the scenario names
(World.Shared). A scenario with a check after every step has no two steps that commute. Where a scenario says that one order is
enough (World.OneOrder), as of what leads up to what is to be explored, no more is made, and it is said.

With --workers several runs are made at a time, of the same classes. What is reported is the same but for the execution in which a
failure is found and so its token, unless --keep-going is given which of several failures is found first, and, where steps touch models, how many
classes are made twice.

With --preemptions only the interleavings with so few unforced switches must be made, with --delays those in which so few tasks are passed
over, where the task that moved last goes on or, if it cannot, the next in the round; what differs in the order of steps which commute
may then be made more than once. Since all classes together can be fewer than such interleavings, both searches go on side by side, one of
them by the first worker and the other by the rest, for each combination of values that the set-up draws until one of them is at its end.`,
		Example: `  heddle explore ` + a.usual() + `
  heddle explore ` + a.usual() + ` --preemptions 2 --format json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("heddle explore takes one scenario and was given %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.explore(c.Context(), c, f, args[0]) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.preemptions, "preemptions", 0, "only runs with at most `N` switches from a task that could go on to another (default: all)")
	flags.IntVar(&f.delays, "delays", 0, "only runs with at most `N` tasks passed over whose turn it was (default: all)")
	flags.IntVar(&f.steps, "steps", explore.DefaultSteps, "cut off executions at `N` steps")
	flags.IntVar(&f.workers, "workers", 1, "number `N` of runs at a time")
	flags.DurationVar(&f.duration, "for", 0, "end after `D`, such as 30s or 10m (default: as long as it takes)")
	flags.BoolVar(&f.keepGoing, "keep-going", false, "all distinct failures, not the first only")
	flags.StringVar(&f.only, "only", "", "judge property `ID` alone: what violates another is passed over")
	flags.BoolVar(&f.noFaults, "no-faults", false, "no fault strikes")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text or json, to standard output or to a file; repeatable")
	return c
}

func (a *app) explore(ctx context.Context, c *cobra.Command, f exploreFlags, name string) error {
	config, err := a.exploreConfig(c, f, name)
	if err != nil {
		return err
	}
	outputs, err := placesOf(f.formats)
	if err != nil {
		return err
	}
	line := newTerminalLine(a.errOut)
	config.Progress = func(p explore.Progress) { line.write(exploreLine(p)) }
	report, failed := explore.Run(ctx, config)
	line.clear()
	if failed == nil && report.Executions == 0 {
		failed = errors.New("nothing was explored: the exploration ended before its first execution")
	}
	document := newExploreDocument(config, report, failed)
	failed = errors.Join(failed, a.print(outputs, document, func(w io.Writer) error { return document.writeText(w, config.Scenario) }))
	if failed == nil && len(report.Failures) > 0 {
		return errFound
	}
	return failed
}

func (a *app) exploreConfig(c *cobra.Command, f exploreFlags, name string) (config explore.Config, err error) {
	config = explore.Config{
		Steps: f.steps, Duration: f.duration, Workers: f.workers, KeepGoing: f.keepGoing, Options: sim.Options{Only: f.only, NoFaults: f.noFaults},
	}
	switch {
	case c.Flags().Changed("preemptions") && c.Flags().Changed("delays"):
		return config, errors.New("--preemptions and --delays are two bounds: give one of them")
	case c.Flags().Changed("preemptions"):
		config.Bound, config.Most = explore.Preemptions, f.preemptions
	case c.Flags().Changed("delays"):
		config.Bound, config.Most = explore.Delays, f.delays
	}
	switch {
	case f.preemptions < 0:
		return config, fmt.Errorf("--preemptions %d is no number of switches: give 0 or more", f.preemptions)
	case f.delays < 0:
		return config, fmt.Errorf("--delays %d is no number of tasks passed over: give 0 or more", f.delays)
	case f.workers < 1:
		return config, fmt.Errorf("--workers %d could run nothing: give 1 or more", f.workers)
	case f.steps < 1:
		return config, fmt.Errorf("--steps %d would explore nothing: give 1 or more", f.steps)
	case c.Flags().Changed("for") && f.duration <= 0:
		return config, fmt.Errorf("--for %s would explore nothing: give a duration above 0, such as 30s", f.duration)
	}
	if config.Scenario, err = a.scenario(name); err != nil {
		return config, err
	}
	if c.Flags().Changed("only") {
		return config, checkProperties([]string{f.only}, []*sim.Scenario{config.Scenario})
	}
	return config, nil
}

func exploreLine(p explore.Progress) string {
	seconds := p.Elapsed.Seconds()
	line := fmt.Sprintf("%s  %s blocked  %s executions/s  %s steps/s  %s", plural(p.Executions, "execution"), thousands(p.Blocked),
		rate(p.Executions, seconds), rate(p.Steps, seconds), plural(int64(p.Failures), "failure"))
	if estimate := p.Estimate(); estimate > 0 {
		line += fmt.Sprintf("  of about %s, if no more branches show", about(estimate))
	}
	return line
}

// about writes a number that is a rough guide.
func about(n float64) string {
	if n >= 1e12 {
		return fmt.Sprintf("10^%.0f", math.Log10(n))
	}
	return short(n)
}

// exploreDocument is the JSON of heddle explore.
type exploreDocument struct {
	Scenario   string            `json:"scenario"`
	Only       string            `json:"only,omitempty"`
	NoFaults   bool              `json:"no_faults,omitempty"`
	Go         string            `json:"go"`
	Complete   bool              `json:"complete"`
	Executions int64             `json:"executions"` // made to their end, one for each class
	Blocked    int64             `json:"blocked"`    // cut short, in a class that was explored
	Steps      int64             `json:"steps"`
	Longest    int64             `json:"longest"` // steps of the longest execution
	Seconds    float64           `json:"seconds"`
	Bounds     exploreBounds     `json:"bounds"`
	Cut        []string          `json:"cut"` // what was not explored; empty if complete
	Estimate   float64           `json:"estimate,omitempty"`
	Error      string            `json:"error,omitempty"`
	Faults     []sim.FaultCount  `json:"faults"`
	Failures   []*search.Failure `json:"failures"`
}

// exploreBounds are what "complete" is meant within.
type exploreBounds struct {
	Steps       int    `json:"steps"`       // of an execution
	DataSeed    uint64 `json:"data_seed"`   // of the random bytes
	Preemptions *int   `json:"preemptions"` // null: no bound
	Delays      *int   `json:"delays"`      // null: no bound
	Whole       bool   `json:"whole"`       // all was explored, also beyond these
	OneOrder    bool   `json:"one_order"`   // of steps for which the scenario wants no more, only one order was made
}

func newExploreDocument(config explore.Config, r *explore.Report, failed error) exploreDocument {
	d := exploreDocument{
		Scenario: r.Scenario, Only: config.Options.Only, NoFaults: config.Options.NoFaults, Go: runtime.Version(), Complete: r.Complete && failed == nil,
		Executions: r.Executions, Blocked: r.Blocked, Steps: r.Steps, Longest: r.Longest, Seconds: r.Elapsed.Seconds(),
		Bounds: exploreBounds{Steps: r.Limit, Whole: r.Whole, OneOrder: r.OneOrder}, Cut: append([]string{}, r.Left...), Estimate: r.Estimate,
		Faults: append([]sim.FaultCount{}, r.Faults...), Failures: append([]*search.Failure{}, r.Failures...),
	}
	switch config.Bound {
	case explore.Preemptions:
		d.Bounds.Preemptions = &config.Most
	case explore.Delays:
		d.Bounds.Delays = &config.Most
	}
	if failed != nil {
		d.Error, _, _ = strings.Cut(failed.Error(), "\n")
	}
	return d
}

func (d exploreDocument) writeText(out io.Writer, sc *sim.Scenario) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s: %s%s\n", d.Scenario, sc.Summary, narrowed(sim.Options{Only: d.Only, NoFaults: d.NoFaults}))
	for _, f := range d.Failures {
		fmt.Fprintln(w)
		writeViolation(w, sc, f)
		fmt.Fprintf(w, "  execution %d, %s, trace %s", f.Run, plural(f.Steps, "step"), f.Hash)
		if f.Runs > 1 {
			fmt.Fprintf(w, ", and %s alike", plural(f.Runs-1, "other execution"))
		}
		fmt.Fprintln(w)
		writeStack(w, f.Stack)
		writeTasks(w, f.Tasks)
		fmt.Fprintf(w, "  %s\n", f.Replay)
	}
	fmt.Fprintf(w, "\n%s, %s blocked, the longest of %s, %.1f s: %s executions/s, %s steps/s\n", plural(d.Executions, "execution"), thousands(d.Blocked),
		plural(d.Longest, "step"), d.Seconds, rate(d.Executions, d.Seconds), rate(d.Steps, d.Seconds))
	switch {
	case d.Error != "":
		fmt.Fprintln(w, "ended early:", d.Error)
	case d.Complete:
		what := "every class of interleavings"
		if n := d.Bounds.Preemptions; n != nil {
			what = "every interleaving with at most " + plural(int64(*n), "preemption")
		} else if n := d.Bounds.Delays; n != nil {
			what = "every interleaving with at most " + plural(int64(*n), "delay")
		}
		if d.Bounds.Whole {
			what = "every class of interleavings, and so " + what
		}
		if d.Bounds.OneOrder {
			what += " where the scenario wants more than one order"
		}
		fmt.Fprintf(w, "complete: %s, all values and faults, %s, within %s for each execution and with data seed %d\n",
			what, plural(int64(len(d.Failures)), "failure"), plural(int64(d.Bounds.Steps), "step"), d.Bounds.DataSeed)
	default:
		fmt.Fprintf(w, "not complete: %s\n", strings.Join(d.Cut, "; "))
		if all := d.Estimate; all > float64(d.Executions+d.Blocked) {
			fmt.Fprintf(w, "about %s executions in all, if no more branches show: a rough guide\n", about(all))
		}
	}
	return w.Flush()
}
