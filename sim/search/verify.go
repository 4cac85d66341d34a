package search

import (
	"fmt"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// NondeterminismError says that a run did not repeat: something in the scenario is decided outside the simulation (a map's
// order, the wall clock, a goroutine, native randomness), or the simulator is at fault.
type NondeterminismError struct {
	Scenario    string
	Seed        string // of the run
	First       string // what the run came to
	Second      string // what its repetition came to
	Repetition  string // what it was repeated from
	Differences string // where they part, as far as it is known; may be empty
}

// Error is one line.
func (e *NondeterminismError) Error() string {
	text := fmt.Sprintf("scenario %s is not deterministic: the run of seed %s came to %s, and repeated from its %s to %s", e.Scenario, e.Seed, e.First, e.Repetition, e.Second)
	if e.Differences != "" {
		text += "; " + e.Differences
	}
	return text
}

// verify repeats a failed run twice, from its seed and from its deviations, and answers the failure if both come to the same.
func (s *search) verify(l *lane, o *outcome) (*Failure, error) {
	recorded, replayed := outcome{plan: o.plan, attempt: o.attempt}, outcome{plan: o.plan, attempt: o.attempt}
	var deviations []choice.Deviation
	config := sim.RunConfig{DataSeed: dataSeed(o.plan.seed)}
	err := s.crew.one(func(w *worker) {
		w.recorder.Begin(w.source(o.plan, nil), nil)
		config.Source, config.Tracer = &w.recorder, w.recorder.Tracer()
		w.run(l.scenario, &recorded, config)

		deviations = append([]choice.Deviation{}, w.recorder.Deviations()...)
		w.replay.Begin(deviations, nil)
		config.Source, config.Tracer = &w.replay, w.replay.Tracer()
		w.run(l.scenario, &replayed, config)
	})
	if err != nil {
		return nil, err
	}
	if !o.same(&recorded) {
		return nil, l.nondeterminism(o, &recorded, "seed", "")
	}
	if !o.same(&replayed) {
		return nil, l.nondeterminism(o, &replayed, "decisions", s.crew.workers[0].replay.Fit().Diverged)
	}
	return l.failure(o, deviations), nil
}

// same says whether two runs are the same run.
func (o *outcome) same(other *outcome) bool {
	return o.err == nil && other.err == nil && o.hash == other.hash && o.property() == other.property()
}

func (o *outcome) property() string {
	if o.failure == nil {
		return ""
	}
	return o.failure.Property
}

// String says what the run came to, in a few words.
func (o *outcome) String() string {
	switch {
	case o.err != nil:
		return o.err.Error()
	case o.failure == nil:
		return fmt.Sprintf("no failure (%d steps, hash %s)", o.steps, seedText(o.hash))
	default:
		return fmt.Sprintf("%s (%d steps, hash %s)", o.failure.Property, o.steps, seedText(o.hash))
	}
}

func (l *lane) nondeterminism(first, second *outcome, repetition, differences string) error {
	return &NondeterminismError{
		Scenario: l.scenario.Name, Seed: seedText(first.plan.seed), First: first.String(), Second: second.String(),
		Repetition: repetition, Differences: differences,
	}
}

// token is the run with what was recorded of it: by its seed if that is nil.
func (o *outcome) token(deviations []choice.Deviation) choice.Token {
	return choice.Token{
		Scenario: o.attempt.scenario.Name, Options: TokenOptions(o.plan.options), Property: o.property(), Strategy: o.plan.strategy.Name(), Seed: o.plan.seed,
		Length: o.plan.length, Learnt: o.plan.known.Encode(), DataSeed: dataSeed(o.plan.seed), Deviations: deviations, Hash: o.hash,
	}
}

// failure is the report of the run that was merged last.
func (l *lane) failure(o *outcome, deviations []choice.Deviation) *Failure {
	full := o.token(deviations)
	f := NewFailure(full, o.steps, o.failure)
	if len(f.Token) > choice.LongToken {
		f.Token = full.BySeed().String()
		f.Replay = replayLine(f.Token)
	}
	f.Run = l.report.Runs - 1
	return f
}

// NewFailure is the report of a run that a token repeats and that came to a failure, with the whole token in it, whatever its length.
func NewFailure(token choice.Token, steps int64, f *sim.Failure) *Failure {
	text := token.String()
	return &Failure{
		Scenario: token.Scenario, Property: f.Property, Message: f.Message, Seed: seedText(token.Seed), Token: text, Replay: replayLine(text),
		Steps: steps, Hash: seedText(token.Hash), Runs: 1, Strategy: token.Strategy, Stack: f.Stack, Tasks: f.Tasks, Full: token,
	}
}

func replayLine(token string) string { return "heddle replay " + token }
