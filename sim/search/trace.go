package search

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// Event is a line of a trace: a step, a value that was decided, or a note.
type Event struct {
	Step int64         `json:"step"`
	Time time.Duration `json:"time_ns"` // virtual, since the run began

	Actor     string `json:"actor,omitempty"` // of a step, or who asked for the value
	Operation string `json:"operation,omitempty"`
	Object    string `json:"object,omitempty"`
	Name      string `json:"-"` // what people call the object (sched.Named), if not so

	Site  string `json:"site,omitempty"` // of a value
	Of    int    `json:"of,omitempty"`   // how many values there were
	Value int    `json:"value,omitempty"`

	Note string `json:"note,omitempty"`

	Log *sim.LogRecord `json:"log,omitempty"` // what the actor has logged
}

// String says in a few words what happened.
func (e Event) String() string {
	switch {
	case e.Operation != "":
		return strings.TrimSpace(e.Actor + ": " + e.Operation + " " + e.Called())
	case e.Site != "":
		return fmt.Sprintf("%s = %d (below %d)", e.Site, e.Value, e.Of)
	case e.Log != nil:
		return LogText(e.Log)
	default:
		return e.Note
	}
}

// Called is what people call the object.
func (e Event) Called() string {
	if e.Name != "" {
		return e.Name
	}
	return e.Object
}

// Tracer turns what a run tells into events and hands them on, in order. It serves one run.
type Tracer struct {
	sink    func(Event)
	log     bool
	step    int64
	time    time.Duration
	actors  map[int32]string
	objects map[int32]object
}

// object is an object as a trace tells of it.
type object struct{ path, name string }

// NewTracer makes a tracer; sink is called for each event.
func NewTracer(sink func(Event)) *Tracer {
	return &Tracer{sink: sink, actors: map[int32]string{}, objects: map[int32]object{}}
}

// WithLog lets the tracer also hand on what programs log.
func (t *Tracer) WithLog() *Tracer {
	t.log = true
	return t
}

var _ sim.LogReader = (*Tracer)(nil)

// Step implements sim.Tracer.
func (t *Tracer) Step(step int64, now time.Duration, a *choice.Actor) {
	t.step, t.time = step, now
	o := t.object(a.Object())
	t.sink(Event{Step: step, Time: now, Actor: t.actor(a), Operation: a.Op.String(), Object: o.path, Name: o.name})
}

// Value implements sim.Tracer.
func (t *Tracer) Value(site choice.Site, n, value int) {
	o := t.object(site.Object)
	t.sink(Event{Step: t.step, Time: t.time, Actor: t.actor(site.Actor), Object: o.path, Name: o.name, Site: site.Name, Of: n, Value: value})
}

// Note implements sim.Tracer.
func (t *Tracer) Note(text string) { t.sink(Event{Step: t.step, Time: t.time, Note: text}) }

// Log implements sim.LogReader.
func (t *Tracer) Log(a *choice.Actor, r sim.LogRecord) {
	t.sink(Event{Step: t.step, Time: t.time, Actor: t.actor(a), Log: &r})
}

// ReadsLog implements sim.LogReader.
func (t *Tracer) ReadsLog() bool { return t.log }

func (t *Tracer) actor(a *choice.Actor) string {
	if a == nil {
		return ""
	}
	path, ok := t.actors[a.ID]
	if !ok {
		path = a.Path()
		t.actors[a.ID] = path
	}
	return path
}

func (t *Tracer) object(o *choice.Object) object {
	if o == nil {
		return object{}
	}
	told, ok := t.objects[o.ID()]
	if !ok {
		told.path = o.Path()
		if name := o.Name(); name != told.path {
			told.name = name
		}
		t.objects[o.ID()] = told
	}
	return told
}

// LogText is a record in a line, much as a slog.TextHandler writes it: the node, the level, the message, and the attributes.
func LogText(r *sim.LogRecord) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s", r.Node, r.Level, oneLine(r.Message))
	for _, a := range r.Attributes {
		value := a.Value
		if value == "" || strings.ContainsAny(value, " \"=") || oneLine(value) != value {
			value = strconv.Quote(value)
		}
		fmt.Fprintf(&b, " %s=%s", oneLine(a.Key), value)
	}
	return b.String()
}

// Shortened is a text of at most so many bytes, with the length that it has if that is more.
func Shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("... (%d bytes)", len(text))
}

// oneLine is a text without line breaks and other control characters.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	return strings.Trim(strconv.Quote(text), `"`)
}

// lastEvents keeps the last so many events.
type lastEvents struct {
	most   int
	ring   []Event
	next   int // where the oldest is, once the ring is full
	missed int64
}

func (l *lastEvents) add(e Event) {
	if len(l.ring) < l.most {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.next] = e
	l.next = (l.next + 1) % l.most
	l.missed++
}

func (l *lastEvents) events() []Event {
	return append(append([]Event{}, l.ring[l.next:]...), l.ring[:l.next]...)
}
