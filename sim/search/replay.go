package search

import (
	"fmt"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// Replayed is what the replay of a token came to.
type Replayed struct {
	Steps   int64
	Hash    uint64
	Failure *sim.Failure // nil if the run violated nothing
	Same    bool         // the same property failed with the same hash
	Fit     *choice.Fit  // how the deviations fitted; nil for a token by seed
	Faults  []sim.FaultCount
}

// Replay makes the run that a token describes. What happens in it goes to tracer, which may be nil. The error is one of the
// token (an option or strategy that this build does not know), of the scenario's set-up, or a [StuckError].
func Replay(sc *sim.Scenario, token choice.Token, tracer sim.Tracer) (Replayed, error) {
	options, err := OptionsOf(token)
	if err != nil {
		return Replayed{}, err
	}
	p := plan{seed: token.Seed, length: token.Length, options: options}
	if !token.Addressed() {
		s, err := strategy.Parse(token.Strategy)
		if err != nil {
			return Replayed{}, fmt.Errorf("the token cannot be replayed: %w", err)
		}
		p.strategy = s.Part(0)
		if p.known, err = strategy.DecodeWeights(token.Learnt); err != nil {
			return Replayed{}, fmt.Errorf("the token cannot be replayed: %w", err)
		}
	}
	c := newCrew(1)
	defer c.watch(stuckAfter, func() {})()
	o := outcome{plan: p, attempt: attempt{scenario: sc, seed: p.seed}}
	err = c.one(func(w *worker) {
		config := sim.RunConfig{DataSeed: token.DataSeed, Tracer: tracer}
		if token.Addressed() {
			w.replay.Begin(token.Deviations, tracer)
			config.Source, config.Tracer = &w.replay, w.replay.Tracer()
		} else {
			config.Source = w.source(p, nil)
		}
		w.run(sc, &o, config)
	})
	if err != nil {
		return Replayed{}, err // stuck
	}
	c.close()
	if o.err != nil {
		return Replayed{}, o.err
	}
	replayed := Replayed{Steps: o.steps, Hash: o.hash, Failure: o.failure, Faults: o.faults, Same: o.hash == token.Hash && o.property() == token.Property}
	if token.Addressed() {
		fit := c.workers[0].replay.Fit()
		replayed.Fit = &fit
	}
	return replayed, nil
}
