package vet

import (
	"go/ast"
	"go/token"
	"go/types"
)

const (
	makeChannel = "make it with sched.NewChan"
	useSelect   = "use sched.Select2 to Select4 over sched.Recv and sched.Send"
)

// language reports what the Go language itself has of concurrency.
func (i *inspector) language(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		i.found(n, goroutine, "a go statement starts what no simulation schedules", "use Go of the sched.Scheduler")
	case *ast.SendStmt:
		if !i.clear[n] {
			i.found(n, channel, "a send on a native channel blocks the simulator", "use Send of a sched.Chan")
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW && !i.clear[n] {
			i.receive(n)
		}
	case *ast.SelectStmt:
		for _, clause := range n.Body.List {
			i.clearOperation(clause.(*ast.CommClause).Comm)
		}
		i.found(n, channel, "a select statement lets the runtime draw the case", useSelect)
	case *ast.RangeStmt:
		if isChannel(i.TypesInfo.TypeOf(n.X)) {
			i.found(n, channel, "a range over a native channel blocks the simulator", "loop over Recv of a sched.Chan")
		}
	case *ast.ChanType:
		if !i.clear[n] {
			i.found(n, channel, "a native channel type has operations that the simulator does not see", "use *sched.Chan")
		}
	case *ast.CallExpr:
		i.builtin(n)
	}
}

// receive reports a receive; what contexts and timers give has a way of its own.
func (i *inspector) receive(n *ast.UnaryExpr) {
	right := "use Recv of a sched.Chan"
	if call, ok := ast.Unparen(n.X).(*ast.CallExpr); ok {
		if f := i.called(call); f != nil && f.Pkg() != nil && f.Pkg().Path() == "context" && f.Name() == "Done" {
			right = "use Recv of sched.Done(ctx)"
		}
	}
	i.found(n, channel, "a receive from a native channel blocks the simulator", right)
}

// clearOperation takes the operation of a select's case as reported with the select.
func (i *inspector) clearOperation(comm ast.Stmt) {
	switch s := comm.(type) {
	case *ast.SendStmt:
		i.clear[s] = true
	case *ast.ExprStmt:
		i.clear[ast.Unparen(s.X)] = true
	case *ast.AssignStmt:
		i.clear[ast.Unparen(s.Rhs[0])] = true
	}
}

func (i *inspector) builtin(call *ast.CallExpr) {
	if len(call.Args) == 0 {
		return
	}
	switch i.builtinName(call) {
	case "make":
		if isChannel(i.TypesInfo.TypeOf(call.Args[0])) {
			i.clear[ast.Unparen(call.Args[0])] = true
			i.found(call, channel, "make(chan) makes a channel that the simulator does not see", makeChannel)
		}
	case "close":
		i.found(call, channel, "closing a native channel wakes whom the simulator does not see", "use Close of a sched.Chan")
	}
}

// builtinName is the name of the built-in function that is called; nothing if it is another one.
func (i *inspector) builtinName(call *ast.CallExpr) string {
	name, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return ""
	}
	if b, ok := i.TypesInfo.Uses[name].(*types.Builtin); ok {
		return b.Name()
	}
	return ""
}

// called is the function or method that is called by its name; nil if it is a value, a type or built in.
func (i *inspector) called(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) { // of an instance of a generic function
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	switch f := fun.(type) {
	case *ast.Ident:
		object, _ := i.TypesInfo.Uses[f].(*types.Func)
		return object
	case *ast.SelectorExpr:
		object, _ := i.TypesInfo.Uses[f.Sel].(*types.Func)
		return object
	}
	return nil
}

func isChannel(t types.Type) bool {
	return everyType(t, func(t types.Type) bool { _, ok := t.(*types.Chan); return ok })
}

func isMap(t types.Type) bool {
	return everyType(t, func(t types.Type) bool { _, ok := t.(*types.Map); return ok })
}

// everyType says whether a type, or each of those that a type parameter stands for, has such an underlying type.
func everyType(t types.Type, is func(types.Type) bool) bool {
	if t == nil {
		return false
	}
	union, ok := t.Underlying().(*types.Interface)
	if !ok {
		return is(t.Underlying())
	}
	if _, ok := types.Unalias(t).(*types.TypeParam); !ok {
		return false
	}
	all := false
	for k := range union.NumEmbeddeds() {
		terms, ok := union.EmbeddedType(k).(*types.Union)
		if !ok {
			all = all || is(union.EmbeddedType(k).Underlying())
			continue
		}
		all = terms.Len() > 0
		for j := range terms.Len() {
			all = all && is(terms.Term(j).Type().Underlying())
		}
	}
	return all
}
