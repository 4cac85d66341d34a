// Package vet finds what would escape from the simulator's control in a program that is written for it: whatever Go's runtime, the
// operating system or the hardware decides, a run cannot repeat. The analyser looks at one package at a time and at what stands in
// it; what a library does inside is for heddle audit to notice, or for a look at the library with the same analyser.
//
//	func (c *Cache) expire() {
//		for key := range c.entries { // reported: a map's order is another one in each run
//			c.drop(key)
//		}
//	}
//
// What is meant to be as it is says why, on its line or the line before:
//
//	//heddle:allow the digest does not depend on the order
package vet

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// The categories of what is reported.
const (
	goroutine = "goroutine" // what runs beside the tasks
	channel   = "channel"   // Go's own channels
	lock      = "sync"      // Go's own locks and atomics
	wallClock = "clock"
	random    = "random"
	cancel    = "context" // contexts that Go's own runtime cancels
	outside   = "io"      // the operating system, the network, other processes
	machine   = "runtime" // the scheduler, the collector, the number of cores
	order     = "order"   // of a map
	address   = "address" // of a value in memory
	state     = "state"   // of a package, that runs share
	allowance = "allow"   // an allow that is not right
)

// New makes the analyser. Tests are for the real world, and are left out unless its flag tests is set.
func New() *analysis.Analyzer {
	var tests bool
	a := &analysis.Analyzer{
		Name: "escape",
		Doc:  "report what would escape from the control of Heddle's simulator\n\nFor packages that are written against sched, clock and net.",
		URL:  "https://pkg.go.dev/github.com/heddle-go/heddle/sim/vet",
	}
	a.Flags.BoolVar(&tests, "tests", false, "look at test files as well")
	a.Run = func(pass *analysis.Pass) (any, error) {
		names := escapes()
		for _, file := range pass.Files {
			name := pass.Fset.File(file.FileStart).Name()
			if strings.HasSuffix(name, ".go") && (tests || !strings.HasSuffix(name, "_test.go")) { // others are the go tool's
				newInspector(pass, file, names).inspect()
			}
		}
		return nil, nil
	}
	return a
}

// inspector looks at one file.
type inspector struct {
	*analysis.Pass
	file    *ast.File
	escapes map[string]map[string]escape
	allows  []*allow
	// clear are places that another one has spoken for: the channel type within a make that is reported, the keys of a map that
	// are sorted.
	clear map[ast.Node]bool
}

func newInspector(pass *analysis.Pass, file *ast.File, names map[string]map[string]escape) *inspector {
	return &inspector{Pass: pass, file: file, escapes: names, allows: allowsOf(pass.Fset, file), clear: map[ast.Node]bool{}}
}

func (i *inspector) inspect() {
	var initialises bool // the declaration is a func init
	ast.PreorderStack(i.file, nil, func(n ast.Node, above []ast.Node) bool {
		if len(above) == 1 {
			f, ok := n.(*ast.FuncDecl)
			initialises = ok && f.Recv == nil && f.Name.Name == "init"
		}
		i.language(n)
		i.order(n, above)
		i.name(n)
		i.method(n)
		i.conversion(n)
		i.format(n)
		if !initialises {
			i.state(n)
		}
		return true
	})
	for _, a := range i.allows {
		if problem := a.problem(); problem != "" {
			i.Report(analysis.Diagnostic{Pos: a.pos, Category: allowance, Message: problem})
		}
	}
}

// found reports an escape that is not allowed: what is wrong, and what would be right.
func (i *inspector) found(at ast.Node, category, wrong, right string) {
	line := i.line(at.Pos())
	for _, a := range i.allows {
		if a.line == line {
			a.used = true
			return
		}
	}
	i.Report(analysis.Diagnostic{Pos: at.Pos(), End: at.End(), Category: category, Message: wrong + ": " + right})
}

func (i *inspector) line(p token.Pos) int { return i.Fset.Position(p).Line }
