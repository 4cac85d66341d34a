package models

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Spec is a sequential specification of one register: what it answers if its calls come one after the other. A history of
// overlapping calls is linearizable if some order of them, in which no call comes before one that had returned before it began,
// is legal for the specification (Herlihy and Wing, 1990).
//
// A call C carries both its arguments and its answer. Step is a pure function of its arguments. It must accept a call whose
// answer is unknown (see History.Call), as whatever that call may have done.
type Spec[S comparable, C any] struct {
	Name  string
	Start S
	Step  func(state S, call C) (next S, legal bool)
	Call  func(C) string // for a person
	State func(S) string
}

// model is the specification as porcupine takes it. The whole call travels as the input; outputs are not used.
func (s *Spec[S, C]) model(start S) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, _ any) (bool, any) {
			next, legal := s.Step(state.(S), input.(C))
			return legal, next
		},
		DescribeOperation: func(input, _ any) string { return s.Call(input.(C)) },
		DescribeState:     func(state any) string { return s.State(state.(S)) },
	}
}

// History records the calls of many registers of one kind, each under its key, and says in the end whether each of them is
// linearizable. Keys are independent, so each is judged alone.
//
// It numbers calls and returns itself, in the order in which they are told: step numbers would do, but several things
// happen in one step, and their order is known. Virtual time would not do, since it stands still while tasks run.
// A History serves one run at a time and is for one goroutine. Reset makes it ready for the next run and keeps its memory.
type History[S comparable, C any] struct {
	spec   *Spec[S, C]
	limit  int
	tracks []track[S, C]
	index  map[string]Key
	now    int64
	order  []int32 // scratch
}

// track is the history of one key. While calls do not overlap its state is known and nothing is kept.
type track[S comparable, C any] struct {
	key    string
	state  S // before the first of calls
	calls  []call[C]
	open   int
	cut    bool // the limit was reached: only the part before it is judged
	broken bool // a call that overlapped none was illegal; it is the only one in calls
}

type call[C any] struct {
	c           C
	process     int32
	at, until   int64 // the order of calls and returns
	step, ended int64 // for a person
}

// Key names a register of a History.
type Key int32

// CallID names a call that has not returned.
type CallID struct{ track, call int32 }

// NewHistory makes a History of spec that keeps at most limit overlapping calls of a key. What comes after them is not judged:
// the part before is, since each prefix of a linearizable history is linearizable.
func NewHistory[S comparable, C any](spec *Spec[S, C], limit int) *History[S, C] {
	return &History[S, C]{spec: spec, limit: limit, index: map[string]Key{}}
}

// Reset forgets all calls.
func (h *History[S, C]) Reset() {
	for i := range h.tracks {
		h.tracks[i].calls = h.tracks[i].calls[:0]
	}
	h.tracks, h.now = h.tracks[:0], 0
	clear(h.index)
}

// Key is the register of a name, which is made if there is none.
func (h *History[S, C]) Key(name string) Key {
	i, ok := h.index[name]
	if !ok {
		i = Key(len(h.tracks))
		h.index[name] = i
		if cap(h.tracks) > len(h.tracks) {
			h.tracks = h.tracks[:i+1]
		} else {
			h.tracks = append(h.tracks, track[S, C]{})
		}
		h.tracks[i] = track[S, C]{key: name, state: h.spec.Start, calls: h.tracks[i].calls[:0]}
	}
	return i
}

// Call records that process has called a register at a step. c is the call as it is if it never returns: its answer unknown.
func (h *History[S, C]) Call(key Key, process int, step int64, c C) CallID {
	i := int32(key)
	t := &h.tracks[i]
	if t.cut || t.broken {
		return CallID{i, -1}
	}
	if len(t.calls) >= h.limit {
		t.cut = true
		return CallID{i, -1}
	}
	h.now++
	t.open++
	t.calls = append(t.calls, call[C]{c: c, process: int32(process), at: h.now, until: math.MaxInt64, step: step, ended: -1})
	return CallID{i, int32(len(t.calls) - 1)}
}

// Return records that a call has come back, c now with its answer. A call that was cancelled, that timed out or whose task is
// gone does not return: it may take effect at any later time.
func (h *History[S, C]) Return(id CallID, step int64, c C) {
	if id.call < 0 {
		return
	}
	t := &h.tracks[id.track]
	if t.cut {
		return // its return is beyond what is judged
	}
	h.now++
	r := &t.calls[id.call]
	r.c, r.until, r.ended = c, h.now, step
	t.open--
	if len(t.calls) == 1 {
		next, legal := h.spec.Step(t.state, r.c)
		if !legal {
			t.broken = true
			return
		}
		t.state, t.calls = next, t.calls[:0]
	}
}

