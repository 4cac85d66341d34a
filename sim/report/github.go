package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim/search"
)

// WriteGitHub writes a search as workflow commands of GitHub Actions, for standard output: an annotation for each failure, at the line of the
// step that decides, and for what kept the search from its end; then a line that sums it up.
func WriteGitHub(out io.Writer, s Search) error {
	w := bufio.NewWriter(out)
	for i, r := range s.Reports {
		for _, f := range r.Failures {
			annotation{level: "error", place: smallest(f).Place, title: r.Name + " violates " + f.Property, text: f.Message + "\n" + told(s.Scenarios[i], f)}.write(w)
		}
	}
	if s.Error != "" {
		annotation{level: "error", title: "heddle ended early", text: s.Error}.write(w)
	}
	if s.Interrupted {
		annotation{level: "warning", title: "heddle was interrupted", text: "this is what was done until then"}.write(w)
	}
	fmt.Fprintf(w, "heddle: %s\n", oneLine(s.verdict()))
	return w.Flush()
}

// annotation is a workflow command that shows a text beside a line of the sources.
type annotation struct {
	level string
	place *search.Place // nil: none
	title string
	text  string
}

func (a annotation) write(w io.Writer) {
	fmt.Fprintf(w, "::%s ", a.level)
	if a.place != nil {
		fmt.Fprintf(w, "file=%s,line=%d,", escapeProperty(a.place.File), a.place.Line)
	}
	fmt.Fprintf(w, "title=%s::%s\n", escapeProperty(a.title), escapeData(strings.TrimSpace(a.text)))
}

// escapeData and escapeProperty write a text so that the runner of GitHub Actions reads it back (@actions/core, command.ts). Control
// characters that it has no escape for could reach a terminal and are replaced.
func escapeData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(printable(text))
}

func escapeProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(text))
}

// printable replaces control characters, but for line breaks and tabs, and what is no UTF-8.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, text)
}

// oneLine is a text without line breaks, and so no further workflow command.
func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(printable(text))
}

// WriteSummary writes a search in Markdown, for the summary of a job: a row for each scenario, and then the failures.
func WriteSummary(out io.Writer, s Search) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "### Heddle\n\n%s\n\n", cell(s.verdict()))
	fmt.Fprintf(w, "| scenario | | runs | steps | seconds |\n|---|---|--:|--:|--:|\n")
	for _, r := range s.Reports {
		verdict := "ok"
		switch {
		case len(r.Failures) > 0:
			verdict = "**FAIL**"
		case r.Runs == 0:
			verdict = "no run"
		}
		fmt.Fprintf(w, "| %s | %s | %d | %d | %s |\n", cell(r.Name), verdict, r.Runs, r.Steps, strconv.FormatFloat(r.Seconds, 'f', 1, 64))
	}
	if s.Error != "" {
		fmt.Fprintf(w, "\nended early:\n\n%s", fenced("text", s.Error))
	}
	if s.Interrupted {
		fmt.Fprintf(w, "\ninterrupted: this is what was done until then\n")
	}
	for i, r := range s.Reports {
		for _, f := range r.Failures {
			fmt.Fprintf(w, "\n#### %s violates %s\n\n%s", cell(r.Name), cell(f.Property), fenced("text", f.Message+"\n"+told(s.Scenarios[i], f)))
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// cell is a text that means itself in Markdown, in a line or in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", "&", "&amp;", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[").Replace(oneLine(text))
}

// fenced is a text as a block of code, between fences that are longer than any in it.
func fenced(language, text string) string {
	text = strings.TrimRight(printable(text), "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + text + "\n" + fence + "\n"
}
