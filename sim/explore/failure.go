package explore

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// strategyName is what tokens and reports say found a failure.
const strategyName = "explore"

// repetition is a source that decides as a run of the tree did. As a tracer it counts the steps, of which it is not asked for
// those that leave no choice.
type repetition struct {
	actors []int32 // by step
	values []int32
	step   int
	value  int
}

// Schedule implements choice.Source.
func (r *repetition) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	if r.step < len(r.actors) {
		for i, list := range [...][]*choice.Actor{enabled, armed} {
			for j, a := range list {
				if a.ID == r.actors[r.step] {
					return i*len(enabled) + j
				}
			}
		}
	}
	return 0
}

// Value implements choice.Source.
func (r *repetition) Value(site choice.Site, n int) int {
	r.value++
	switch {
	case r.value > len(r.values):
		return 0
	case site.Chance:
		return int(r.values[r.value-1]) * (n - 1)
	}
	return min(int(r.values[r.value-1]), n-1)
}

func (r *repetition) Step(int64, time.Duration, *kernel.Actor) { r.step++ }

// tracer is the repetition as a tracer, whose Value has another meaning.
type tracer struct{ *repetition }

func (t tracer) Value(choice.Site, int, int) {}
func (t tracer) Note(string)                 {}

// repeated makes a run of the tree again, twice: from what the tree decided, to learn in what it departs from the default, and from
// that. It answers the failure if all three are the same run.
func (e *exploration) repeated(x searcher, runner *sim.Runner, result sim.Result) (*search.Failure, error) {
	r := &repetition{}
	r.actors, r.values = x.decisions()
	found := *result.Failure
	hash, steps := result.Hash, result.Steps
	same := func(what string, source choice.Source, tracer sim.Tracer) error {
		again, err := runner.Run(e.config.Scenario, sim.RunConfig{Source: source, Tracer: tracer, MaxSteps: int64(e.config.Steps) + 1, Options: e.config.Options})
		switch {
		case err != nil:
			return err
		case again.Hash != hash || again.Failure == nil || again.Failure.Property != found.Property:
			return fmt.Errorf("scenario %s is not deterministic: a run that violated %s came out differently when it was repeated from its %s", e.config.Scenario.Name, found.Property, what)
		}
		return nil
	}
	var recorder choice.Recorder
	recorder.Begin(r, tracer{r})
	if err := same("steps", &recorder, recorder.Tracer()); err != nil {
		return nil, err
	}
	deviations := append([]choice.Deviation{}, recorder.Deviations()...)
	var replay choice.Replay
	replay.Begin(deviations, nil)
	if err := same("decisions", &replay, replay.Tracer()); err != nil {
		return nil, err
	}
	token := choice.Token{
		Scenario: e.config.Scenario.Name, Options: search.TokenOptions(e.config.Options), Property: found.Property, Strategy: strategyName,
		Deviations: deviations, Hash: hash,
	}
	return &search.Failure{
		Scenario: token.Scenario, Property: found.Property, Message: found.Message, Token: token.String(), Replay: "heddle replay " + token.String(),
		Steps: steps, Hash: fmt.Sprintf("%016x", hash), Run: e.report.Executions + e.tallied().executions - 1, Runs: 1, Strategy: strategyName,
		Stack: found.Stack, Tasks: found.Tasks, Full: token,
	}, nil
}
