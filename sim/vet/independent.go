package vet

import (
	"go/ast"
	"go/token"
	"go/types"
)

// ways are the assignments of integers in which order makes no difference, by what must not be mixed with what.
func ways() map[token.Token]string {
	return map[token.Token]string{
		token.ADD_ASSIGN: "sum", token.SUB_ASSIGN: "sum", token.MUL_ASSIGN: "product", token.XOR_ASSIGN: "xor",
		token.OR_ASSIGN: "or", token.AND_ASSIGN: "and", token.AND_NOT_ASSIGN: "and",
	}
}

// loop is what is known of the body of a range over a map. It does the same in any order if all that it changes is changed in one way
// in which order makes no difference, if nothing reads what is changed, and if there is no way out before the end, or nothing but one
// way out that says the same wherever it is taken.
type loop struct {
	*inspector
	over      string // the map, as it is written
	key       *types.Var
	local     map[*types.Var]bool   // the key, the value and what the body declares
	changed   map[*types.Var]string // variables and fields, and the way in which each is changed
	collected map[*types.Var]bool   // slices, that must be sorted next
	exits     map[string]bool       // ways out: what is set before, and the results
	changes   int                   // places in the body that change something
	atExits   int                   // of those, set to constants right before a way out
	reading   []ast.Expr            // to be looked at once all changes are known
	block     []ast.Stmt            // in which the statement stands
}

// independent says whether the body of a range over a map clearly does the same in any order. next are the statements after it.
func (i *inspector) independent(s *ast.RangeStmt, next []ast.Stmt) bool {
	if blank(s.Key) && blank(s.Value) {
		return true
	}
	if s.Tok == token.ASSIGN { // the variables tell of the last one
		return false
	}
	l := &loop{
		inspector: i, over: types.ExprString(s.X), local: map[*types.Var]bool{}, changed: map[*types.Var]string{},
		collected: map[*types.Var]bool{}, exits: map[string]bool{},
	}
	for _, e := range []ast.Expr{s.Key, s.Value} {
		if e != nil {
			if v := i.variable(e); v != nil {
				l.local[v] = true
			}
		}
	}
	if s.Key != nil {
		if call, ok := ast.Unparen(s.X).(*ast.CallExpr); !ok || !i.iterator(call) || i.called(call).Name() != "Values" {
			l.key = i.variable(s.Key)
		}
	}
	if !l.statements(s.Body.List) || len(l.exits) > 1 || len(l.exits) == 1 && l.changes > l.atExits {
		return false
	}
	for _, e := range l.reading {
		if !l.pure(e) {
			return false
		}
	}
	return i.sortedNext(l.collected, next)
}

func blank(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return e == nil || ok && name.Name == "_"
}

func (l *loop) statements(list []ast.Stmt) bool {
	defer func(around []ast.Stmt) { l.block = around }(l.block)
	l.block = list
	for _, s := range list {
		if !l.statement(s) {
			return false
		}
	}
	return true
}

func (l *loop) statement(s ast.Stmt) bool {
	switch s := s.(type) {
	case nil, *ast.EmptyStmt:
		return true
	case *ast.BlockStmt:
		return l.statements(s.List)
	case *ast.IfStmt:
		return l.statement(s.Init) && l.reads(s.Cond) && l.statement(s.Body) && l.statement(s.Else)
	case *ast.RangeStmt: // over something that belongs to the key or value
		if s.Tok == token.ASSIGN || isChannel(l.TypesInfo.TypeOf(s.X)) || !l.reads(s.X) {
			return false
		}
		l.declare(s.Key)
		l.declare(s.Value)
		return l.statements(s.Body.List)
	case *ast.BranchStmt:
		switch {
		case s.Label != nil:
			return false
		case s.Tok == token.BREAK:
			l.exit("break")
			return true
		}
		return s.Tok == token.CONTINUE
	case *ast.ReturnStmt:
		text := "return"
		for _, result := range s.Results {
			constant, ok := l.constant(result)
			if !ok {
				return false
			}
			text += " " + constant
		}
		l.exit(text)
		return true
	case *ast.IncDecStmt:
		return l.accumulate(s.X, "sum")
	case *ast.AssignStmt:
		return l.assign(s)
	case *ast.DeclStmt:
		return l.declaration(s)
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && l.removal(call)
	}
	return false
}

// exit takes note of a way out, with the constants that are set in its block.
func (l *loop) exit(text string) {
	for _, s := range l.block {
		assignment, ok := s.(*ast.AssignStmt)
		if !ok || assignment.Tok != token.ASSIGN || len(assignment.Lhs) != 1 {
			continue
		}
		v := l.variable(assignment.Lhs[0])
		if _, changed := l.changed[v]; v == nil || !changed {
			continue
		}
		if constant, ok := l.constant(assignment.Rhs[0]); ok {
			text = v.Name() + " = " + constant + "; " + text
			l.atExits++
		}
	}
	l.exits[text] = true
}

// reads takes note of an expression that is evaluated.
func (l *loop) reads(e ast.Expr) bool {
	if e != nil {
		l.reading = append(l.reading, e)
	}
	return true
}

func (l *loop) declare(e ast.Expr) {
	if e != nil {
		if v := l.variable(e); v != nil {
			l.local[v] = true
		}
	}
}

func (l *loop) declaration(s *ast.DeclStmt) bool {
	d, ok := s.Decl.(*ast.GenDecl)
	if !ok {
		return false
	}
	for _, spec := range d.Specs {
		values, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, name := range values.Names {
			l.declare(name)
		}
		for _, value := range values.Values {
			l.reads(value)
		}
	}
	return true
}

