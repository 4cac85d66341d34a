package report

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

// Trace is a run, and what it came to.
type Trace struct {
	Scenario string         `json:"scenario"`
	Property string         `json:"property"` // empty: the run violated nothing
	Message  string         `json:"message"`
	FailedAt int64          `json:"failed_at"` // step
	Steps    int64          `json:"steps"`     // of the run; there may be events of its beginning only
	Hash     string         `json:"trace_hash"`
	Replay   string         `json:"replay"`
	Events   []search.Event `json:"-"`
}

// WriteTraceLines writes a trace as JSON Lines: a line that tells of the run, then one for each event.
func WriteTraceLines(out io.Writer, t Trace) error {
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	head := struct {
		Format string `json:"format"`
		Trace
	}{"heddle trace 1", t}
	if err := e.Encode(head); err != nil {
		return err
	}
	for _, event := range t.Events {
		if err := e.Encode(event); err != nil {
			return err
		}
	}
	return w.Flush()
}

// chromeEvent is an event of the Trace Event Format (Google 2016), which Perfetto and chrome://tracing open. Times are in microseconds.
type chromeEvent struct {
	Name      string `json:"name"`
	Category  string `json:"cat,omitempty"`
	Phase     string `json:"ph"` // X: with a duration; i: an instant; C: a counter; M: a name
	Time      int64  `json:"ts"`
	Duration  int64  `json:"dur,omitempty"`
	Process   int    `json:"pid"`
	Thread    int    `json:"tid"`
	Scope     string `json:"s,omitempty"` // of an instant: t, the thread's; g, everybody's
	Arguments any    `json:"args,omitempty"`
}

// The arguments of events.
type (
	chromeName struct {
		Name string `json:"name"`
	}
	chromeOrder struct {
		Index int `json:"sort_index"`
	}
	chromeStep struct {
		Step   int64  `json:"step"`
		Time   string `json:"virtual_time"`
		Object string `json:"object,omitempty"`
	}
	chromeValue struct {
		Step   int64  `json:"step"`
		Value  int    `json:"value"`
		Below  int    `json:"below"`
		Object string `json:"object,omitempty"`
	}
	chromeNote struct {
		Step int64  `json:"step"`
		Note string `json:"note"`
	}
	chromeLog struct {
		Step int64 `json:"step"`
		*sim.LogRecord
	}
	chromeClock struct {
		Milliseconds float64 `json:"ms"`
	}
)

// WriteChromeTrace writes a trace as trace events: a thread for each task, timer, link and fault rule, by when it first moves. A step lasts a
// microsecond, as virtual time stands still while tasks run; virtual time is a counter. Values and notes are instants on the thread of the
// step in whose course they came, and a violation is one of all threads.
func WriteChromeTrace(out io.Writer, t Trace) error {
	c := chrome{w: bufio.NewWriter(out), threads: map[string]int{}}
	c.write(`{"displayTimeUnit":"ns","otherData":`)
	c.encode(t)
	c.write(`,"traceEvents":[`)
	c.event(chromeEvent{Name: "process_name", Phase: "M", Arguments: chromeName{"heddle: " + t.Scenario}})
	c.thread("set-up")
	acting, clock := "set-up", time.Duration(-1)
	for _, e := range t.Events {
		if e.Time != clock {
			clock = e.Time
			c.event(chromeEvent{Name: "virtual time", Phase: "C", Time: e.Step, Arguments: chromeClock{float64(clock) / float64(time.Millisecond)}})
		}
		switch {
		case e.Operation != "":
			acting = e.Actor
			c.event(chromeEvent{
				Name: strings.TrimSpace(e.Operation + " " + e.Object), Category: "step", Phase: "X", Time: e.Step, Duration: 1, Thread: c.thread(acting),
				Arguments: chromeStep{e.Step, e.Time.String(), e.Object},
			})
		case e.Site != "":
			c.event(chromeEvent{
				Name: e.Site, Category: "value", Phase: "i", Time: e.Step, Scope: "t", Thread: c.thread(acting),
				Arguments: chromeValue{e.Step, e.Value, e.Of, e.Object},
			})
		case e.Log != nil:
			c.event(chromeEvent{
				Name: firstLine(e.Log.Message), Category: "log", Phase: "i", Time: e.Step, Scope: "t", Thread: c.thread(acting), Arguments: chromeLog{e.Step, e.Log},
			})
		default:
			c.event(chromeEvent{
				Name: firstLine(e.Note), Category: "note", Phase: "i", Time: e.Step, Scope: "t", Thread: c.thread(acting),
				Arguments: chromeNote{e.Step, e.Note},
			})
		}
	}
	if t.Property != "" {
		c.event(chromeEvent{Name: "violates " + t.Property, Category: "violation", Phase: "i", Time: t.FailedAt, Scope: "g", Thread: c.thread(acting), Arguments: t})
	}
	c.write("\n]}\n")
	if c.err != nil {
		return c.err
	}
	return c.w.Flush()
}

// chrome writes trace events. The first error ends it.
type chrome struct {
	w       *bufio.Writer
	threads map[string]int // by path of the actor
	begun   bool           // an event was written
	err     error
}

func (c *chrome) write(text string) {
	if c.err == nil {
		_, c.err = c.w.WriteString(text)
	}
}

func (c *chrome) encode(value any) {
	content, err := json.Marshal(value)
	if c.err == nil {
		c.err = err
	}
	c.write(string(content))
}

// event writes an event on a line of its own.
func (c *chrome) event(e chromeEvent) {
	separator := "\n"
	if c.begun {
		separator = ",\n"
	}
	c.begun = true
	e.Process = 1
	c.write(separator)
	c.encode(e)
}

// thread is the number of an actor's thread, which is named when it is new.
func (c *chrome) thread(actor string) int {
	id, ok := c.threads[actor]
	if !ok {
		id = len(c.threads) + 1
		c.threads[actor] = id
		c.event(chromeEvent{Name: "thread_name", Phase: "M", Thread: id, Arguments: chromeName{actor}})
		c.event(chromeEvent{Name: "thread_sort_index", Phase: "M", Thread: id, Arguments: chromeOrder{id}})
	}
	return id
}
