package heddle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/mod/modfile"

	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

const (
	zooFolder = "testdata/mutants" // in which a module keeps its mutants

	// quickShare is the share of mutants, in percent, that a quick search must kill.
	quickShare = 90
)

var errZooInterrupted = errors.New("nothing was explored: the zoo was interrupted before it was done with its first mutant")

type zooFlags struct {
	folder     string
	out        string
	strategies []string
	runs       int64
	seeds      int
	seed       string
	workers    int
	quick      bool
	vet        bool
	properties bool
	formats    []string
}

func (a *app) zooCommand() *cobra.Command {
	var f zooFlags
	c := &cobra.Command{
		Use:   "zoo [MUTANT...]",
		Short: "Score: which property notices which mutant, after how many runs",
		Long: `Lays each mutant, a patch that breaks the program, over the sources of this module, builds it, and searches it until a
property fails that its header names. It prints, for each mutant and strategy, how many runs that took: the median over several first
seeds. The tree stays as it is, and what was built is kept for the next call.

A header holds any text, and lines of these forms, of which only the first is expected:
  Properties: S1 L2        who should notice
  Scenario: NAME           to search it in; else the first that heddle list shows
  Missed: why              no search has found it yet, and so it is searched from one first seed only

With --properties it is the properties that are scored: for each, with all others switched off, it looks for a mutant that it kills, among
those whose header names it, with the first strategy. A property that kills none is not known to check anything.

Exit status: 0 every mutant was killed that is not marked as missed (with --quick, nine of ten of them); 1 one was not, or did not pass
--vet, or a property kills no mutant; 2 wrong usage, or a mutant that does not apply, does not build or cannot be searched: all others are scored all the same.`,
		Example: `  heddle zoo
  heddle zoo NAME --strategies random,pct:3
  heddle zoo --dir my-mutants --vet --format json=score.json`,
		RunE: func(c *cobra.Command, args []string) error { return a.zoo(c.Context(), c, f, args) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "strategy" {
			name = "strategies"
		}
		return pflag.NormalizedName(name)
	})
	flags.StringVar(&f.folder, "dir", "", "folder `DIR` of the mutants (default "+zooFolder+" of the module)")
	flags.StringVar(&f.out, "out", "", "folder `DIR` in which the smallest failure of each mutant is kept, as NAME.json")
	flags.StringSliceVar(&f.strategies, "strategies", []string{strategy.Default}, "how to decide: each of `S,...` is one of those that heddle list shows, and a column; repeatable, also as --strategy")
	flags.Int64Var(&f.runs, "runs", 20_000, "budget: `N` runs of each mutant for each strategy and seed")
	flags.IntVar(&f.seeds, "seeds", 3, "number `K` of first seeds")
	flags.StringVar(&f.seed, "seed", "zoo", "the first seeds are `S`-1, S-2, ...; any text")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "number `N` of mutants at a time; the result does not depend on it")
	flags.BoolVar(&f.quick, "quick", false, "one first seed and 2,000 runs, if not given otherwise")
	flags.BoolVar(&f.vet, "vet", false, "search only mutants that pass the tests of the folders that mutants change, and 20 runs without faults, and name the others")
	flags.BoolVar(&f.properties, "properties", false, "score the properties: a mutant that each kills alone")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text or json, to standard output or to a file; repeatable")
	return c
}

func (a *app) zoo(ctx context.Context, c *cobra.Command, f zooFlags, names []string) error {
	if f.quick {
		if !c.Flags().Changed("runs") {
			f.runs = 2_000
		}
		if !c.Flags().Changed("seeds") {
			f.seeds = 1
		}
	}
	outputs, err := f.check()
	if err != nil {
		return err
	}
	root, err := a.root()
	if err != nil {
		return err
	}
	if f.folder == "" {
		f.folder = filepath.Join(root, filepath.FromSlash(zooFolder))
	}
	paths, err := selectMutants(f.folder, names)
	if err != nil {
		return err
	}

	h, err := a.newHunt(ctx, f, root, testsOf(paths), newTerminalLine(a.errOut))
	if ctx.Err() != nil {
		return errZooInterrupted
	}
	if err != nil {
		return err
	}
	var score interface {
		failed() error
		explain(problem string)
		writeText(io.Writer) error
	}
	if f.properties {
		ids, err := a.zooProperties(paths)
		if err != nil {
			return err
		}
		score = h.scoreProperties(ctx, paths, ids)
	} else {
		score = h.score(ctx, paths)
	}
	h.line.clear()
	failed := score.failed()
	if failed != nil && !errors.Is(failed, errFound) {
		score.explain(failed.Error())
	}
	if err := a.print(outputs, score, score.writeText); err != nil {
		return err
	}
	return failed
}