// removal is a delete, the only call for its effect that is independent.
func (l *loop) removal(call *ast.CallExpr) bool {
	return l.builtinName(call) == "delete" && l.mapped(call.Args[0], call.Args[1]) && l.change(call.Args[0], "delete")
}

// mapped takes note of the key under which a map is changed. In the map of the range that may only be the key of the range, or what
// is still to come could depend on what came.
func (l *loop) mapped(m, key ast.Expr) bool {
	return l.isKey(key) || types.ExprString(m) != l.over && l.reads(key)
}

func (l *loop) isKey(e ast.Expr) bool { return l.key != nil && l.variable(e) == l.key }

// accumulate is a count or the like in a place of an integer type.
func (l *loop) accumulate(place ast.Expr, way string) bool {
	t, ok := l.TypesInfo.TypeOf(place).Underlying().(*types.Basic)
	return ok && t.Info()&types.IsInteger != 0 && l.change(place, way)
}

// change takes note of a place that is changed. All changes of one place must be made in the same way.
func (l *loop) change(place ast.Expr, way string) bool {
	for {
		index, ok := ast.Unparen(place).(*ast.IndexExpr) // counts[key]++
		if !ok {
			break
		}
		if !l.mapped(index.X, index.Index) {
			return false
		}
		place = index.X
	}
	v := l.variable(place)
	if v != nil && l.local[v] && isPlain(v) {
		return true
	}
	if v == nil {
		v = l.field(place)
	}
	if before, again := l.changed[v]; v == nil || again && before != way {
		return false
	}
	l.changed[v] = way
	l.changes++
	return true
}

// isPlain says whether a variable holds its value itself, not a reference to what others see.
func isPlain(v *types.Var) bool {
	_, ok := v.Type().Underlying().(*types.Basic)
	return ok
}

// field is the field that an expression selects, of a variable or of a field of one; nil if it is anything else.
func (l *loop) field(e ast.Expr) *types.Var {
	selector, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok || l.rootVariable(e) == nil || !l.reads(selector.X) {
		return nil
	}
	v, _ := l.TypesInfo.Uses[selector.Sel].(*types.Var)
	return v
}

func (l *loop) assign(s *ast.AssignStmt) bool {
	if s.Tok == token.DEFINE {
		for _, left := range s.Lhs {
			l.declare(left)
		}
		for _, right := range s.Rhs {
			l.reads(right)
		}
		return true
	}
	if len(s.Lhs) != 1 || len(s.Rhs) != 1 {
		return false
	}
	left, right := s.Lhs[0], s.Rhs[0]
	if way, ok := ways()[s.Tok]; ok {
		return l.accumulate(left, way) && l.reads(right)
	}
	if s.Tok != token.ASSIGN {
		return false
	}
	v := l.variable(left)
	if blank(left) || v != nil && l.local[v] {
		return l.reads(right)
	}
	if call, ok := ast.Unparen(right).(*ast.CallExpr); ok && v != nil && len(call.Args) > 1 && l.variable(call.Args[0]) == v {
		switch way := l.builtinName(call); way {
		case "append", "min", "max":
			if way == "append" {
				l.collected[v] = true
			}
			for _, argument := range call.Args[1:] {
				l.reads(argument)
			}
			return l.change(left, way)
		}
	}
	if index, ok := ast.Unparen(left).(*ast.IndexExpr); ok && isMap(l.TypesInfo.TypeOf(index.X)) && l.isKey(index.Index) {
		return l.change(index.X, "by key") && l.reads(right)
	}
	constant, ok := l.constant(right)
	return ok && l.change(left, "= "+constant)
}

// constant is the text of a value that is the same in each iteration: true, nil, struct{}{}.
func (l *loop) constant(e ast.Expr) (text string, ok bool) {
	t := l.TypesInfo.Types[e]
	if t.Value != nil {
		return t.Value.ExactString(), true
	}
	if literal, ok := ast.Unparen(e).(*ast.CompositeLit); ok && len(literal.Elts) == 0 {
		return "{}", true
	}
	return "nil", t.IsNil()
}

// pure says whether an expression has no effect and reads nothing that the body changes.
func (l *loop) pure(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if v, is := l.TypesInfo.Uses[n].(*types.Var); is {
				_, changed := l.changed[v]
				ok = ok && !changed
			}
		case *ast.IndexExpr: // no other iteration changes m[key]
			if types.ExprString(n.X) == l.over && l.isKey(n.Index) {
				return false
			}
		case *ast.CallExpr:
			ok = ok && l.harmlessCall(n)
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		case *ast.FuncLit:
			ok = false
		}
		return ok
	})
	return ok
}

// harmlessCall says whether a call is a conversion, or of a function that only computes.
func (l *loop) harmlessCall(call *ast.CallExpr) bool {
	if l.TypesInfo.Types[call.Fun].IsType() {
		return true
	}
	switch l.builtinName(call) {
	case "len", "cap", "min", "max", "make", "new", "real", "imag", "complex":
		return true
	}
	f := l.called(call)
	if f == nil || f.Pkg() == nil {
		return false
	}
	switch f.Pkg().Path() {
	case "strings", "bytes", "unicode", "unicode/utf8", "math", "math/bits", "strconv", "cmp", "path", "errors":
		return f.Signature().Recv() == nil
	case "time":
		return f.Signature().Recv() != nil // Add, Before and the like
	}
	return false
}
