package shrink

import (
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// moment is a step of a run, with all that a person may want to know of it. The first moment of a run is its set-up.
type moment struct {
	step      int64
	time      time.Duration
	actor     uint64 // hash of its path
	path      uint64 // of the object
	kind      kernel.ActorKind
	task      string
	operation string
	object    string
	touched   []touch
	notes     []string
	decided   []int // decisions beside the default that were made for it or in the course of it: their numbers in the list
}

// touch is what a step did to an object.
type touch struct {
	object int32
	op     choice.Op
	name   string
}

// is says whether two moments are the same step.
func (m *moment) is(other *moment) bool {
	return m.actor == other.actor && m.operation == other.operation && m.path == other.path && m.time == other.time
}

// chronicle is a tracer that writes down a run, moment by moment.
type chronicle struct {
	moments  []moment
	recorder *choice.Recorder // may be nil: then it is not known which decision belongs where
	known    int              // decisions that were given their moment
	chances  map[int]bool     // decisions that are a chance that was taken
	tasks    map[int32]string
	objects  map[int32]string
	names    map[string]string // of objects, by their paths
}

func newChronicle(recorder *choice.Recorder) *chronicle {
	return &chronicle{
		moments: []moment{{task: "set-up"}}, recorder: recorder, chances: map[int]bool{}, tasks: map[int32]string{}, objects: map[int32]string{},
		names: map[string]string{},
	}
}

func (c *chronicle) last() *moment { return &c.moments[len(c.moments)-1] }

// Step implements [choice.Tracer].
func (c *chronicle) Step(step int64, now time.Duration, a *choice.Actor) {
	m := moment{step: step, time: now, actor: a.PathHash(), kind: a.Kind, path: a.Object().PathHash(), task: c.task(a), operation: a.Op.String(), object: c.object(a.Object())}
	for i := range a.Accesses() {
		if o, op := a.Access(i); o != nil {
			m.touched = append(m.touched, touch{o.ID(), op, c.object(o)})
		}
	}
	c.moments = append(c.moments, m)
	c.decide()
}

// Value implements [choice.Tracer].
func (c *chronicle) Value(site choice.Site, n, value int) {
	if c.decide() && site.Chance && value == n-1 {
		c.chances[c.known-1] = true
	}
}

// Note implements [choice.Tracer].
func (c *chronicle) Note(text string) { c.last().notes = append(c.last().notes, text) }

// decide gives the moment the decision that was made last, if one was.
func (c *chronicle) decide() bool {
	if c.recorder == nil || len(c.recorder.Deviations()) == c.known {
		return false
	}
	c.last().decided = append(c.last().decided, c.known)
	c.known++
	return true
}

func (c *chronicle) task(a *choice.Actor) string {
	name, ok := c.tasks[a.ID]
	if !ok {
		name = a.Path()
		c.tasks[a.ID] = name
	}
	return name
}

func (c *chronicle) object(o *choice.Object) string {
	if o == nil {
		return ""
	}
	name, ok := c.objects[o.ID()]
	if !ok {
		name = o.Name()
		c.objects[o.ID()], c.names[o.Path()] = name, name
	}
	return name
}
