package vet

import (
	"go/ast"
	"go/token"
	"strings"
)

const allowPrefix = "//heddle:allow"

// allow is a comment that lets an escape be.
type allow struct {
	pos    token.Pos
	line   int // that it speaks for
	reason string
	used   bool
}

// allowsOf are the allows of a file. One beside code is for its own line, one that stands alone for the next.
func allowsOf(fset *token.FileSet, file *ast.File) (allows []*allow) {
	var code map[int]bool
	for _, group := range file.Comments {
		for _, c := range group.List {
			rest, ok := strings.CutPrefix(c.Text, allowPrefix)
			if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				continue
			}
			if code == nil {
				code = linesWithCode(fset, file)
			}
			line := fset.Position(c.Pos()).Line
			if !code[line] {
				line++
			}
			allows = append(allows, &allow{pos: c.Pos(), line: line, reason: strings.TrimSpace(rest)})
		}
	}
	return allows
}

func linesWithCode(fset *token.FileSet, file *ast.File) map[int]bool {
	lines := map[int]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		case *ast.File: // its end is that of its last comment
			return true
		}
		lines[fset.Position(n.Pos()).Line] = true
		lines[fset.Position(n.End()).Line] = true
		return true
	})
	return lines
}

// problem says what is wrong with the allow; nothing if it is right.
func (a *allow) problem() string {
	switch {
	case !a.used:
		return allowPrefix + " allows nothing: no escape is reported on the line that it speaks for; take it away"
	case a.reason == "":
		return allowPrefix + " gives no reason: say after it why a run repeats all the same"
	}
	return ""
}
