package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// The page: one file with all that it needs, which asks nobody for anything. The words around the diagram are HTML, so that they can be read
// without a script; the script draws the steps that are in view out of one JSON object. It is plain JavaScript, and no library is bundled:
// a library for diagrams lays out a graph as a whole, and what is needed here is a list of which 50 rows are ever drawn.
var (
	//go:embed page.html
	pageHTML string
	//go:embed theme.css
	themeCSS string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageScript string
)

// mostSteps is how many steps a page has; of a longer run it has the last ones. A browser that holds them all stays below 400 MB.
const mostSteps = 250_000

// Page is what the HTML of a failure is made of.
type Page struct {
	Scenario *sim.Scenario
	Token    choice.Token
	Replay   string // the line to copy that repeats the failure

	Explanation *shrink.Explanation // nil: there is none
	Statement   string              // of the property, in words
	Smaller     string              // the name of a page beside it, of a smaller failure of the same property; empty: there is none

	most int64 // steps; 0: mostSteps
}

// HTML replays a failure and answers its page. A failure that does not reproduce has one all the same, which says so.
func (p Page) HTML() ([]byte, error) {
	replayed, err := search.Replay(p.Scenario, p.Token, nil)
	if err != nil {
		return nil, err
	}
	replayer, err := search.NewReplayer(p.Scenario, p.Token)
	if err != nil {
		return nil, err
	}
	defer replayer.Close()
	r := newRecorder(max(replayed.Steps-cmp.Or(p.most, mostSteps), 0))
	replayer.Watch(r, listener{r})
	source, tracer := replayer.Decide(r)
	again, err := replayer.Run(source, tracer, 0)
	if err != nil {
		return nil, err
	}
	if again.Hash != replayed.Hash {
		return nil, fmt.Errorf("scenario %s is not deterministic: its run came out differently while it was written down", p.Scenario.Name)
	}
	return p.render(r, again)
}

// WriteHTML writes the page to a file, which appears whole or not at all.
func (p Page) WriteHTML(path string) error {
	content, err := p.HTML()
	if err != nil {
		return err
	}
	return search.WriteFile(path, content)
}

// view is what the template is given.
type view struct {
	Page
	Property, Message, More string
	FailedAt, Steps, Left   int64
	Hash, Expected          string
	Same                    bool
	Failure                 *sim.Failure
	Faults                  []sim.FaultCount
	Exhibits                []exhibit
	CSS                     template.CSS
	Script                  template.JS
	Data                    template.JS
}

// excerpt is lines of a run, as the template writes them.
type excerpt struct {
	Lines []shrink.Line
	Parts int64 // the step from which on it differs from another run; 0: none
	Here  bool  // it is the run of the diagram, which its steps lead to
}

// exhibit is a document of the failure. A picture, which is HTML, is shown in a frame of its own.
type exhibit struct {
	Name, Title string
	HTML, Text  string
}

// data is what the script is given.
type data struct {
	record
	Failed   int64      `json:"failed"`   // the step that violated the property
	Story    []int64    `json:"story"`    // the steps that matter; null: nobody has said
	Decisive []int64    `json:"decisive"` // steps that are an end of an order which the failure needs
	Orders   [][2]int64 `json:"orders"`   // the first had to come before the second
	Choices  [][2]int64 `json:"choices"`  // step, and the number of a decision beside the default that was made there
	End      [][2]any   `json:"end"`      // tasks that were left: lane, and what they wait for
}

func (p Page) render(r *recorder, replayed search.Replayed) ([]byte, error) {
	v := view{
		Page: p, Same: replayed.Same, Steps: replayed.Steps, Left: r.skip, Hash: fmt.Sprintf("%016x", replayed.Hash), Expected: p.Token.Property,
		Failure: replayed.Failure, Faults: replayed.Faults, CSS: template.CSS(themeCSS + pageCSS), Script: template.JS(pageScript),
	}
	if f := replayed.Failure; f != nil {
		v.Property, v.FailedAt = f.Property, f.Step
		v.Message, v.More, _ = strings.Cut(r.named(f.Message), "\n")
		for _, e := range f.Exhibits {
			x := exhibit{Name: e.Name, Title: titleOf(e.Name)}
			if strings.HasSuffix(e.Name, ".html") {
				x.HTML = string(e.Content)
			} else {
				x.Text = string(e.Content)
			}
			v.Exhibits = append(v.Exhibits, x)
		}
	}
	content, err := json.Marshal(newData(r, replayed.Failure, p.Explanation))
	if err != nil {
		return nil, err
	}
	v.Data = template.JS(content) // of which < and > are escaped, so that no text ends the script
	page, err := template.New("page").Funcs(template.FuncMap{
		"steps": func(text string) template.HTML { return linked(r.named(text)) }, "named": r.named,
		"told":    func(lines []shrink.Line, parts int64, here bool) excerpt { return excerpt{lines, parts, here} },
		"countOf": countOf, "long": func(n int) int64 { return int64(n) },
		"first": func(lines []shrink.Line) []shrink.Line { return lines[:min(len(lines), firstLines)] },
		"last": func(lines []shrink.Line) []shrink.Line {
			return lines[max(min(len(lines), firstLines), len(lines)-lastLines):]
		},
		"between": func(lines []shrink.Line) int64 { return int64(max(0, len(lines)-firstLines-lastLines)) },
		"few":     func(needs []shrink.Need) []shrink.Need { return needs[:min(len(needs), mostDecisions)] },
		"left":    func(needs []shrink.Need) int64 { return int64(max(0, len(needs)-mostDecisions)) },
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func newData(r *recorder, failure *sim.Failure, e *shrink.Explanation) data {
	d := data{record: r.record, Decisive: []int64{}, Orders: [][2]int64{}, Choices: [][2]int64{}, End: [][2]any{}}
	if failure != nil {
		d.Failed = failure.Step
		for _, t := range failure.Tasks {
			if lane, ok := r.lanes[r.tasks[t.Path]]; ok {
				d.End = append(d.End, [2]any{lane, strings.TrimSpace("waits to "+t.Operation+" "+r.named(t.Object)) + r.because(r.named(t.Object))})
			}
		}
	}
	if e == nil {
		return d
	}
	d.Story = []int64{}
	for _, l := range e.Story {
		if l.Left > 0 || l.Again > 0 {
			continue
		}
		d.Story = append(d.Story, l.Step)
		if l.Decisive {
			d.Decisive = append(d.Decisive, l.Step)
		}
		for _, n := range l.Decisions {
			d.Choices = append(d.Choices, [2]int64{l.Step, int64(n)})
		}
	}
	for _, o := range e.Orders {
		d.Orders = append(d.Orders, [2]int64{o.First.Step, o.Then.Step})
		if o.Until != nil {
			d.Orders = append(d.Orders, [2]int64{o.Then.Step, o.Until.Step})
		}
	}
	return d
}

// How much of an explanation is written out. The diagram has all of the story.
const (
	firstLines    = 300 // of a story
	lastLines     = 100
	mostDecisions = 50
)

// titleOf is what a person calls an exhibit.
func titleOf(name string) string {
	if name == "history.html" {
		return "Linearization"
	}
	return name
}

// stepInText is how a text names a step.
var stepInText = regexp.MustCompile(`\bstep (\d+)`)

// linked is a text as HTML in which each step that it names leads there.
func linked(text string) template.HTML {
	return template.HTML(stepInText.ReplaceAllString(template.HTMLEscapeString(text), `<a href="#step-$1">step $1</a>`))
}

// countOf says how many there are of what.
func countOf(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}
