package heddle

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// defaultDuration is the budget of a search that is given none.
const defaultDuration = 10 * time.Second

type runFlags struct {
	runs      int64
	duration  time.Duration
	seed      string
	strategy  string
	workers   int
	keepGoing bool
	stopAt    []string
	only      string
	store     string
	noFaults  bool
	quiet     float64
	shrink    int64
	formats   []string
	folder    string
	ui        string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [SCENARIO...]",
		Short: "Search: seeded runs until a budget is spent or a property fails",
		Long: `Runs scenarios, all that must hold if none is named, until the budget is spent or a property fails. A scenario that is
built to fail runs only by name.

The seed is any text. With --runs the result is a function of scenarios, strategy, seed and number of runs alone. For that, the
budget of --shrink is one of steps and not of time: what was found is reported as it is, and beside it a smaller failure of the
same property, which heddle shrink can make smaller yet if the budget did not suffice.

How much is left is estimated from runs that are drawn by random alone, one in eight, after the first 256: the states that the scenario tells
of and the orders of conflicting operations that they have shown, and the chance that the next such run shows another one. --until-quiet
waits until both chances are small, each with a confidence of 95 %.`,
		Example: `  heddle run
  heddle run ` + a.usual() + ` --for 10m --keep-going --out failures
  heddle run ` + a.usual() + ` --runs 1000 --seed 7 --format json=result.json
  heddle run --for 60s --out failures --format junit=junit.xml --format sarif=heddle.sarif --format github`,
		RunE: func(c *cobra.Command, args []string) error { return a.run(c.Context(), c, f, args) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.Int64Var(&f.runs, "runs", 0, "budget: `N` runs of each scenario")
	flags.DurationVar(&f.duration, "for", defaultDuration, "budget: `D` in all, such as 30s or 10m")
	flags.StringVar(&f.seed, "seed", "", "first seed `S`, any text (default: drawn, and printed)")
	flags.StringVar(&f.strategy, "strategy", strategy.Default, "how to decide: `S` is one of those that heddle list shows")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "number `N` of runs at a time")
	flags.BoolVar(&f.keepGoing, "keep-going", false, "all distinct failures, not the first only")
	flags.StringArrayVar(&f.stopAt, "stop-at", nil, "keep going, but only to the first failure of property `ID`; repeatable")
	flags.Float64Var(&f.quiet, "until-quiet", 0, "end the search of a scenario, within the budget, once a run shows new behaviour with a chance of at most `P`, such as 0.01")
	flags.StringVar(&f.only, "only", "", "judge property `ID` alone: what violates another is passed over")
	flags.StringVar(&f.store, "store", "", "keep what survives a crash in `STORE`: memory or sqlite, for scenarios that have it")
	flags.BoolVar(&f.noFaults, "no-faults", false, "no fault strikes")
	flags.Int64Var(&f.shrink, "shrink", defaultShrink, "make failures smaller, with at most `N` steps of replays in all; 0: leave them as they are")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text, json, junit, sarif or github (annotations, and the job summary), to standard output or to a file; repeatable")
	flags.StringVar(&f.folder, "out", "", "folder `DIR` in which failures are kept, each with a page that shows it")
	flags.StringVar(&f.ui, "ui", "", "a live page of the search, for browsers of this machine; on a terminal it stays until Ctrl-C; --ui=`HOST:PORT` says where")
	flags.Lookup("ui").NoOptDefVal = anyPort
	return c
}

func (a *app) run(ctx context.Context, c *cobra.Command, f runFlags, names []string) error {
	config, err := a.config(c, f, names)
	if err != nil {
		return err
	}
	outputs, err := parseOutputs(f.formats, "text", "json", junitFormat, sarifFormat, githubFormat)
	if err != nil {
		return err
	}
	if f.folder != "" {
		if err := makeFolder(f.folder); err != nil {
			return err
		}
	}
	summary, err := checkRunOutputs(outputs)
	if err != nil {
		return err
	}

	var page *ui
	if c.Flags().Changed("ui") {
		if page, err = a.serve(f.ui, config); err != nil {
			return err
		}
	}
	defer page.close()
	line := newProgressLine(a.errOut, config)
	config.Progress = page.watch(line.show)
	report, failed := search.Run(ctx, config)
	line.clear()
	page.searched(report, failed)

	failed = errors.Join(failed, a.shrinkAll(ctx, config, report, f.shrink))
	if f.folder != "" {
		failed = errors.Join(failed, keep(f.folder, config.Scenarios, report))
	}
	failed = errors.Join(failed, locate(config.Scenarios, report))
	if failed == nil && report.Runs() == 0 {
		failed = errors.New("nothing was explored: the search ended before its first run")
	}
	document := newRunDocument(config, report, failed)
	page.ended(report, failed)
	failed = errors.Join(failed, a.printRun(outputs, summary, document, config.Scenarios))
	if failed == nil {
		page.stay(ctx)
	}
	if failed == nil && len(report.Failures()) > 0 {
		return errFound
	}
	return failed
}

