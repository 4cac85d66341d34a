package vet

import (
	"go/ast"
	"go/token"
	"go/types"
)

// state reports a write to a variable of the package, of which all runs of a search share one. What is set up before main, by
// its declaration or by init, is the same for all.
func (i *inspector) state(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return
		}
		for _, left := range n.Lhs {
			i.written(left)
		}
	case *ast.IncDecStmt:
		i.written(n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			i.written(n.Key)
			i.written(n.Value)
		}
	case *ast.CallExpr:
		if name := i.builtinName(n); name == "delete" || name == "clear" || name == "copy" {
			i.written(n.Args[0])
		}
	}
}

func (i *inspector) written(place ast.Expr) {
	if place == nil {
		return
	}
	if v := i.rootVariable(place); v != nil && v.Pkg() == i.Pkg && v.Parent() == i.Pkg.Scope() {
		i.found(place, state, "a write to the package variable "+v.Name()+" is seen by other runs", "keep it in a value that each run makes anew")
	}
}

// rootVariable is the variable that a place is part of: x of x.f[k].
func (i *inspector) rootVariable(place ast.Expr) *types.Var {
	for {
		switch p := place.(type) {
		case *ast.ParenExpr:
			place = p.X
		case *ast.StarExpr:
			place = p.X
		case *ast.IndexExpr:
			place = p.X
		case *ast.SliceExpr:
			place = p.X
		case *ast.SelectorExpr:
			if i.TypesInfo.Selections[p] == nil { // of another package
				return nil
			}
			place = p.X
		case *ast.Ident:
			v, _ := i.TypesInfo.ObjectOf(p).(*types.Var)
			return v
		default:
			return nil
		}
	}
}
