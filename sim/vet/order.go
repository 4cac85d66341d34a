package vet

import (
	"go/ast"
	"go/types"
)

const goesOver = "a range over a map goes in an order that is another one in each run"

// order reports what goes over a map where the order can matter. above are the nodes around n, the innermost last.
func (i *inspector) order(n ast.Node, above []ast.Node) {
	switch n := n.(type) {
	case *ast.RangeStmt:
		call, ok := ast.Unparen(n.X).(*ast.CallExpr)
		iterator := ok && i.iterator(call)
		if !iterator && !isMap(i.TypesInfo.TypeOf(n.X)) {
			return
		}
		if iterator {
			i.clear[call] = true
		}
		if !i.independent(n, following(n, above)) {
			i.found(n, order, goesOver, "range over slices.Sorted(maps.Keys(m)), or let the body only count, delete, or collect what is sorted next")
		}
	case *ast.CallExpr:
		if f := i.called(n); f != nil && f.Pkg() != nil {
			i.consumed(n, f, above)
		}
		if i.iterator(n) && !i.clear[n] {
			i.found(n, order, shuffledName(i.called(n))+" goes over a map in an order that is another one in each run", "sort it: slices.Sorted(maps.Keys(m))")
		}
	}
}

func shuffledName(f *types.Func) string { return f.Pkg().Name() + "." + f.Name() }

// iterator says whether a call answers an iterator over a map.
func (i *inspector) iterator(call *ast.CallExpr) bool {
	f := i.called(call)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != "maps" {
		return false
	}
	return f.Name() == "Keys" || f.Name() == "Values" || f.Name() == "All"
}

// consumed clears the iterators that a call makes an order of, or needs none for.
func (i *inspector) consumed(call *ast.CallExpr, f *types.Func, above []ast.Node) {
	var from ast.Expr
	switch f.Pkg().Path() + "." + f.Name() {
	case "slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc", "maps.Collect":
		from = call.Args[0]
	case "maps.Insert": // no two keys of a map are the same
		from = call.Args[1]
	case "slices.Collect", "slices.AppendSeq": // keys := slices.Collect(maps.Keys(m)), sorted next
		if len(above) == 0 {
			return
		}
		assignment, ok := above[len(above)-1].(*ast.AssignStmt)
		if !ok || len(assignment.Lhs) != 1 {
			return
		}
		if v := i.variable(assignment.Lhs[0]); v == nil || !i.sortedNext(map[*types.Var]bool{v: true}, following(assignment, above[:len(above)-1])) {
			return
		}
		from = call.Args[len(call.Args)-1]
	default:
		return
	}
	if made, ok := ast.Unparen(from).(*ast.CallExpr); ok && i.iterator(made) {
		i.clear[made] = true
	}
}

// following are the statements after s in its block.
func following(s ast.Stmt, above []ast.Node) []ast.Stmt {
	for k := len(above) - 1; k >= 0; k-- {
		var list []ast.Stmt
		switch b := above[k].(type) {
		case *ast.LabeledStmt:
			s = b
			continue
		case *ast.BlockStmt:
			list = b.List
		case *ast.CaseClause:
			list = b.Body
		case *ast.CommClause:
			list = b.Body
		}
		for j, other := range list {
			if other == s {
				return list[j+1:]
			}
		}
		return nil
	}
	return nil
}

// variable is the variable that an expression names; nil if it is anything else.
func (i *inspector) variable(e ast.Expr) *types.Var {
	name, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := i.TypesInfo.ObjectOf(name).(*types.Var)
	return v
}

// sortedNext says whether the statements begin with those that sort the variables, each of them.
func (i *inspector) sortedNext(collected map[*types.Var]bool, next []ast.Stmt) bool {
	left := len(collected)
	for _, s := range next {
		if left == 0 {
			break
		}
		v := i.sorted(s)
		if v == nil || !collected[v] {
			return false
		}
		left--
	}
	return left == 0
}

// sorted is the variable that a statement sorts; nil if it does something else.
func (i *inspector) sorted(s ast.Stmt) *types.Var {
	expression, ok := s.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, ok := expression.X.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	f := i.called(call)
	if f == nil || f.Pkg() == nil {
		return nil
	}
	switch f.Pkg().Path() + "." + f.Name() {
	case "slices.Sort", "slices.SortFunc", "slices.SortStableFunc",
		"sort.Strings", "sort.Ints", "sort.Float64s", "sort.Slice", "sort.SliceStable", "sort.Sort", "sort.Stable":
	default:
		return nil
	}
	argument := ast.Unparen(call.Args[0])
	if conversion, ok := argument.(*ast.CallExpr); ok && len(conversion.Args) == 1 { // sort.Sort(byName(x))
		argument = conversion.Args[0]
	}
	return i.variable(argument)
}
