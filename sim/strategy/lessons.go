package strategy

import (
	"encoding/binary"
	"errors"

	"github.com/heddle-go/heddle/sim/choice"
)

// Lessons are what the runs of a generation have shown of their actors: how many steps one and all that it begets make, and
// how many of them touch which objects. Actors are told apart by [choice.Actor.Class], objects by their paths, and both are folded
// into a fixed number of classes, so that lessons are flat in the length of a run and short in a token. Where classes
// coincide their mean counts.
type Lessons struct {
	actors [classes]int64            // seen
	steps  [1 + sites][classes]int64 // of them and what they begot: in all, then by the class of the object
	shared [sites]int64              // how often an actor came to objects of the class after another one
}

const (
	classes = 64 // of actors
	sites   = 64 // of objects

	unit = 16 // expected steps are kept in sixteenths
)

// Take adds other's lessons and leaves it with none.
func (l *Lessons) Take(other *Lessons) {
	for c := range l.actors {
		l.actors[c] += other.actors[c]
	}
	for i := range l.steps {
		for c := range l.steps[i] {
			l.steps[i][c] += other.steps[i][c]
		}
	}
	for i := range l.shared {
		l.shared[i] += other.shared[i]
	}
	*other = Lessons{}
}

// Weights is what was learnt for one run: the steps to expect of an actor of each class, with those that it begets. The zero
// value is that nothing is known.
type Weights struct {
	// Site is whose steps count: 0 for all, else 1 + the class of the objects that they touch.
	Site  int
	Steps [classes]uint32 // in units of 1/16
}

func (w *Weights) known() bool { return *w != Weights{} }

// weights is the mean number of steps at a site.
func (l *Lessons) weights(site int) Weights {
	w := Weights{Site: site}
	for c, n := range l.actors {
		if n > 0 {
			w.Steps[c] = uint32(l.steps[site][c] * unit / n)
		}
	}
	return w
}

// site draws a class of objects that more than one actor comes to; 0 if there is none.
func (l *Lessons) site(seed uint64) int {
	n := 0
	for _, shared := range l.shared {
		if shared > 0 {
			n++
		}
	}
	if n == 0 {
		return 0
	}
	g := generator(seed ^ 0x73697465)
	drawn := g.below(n)
	for i, shared := range l.shared {
		if shared > 0 {
			if drawn == 0 {
				return 1 + i
			}
			drawn--
		}
	}
	return 0
}

// Encode is the text of weights for a token, not for people; empty if nothing is known.
func (w *Weights) Encode() string {
	if !w.known() {
		return ""
	}
	b := binary.AppendUvarint(nil, uint64(w.Site))
	skipped := 0
	for _, n := range w.Steps {
		if n == 0 {
			skipped++
			continue
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(skipped)), uint64(n))
		skipped = 0
	}
	return string(b)
}

// DecodeWeights is the inverse of Encode. Its error is one line.
func DecodeWeights(text string) (Weights, error) {
	var w Weights
	if text == "" {
		return w, nil
	}
	damaged := errors.New("what its strategy had learnt is damaged")
	rest := []byte(text)
	number := func(most uint64) int {
		v, n := binary.Uvarint(rest)
		if n <= 0 || v > most {
			rest = nil
			return -1
		}
		rest = rest[n:]
		return int(v)
	}
	if w.Site = number(sites); w.Site < 0 {
		return Weights{}, damaged
	}
	for c := 0; len(rest) > 0; c++ {
		skipped := number(classes)
		c += skipped
		n := number(1<<32 - 1)
		if skipped < 0 || n < 1 || c >= classes {
			return Weights{}, damaged
		}
		w.Steps[c] = uint32(n)
	}
	return w, nil
}

// Experience is what the runs of a scenario have taught beside their lengths, generation by generation as [Lengths]. The zero
// value has learnt nothing.
type Experience struct {
	learnt    Lessons // of the last whole generation
	gathering Lessons
	turned    bool
}

// Add takes lessons of the generation under way. They add up, so it does not matter in what order its runs were made. Neither Add
// nor Turn may be called while another goroutine calls Draw.
func (e *Experience) Add(lessons *Lessons) { e.gathering.Take(lessons) }

// Turn ends a generation.
func (e *Experience) Turn() {
	e.learnt = Lessons{}
	e.learnt.Take(&e.gathering)
	e.turned = true
}

// Draw is what a run of that seed under a single strategy shall know; the zero value if the strategy needs nothing or nothing
// has been learnt.
func (e *Experience) Draw(s Strategy, seed uint64) Weights {
	switch {
	case !e.turned || s.learns == learnsNothing:
		return Weights{}
	case s.learns == learnsSteps:
		return e.learnt.weights(0)
	}
	if site := e.learnt.site(seed); site > 0 {
		return e.learnt.weights(site)
	}
	return Weights{}
}

// Learner is a source that is decided by more than a seed and a length.
type Learner interface {
	Source
	choice.Follower
	// Learn is called after Begin: the run is decided by what is known, and adds what it shows to lessons if that is not nil.
	Learn(known Weights, lessons *Lessons)
}

// learning is what a strategy learns beside the lengths of runs.
type learning uint8

const (
	learnsNothing learning = iota
	learnsSteps
	learnsSites
)

// Learns says whether sources of the strategy, or of a part of it, are Learners.
func (s Strategy) Learns() bool {
	for _, part := range s.parts {
		if part.Learns() {
			return true
		}
	}
	return s.learns != learnsNothing
}