// config checks the flags. Every error is one line that says what would be right.
func (a *app) config(c *cobra.Command, f runFlags, names []string) (search.Config, error) {
	config := search.Config{
		Seed: f.seed, Workers: f.workers, KeepGoing: f.keepGoing || len(f.stopAt) > 0, StopAt: f.stopAt,
		Options: sim.Options{Only: f.only, NoFaults: f.noFaults},
	}
	byRuns, byTime := c.Flags().Changed("runs"), c.Flags().Changed("for")
	switch {
	case byRuns && byTime:
		return config, errors.New("--runs and --for exclude each other: give one budget")
	case byRuns && f.runs < 1:
		return config, fmt.Errorf("--runs %d would explore nothing: give 1 or more", f.runs)
	case !byRuns && f.duration <= 0:
		return config, fmt.Errorf("--for %s would explore nothing: give a duration above 0, such as 30s", f.duration)
	case f.shrink < 0:
		return config, fmt.Errorf("--shrink %d is no number of steps: give 0 or more", f.shrink)
	case f.workers < 1:
		return config, fmt.Errorf("--workers %d could run nothing: give 1 or more", f.workers)
	case c.Flags().Changed("until-quiet") && !(f.quiet > 0 && f.quiet < 1):
		return config, fmt.Errorf("--until-quiet %v is no chance to wait for: give one between 0 and 1, such as 0.01", f.quiet)
	case byRuns:
		config.Runs = f.runs
	default:
		config.Duration = f.duration
	}
	if !c.Flags().Changed("seed") {
		config.Seed = strings.ToLower(rand.Text()[:8])
	}
	s, err := strategy.Parse(f.strategy)
	if err != nil {
		return config, err
	}
	config.Strategy, config.Quiet = s, f.quiet
	if f.quiet > 0 && !search.Estimates(s) {
		return config, fmt.Errorf("--until-quiet looks at runs drawn by random alone, and strategy %s has none: give mix or random", s.Name())
	}
	if names, err = a.stored(names, f.store); err != nil {
		return config, err
	}
	if config.Scenarios, err = a.selected(names); err != nil {
		return config, err
	}
	asked := f.stopAt
	if c.Flags().Changed("only") {
		asked = append([]string{f.only}, asked...)
	}
	return config, checkProperties(asked, config.Scenarios)
}

// checkProperties says which of the ids is none of a property that a search of the scenarios judges.
func checkProperties(ids []string, scenarios []*sim.Scenario) error {
	known := propertiesOf(scenarios)
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return fmt.Errorf("unknown property %q: there are %s", id, strings.Join(known, ", "))
		}
	}
	return nil
}

// propertiesOf are the ids of all properties that a search of the scenarios judges, in the order of heddle list.
func propertiesOf(scenarios []*sim.Scenario) (ids []string) {
	for _, sc := range scenarios {
		for _, p := range search.PropertiesOf(sc) {
			if !slices.Contains(ids, p.ID) {
				ids = append(ids, p.ID)
			}
		}
	}
	return ids
}

// selected are the scenarios of those names, each once; without names all that must hold.
func (a *app) selected(names []string) ([]*sim.Scenario, error) {
	var selected []*sim.Scenario
	seen := map[string]bool{}
	for _, name := range names {
		sc, err := a.scenario(name)
		if err != nil {
			return nil, err
		}
		if !seen[name] {
			selected = append(selected, sc)
		}
		seen[name] = true
	}
	if len(names) > 0 {
		return selected, nil
	}
	for _, sc := range a.scenarios {
		if sc.Fails == "" {
			selected = append(selected, sc)
		}
	}
	if len(selected) == 0 {
		return nil, errors.New("every scenario of this program is built to fail, so none is meant without its name: name one, such as " + a.usual())
	}
	return selected, nil
}

