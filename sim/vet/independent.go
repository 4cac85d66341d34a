package vet

import (
	"go/ast"
	"go/token"
	"go/types"
)

// loop is what is known of the body of a range over a map. It is independent of the order if every effect is one of these, none
// reads what another has written, and there is no way out before the end but one that says the same wherever it is taken.
type loop struct {
	*inspector
	over      string // the map, as it is written
	key       *types.Var
	gathered  map[*types.Var]bool   // variables and fields counted, summed, collected or changed: nothing in the body may read them
	collected map[*types.Var]bool   // slices, that must be sorted next
	set       map[*types.Var]string // variables and fields, to one constant each
	local     map[*types.Var]bool   // the key, the value and what the body declares
	exits     map[string]bool       // results of the returns and breaks
	effects   int                   // beside variables set to constants
	reading   []ast.Expr            // to be looked at once all gathered are known
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
		inspector: i, over: types.ExprString(s.X), gathered: map[*types.Var]bool{}, collected: map[*types.Var]bool{}, set: map[*types.Var]string{},
		local: map[*types.Var]bool{}, exits: map[string]bool{},
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
	if !l.statements(s.Body.List) || len(l.exits) > 1 || len(l.exits) == 1 && l.effects > 0 {
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
			l.exits["break"] = true
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
		l.exits[text] = true
		return true
	case *ast.IncDecStmt:
		return l.accumulate(s.X)
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

// removal is a delete, the only call for its effect that is independent. From the map of the range only the key may go, or what
// is still to come could depend on what came.
func (l *loop) removal(call *ast.CallExpr) bool {
	if l.builtinName(call) != "delete" || !l.gather(call.Args[0]) {
		return false
	}
	return l.isKey(call.Args[1]) || types.ExprString(call.Args[0]) != l.over && l.reads(call.Args[1])
}

func (l *loop) isKey(e ast.Expr) bool { return l.key != nil && l.variable(e) == l.key }

// accumulate is a count or a sum in a variable of an integer type.
func (l *loop) accumulate(place ast.Expr) bool {
	t, ok := l.TypesInfo.TypeOf(place).Underlying().(*types.Basic)
	if !ok || t.Info()&types.IsInteger == 0 {
		return false
	}
	return l.gather(place)
}

// gather takes note of a place that the body changes.
func (l *loop) gather(place ast.Expr) bool {
	for {
		index, ok := ast.Unparen(place).(*ast.IndexExpr) // counts[key]++
		if !ok {
			break
		}
		l.reads(index.Index)
		place = index.X
	}
	v := l.variable(place)
	if v != nil && l.local[v] && isPlain(v) {
		return true
	}
	if v == nil {
		v = l.field(place)
	}
	if v == nil {
		return false
	}
	l.gathered[v] = true
	l.effects++
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
	switch s.Tok {
	case token.ADD_ASSIGN, token.SUB_ASSIGN, token.MUL_ASSIGN, token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN, token.AND_NOT_ASSIGN:
		return l.accumulate(left) && l.reads(right)
	case token.ASSIGN:
	default:
		return false
	}
	v := l.variable(left)
	switch {
	case blank(left), v != nil && l.local[v]:
		return l.reads(right)
	case v == nil:
		return l.part(left, right)
	}
	if call, ok := ast.Unparen(right).(*ast.CallExpr); ok && len(call.Args) > 1 && l.variable(call.Args[0]) == v {
		switch l.builtinName(call) {
		case "append":
			l.collected[v] = true
			fallthrough
		case "min", "max":
			for _, argument := range call.Args[1:] {
				l.reads(argument)
			}
			return l.gather(left)
		}
	}
	return l.always(v, right)
}

// always takes note of a variable that is set, to the same constant wherever that happens.
func (l *loop) always(v *types.Var, right ast.Expr) bool {
	constant, ok := l.constant(right)
	if before, again := l.set[v]; !ok || again && before != constant {
		return false
	}
	l.set[v] = constant
	return true
}

// part is an assignment to an element of a map, under the key of the range or always of the same constant, or to a field, always of
// the same constant.
func (l *loop) part(left, right ast.Expr) bool {
	l.effects++
	index, ok := ast.Unparen(left).(*ast.IndexExpr)
	if !ok {
		v := l.field(left)
		return v != nil && l.always(v, right)
	}
	if !isMap(l.TypesInfo.TypeOf(index.X)) {
		return false
	}
	if l.isKey(index.Index) {
		return l.gather(index.X) && l.reads(right)
	}
	v := l.variable(index.X)
	if v == nil {
		v = l.field(index.X)
	}
	return v != nil && types.ExprString(index.X) != l.over && l.reads(index.Index) && l.always(v, right)
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

// pure says whether an expression has no effect and reads nothing that the body gathers.
func (l *loop) pure(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if v, is := l.TypesInfo.Uses[n].(*types.Var); is {
				_, set := l.set[v]
				ok = ok && !l.gathered[v] && !set
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
