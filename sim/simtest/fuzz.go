package simtest

import (
	"errors"
	"flag"
	"testing"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// Fuzz lets Go's fuzzer decide the runs of the scenario:
//
//	go test -fuzz '^FuzzTransfers$' example.com/bank
//
// It searches by code coverage, and keeps what it finds in testdata/fuzz, from where go test repeats it from then on, and where it
// says how to. An input is a list of decisions beside the default ones, two bytes for each: after how many others it comes, and how
// far it is from the default. So every input is a run, a short input a simple one, and the fuzzer's own minimising takes decisions
// away. The random bytes of all runs are the same. A run that fails is told as by [Run], made smaller unless the fuzzer is at work, which
// does that itself.
//
// It calls f.Fuzz, so it comes last in a fuzz test. A scenario that cannot be set up, or is stuck, fails the input. Flags
// of simtest do not concern it.
func Fuzz(f *testing.F, scenario *sim.Scenario) {
	f.Helper()
	kernel.Begins(1)
	skipOnMutant(f)
	c := newCorpus(f, scenario)
	replayer, err := search.NewReplayer(c.scenario, fuzzed(c.scenario))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(replayer.Close)
	f.Add([]byte{})
	var stuck *search.StuckError // after which there is no further run
	f.Fuzz(func(t *testing.T, decisions []byte) {
		if stuck != nil {
			t.Fatal(stuck)
		}
		failure, _, err := record(replayer, fuzzed(c.scenario), choice.NewSequence(decode(decisions)), nil)
		if err != nil {
			errors.As(err, &stuck)
			t.Fatal(withStack(err))
		}
		if failure == nil {
			return
		}
		if fuzzing() { // it makes the input smaller, keeps it, and says how to repeat it
			t.Fatal(c.text(failure, kept{}))
		}
		_, err = shrink.Found(t.Context(), c.scenario, failure, shrink.Limits{Steps: shrink.UsualSteps})
		again := &corpus{scenario: c.scenario, test: t.Name()}
		t.Error(c.text(failure, kept{}) + "\n  " + again.command("-v"))
		if err != nil {
			t.Fatal(err)
		}
	})
}

// fuzzed is what repeats a run, but for its decisions.
func fuzzed(sc *sim.Scenario) choice.Token {
	return choice.Token{Scenario: sc.Name, Strategy: "fuzz", Deviations: []choice.Deviation{}}
}

// decode reads a list of decisions out of an input: a byte for the gap before each, and one for its answer.
func decode(input []byte) []choice.Choice {
	list := make([]choice.Choice, len(input)/2)
	for i := range list {
		list[i] = choice.Choice{Gap: gap(input[2*i]), Answer: int(input[2*i+1])}
	}
	return list
}

// gap spreads the gaps of random bytes over magnitudes, so that decisions that lie close together are as likely as others. Of a byte
// three bits are the magnitude, and as many of the other five as it has, or the five and zeros behind them, are the gap: below 248.
func gap(b byte) int {
	width, low := b>>5+1, int(b&31)
	if width <= 5 {
		return low & (1<<width - 1)
	}
	return low << (width - 5)
}

// fuzzing says whether this process works for go test -fuzz.
func fuzzing() bool {
	f := flag.Lookup("test.fuzz")
	return f != nil && f.Value.String() != ""
}
