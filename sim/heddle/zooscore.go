package heddle

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

// few and many are the bounds that the summary counts by: within how many runs nearly all mutants should be found, and beyond how
// many one is hard to find.
const (
	fewRuns  = 2_000
	hardRuns = 50
)

// zooScore is the JSON of heddle zoo.
type zooScore struct {
	Seed        string     `json:"seed"`
	Seeds       int        `json:"seeds"`
	Runs        int64      `json:"runs"` // budget of a search
	Strategies  []string   `json:"strategies"`
	Workers     int        `json:"workers"`
	Go          string     `json:"go"`
	Seconds     float64    `json:"seconds"`
	Interrupted bool       `json:"interrupted"`
	Error       string     `json:"error,omitempty"`
	Summary     zooSummary `json:"summary"`
	Mutants     []zooRow   `json:"mutants"`

	quick bool
	total int
}

type zooSummary struct {
	Mutants int     `json:"mutants"`
	Killed  int     `json:"killed"`
	Within  float64 `json:"share_within_2000_runs"` // of all mutants
	Hard    int     `json:"median_above_50_runs"`

	Shrunk *zooShrunk `json:"shrunk,omitempty"` // with --out
}

// zooRow is what is known of a mutant: by its header, and by the strategy that kills it soonest.
type zooRow struct {
	Name         string      `json:"name"`
	Killed       bool        `json:"killed"`
	Property     string      `json:"property"`       // that killed it
	Strategy     string      `json:"strategy"`       // that found it soonest
	RunsToDetect *int64      `json:"runs_to_detect"` // of that strategy; null if no search killed it
	Names        []string    `json:"names"`          // the properties that its header names
	Noticed      []string    `json:"noticed_by"`     // properties that its header does not name, and that failed before any that it does
	Origin       string      `json:"origin,omitempty"`
	Missed       string      `json:"missed,omitempty"`  // why no search is expected to find it, as its header says
	Problem      string      `json:"problem,omitempty"` // why it could not be searched
	Vet          *vetting    `json:"vet,omitempty"`
	Strategies   []zooColumn `json:"strategies"`

	finished bool
}

// zooColumn is what a strategy made of a mutant.
type zooColumn struct {
	Strategy     string      `json:"strategy"`
	Killed       int         `json:"killed"`         // searches that killed it
	RunsToDetect *int64      `json:"runs_to_detect"` // median over the searches, one that missed counting as its budget; null if all did
	Searches     []zooSearch `json:"searches"`
}

// zooSearch is one search of a mutant.
type zooSearch struct {
	Seed     string `json:"seed"`
	Killed   bool   `json:"killed"`
	Runs     int64  `json:"runs"`               // until it was killed, else all
	Property string `json:"property,omitempty"` // that killed it
	RunSeed  string `json:"run_seed,omitempty"` // of the run that killed it
	First    string `json:"first,omitempty"`    // property that failed first, if the header does not name it
	Error    string `json:"error,omitempty"`

	Steps  int64    `json:"steps,omitempty"`  // of the run that killed it
	Shrunk *zooSize `json:"shrunk,omitempty"` // what --out made of that
}

// finish sums up the searches of a mutant.
func (r *zooRow) finish(budget int64) {
	r.Names, r.Noticed = append([]string{}, r.Names...), []string{}
	r.Strategies = append([]zooColumn{}, r.Strategies...)
	for i := range r.Strategies {
		c := &r.Strategies[i]
		c.finish(budget)
		for _, s := range c.Searches {
			if s.First != "" && !slices.Contains(r.Noticed, s.First) {
				r.Noticed = append(r.Noticed, s.First)
			}
			if s.Error != "" && r.Problem == "" {
				r.Problem = fmt.Sprintf("mutant %s cannot be searched with %s from seed %s: %s", r.Name, c.Strategy, s.Seed, s.Error)
			}
		}
		if c.RunsToDetect != nil && (r.RunsToDetect == nil || *c.RunsToDetect < *r.RunsToDetect) {
			r.Killed, r.Property, r.Strategy, r.RunsToDetect = true, c.property(), c.Strategy, c.RunsToDetect
		}
	}
}

// finish finds the median, of an even number of searches the later one.
func (c *zooColumn) finish(budget int64) {
	var runs []int64
	for _, s := range c.Searches {
		if s.Killed {
			c.Killed++
			runs = append(runs, s.Runs)
		} else {
			runs = append(runs, budget)
		}
	}
	if c.Killed > 0 {
		slices.Sort(runs)
		c.RunsToDetect = &runs[len(runs)/2]
	}
}

// property is that of the first search that killed the mutant.
func (c *zooColumn) property() string {
	for _, s := range c.Searches {
		if s.Killed {
			return s.Property
		}
	}
	return ""
}