// zooProperties are the ids of what is judged in the scenarios of the mutants.
func (a *app) zooProperties(paths []string) ([]string, error) {
	judged := sim.BuiltIn()
	names := []string{}
	for _, path := range paths {
		m, err := mutant.Read(path)
		if err != nil {
			continue // who searches it says so
		}
		name := m.Scenario
		if name == "" {
			name = a.usual()
		}
		if slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		sc, err := a.scenario(name)
		if err != nil {
			return nil, err
		}
		judged = append(judged, sc.Properties...)
	}
	var ids []string
	for _, p := range judged {
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return append(ids, search.Sometimes), nil
}

// check checks the flags. Every error is one line that says what would be right.
func (f *zooFlags) check() ([]output, error) {
	switch {
	case f.runs < 1:
		return nil, fmt.Errorf("--runs %d would explore nothing: give 1 or more", f.runs)
	case f.seeds < 1:
		return nil, fmt.Errorf("--seeds %d would explore nothing: give 1 or more", f.seeds)
	case f.properties && (f.quick || f.vet):
		return nil, errors.New("--properties scores properties: --quick and --vet are for mutants")
	case f.workers < 1:
		return nil, fmt.Errorf("--workers %d could run nothing: give 1 or more", f.workers)
	case len(f.strategies) == 0:
		return nil, errors.New("--strategies names none: give one or more of those that heddle list shows")
	}
	for i, name := range f.strategies {
		if _, err := strategy.Parse(name); err != nil {
			return nil, err
		}
		if slices.Contains(f.strategies[:i], name) {
			return nil, fmt.Errorf("--strategies %s is given twice: each is a column of its own", name)
		}
	}
	if f.out != "" {
		if err := makeFolder(f.out); err != nil {
			return nil, err
		}
	}
	return placesOf(f.formats)
}

// root is the folder of the sources of the program's module, in which the command must run: mutants are built from them.
func (p program) root() (string, error) {
	if p.module == "" {
		return "", errors.New("this heddle was built without a module, of whose sources it could build mutants: use go build, go run or go tool with its package")
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		switch {
		case err == nil && modfile.ModulePath(content) == p.module:
			return folder, nil
		case err == nil || folder == filepath.Dir(folder):
			return "", fmt.Errorf("heddle builds mutants of the sources of %s: run it in a folder of that module, which %s is not", p.module, start)
		}
	}
}

// testsOf are the packages whose tests should notice the mutants: all below the topmost folders of the module that the mutants change.
func testsOf(paths []string) (packages []string) {
	for _, path := range paths {
		m, err := mutant.Read(path)
		if err != nil {
			continue // who searches it says so
		}
		for _, file := range m.Files() {
			pattern := "."
			if folder, _, below := strings.Cut(file, "/"); below {
				pattern = "./" + folder + "/..."
			}
			if !slices.Contains(packages, pattern) {
				packages = append(packages, pattern)
			}
		}
	}
	return packages
}

// selectMutants are the paths of the mutants of those names, without names of all.
func selectMutants(folder string, names []string) ([]string, error) {
	paths, err := mutant.List(folder)
	if err != nil || len(names) == 0 {
		return paths, err
	}
	known := map[string]string{}
	var all, selected []string
	for _, path := range paths {
		known[mutant.Name(path)] = path
		all = append(all, mutant.Name(path))
	}
	for _, name := range names {
		path, ok := known[mutant.Name(name)]
		if !ok {
			return nil, fmt.Errorf("unknown mutant %q: %s%s holds %s", name, suggestion(name, all), folder, plural(int64(len(all)), "other"))
		}
		if !slices.Contains(selected, path) {
			selected = append(selected, path)
		}
	}
	return selected, nil
}
