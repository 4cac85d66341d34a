package heddle

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

func (a *app) listCommand() *cobra.Command {
	var formats []string
	c := &cobra.Command{
		Use:   "list",
		Short: "Show scenarios, properties, strategies and faults",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			outputs, err := placesOf(formats)
			if err != nil {
				return err
			}
			document, err := newListDocument(a.scenarios)
			if err != nil {
				return err
			}
			return a.print(outputs, document, document.writeText)
		},
	}
	c.Flags().StringArrayVar(&formats, "format", nil, "`F[=FILE]`: text or json, to standard output or to a file; repeatable")
	return c
}

// listDocument is the JSON of heddle list.
type listDocument struct {
	Scenarios  []listedScenario `json:"scenarios"`
	Properties []listedProperty `json:"properties"`
	Strategies []strategy.Info  `json:"strategies"`
	Faults     []listedFault    `json:"faults"`
}

type listedScenario struct {
	Name      string   `json:"name"`
	Summary   string   `json:"summary"`
	Fails     string   `json:"fails,omitempty"` // the property that it is built to violate
	Depth     int      `json:"depth,omitempty"`
	Share     float64  `json:"share,omitempty"`
	Sometimes []string `json:"sometimes"`
}

type listedProperty struct {
	sim.Property
	Scenarios []string `json:"scenarios"` // empty: all
}

type listedFault struct {
	Fault     string   `json:"fault"`
	Scenarios []string `json:"scenarios"`
}

// newListDocument asks each scenario what it has. The faults are those that the ledger of its default run names, since a world
// is built by code and has no list of them.
func newListDocument(scenarios []*sim.Scenario) (listDocument, error) {
	d := listDocument{Strategies: strategy.List()}
	for _, p := range search.PropertiesOf(&sim.Scenario{}) {
		d.Properties = append(d.Properties, listedProperty{p, []string{}})
	}
	properties, faults := map[sim.Property]int{}, map[string]int{}
	for _, sc := range scenarios {
		d.Scenarios = append(d.Scenarios, listedScenario{sc.Name, sc.Summary, sc.Fails, sc.Depth, sc.Share, append([]string{}, sc.Sometimes...)})
		for _, p := range sc.Properties {
			if slices.Contains(sim.BuiltIn(), p) {
				continue
			}
			i, ok := properties[p]
			if !ok {
				i = len(d.Properties)
				properties[p] = i
				d.Properties = append(d.Properties, listedProperty{Property: p})
			}
			d.Properties[i].Scenarios = append(d.Properties[i].Scenarios, sc.Name)
		}
		run, err := search.Replay(sc, choice.Token{Scenario: sc.Name, Deviations: []choice.Deviation{}}, nil)
		if err != nil {
			return d, err
		}
		for _, f := range run.Faults {
			i, ok := faults[f.Fault]
			if !ok {
				i = len(d.Faults)
				faults[f.Fault] = i
				d.Faults = append(d.Faults, listedFault{Fault: f.Fault})
			}
			d.Faults[i].Scenarios = append(d.Faults[i].Scenarios, sc.Name)
		}
	}
	slices.SortFunc(d.Faults, func(a, b listedFault) int { return strings.Compare(a.Fault, b.Fault) })
	return d, nil
}

func (d listDocument) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	scenarios := table{title: "scenarios"}
	for _, s := range d.Scenarios {
		summary := s.Summary
		if s.Fails != "" {
			summary += fmt.Sprintf(" (fails on purpose: %s, depth %d, %s of its runs under random; runs by name only)", s.Fails, s.Depth, percent(s.Share))
		}
		scenarios.add(s.Name, summary)
	}
	meanings := map[string]int{} // statements with that id
	for _, p := range d.Properties {
		meanings[p.ID]++
	}
	properties := table{title: "properties"}
	for _, p := range d.Properties {
		text := p.Statement
		if meanings[p.ID] > 1 && len(p.Scenarios) > 0 {
			text += " (" + strings.Join(p.Scenarios, ", ") + ")"
		}
		properties.add(p.ID, text)
	}
	strategies := table{title: "strategies"}
	for _, s := range d.Strategies {
		strategies.add(s.Name, s.Summary)
	}
	faults := table{title: "faults"}
	for _, f := range d.Faults {
		faults.add(f.Fault, strings.Join(f.Scenarios, ", "))
	}
	for i, t := range []table{scenarios, properties, strategies, faults} {
		if i > 0 {
			fmt.Fprintln(w)
		}
		t.write(w)
	}
	return w.Flush()
}

// table is a title and rows of a name and what it is.
type table struct {
	title string
	rows  [][2]string
}

func (t *table) add(name, text string) { t.rows = append(t.rows, [2]string{name, text}) }

func (t *table) write(w io.Writer) {
	fmt.Fprintf(w, "%s:\n", t.title)
	width := 0
	for _, r := range t.rows {
		width = max(width, len(r[0]))
	}
	for _, r := range t.rows {
		fmt.Fprintf(w, "  %-*s  %s\n", width, r[0], r[1])
	}
	if len(t.rows) == 0 {
		fmt.Fprintln(w, "  none")
	}
}

// percent writes a share with two significant digits.
func percent(share float64) string {
	if share >= 0.1 { // or 100 would be 1e+02
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}
