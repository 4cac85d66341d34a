package heddle

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/sim/search"
)

// firstLook is how many runs each mutant gets before any gets more: most properties have one that falls at once.
const firstLook = 500

// propertyScore is the JSON of heddle zoo --properties.
type propertyScore struct {
	Seed        string        `json:"seed"`
	Runs        int64         `json:"runs"` // budget of a search
	Strategy    string        `json:"strategy"`
	Workers     int           `json:"workers"`
	Go          string        `json:"go"`
	Seconds     float64       `json:"seconds"`
	Interrupted bool          `json:"interrupted"`
	Error       string        `json:"error,omitempty"`
	Properties  []propertyRow `json:"properties"`
	Problems    []string      `json:"problems"` // why mutants could not be searched
}

// propertyRow is what is known of a property: the mutant that it kills with all other properties switched off.
type propertyRow struct {
	Property     string `json:"property"`
	Killed       bool   `json:"killed"`
	Mutant       string `json:"mutant"`
	RunsToDetect *int64 `json:"runs_to_detect"`
	Tried        int    `json:"tried"` // mutants whose header names it

	finished bool
}

// candidate is a mutant for the properties that its header names. Who needs it first builds it.
type candidate struct {
	*mutant.Mutant
	mu     sync.Mutex
	binary string
	err    error // why it cannot be searched
}

// search runs a candidate; nil if that cannot be done.
func (c *candidate) search(ctx context.Context, h *hunt, arguments ...string) *search.ScenarioReport {
	c.mu.Lock()
	if c.binary == "" && c.err == nil {
		c.binary, c.err = h.builder.Build(ctx, c.Mutant)
	}
	binary, err := c.binary, c.err
	c.mu.Unlock()
	if err != nil {
		return nil
	}
	found, err := h.run(ctx, c.Mutant, binary, append(slices.Clip(arguments), "--shrink", "0")...)
	if err != nil {
		c.mu.Lock()
		c.err = fmt.Errorf("mutant %s cannot be searched: %w", c.Name, err)
		c.mu.Unlock()
	}
	return found
}

// scoreProperties lets each property, all alone, look for a mutant that it kills, among those whose header names it.
func (h *hunt) scoreProperties(ctx context.Context, paths, properties []string) *propertyScore {
	mutants := make([]*candidate, len(paths))
	for i, path := range paths {
		mutants[i] = &candidate{}
		if mutants[i].Mutant, mutants[i].err = mutant.Read(path); mutants[i].err != nil {
			mutants[i].Mutant = &mutant.Mutant{}
		}
	}
	h.total = len(properties)
	rows := make([]propertyRow, len(properties))
	var wait sync.WaitGroup
	h.progress()
	for i, id := range properties {
		wait.Go(func() {
			h.work(ctx, func() {
				rows[i] = h.property(ctx, id, mutants)
				if h.over.Add(1); rows[i].Killed {
					h.killed.Add(1)
				}
				h.progress()
			})
		})
	}
	wait.Wait()
	s := &propertyScore{
		Seed: h.seed, Runs: h.runs, Strategy: h.strategies[0], Workers: h.workers, Go: runtime.Version(),
		Seconds: time.Since(h.started).Seconds(), Interrupted: ctx.Err() != nil, Properties: []propertyRow{}, Problems: []string{},
	}
	for _, m := range mutants {
		if m.err != nil && ctx.Err() == nil {
			s.Problems = append(s.Problems, m.err.Error())
		}
	}
	for _, row := range rows {
		if row.finished {
			s.Properties = append(s.Properties, row)
		}
	}
	return s
}

// property looks for a mutant that the property kills: first shortly at each, then for as long as the budget says.
func (h *hunt) property(ctx context.Context, id string, mutants []*candidate) propertyRow {
	row := propertyRow{Property: id}
	budgets := []int64{min(firstLook, h.runs), h.runs}
	if id == search.Sometimes {
		budgets = budgets[1:] // a short search is not judged by what it has not seen
	}
	for i, budget := range budgets {
		for _, m := range mutants {
			if ctx.Err() != nil {
				return row
			}
			if len(m.Properties) == 0 || !m.Names(id) {
				continue
			}
			if i == 0 {
				row.Tried++
			}
			found := m.search(ctx, h, "--runs", strconv.FormatInt(budget, 10), "--seed", h.seed, "--strategy", h.strategies[0], "--only", id)
			if found == nil || len(found.Failures) == 0 {
				continue
			}
			runs := found.Failures[0].Run + 1
			if found.Failures[0].Token == "" {
				runs = found.Runs // of the search as a whole
			}
			row.Killed, row.Mutant, row.RunsToDetect, row.finished = true, m.Name, &runs, true
			return row
		}
	}
	row.finished = ctx.Err() == nil
	return row
}

// failed is how the command ends: nil, errFound, or an error of one line.
func (s *propertyScore) failed() error {
	if len(s.Properties) == 0 {
		return errZooInterrupted
	}
	if len(s.Problems) > 0 {
		return fmt.Errorf("%s could not be searched: %s", plural(int64(len(s.Problems)), "mutant"), strings.Join(s.Problems, "; "))
	}
	for _, row := range s.Properties {
		if !row.Killed {
			return errFound
		}
	}
	return nil
}

func (s *propertyScore) explain(problem string) { s.Error = problem }

// writeText prints a row for each property.
func (s *propertyScore) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "seed %s, %s for each, strategy %s, %s\n\n", s.Seed, plural(s.Runs, "run"), s.Strategy, plural(int64(s.Workers), "worker"))
	rows := [][]string{{"property", "mutant that it kills alone", "runs"}}
	killed := 0
	for _, row := range s.Properties {
		cells := []string{row.Property, "-", fmt.Sprintf("none of %d", row.Tried)}
		if row.Killed {
			killed++
			cells = []string{row.Property, row.Mutant, thousands(*row.RunsToDetect)}
		}
		rows = append(rows, cells)
	}
	writeColumns(w, rows)
	fmt.Fprintf(w, "\n%d of %d properties kill a mutant; %.1f s\n", killed, len(s.Properties), s.Seconds)
	if s.Interrupted {
		fmt.Fprintln(w, "interrupted: the others were not done with")
	}
	return w.Flush()
}
