package heddle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/heddle-go/heddle/sim/vet"
)

type vetFlags struct {
	tests   bool
	formats []string
}

func (a *app) vetCommand() *cobra.Command {
	var f vetFlags
	c := &cobra.Command{
		Use:   "vet PACKAGE...",
		Short: "Report what in a program would escape from the simulator's control",
		Long: `Looks at packages that are written for the simulator, and reports what would escape from its control: go statements, native
channels and locks, the wall clock, native randomness, I/O, the runtime's scheduler and collector, ranges over maps whose order can
matter, printed addresses, and variables of the package that runs would share. Each report says what would be right.

A comment //heddle:allow REASON, on the same line or alone on the line before, lets one be. The command heddle-vet reports the same
as go vet -vettool does.

Exit status: 0 nothing found; 1 an escape was found; 2 wrong usage, or a package that does not build.`,
		Example: `  heddle vet ./...
  heddle vet ./... --format json=escapes.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("heddle vet takes packages, such as ./...")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.vet(c.Context(), f, args) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.tests, "tests", false, "look at test files as well")
	flags.StringArrayVar(&f.formats, "format", nil, "`F[=FILE]`: text or json, to standard output or to a file; repeatable")
	return c
}

func (a *app) vet(ctx context.Context, f vetFlags, patterns []string) error {
	outputs, err := placesOf(f.formats)
	if err != nil {
		return err
	}
	document, err := newVetDocument(ctx, patterns, f.tests)
	if err != nil {
		return err
	}
	err = a.print(outputs, document, document.writeText)
	if err == nil && len(document.Escapes) > 0 {
		return errFound
	}
	return err
}

// vetDocument is the JSON of heddle vet.
type vetDocument struct {
	Packages int         `json:"packages"`
	Escapes  []vetEscape `json:"escapes"`
}

// vetEscape is one finding.
type vetEscape struct {
	Package  string `json:"package"`
	File     string `json:"file"` // relative to the working folder, if it is below that
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Category string `json:"category"`
	Message  string `json:"message"`
}

// newVetDocument loads the packages, type-checks them and looks at each.
func newVetDocument(ctx context.Context, patterns []string, tests bool) (vetDocument, error) {
	document := vetDocument{Escapes: []vetEscape{}}
	for _, p := range patterns {
		if strings.HasPrefix(p, "-") {
			return document, fmt.Errorf("%q is no package: they come as in go build, such as ./...", p)
		}
	}
	loaded, err := packages.Load(&packages.Config{Context: ctx, Mode: packages.LoadSyntax | packages.NeedModule, Tests: tests}, patterns...)
	if err != nil {
		return document, fmt.Errorf("the packages cannot be loaded: %w", onOneLine(err))
	}
	if err := unbuildable(loaded); err != nil {
		return document, err
	}
	if len(loaded) == 0 {
		return document, fmt.Errorf("nothing was looked at: no package matches %s", strings.Join(patterns, " "))
	}
	analyzer := vet.New()
	if tests {
		if err := analyzer.Flags.Set("tests", "true"); err != nil {
			return document, err
		}
	}
	graph, err := checker.Analyze([]*analysis.Analyzer{analyzer}, loaded, nil)
	if err != nil {
		return document, err
	}
	paths, seen := map[string]bool{}, map[vetEscape]bool{}
	for _, root := range graph.Roots {
		if root.Err != nil {
			return document, fmt.Errorf("%s cannot be looked at: %w", root.Package.PkgPath, onOneLine(root.Err))
		}
		paths[root.Package.PkgPath] = true
		for _, d := range root.Diagnostics {
			e := newVetEscape(root.Package, d)
			if !seen[e] { // with tests, a package is there with and without them
				document.Escapes = append(document.Escapes, e)
			}
			seen[e] = true
		}
	}
	document.Packages = len(paths)
	slices.SortStableFunc(document.Escapes, func(a, b vetEscape) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return document, nil
}

func newVetEscape(p *packages.Package, d analysis.Diagnostic) vetEscape {
	at := p.Fset.PositionFor(d.Pos, false)
	return vetEscape{Package: p.PkgPath, File: relative(at), Line: at.Line, Column: at.Column, Category: d.Category, Message: d.Message}
}

// relative is the file of a position, as seen from the working folder if it is below that.
func relative(at token.Position) string {
	if folder, err := os.Getwd(); err == nil {
		if path, err := filepath.Rel(folder, at.Filename); err == nil && filepath.IsLocal(path) {
			return path
		}
	}
	return at.Filename
}

// unbuildable is the first error of the packages, in one line; nil if there is none.
func unbuildable(loaded []*packages.Package) (err error) {
	packages.Visit(loaded, nil, func(p *packages.Package) {
		if len(p.Errors) == 0 || err != nil {
			return
		}
		first := p.Errors[0]
		if i := slices.IndexFunc(p.Errors, func(e packages.Error) bool { return e.Kind != packages.ListError }); i >= 0 {
			first = p.Errors[i] // with its place, which the go tool's need not have
		}
		err = fmt.Errorf("%s does not build: %w", p.PkgPath, onOneLine(first))
	})
	return err
}

// onOneLine puts the lines of an error, such as the go tool's, into one.
func onOneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}

func (d vetDocument) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	for _, e := range d.Escapes {
		fmt.Fprintf(w, "%s:%d:%d: %s\n", e.File, e.Line, e.Column, e.Message)
	}
	fmt.Fprintf(w, "%s in %s\n", plural(int64(len(d.Escapes)), "escape"), plural(int64(d.Packages), "package"))
	return w.Flush()
}
