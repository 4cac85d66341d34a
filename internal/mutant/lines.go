package mutant

import (
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// keepLines is the changed source with every line that the hunks leave alone where it was: what a hunk adds more than it deletes is
// joined to one line, and what it deletes more is left empty. So a trace of the mutant names the lines of the program as it
// is, and what imports the package sees the same positions (see relink). Where that would change what the program says, changed is the answer.
func keepLines(source, changed []byte, hunks []*gitdiff.TextFragment) []byte {
	old := strings.SplitAfter(string(source), "\n")
	var lines []string
	for _, hunk := range hunks {
		at := int(hunk.OldPosition) - 1
		if at < len(lines) || at > len(old) {
			return changed
		}
		lines = append(lines, old[len(lines):at]...)
		var added []string
		deleted := 0
		flush := func() {
			if deleted == 0 && len(added) > 0 && len(lines) > 0 { // there is only the line before to join them to
				added = append([]string{lines[len(lines)-1]}, added...)
				lines = lines[:len(lines)-1]
				deleted = 1
			}
			if len(added) > deleted && deleted > 0 {
				added = append(added[:deleted-1:deleted-1], oneLine(strings.Join(added[deleted-1:], "")))
			}
			lines = append(lines, added...)
			for range deleted - len(added) {
				lines = append(lines, "\n")
			}
			added, deleted = nil, 0
		}
		for _, l := range hunk.Lines {
			switch l.Op {
			case gitdiff.OpAdd:
				added = append(added, l.Line)
			case gitdiff.OpDelete:
				deleted++
			case gitdiff.OpContext:
				flush()
				lines = append(lines, l.Line)
			}
		}
		flush()
	}
	if len(lines) < len(old) {
		lines = append(lines, old[len(lines):]...)
	}
	kept := []byte(strings.Join(lines, ""))
	if !slices.Equal(tokens(kept), tokens(changed)) {
		return changed
	}
	return kept
}

// oneLine is a piece of Go on one line, without its comments.
func oneLine(text string) string {
	return strings.Join(tokens([]byte(text)), " ") + "\n"
}

// tokens is what the compiler reads of a source: its tokens, directives among them.
func tokens(source []byte) []string {
	var (
		s    scanner.Scanner
		list []string
	)
	s.Init(token.NewFileSet().AddFile("", -1, len(source)), source, func(token.Position, string) {}, scanner.ScanComments)
	for {
		_, t, literal := s.Scan()
		switch {
		case t == token.EOF:
			return list
		case t == token.COMMENT && !strings.HasPrefix(literal, "//go:"):
		case t == token.SEMICOLON:
			list = append(list, ";") // also where the end of a line stands for it
		case literal != "":
			list = append(list, literal)
		default:
			list = append(list, t.String())
		}
	}
}
