package choice

import (
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Recorder is a source that answers what another one answers and keeps the deviations. It must hear of every step, also of
// those that left no choice: a run that is recorded has it as its source and its Tracer as its tracer.
//
// A Recorder is reused from run to run, by one goroutine at a time. It allocates what it keeps and nothing for a step.
type Recorder struct {
	source     Source
	follower   Follower // the source, if it is one
	tracer     Tracer
	policy     Policy
	places     places
	deviations []Deviation
}

// Begin starts the recording of a run that source decides. What is traced goes on to tracer, if that is not nil.
func (r *Recorder) Begin(source Source, tracer Tracer) {
	r.source, r.tracer = source, tracer
	r.follower, _ = source.(Follower)
	r.policy = Policy{}
	r.places.reset()
	r.deviations = nil
}

// Deviations is what the run has departed from the default policy so far, in the order of the run. The slice is the caller's.
func (r *Recorder) Deviations() []Deviation { return r.deviations }

// Schedule implements [Source].
func (r *Recorder) Schedule(current *Actor, enabled, armed []*Actor) int {
	expected := r.policy.Decide(current, enabled)
	i := r.source.Schedule(current, enabled, armed)
	if uint(i) >= uint(len(enabled)+len(armed)) {
		return i // the kernel says so
	}
	chosen := at(i, enabled, armed)
	if i != expected {
		r.note(r.places.scheduling(current), current.Op.String(), Deviation{Target: r.places.names[r.places.actor(chosen)]})
	}
	r.policy.Moved(chosen)
	return i
}

// Value implements [Source].
func (r *Recorder) Value(site Site, n int) int {
	v := r.source.Value(site, n)
	where := r.places.asking(site)
	if v != 0 {
		r.note(where, site.Name, Deviation{Value: v})
	}
	r.places.value(where, v)
	return v
}

// Moved implements [Follower], for a source that is one.
func (r *Recorder) Moved(a *Actor) {
	if r.follower != nil {
		r.follower.Moved(a)
	}
}

func (r *Recorder) note(where place, point string, d Deviation) {
	d.Actor, d.Object, d.Point = r.places.names[where.actor], r.places.names[where.object], point
	d.Occurrence, d.Check = r.places.occurrence(where), r.places.check()
	r.deviations = append(r.deviations, d)
}

// Tracer hears of the steps of the run and hands everything on to the tracer given to Begin.
func (r *Recorder) Tracer() Tracer { return listener{&r.places, r.tracer} }

// listener counts the steps of a run for the addresses of its decisions.
type listener struct {
	places *places
	next   Tracer // may be nil
}

func (l listener) Step(step int64, now time.Duration, a *Actor) {
	l.places.step(a)
	if l.next != nil {
		l.next.Step(step, now, a)
	}
}

func (l listener) Value(site Site, n, value int) {
	if l.next != nil {
		l.next.Value(site, n, value)
	}
}

// Read implements kernel.Counter.
func (l listener) Read() bool {
	if c, ok := l.next.(kernel.Counter); ok {
		return c.Read()
	}
	return l.next != nil
}

func (l listener) Note(text string) {
	if l.next != nil {
		l.next.Note(text)
	}
}

// Log and ReadsLog implement kernel.LogReader.
func (l listener) Log(a *Actor, r kernel.LogRecord) {
	l.next.(kernel.LogReader).Log(a, r)
}

func (l listener) ReadsLog() bool {
	next, ok := l.next.(kernel.LogReader)
	return ok && next.ReadsLog()
}

func at(i int, enabled, armed []*Actor) *Actor {
	if i < len(enabled) {
		return enabled[i]
	}
	return armed[i-len(enabled)]
}
