package mutant

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// patched is the source with the changes of f. Line numbers of a patch are out of date as soon as something is edited above
// them, so each hunk goes where its old lines (context and deleted) stand, wherever that is; they must stand in one place only.
func patched(source []byte, f *gitdiff.File) ([]byte, error) {
	anchored := *f
	anchored.TextFragments = nil
	lines := strings.SplitAfter(string(source), "\n")
	for i, hunk := range f.TextFragments {
		moved := *hunk
		if !f.IsNew {
			at, err := anchor(lines, hunk)
			if err != nil {
				return nil, fmt.Errorf("hunk %d of %d, %w", i+1, len(f.TextFragments), err)
			}
			moved.OldPosition = int64(at) + 1
		}
		anchored.TextFragments = append(anchored.TextFragments, &moved)
	}
	var result bytes.Buffer
	if err := gitdiff.Apply(&result, bytes.NewReader(source), &anchored); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(f.NewName, ".go") {
		return result.Bytes(), nil
	}
	return keepLines(source, result.Bytes(), anchored.TextFragments), nil
}

// anchor is the line, from 0, at which the old lines of the hunk stand.
func anchor(lines []string, hunk *gitdiff.TextFragment) (int, error) {
	var old []string
	for _, l := range hunk.Lines {
		if l.Old() {
			old = append(old, l.Line)
		}
	}
	if len(old) == 0 {
		return 0, errors.New("which has no line to tell its place by")
	}
	at, places := 0, 0
	for i := 0; i+len(old) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(old)], old) {
			at = i
			places++
		}
	}
	what := fmt.Sprintf("once at line %d (%q)", hunk.OldPosition, telling(hunk))
	switch places {
	case 0:
		return 0, fmt.Errorf("%s: its lines are not in the file any more", what)
	case 1:
		return at, nil
	default:
		return 0, fmt.Errorf("%s: its lines are in the file %d times; more context would tell which is meant", what, places)
	}
}

// telling is the line of a hunk by which a person knows it: the first that is changed.
func telling(hunk *gitdiff.TextFragment) string {
	for _, l := range hunk.Lines {
		if l.Op != gitdiff.OpContext && strings.TrimSpace(l.Line) != "" {
			return strings.TrimSpace(l.Line)
		}
	}
	return ""
}
