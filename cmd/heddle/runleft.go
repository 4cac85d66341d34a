package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/heddle-go/heddle/sim/search"
)

// What a search leaves undone, as far as it can know.

// writeBehaviour tells how much is left, a line for each scenario of which that is known.
func writeBehaviour(w io.Writer, scenarios []*search.ScenarioReport, width int) {
	begun := false
	for _, s := range scenarios {
		b := s.Behaviour
		if b == nil {
			continue
		}
		if !begun {
			fmt.Fprintf(w, "\nhow much is left, by runs drawn by random alone: seen, +N of it lately, and the chance that the next one shows more (%.0f %% sure)\n", 100*b.Confidence)
			begun = true
		}
		quiet := ""
		if b.Quiet {
			quiet = "  quiet"
		}
		line := fmt.Sprintf("  %-*s  %9s  %s  %s%s", width, s.Name, plural(b.Runs, "run"), varietyText(b.States, "states"), varietyText(b.Orders, "orders"), quiet)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// varietyText is how many were seen, by how many these have grown, and the chance of another one.
func varietyText(v search.Variety, what string) string {
	if v.Seen == 0 {
		return fmt.Sprintf("%6s %s %-35s", "no", what, "")
	}
	more := ""
	if v.Full {
		more = ", too many to tell apart"
	}
	return fmt.Sprintf("%6s %s %-8s %7s %-19s", thousands(v.Seen), what, "+"+thousands(v.Recent), percent(v.ChanceOfNew), "(at most "+percent(v.AtMost)+more+")")
}