func newZooScore(h *hunt, rows []zooRow, interrupted bool) *zooScore {
	s := &zooScore{
		Seed: h.seed, Seeds: h.seeds, Runs: h.runs, Strategies: h.strategies, Workers: h.workers, Go: runtime.Version(),
		Seconds: time.Since(h.started).Seconds(), Interrupted: interrupted, Mutants: rows, quick: h.quick, total: h.total,
	}
	s.Summary.Mutants, s.Summary.Shrunk = len(rows), newZooShrunk(rows)
	within := 0
	for _, r := range rows {
		if !r.Killed {
			continue
		}
		s.Summary.Killed++
		if *r.RunsToDetect <= fewRuns {
			within++
		}
		if *r.RunsToDetect > hardRuns {
			s.Summary.Hard++
		}
	}
	if len(rows) > 0 {
		s.Summary.Within = float64(within) / float64(len(rows))
	}
	return s
}

// failed is how the command ends: nil, errFound, or an error of one line.
func (s *zooScore) failed() error {
	var problems, plain []string
	expected, survivors := 0, 0
	for _, r := range s.Mutants {
		switch {
		case r.Problem != "":
			problems = append(problems, r.Name)
		case r.Vet != nil && !r.Vet.Passed():
			plain = append(plain, r.Name)
		case r.Missed == "":
			expected++
			if !r.Killed {
				survivors++
			}
		}
	}
	switch {
	case len(s.Mutants) == 0:
		return errZooInterrupted
	case len(problems) > 0:
		return fmt.Errorf("%s could not be scored: %s", plural(int64(len(problems)), "mutant"), strings.Join(problems, ", "))
	case len(plain) > 0, s.quick && survivors*100 > (100-quickShare)*expected, !s.quick && survivors > 0:
		return errFound
	default:
		return nil
	}
}

func (s *zooScore) explain(problem string) { s.Error = problem }

// writeText prints the scorecard: a mutant in each row, a strategy in each column.
func (s *zooScore) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	seeds := "seed " + s.Seed + "-1"
	if s.Seeds > 1 {
		seeds = fmt.Sprintf("seeds %s-1 to %s-%d", s.Seed, s.Seed, s.Seeds)
	}
	fmt.Fprintf(w, "%s, %s for each, %s\n\n", seeds, plural(s.Runs, "run"), plural(int64(s.Workers), "worker"))
	rows := [][]string{append([]string{"mutant", "property"}, s.Strategies...)}
	for i := range s.Mutants {
		rows = append(rows, s.Mutants[i].cells(s.Strategies, s.Runs))
	}
	writeColumns(w, rows)
	fmt.Fprintf(w, "\nkilled %d of %s; within %s runs %.0f %%; median above %d runs %d; %.1f s\n",
		s.Summary.Killed, plural(int64(s.Summary.Mutants), "mutant"), thousands(fewRuns), 100*s.Summary.Within, hardRuns, s.Summary.Hard, s.Seconds)
	if s.Summary.Shrunk != nil {
		s.Summary.Shrunk.writeText(w)
	}
	if s.Interrupted {
		fmt.Fprintf(w, "interrupted: %s of %d were not done with\n", plural(int64(s.total-len(s.Mutants)), "mutant"), s.total)
	}
	return w.Flush()
}

// cells are the row of a mutant: its name, the property that killed it, the figure of each strategy, and what is to be said.
func (r *zooRow) cells(strategies []string, budget int64) []string {
	property := r.Property
	if property == "" {
		property = "-"
	}
	cells := []string{r.Name, property}
	for i := range strategies {
		if i < len(r.Strategies) {
			cells = append(cells, r.Strategies[i].cell(budget))
		} else {
			cells = append(cells, "-")
		}
	}
	return append(cells, strings.Join(r.notes(), "; "))
}

// cell is the figure of a strategy.
func (c *zooColumn) cell(budget int64) string {
	if c.RunsToDetect == nil {
		return "missed"
	}
	text := thousands(*c.RunsToDetect)
	if c.Killed <= len(c.Searches)/2 {
		text = "> " + thousands(budget) // the median is a search that missed it
	}
	if c.Killed < len(c.Searches) {
		text += fmt.Sprintf(" (%d of %d)", c.Killed, len(c.Searches))
	}
	return text
}

// notes is what the figures do not say.
func (r *zooRow) notes() (notes []string) {
	switch {
	case r.Problem != "":
		notes = append(notes, r.Problem)
	case r.Vet != nil && !r.Vet.Passed():
		notes = append(notes, r.Vet.String())
	case r.Missed != "" && r.Killed:
		notes = append(notes, "found: take \"Missed:\" out of its header")
	case r.Missed != "":
		notes = append(notes, "as its header says: "+r.Missed)
	}
	if len(r.Noticed) > 0 {
		notes = append(notes, fmt.Sprintf("noticed by %s, header names %s", strings.Join(r.Noticed, " "), strings.Join(r.Names, " ")))
	}
	return notes
}

// writeColumns writes rows of text, each column as wide as it must be.
func writeColumns(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			if i == len(row)-1 {
				line += cell
			} else {
				line += fmt.Sprintf("%-*s  ", widths[i], cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