// Point records a call that takes effect at once.
func (h *History[S, C]) Point(key Key, process int, step int64, c C) {
	h.Return(h.Call(key, process, step, c), step, c)
}

// Verdict of a History. Keys that are undecided are named: unknown is no pass.
type Verdict struct {
	Illegal string                 // the first key that is not linearizable, empty if there is none
	Story   string                 // its calls, in words
	Picture func() ([]byte, error) // and as a page of HTML, while the History is not reset
	Unknown []string
	Cut     int // keys of which only a prefix was judged
	Asked   int // keys that porcupine had to decide; the others had a witness at once
}

// Check judges every key. Orders that are often legal are tried first, and any legal one is a proof; porcupine (Lowe's algorithm,
// 2017) decides the rest. most bounds how many calls it may try for one key, 0 for no bound: a history that is too hard is undecided on every
// machine, however busy.
func (h *History[S, C]) Check(most int) Verdict {
	var v Verdict
	for i := range h.tracks {
		t := &h.tracks[i]
		if t.cut {
			v.Cut++
		}
		if t.broken {
			return h.illegal(v, t)
		}
		if len(t.calls) == 0 || h.witness(t, false) || h.witness(t, true) {
			continue
		}
		v.Asked++
		model, tried := h.spec.model(t.state), 0
		step := model.Step
		model.Step = func(state, input, output any) (bool, any) {
			if tried++; most > 0 && tried > most {
				return false, state
			}
			return step(state, input, output)
		}
		legal := porcupine.CheckOperations(model, h.operations(t))
		switch {
		case most > 0 && tried > most:
			v.Unknown = append(v.Unknown, t.key)
		case !legal:
			return h.illegal(v, t)
		}
	}
	return v
}

func (h *History[S, C]) illegal(v Verdict, t *track[S, C]) Verdict {
	v.Illegal, v.Story = t.key, h.story(t)
	v.Picture = func() ([]byte, error) { return h.picture(t) }
	return v
}

// pictureGuard bounds the wall-clock time of a picture, which then shows the linearizations found by then.
const pictureGuard = 10 * time.Second

// picture is porcupine's page: the calls as bars on a line of time, the longest linearizations of some of them, and where each ends.
func (h *History[S, C]) picture(t *track[S, C]) ([]byte, error) {
	model := h.spec.model(t.state)
	_, found := porcupine.CheckOperationsVerbose(model, h.operations(t), pictureGuard)
	var page bytes.Buffer
	err := porcupine.Visualize(model, found, &page)
	return page.Bytes(), err
}

// witness says whether the calls are legal in the order of their returns (or of their beginnings), which is one of the orders that the
// intervals allow.
func (h *History[S, C]) witness(t *track[S, C], byCall bool) bool {
	h.order = h.order[:0]
	for i := range t.calls {
		h.order = append(h.order, int32(i))
	}
	if !byCall {
		slices.SortStableFunc(h.order, func(a, b int32) int {
			if t.calls[a].until < t.calls[b].until {
				return -1
			}
			if t.calls[a].until > t.calls[b].until {
				return 1
			}
			return 0
		})
	}
	state, legal := t.state, true
	for _, i := range h.order {
		if state, legal = h.spec.Step(state, t.calls[i].c); !legal {
			return false
		}
	}
	return true
}

func (h *History[S, C]) operations(t *track[S, C]) []porcupine.Operation {
	ops := make([]porcupine.Operation, len(t.calls))
	for i, c := range t.calls {
		ops[i] = porcupine.Operation{ClientId: int(c.process), Input: c.c, Call: c.at, Return: c.until}
	}
	return ops
}

// story lists the calls of a key with the steps of call and return.
func (h *History[S, C]) story(t *track[S, C]) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, first %s:", h.spec.Name, t.key, h.spec.State(t.state))
	for _, c := range t.calls {
		ended := "open"
		if c.ended >= 0 {
			ended = fmt.Sprint(c.ended)
		}
		fmt.Fprintf(&b, " [%d..%s by %d] %s;", c.step, ended, c.process, h.spec.Call(c.c))
	}
	return strings.TrimSuffix(b.String(), ";")
}
