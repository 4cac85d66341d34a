package heddle

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
)

// Formats of heddle run for CI systems.
const (
	junitFormat  = "junit"
	sarifFormat  = "sarif"
	githubFormat = "github"

	summaryFormat = "summary" // what github writes beside its annotations
)

// summaryVariable names the file that GitHub Actions shows as the summary of a job.
const summaryVariable = "GITHUB_STEP_SUMMARY"

// checkRunOutputs says whether all outputs of heddle run can be written, and answers the file of the job summary, empty if there is to be none.
func checkRunOutputs(outputs []output) (summary string, err error) {
	if slices.ContainsFunc(outputs, func(o output) bool { return o.format == githubFormat }) {
		summary = os.Getenv(summaryVariable)
	}
	if summary != "" {
		if err := checkFile(summary); err != nil {
			return "", fmt.Errorf("%w (%s names it)", err, summaryVariable)
		}
	}
	return summary, checkOutputs(outputs)
}

// locate finds the places of the failures of a search.
func locate(scenarios []*sim.Scenario, found *search.Report) error {
	return report.Locate(scenarios, found.Scenarios)
}

// printRun makes all outputs of a search, and the job summary.
func (a *app) printRun(outputs []output, summary string, d runDocument, scenarios []*sim.Scenario) error {
	s := report.Search{
		Seed: d.Seed, Strategy: d.Strategy, Options: sim.Options{Only: d.Only, NoFaults: d.NoFaults}, Interrupted: d.Interrupted, Error: d.Error,
		Scenarios: scenarios, Reports: d.Scenarios,
	}
	of := func(write func(io.Writer, report.Search) error) func(io.Writer) error {
		return func(w io.Writer) error { return write(w, s) }
	}
	if summary != "" {
		outputs = append(outputs, output{summaryFormat, summary})
	}
	return a.print(outputs, d, func(w io.Writer) error { return d.writeText(w, scenarios) },
		rendering{junitFormat, of(report.WriteJUnit)}, rendering{sarifFormat, of(report.WriteSARIF)}, rendering{githubFormat, of(report.WriteGitHub)},
		rendering{summaryFormat, func(w io.Writer) error { return addSummary(w, summary, s) }})
}

// addSummary writes what the file of the job summary has already, of other commands of its step, and then the search.
func addSummary(w io.Writer, file string, s report.Search) error {
	before, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("cannot add to %s: %w", file, cause(err))
	}
	if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		before = append(before, '\n')
	}
	if _, err := w.Write(before); err != nil {
		return err
	}
	return report.WriteSummary(w, s)
}
