package shrink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// NotReproducedError says that the failure of a token does not show, and so can be neither made smaller nor explained.
type NotReproducedError struct {
	Token    choice.Token
	Got      string // what the run came to
	Diverged string // where it is known to differ; may be empty
}

// Error is one line.
func (e *NotReproducedError) Error() string {
	text := fmt.Sprintf("the failure does not reproduce, so there is nothing to make smaller or to explain: expected %s with trace %016x, came to %s", Run{Property: e.Token.Property}.property(), e.Token.Hash, e.Got)
	if e.Diverged != "" {
		text += "; " + e.Diverged
	}
	return text
}

// Failure makes the failure of a token smaller. A failure that does not reproduce is a [NotReproducedError]; other errors are
// those of [Minimise] and of the scenario. A limit and a context that is done are no errors: they end with the smallest so far.
func Failure(ctx context.Context, sc *sim.Scenario, token choice.Token, limits Limits) (*search.Shrunk, Result, error) {
	return failure(sc, token, func(oracle Oracle, found Run) (Result, error) { return Minimise(ctx, oracle, found, limits) })
}

func failure(sc *sim.Scenario, token choice.Token, minimise func(Oracle, Run) (Result, error)) (*search.Shrunk, Result, error) {
	replayer, err := search.NewReplayer(sc, token)
	if err != nil {
		return nil, Result{}, err
	}
	defer replayer.Close()
	w := &world{replayer: replayer}
	found, err := w.first(token)
	if err != nil {
		return nil, Result{}, err
	}
	var result Result
	if found.Property == sim.Steps {
		result, err = endless(w, found, minimise)
	} else {
		result, err = minimise(w, found)
	}
	if err != nil {
		return nil, result, err
	}
	token.Deviations, token.Hash = append([]choice.Deviation{}, result.Best.Taken...), result.Best.Hash
	small := search.NewFailure(token, result.Best.Steps, result.Best.failure)
	if len(small.Token) > choice.LongToken {
		small.Token, small.Replay = "", ""
	}
	return &search.Shrunk{
		Failure: small, Inputs: result.After.Inputs, Faults: result.After.Faults, Switches: result.After.Switches,
		Ended: result.Ended, Replays: result.Replays,
	}, result, nil
}

// world is the oracle that makes runs of a scenario.
type world struct {
	replayer *search.Replayer
	recorder choice.Recorder
	replay   choice.Replay
	rewriter rewriter
	varied   [len(variations)]varied
	observer observer
	names    names
	limit    int64 // of the steps of each run; 0: the usual one
	begun    bool  // the failure itself was reproduced
}

// first makes the run of the token itself.
func (w *world) first(token choice.Token) (Run, error) {
	w.observer = newObserver(&w.names)
	source, tracer := w.replayer.Decide(&w.observer)
	w.recorder.Begin(source, tracer)
	recorded, err := w.recorded(w.run(&w.recorder, w.recorder.Tracer(), 0))
	if err != nil {
		return Run{}, err
	}
	if token.Property == "" || recorded.Property != token.Property || recorded.Hash != token.Hash {
		e := &NotReproducedError{Token: token, Got: recorded.String()}
		if fit := w.replayer.Fit(); fit != nil {
			e.Diverged = fit.Diverged
		}
		return Run{}, e
	}
	w.begun = true
	return recorded, nil
}

// Replay implements [Oracle].
func (w *world) Replay(list []choice.Deviation, maxSteps int64) (Run, error) {
	w.replay.Begin(list, nil)
	return w.run(&w.replay, w.replay.Tracer(), maxSteps)
}

// Record implements [Oracle].
func (w *world) Record(list []choice.Deviation, maxSteps int64) (Run, error) {
	w.observer = newObserver(&w.names)
	w.replay.Begin(list, &w.observer)
	w.recorder.Begin(&w.replay, w.replay.Tracer())
	return w.recorded(w.run(&w.recorder, w.recorder.Tracer(), maxSteps))
}

// Rewrite implements [Oracle].
func (w *world) Rewrite(recorded Run) (Run, error) {
	w.observer = newObserver(&w.names)
	w.observer.moved = w.rewriter.moved
	w.rewriter.begin(recorded, &w.observer)
	w.recorder.Begin(&w.rewriter, w.rewriter.values.Tracer())
	return w.recorded(w.run(&w.recorder, w.recorder.Tracer(), 0))
}

