package vet

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

// conversion reports an address that becomes a number.
func (i *inspector) conversion(n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 || !i.TypesInfo.Types[call.Fun].IsType() {
		return
	}
	if isBasic(i.TypesInfo.TypeOf(call), types.Uintptr) && isBasic(i.TypesInfo.TypeOf(call.Args[0]), types.UnsafePointer) {
		i.found(call, address, "uintptr of a pointer "+addresses.wrong, addresses.right)
	}
}

func isBasic(t types.Type, kind types.BasicKind) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == kind
}

// format reports a format that prints an address: a constant text with the verb %p before the arguments of a function such as
// fmt.Sprintf, whatever its name.
func (i *inspector) format(n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	signature, ok := i.TypesInfo.TypeOf(call.Fun).(*types.Signature)
	if !ok || !signature.Variadic() {
		return
	}
	parameters := signature.Params()
	at := parameters.Len() - 2 // of the format
	if at < 0 || len(call.Args) <= at || !isBasic(parameters.At(at).Type(), types.String) {
		return
	}
	arguments, ok := parameters.At(at + 1).Type().(*types.Slice)
	if !ok {
		return
	}
	if a, ok := arguments.Elem().Underlying().(*types.Interface); !ok || !a.Empty() {
		return
	}
	text := i.TypesInfo.Types[call.Args[at]].Value
	if text != nil && text.Kind() == constant.String && printsAddress(constant.StringVal(text)) {
		i.found(call, address, "%p prints an address, which is another one in each process", addresses.right)
	}
}

// printsAddress says whether a format has the verb %p.
func printsAddress(format string) bool {
	for {
		_, verb, ok := strings.Cut(format, "%")
		if !ok {
			return false
		}
		verb = strings.TrimLeft(verb, "+-# 0123456789.*[]")
		if strings.HasPrefix(verb, "p") {
			return true
		}
		format = strings.TrimPrefix(verb, "%")
	}
}
