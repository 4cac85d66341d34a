package vet_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"github.com/heddle-go/heddle/sim/vet"
)

const source = `package cache

func expire(entries map[string]int, drop func(string)) {
	for key := range entries {
		drop(key)
	}
	//heddle:allow what it prints is not looked at
	go println("expired")
}
`

// The analyser is one of golang.org/x/tools: a driver, such as singlechecker, gives it packages. Here it is given one file.
func ExampleNew() {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "cache.go", source, parser.ParseComments)
	if err != nil {
		fmt.Println(err)
		return
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	pkg, err := new(types.Config).Check("cache", fset, []*ast.File{file}, info)
	if err != nil {
		fmt.Println(err)
		return
	}
	escape := vet.New()
	_, err = escape.Run(&analysis.Pass{
		Analyzer: escape, Fset: fset, Files: []*ast.File{file}, Pkg: pkg, TypesInfo: info,
		Report: func(d analysis.Diagnostic) { fmt.Printf("%s: %s\n", fset.Position(d.Pos), d.Message) },
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// cache.go:4:2: a range over a map goes in an order that is another one in each run: range over slices.Sorted(maps.Keys(m)), or let the body only count, delete, or collect what is sorted next
}
