package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// drawn is a source whose values of the set-up are drawn by rapid: the workload and which faults may strike. A run of it can be shrunk
// to a small workload, since 0 is the simplest of each. The schedule and the rest are a seeded strategy's.
type drawn struct {
	strategy.Source
	t       *rapid.T
	running bool
}

func (d *drawn) Value(site choice.Site, n int) int {
	if d.running {
		return d.Source.Value(site, n)
	}
	return rapid.IntRange(0, n-1).Draw(d.t, site.Name)
}

// first is a tracer that tells the source when the set-up is over.
type first struct{ source *drawn }

func (f first) Step(int64, time.Duration, *kernel.Actor) { f.source.running = true }
func (first) Value(kernel.Site, int, int)                {}
func (first) Note(string)                                {}

// runDrawn makes one run and answers its result and the token that repeats it, workload included.
func runDrawn(t *rapid.T, runner *sim.Runner, sc *sim.Scenario) (sim.Result, choice.Token) {
	seed := rapid.Uint64().Draw(t, "schedule")
	s, err := strategy.Parse(rapid.SampledFrom([]string{"random", "pct:3"}).Draw(t, "strategy"))
	if err != nil {
		t.Fatal(err)
	}
	source := &drawn{Source: s.Source(), t: t}
	source.Begin(seed, 2000)
	var recorder choice.Recorder
	recorder.Begin(source, first{source})
	config := sim.RunConfig{Source: &recorder, Tracer: recorder.Tracer(), DataSeed: seed, MaxSteps: 200_000}
	result, err := runner.Run(sc, config)
	if err != nil {
		t.Fatal(err)
	}
	token := choice.Token{Scenario: sc.Name, Strategy: s.Name(), Seed: seed, DataSeed: seed, Deviations: recorder.Deviations(), Hash: result.Hash}
	if token.Deviations == nil {
		token.Deviations = []choice.Deviation{}
	}
	if result.Failure != nil {
		token.Property = result.Failure.Property
	}
	return result, token
}

func TestDrawnWorkloadsHold(t *testing.T) {
	runner := sim.NewRunner()
	rapid.Check(t, func(t *rapid.T) {
		if result, token := runDrawn(t, runner, scenario.SmallAgent()); result.Failure != nil {
			t.Fatalf("%s: %s\nheddle replay %s", result.Failure.Property, result.Failure.Message, token)
		}
	})
}

func TestTokensOfDrawnRunsRepeatThem(t *testing.T) {
	failing, runner := failingScenario(t), sim.NewRunner()
	rapid.Check(t, func(t *rapid.T) {
		result, token := runDrawn(t, runner, failing)
		parsed, err := choice.ParseToken(token.String())
		if err != nil {
			t.Fatal(err)
		}
		again, err := search.Replay(failing, parsed, nil)
		if err != nil || !again.Same || (again.Failure == nil) != (result.Failure == nil) {
			t.Fatalf("replayed as %+v, %v; it was %+v", again, err, result.Failure)
		}
	})
}

func failingScenario(t *testing.T) *sim.Scenario {
	for _, sc := range scenario.All() {
		if sc.Fails != "" {
			return sc
		}
	}
	require.FailNow(t, "no scenario is built to fail")
	return nil
}
