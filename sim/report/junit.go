package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim/search"
)

// The elements of a JUnit document, in the order that the schemas want. It is valid by those of Windy Road and of Jenkins, which CI systems
// go by: so it has what only the one demands (a time stamp, a host, empty outputs), and not what only the other allows (skipped).
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		ID         int             `xml:"id,attr"`
		Package    string          `xml:"package,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
		Err        string          `xml:"system-err"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Error   *junitProblem `xml:"error"`
		Failure *junitProblem `xml:"failure"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
)

// noTime is the time stamp of every suite: the schema demands one, and a document does not depend on when it was made.
const noTime = "1970-01-01T00:00:00"

// WriteJUnit writes a search as JUnit XML: a suite for each scenario, and in it a case for each property that its runs were judged by. What
// a search could not judge (a scenario without a run, another property than the only one) has no case. An error of the search is one of a
// suite of its own. Characters that XML cannot hold are replaced by U+FFFD.
func WriteJUnit(w io.Writer, s Search) error {
	var document junitSuites
	add := func(suite junitSuite) {
		suite.ID = len(document.Suites)
		suite.Package, suite.Hostname, suite.Timestamp = "heddle", "localhost", noTime
		suite.Tests = len(suite.Cases)
		for _, c := range suite.Cases {
			if c.Error != nil {
				suite.Errors++
			}
			if c.Failure != nil {
				suite.Failures++
			}
		}
		document.Suites = append(document.Suites, suite)
	}
	for i := range s.Reports {
		add(s.junitSuite(i))
	}
	if s.Error != "" {
		add(junitSuite{
			Name: "search", Time: "0", Properties: []junitProperty{{"seed", s.Seed}, {"strategy", s.Strategy}},
			Cases: []junitCase{{Name: "comes to its end", Class: "search", Time: "0", Error: &junitProblem{s.Error, "error", characters(s.Error)}}},
		})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(document); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s Search) junitSuite(i int) junitSuite {
	sc, r := s.Scenarios[i], s.Reports[i]
	suite := junitSuite{
		Name: r.Name, Time: strconv.FormatFloat(r.Seconds, 'f', 3, 64),
		Properties: []junitProperty{
			{"seed", s.Seed}, {"strategy", r.Strategy}, {"runs", strconv.FormatInt(r.Runs, 10)}, {"steps", strconv.FormatInt(r.Steps, 10)},
			{"trace_hash", r.TraceHash},
		},
	}
	for _, p := range s.judged(i) {
		c := junitCase{Name: p.ID, Class: r.Name, Time: "0"} // all of them are judged in the same runs, whose time is the suite's
		if of := failures(r, p.ID); len(of) > 0 {
			c.Failure = &junitProblem{Message: firstLine(of[0].Message), Type: p.ID}
			for _, f := range of {
				c.Failure.Text += characters("\n" + f.Message + "\n" + told(sc, f) + waiting(f))
			}
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite
}

// waiting is where the program was when it failed: the stack of the panic, and the tasks that were left.
func waiting(f *search.Failure) string {
	var b strings.Builder
	if f.Stack != "" {
		fmt.Fprintln(&b, strings.TrimSpace(f.Stack))
	}
	for _, t := range f.Tasks {
		fmt.Fprintf(&b, "task %s\n", strings.TrimSpace(t.Path+" waits to "+t.Operation+" "+t.Object))
		if t.Stack != "" {
			fmt.Fprintln(&b, strings.TrimSpace(t.Stack))
		}
	}
	return b.String()
}

// characters replaces what XML cannot hold, in a section that is not escaped.
func characters(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\uFFFE' || r == '\uFFFF' {
			return '\uFFFD'
		}
		return r
	}, text)
}
