// Package simtest makes simulations part of go test: a scenario is searched for failures as a test, what is found is kept in
// testdata, and repeated first from then on.
//
//	func TestTransfers(t *testing.T) { simtest.Run(t, transfers) }
//	func FuzzTransfers(f *testing.F) { simtest.Fuzz(f, transfers) }
//
// A failure says what was violated and what the bug needs, and ends with the line that repeats it, step for step, here or on
// another machine:
//
//	go test example.com/bank -run '^TestTransfers$' -v -heddle.replay=heddle1_...
//
// # Flags
//
//	-heddle.seed S      first seed, any text (default 1)
//	-heddle.runs N      N runs in each test (default 1000, or what the test says)
//	-heddle.for D       search for D in each test, such as 10m, instead
//	-heddle.strategy S  how to decide: see heddle list (default mix)
//	-heddle.replay F    repeat one failure, a token or a file, and show its trace
//
// A flag goes to every package that is tested, and one that does not import simtest refuses it. For go test ./... there are the
// variables HEDDLE_SEED, HEDDLE_RUNS, HEDDLE_FOR, HEDDLE_STRATEGY and HEDDLE_REPLAY; a flag wins over its variable. The go
// command may cache a result, also that of a search of ten minutes: the same variables ask for the same search. Another HEDDLE_SEED, -count=1 or
// any flag makes a new one. With HEDDLE_MUTANT, which heddle zoo --vet sets, tests of this package are skipped: it asks what notices a mutant
// without a search.
//
// # Where failures are kept
//
// A failure is kept in testdata/heddle/TESTNAME, beside the test, as a file of the form that heddle replay and heddle shrink read.
// Commit it: each later run of the test repeats it first, as a subtest of its own. One that has been fixed passes; it may stay for
// ever, since a failure is a list of decisions under addresses that survive small changes of the code. Where one does not fit any more
// the test says so in a line of its log, and passes; such a file can be deleted.
//
// With go test -artifacts a page is written to the artifacts of the test that failed, which shows the failure in a browser: its steps as a
// diagram, and what it needs. It comes with -heddle.replay, too.
//
// Properties are checked by the scenario (sim.World.Fail), not by the test's t, which knows nothing of runs: what is told to t is not
// tied to one and cannot be repeated.
//
// Package simtest registers flags, so it is for tests alone.
package simtest

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// Option changes what one test does by default. What a flag or a variable says goes before it.
type Option func(*defaults)

type defaults struct{ runs int64 }

// Runs is how many runs the test makes, at least 1. A scenario that states "sometimes" properties is judged by them in a search of
// search.SometimesRuns runs or more only.
func Runs(n int64) Option { return func(d *defaults) { d.runs = n } }

// Run searches the scenario for a failure: at most one, since the search ends there, and made as small as can be within a few
// seconds. Failures that are kept from earlier searches come first, and if one of them still fails there is no search. Each is a
// subtest named after its file, and the search one named after its seed:
//
//	TestTransfers/bank-conserved-0123456789abcdef
//	TestTransfers/seed=1
//
// So a report says which seed was searched, -run 'TestTransfers/seed' searches alone, and there is no subtest for each run: a thousand
// of them would hide the one that matters, and a run is repeated by its token, not by its place in a search.
//
// With -heddle.replay there is that one run instead, and no subtest, if it is one of this scenario; else nothing is run.
//
// A scenario without a name has that of the test. Run returns when all is done, whether the test has failed or not; but wrong settings,
// a scenario that cannot be set up or that is not deterministic, and one that is stuck end the test as FailNow does: with one line, and the stacks of what is stuck.
// It may be called in parallel tests, and more than once in a test; then each scenario needs a name of its own.
func Run(t *testing.T, scenario *sim.Scenario, options ...Option) {
	t.Helper()
	kernel.Begins(1)
	skipOnMutant(t)
	d := defaults{runs: defaultRuns}
	for _, o := range options {
		o(&d)
	}
	s, err := read(t, d.runs)
	if err != nil {
		t.Fatal(err)
	}
	c := newCorpus(t, scenario)
	if s.replay != "" {
		c.replay(t, s.replay)
		return
	}
	if !c.repeat(t) {
		t.Logf("no search while failures that are kept in %s still fail", c.folder)
		return
	}
	t.Run("seed="+s.seed, func(t *testing.T) {
		t.Helper()
		c.search(t, s)
	})
}

// mutantVariable is set where heddle zoo --vet asks whether tests notice a mutant without a search, and failures of it would be kept beside those of
// the program.
const mutantVariable = "HEDDLE_MUTANT"

func skipOnMutant(t testing.TB) {
	if os.Getenv(mutantVariable) != "" {
		t.Skip("this is a mutant: heddle zoo searches it")
	}
}

// ballast is memory that is never touched, beside which the small heap of a search does not make the collector run all the time. heddle
// run sets GOGC instead, which is not for one test of a process to do. It is made once and stays.
var ballast = sync.OnceValue(func() []byte { return make([]byte, 16<<20) })

// search makes the search and reports what it has found.
func (c *corpus) search(t *testing.T, s settings) {
	t.Helper()
	ballast()
	report, err := search.Run(t.Context(), search.Config{
		Scenarios: []*sim.Scenario{c.scenario}, Seed: s.seed, Strategy: s.strategy, Runs: s.runs, Duration: s.duration,
	})
	found := report.Scenarios[0]
	logSearch(t, found)
	for _, f := range found.Failures {
		if f.Token == "" { // of the search as a whole
			t.Error(c.searchText(f, found.Runs, s))
			continue
		}
		_, unshrunk := shrink.Found(t.Context(), c.scenario, f, shrink.Limits{Steps: shrink.UsualSteps})
		k := c.keep(f)
		var undrawn error
		k.page, undrawn = c.draw(t, f, k.path)
		t.Error(c.text(f, k) + "\n  " + c.replayLine(f, k.path))
		err = errors.Join(err, unshrunk, undrawn)
	}
	switch {
	case err != nil:
		t.Fatal(withStack(err))
	case found.Runs == 0:
		t.Fatalf("nothing was explored: the search ended before its first run")
	}
}
