package search

import (
	"fmt"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// Replayed is what the replay of a token came to. Its slices are valid until the replayer's next run.
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
	r, err := NewReplayer(sc, token)
	if err != nil {
		return Replayed{}, err
	}
	defer r.Close()
	source, tracer := r.Decide(tracer)
	replayed, err := r.Run(source, tracer, 0)
	if err != nil {
		return Replayed{}, err
	}
	replayed.Fit = r.Fit()
	return replayed, nil
}

// StateAfter repeats the run of a token until a step has been made, and answers its state there; 0 is before the first step. If the run ends
// before, it is the state at its end. The error is as that of Replay.
func StateAfter(sc *sim.Scenario, token choice.Token, step int64) (*sim.State, error) {
	r, err := NewReplayer(sc, token)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	source, tracer := r.Decide(nil)
	return r.Until(source, tracer, step+1)
}

// PauseAfter repeats the run of a token, and calls pause after a step has been made, before the next one is; see Replayer.Pause.
func PauseAfter(sc *sim.Scenario, token choice.Token, step int64, pause func() bool) (Replayed, error) {
	r, err := NewReplayer(sc, token)
	if err != nil {
		return Replayed{}, err
	}
	defer r.Close()
	source, tracer := r.Decide(nil)
	return r.Pause(source, tracer, step+1, pause)
}

// Replayer makes runs of the scenario of a token, its data seed and its options, one after the other, each by a source of its
// own. They share a runner and a watch for runs that are stuck.
type Replayer struct {
	scenario *sim.Scenario
	token    choice.Token
	plan     plan
	crew     *crew
	unwatch  func()
	stuck    bool
	watcher  sim.Watcher
	listener kernel.Listener
	replay   choice.Replay
}

// NewReplayer makes a replayer. The error is one of the token: an option or strategy that this build does not know.
func NewReplayer(sc *sim.Scenario, token choice.Token) (*Replayer, error) {
	options, err := OptionsOf(token)
	if err != nil {
		return nil, err
	}
	r := &Replayer{scenario: sc, token: token, plan: plan{seed: token.Seed, length: token.Length, options: options}}
	if !token.Addressed() {
		s, err := strategy.Parse(token.Strategy)
		if err != nil {
			return nil, fmt.Errorf("the token cannot be replayed: %w", err)
		}
		if s.IsMix() {
			return nil, fmt.Errorf("the token cannot be replayed: strategy %s decides no run, only a part of it does", s.Name())
		}
		r.plan.strategy = s
		if r.plan.known, err = r.plan.strategy.Decode(token.Learnt); err != nil {
			return nil, fmt.Errorf("the token cannot be replayed: %w", err)
		}
	}
	r.crew = newCrew(1)
	r.unwatch = r.crew.watch(stuckAfter, func() {})
	return r, nil
}

// Watch lets a watcher see the runs that follow, and a listener hear what their steps touch; nil: nobody.
func (r *Replayer) Watch(w sim.Watcher, l kernel.Listener) { r.watcher, r.listener = w, l }

// Decide answers what decides the run of the token, at its beginning: a source, and the tracer that must hear of the run, which hands
// everything on to the one given.
func (r *Replayer) Decide(tracer sim.Tracer) (choice.Source, sim.Tracer) {
	if !r.token.Addressed() {
		return r.crew.workers[0].source(r.plan, nil), tracer
	}
	r.replay.Begin(r.token.Deviations, tracer)
	return &r.replay, r.replay.Tracer()
}

// Fit says how the deviations of the token fitted the run that Decide has decided; nil for a token by seed.
func (r *Replayer) Fit() *choice.Fit {
	if !r.token.Addressed() {
		return nil
	}
	fit := r.replay.Fit()
	return &fit
}

// Run makes a run; maxSteps is its limit, 0 the usual one. The error is one of the scenario's set-up, or a [StuckError]: after that
// there can be no further run.
func (r *Replayer) Run(source choice.Source, tracer sim.Tracer, maxSteps int64) (Replayed, error) {
	return r.run(sim.RunConfig{Source: source, Tracer: tracer, MaxSteps: maxSteps})
}

func (r *Replayer) run(config sim.RunConfig) (Replayed, error) {
	config.DataSeed, config.Watcher, config.Listener = r.token.DataSeed, r.watcher, r.listener
	o := outcome{plan: r.plan, attempt: attempt{scenario: r.scenario, seed: r.plan.seed}}
	err := r.crew.one(func(w *worker) {
		w.run(r.scenario, &o, config)
	})
	if err != nil {
		r.stuck = true
		return Replayed{}, err
	}
	if o.err != nil {
		return Replayed{}, o.err
	}
	return Replayed{
		Steps: o.steps, Hash: o.hash, Failure: o.failure, Faults: o.faults,
		Same: o.hash == r.token.Hash && o.property() == r.token.Property,
	}, nil
}

// Until makes the run up to a step, which it leaves out, and answers its state there; or at its end, if that comes before. The error is as
// that of Run.
func (r *Replayer) Until(source choice.Source, tracer sim.Tracer, step int64) (state *sim.State, err error) {
	o := outcome{plan: r.plan, attempt: attempt{scenario: r.scenario, seed: r.plan.seed}}
	err = r.crew.one(func(w *worker) {
		state = w.run(r.scenario, &o, sim.RunConfig{Source: source, Tracer: tracer, DataSeed: r.token.DataSeed, Until: step}).State
	})
	if err != nil {
		r.stuck = true
		return nil, err
	}
	return state, o.err
}

// Pause makes the run, as Run does, and calls pause before a step is made: on the stack of the task that makes it, if one does. The run ends
// there if pause answers false. pause, and whoever looks into the process with a debugger, may take as long as it wants: from now
// on nobody watches for runs that are stuck.
func (r *Replayer) Pause(source choice.Source, tracer sim.Tracer, step int64, pause func() bool) (Replayed, error) {
	r.unwatch()
	r.unwatch = func() {}
	return r.run(sim.RunConfig{Source: source, Tracer: tracer, Until: step, Pause: pause})
}

// Close ends the watch and gives back what the runner keeps. A run that is stuck is left behind.
func (r *Replayer) Close() {
	r.unwatch()
	if !r.stuck {
		r.crew.close()
	}
}