// keep writes the failures into the folder, each with its page beside it. Where the token does not fit a command line, the replay line names the
// file.
func keep(folder string, scenarios []*sim.Scenario, found *search.Report) error {
	var failed error
	for i, s := range found.Scenarios {
		for _, f := range s.Failures {
			if f.Token == "" {
				continue
			}
			path, err := search.Save(folder, scenarios[i], f)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("cannot keep a failure of %s: %w", s.Name, err))
				continue
			}
			f.File = path
			if len(f.Full.String()) > choice.LongToken {
				f.Replay = "heddle replay " + quote(path)
			}
			if f.Shrunk == nil || f.Shrunk.Hash == f.Hash {
				failed = errors.Join(failed, keepPage(scenarios[i], f, explanationOf(f.Shrunk), ""))
				continue
			}
			if f.Shrunk.File, err = search.SaveShrunk(folder, scenarios[i], f.Shrunk); err != nil {
				failed = errors.Join(failed, fmt.Errorf("cannot keep a failure of %s: %w", s.Name, err))
				continue
			}
			replayFrom(f.Shrunk)
			failed = errors.Join(failed, keepPage(scenarios[i], f.Shrunk.Failure, explanationOf(f.Shrunk), ""))
			failed = errors.Join(failed, keepPage(scenarios[i], f, nil, filepath.Base(f.Shrunk.Page)))
		}
	}
	return failed
}

// pageOf is what the page of a failure is made of.
func pageOf(sc *sim.Scenario, f *search.Failure, e *shrink.Explanation) report.Page {
	return report.Page{Scenario: sc, Token: f.Full, Replay: onThisMutant(f.Replay), Statement: search.StatementOf(sc, f.Property), Explanation: e}
}

// pageBeside is where the page of a failure is that is kept in a file.
func pageBeside(file string) string { return strings.TrimSuffix(file, ".json") + ".html" }

// keepPage writes the page of a failure beside the file in which it is kept. smaller is the page of a smaller one; empty: there is none.
func keepPage(sc *sim.Scenario, f *search.Failure, e *shrink.Explanation, smaller string) error {
	path := pageBeside(f.File)
	page := pageOf(sc, f, e)
	page.Smaller = smaller
	if err := page.WriteHTML(path); err != nil {
		return fmt.Errorf("cannot write the page of a failure of %s: %w", sc.Name, err)
	}
	f.Page = path
	return nil
}

// explanationOf is what was found out about a failure that was made smaller; nil for nothing.
func explanationOf(small *search.Shrunk) *shrink.Explanation {
	if small == nil {
		return nil
	}
	e, _ := small.Explanation.(*shrink.Explanation)
	return e
}

// quote makes a word safe for a shell.
func quote(word string) string {
	safe := word != "" && !strings.HasPrefix(word, "-") && strings.IndexFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=+,%@", r))
	}) < 0
	if safe {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// runDocument is the JSON of heddle run.
type runDocument struct {
	Seed        string                   `json:"seed"`
	Strategy    string                   `json:"strategy"`
	Workers     int                      `json:"workers"`
	Only        string                   `json:"only,omitempty"`
	NoFaults    bool                     `json:"no_faults,omitempty"`
	UntilQuiet  float64                  `json:"until_quiet,omitempty"`
	Go          string                   `json:"go"`
	Seconds     float64                  `json:"seconds"`
	Interrupted bool                     `json:"interrupted"`
	Error       string                   `json:"error,omitempty"`
	Scenarios   []*search.ScenarioReport `json:"scenarios"`
}

func newRunDocument(config search.Config, report *search.Report, failed error) runDocument {
	d := runDocument{
		Seed: config.Seed, Strategy: config.Strategy.Name(), Workers: config.Workers, Only: config.Options.Only, NoFaults: config.Options.NoFaults,
		UntilQuiet: config.Quiet, Go: runtime.Version(),
		Seconds: report.Elapsed.Seconds(), Interrupted: report.Interrupted, Scenarios: report.Scenarios,
	}
	if failed != nil {
		d.Error, _, _ = strings.Cut(failed.Error(), "\n")
	}
	for _, f := range report.Failures() {
		if f.Replay == "" { // a failure of the search as a whole
			f.Replay = fmt.Sprintf("heddle run %s --runs %d --seed %s --strategy %s --keep-going", quote(f.Scenario), runsOf(report, f.Scenario), quote(config.Seed), config.Strategy.Name())
			if config.Options.Only != "" {
				f.Replay += " --only " + config.Options.Only
			}
		}
	}
	return d
}

func runsOf(report *search.Report, scenario string) int64 {
	for _, s := range report.Scenarios {
		if s.Name == scenario {
			return s.Runs
		}
	}
	return 0
}

func writeJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}
