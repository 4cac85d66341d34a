package heddle

import (
	"fmt"
	"io"
	"math"
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

// writeGuarantees tells what the theorem behind pct promises, if that is the strategy: of a mix it stands in the JSON.
func writeGuarantees(w io.Writer, strategy string, scenarios []*search.ScenarioReport, width int) {
	begun := false
	for _, s := range scenarios {
		for _, g := range s.Guarantees {
			if g.Strategy != strategy {
				continue
			}
			if !begun {
				fmt.Fprintf(w, "\nguaranteed for the schedule alone, given the inputs and faults of a run: any bug of depth %d, with a chance of %s\n", g.Depth, bound(g.Depth))
				begun = true
			}
			fmt.Fprintf(w, "  %-*s  %s\n", width, s.Name, guaranteeText(g))
		}
	}
}

// bound is the theorem.
func bound(depth int) string {
	switch depth {
	case 1:
		return "1/n"
	case 2:
		return "1/(n k)"
	default:
		return fmt.Sprintf("1/(n k^%d)", depth-1)
	}
}

func guaranteeText(g search.Guarantee) string {
	if g.Covered == 0 {
		return "nothing: the first 256 runs are not covered, nor are those that are longer than foreseen"
	}
	return fmt.Sprintf("one in %s on average over %s of %s, the others being longer than foreseen; n up to %s actors, k up to %s choices",
		rounded(1/g.Chance), thousands(g.Covered), plural(g.Runs, "run"), thousands(g.Actors), thousands(g.Choices))
}

// rounded writes a number as an integer, a large one with three significant digits.
func rounded(n float64) string {
	if n < 1e9 {
		return thousands(int64(math.Round(n)))
	}
	return fmt.Sprintf("%.3g", n)
}