// Vary implements [Oracle].
func (w *world) Vary(list []choice.Deviation, n int, steps int64) (Run, error) {
	v := &w.varied[n%len(variations)]
	if v.schedule == nil {
		s, err := strategy.Parse(variations[n%len(variations)])
		if err != nil {
			return Run{}, err
		}
		v.schedule = s.Source()
	}
	v.schedule.Begin(uint64(n), steps)
	var values []choice.Deviation
	for _, d := range list {
		if d.Value > 0 {
			values = append(values, d)
		}
	}
	w.observer = newObserver(&w.names)
	v.values.Begin(values, &w.observer)
	w.recorder.Begin(v, v.values.Tracer())
	return w.recorded(w.run(&w.recorder, w.recorder.Tracer(), 2*steps+1000))
}

func (w *world) run(source choice.Source, tracer choice.Tracer, maxSteps int64) (Run, error) {
	if w.limit > 0 && (maxSteps == 0 || maxSteps > w.limit) {
		maxSteps = w.limit
	}
	replayed, err := w.replayer.Run(source, tracer, maxSteps)
	var stuck *search.StuckError
	if errors.As(err, &stuck) {
		return Run{}, err
	}
	if err != nil && w.begun {
		return Run{}, nil // a set-up that fails with other values is no failure of the property
	}
	if err != nil {
		return Run{}, err
	}
	r := Run{Steps: replayed.Steps, Hash: replayed.Hash}
	if replayed.Failure != nil {
		r.Property, r.Message, r.failure = replayed.Failure.Property, replayed.Failure.Message, replayed.Failure
	}
	for _, f := range replayed.Faults {
		r.Faults += f.Fired
	}
	return r, nil
}

func (w *world) recorded(r Run, err error) (Run, error) {
	r.Taken, r.Actors, r.trace = w.recorder.Deviations(), w.observer.paths, w.observer.trace
	r.Asked = make(map[Question]int, len(w.observer.asked))
	for q, n := range w.observer.asked {
		r.Asked[q] = *n
	}
	return r, err
}

// observer hears of the steps of a run that is recorded.
type observer struct {
	follow
	trace *trace
	seen  map[uint64]bool
	paths []string
	sites map[site]*int
	asked map[Question]*int
	moved func(*choice.Actor) // may be nil
}

func newObserver(n *names) observer {
	if n.numbers == nil {
		n.numbers = map[string]int32{}
	}
	return observer{trace: &trace{names: n}, follow: follow{names: n}, seen: map[uint64]bool{}, sites: map[site]*int{}, asked: map[Question]*int{}}
}

// site is a question in one run: numbers are sooner at hand than paths.
type site struct {
	actor, object int32
	name          string
}

// Step implements [choice.Tracer].
func (o *observer) Step(_ int64, _ time.Duration, a *choice.Actor) {
	if o.last != nil {
		o.trace.visits = append(o.trace.visits, visit{o.place(o.last), int32(len(o.trace.steps))})
	}
	o.last = a
	o.trace.add(a, o.place(a))
	if !o.seen[a.PathHash()] {
		o.seen[a.PathHash()] = true
		o.paths = append(o.paths, a.Path())
	}
	if o.moved != nil {
		o.moved(a)
	}
}

// Value implements [choice.Tracer].
func (o *observer) Value(asking choice.Site, _, _ int) {
	at := site{name: asking.Name}
	if asking.Actor != nil {
		at.actor = asking.Actor.ID + 1
	}
	if asking.Object != nil {
		at.object = asking.Object.ID()
	}
	n := o.sites[at]
	if n == nil {
		q := Question{Site: asking.Name, Object: asking.Object.Path()}
		if asking.Actor != nil {
			q.Actor = asking.Actor.Path()
		}
		if n = o.asked[q]; n == nil {
			n = new(int)
			o.asked[q] = n
		}
		o.sites[at] = n
	}
	*n++
	where := address{o.actor(asking.Actor), o.object(asking.Object), sites + o.names.number(asking.Name)}
	o.trace.visits = append(o.trace.visits, visit{where, int32(len(o.trace.steps)) - 1})
}

// Note implements [choice.Tracer].
func (o *observer) Note(string) {}

// Read says that nobody reads the notes.
func (o *observer) Read() bool { return false }
