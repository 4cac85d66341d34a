package shrink

import (
	"fmt"
	"slices"
	"strings"
)

// What an explanation says in words: decisions, steps, and what comes between what.

// instead is what a note of the set-up says in place of another one: the parts that differ.
func instead(here, there string) string {
	split := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' })
	}
	mine, others := split(here), split(there)
	for len(mine) > 0 && len(others) > 0 && mine[0] == others[0] {
		mine, others = mine[1:], others[1:]
	}
	for len(mine) > 0 && len(others) > 0 && mine[len(mine)-1] == others[len(others)-1] {
		mine, others = mine[:len(mine)-1], others[:len(others)-1]
	}
	join := func(parts []string) string {
		if len(parts) == 0 {
			return "nothing"
		}
		return strings.TrimSpace(strings.Join(parts, ","))
	}
	return fmt.Sprintf("%s, instead of %s", join(mine), join(others))
}

// decision is a decision in words.
func (e *explainer) decision(i int) string {
	d := e.list[i]
	if name, ok := e.whole.names[d.Object]; ok {
		d.Object = name
	}
	if e.whole.chances[i] {
		return d.Taken()
	}
	return d.String()
}

// means says what a decision lets come before what, by the steps of both sides that meet at an object: those of whoever moves instead, and
// those of whoever would have moved.
func (e *explainer) means(at int, other *chronicle) string {
	moments := e.whole.moments
	early := moments[at]
	if at >= len(other.moments) {
		return ""
	}
	late := other.moments[at].actor // who moves there by default
	if late == early.actor {
		return ""
	}
	resumes := slices.IndexFunc(moments[at:], func(m moment) bool { return m.actor == late })
	if resumes < 0 {
		resumes = len(moments)
	} else {
		resumes += at
	}
	last := resumes - 1
	for ; last > at && moments[last].actor != early.actor; last-- {
	}
	from, to, after := at, last, resumes
	if resumes == len(moments) { // it never does what it would have done
		if y := e.meets(at, last, early.actor, &other.moments[at]); y >= 0 {
			to = y
		}
		e.ends[from], e.ends[to] = true, true
		never := other.moments[at]
		return fmt.Sprintf("%s before %s could %s", e.stretch(from, to), never.task, strings.TrimSpace(never.operation+" "+never.object))
	}
	for z := resumes; z < len(moments); z++ {
		if moments[z].actor != late {
			continue
		}
		if y := e.meets(at, last, early.actor, &moments[z]); y >= 0 {
			to, after = y, z
			break
		}
	}
	before := -1
	for x := at - 1; x > 0 && before < 0; x-- {
		if moments[x].actor == late && moments[x].kind == early.kind {
			before = x
		}
	}
	e.ends[from], e.ends[to], e.ends[after] = true, true, true
	if before < 0 {
		return fmt.Sprintf("%s before %s", e.stretch(from, to), e.whole.point(after))
	}
	e.ends[before] = true
	return fmt.Sprintf("%s between %s and %s", e.stretch(from, to), e.whole.point(before), e.whole.point(after).operation())
}

// stretch is some steps of an actor in a few words.
func (e *explainer) stretch(from, to int) string {
	what := e.whole.point(from).String()
	if to != from {
		what += " until " + e.whole.point(to).operation()
	}
	return what
}

// meets is the last step of an actor in a stretch that touches what a step touches; -1 for none.
func (e *explainer) meets(from, to int, actor uint64, m *moment) int {
	for y := to; y >= from; y-- {
		if o := &e.whole.moments[y]; o.actor == actor && o.meet(m) != "" {
			return y
		}
	}
	return -1
}

// difference describes the first moment that differs.
func (c *chronicle) difference(other *chronicle, at int) *Difference {
	d := &Difference{Step: int64(at), Here: c.told(at), There: other.told(at)}
	if at >= len(c.moments) || at >= len(other.moments) || !c.moments[at].is(&other.moments[at]) {
		return d
	}
	for i := 0; d.Here == d.There || i == 0; i++ { // what the step meant differs
		d.Here, d.There = note(c.moments[at].notes, i), note(other.moments[at].notes, i)
	}
	return d
}

// told is a moment in a few words; past the end, that there is none.
func (c *chronicle) told(i int) string {
	if i >= len(c.moments) {
		return "the run has ended"
	}
	return c.point(i).String()
}

func note(notes []string, i int) string {
	if i < len(notes) {
		return notes[i]
	}
	return "nothing of the kind"
}

// soon is within how many steps, with nobody else's between, what a step leads to counts as its meaning: a lock, and what is done under it.
const soon = 5

// point is a moment in a few words.
func (c *chronicle) point(i int) Point {
	m := c.moments[i]
	p := Point{Step: m.step, Task: m.task, Operation: m.operation, Object: m.object}
	for ; len(p.Meaning) == 0 && i < len(c.moments) && c.moments[i].step < m.step+soon && c.moments[i].actor == m.actor; i++ {
		p.Meaning = meanings(c.moments[i].notes)
	}
	return p
}

func (p Point) operation() string {
	text := fmt.Sprintf("%s (step %d", strings.TrimSpace(p.Operation+" "+p.Object), p.Step)
	if len(p.Meaning) > 0 {
		text += ": " + p.Meaning[0]
	}
	return text + ")"
}

// String is the step in a few words.
func (p Point) String() string { return p.Task + "'s " + p.operation() }

// String is what comes before what, or between what.
func (o Order) String() string {
	if o.Until != nil {
		return fmt.Sprintf("%s between %s and %s", o.Then, o.First, o.Until.operation())
	}
	return fmt.Sprintf("%s before %s", o.First, o.Then)
}

// telling says whether both steps of an order mean something.
func (o Order) telling() bool { return len(o.First.Meaning) > 0 && len(o.Then.Meaning) > 0 }

// Decisive is the step that decides, as far as one does: the one that comes too early, or in between, in the most telling order; without any
// order the last one of what the failure needs; and without that too the one in which the property failed.
func (e *Explanation) Decisive() int64 {
	for _, o := range e.Orders {
		if o.telling() {
			return o.Then.Step
		}
	}
	if len(e.Orders) > 0 {
		return e.Orders[0].Then.Step
	}
	for _, line := range slices.Backward(e.Story) {
		if line.Decisive {
			return line.Step
		}
	}
	return e.Steps
}

// mostSentences bounds what the bug is said to need.
const mostSentences = 3

// bug says what the bug needs, the most telling first: orders of steps that mean something, else who moves when; then the faults that strike
// while it runs; and if there is nothing of that kind, any order, else its inputs.
func (e *explainer) bug() (sentences []string) {
	say := func(sentence string) {
		if len(sentences) < mostSentences && !slices.Contains(sentences, sentence) {
			sentences = append(sentences, sentence)
		}
	}
	orders := func(telling bool) {
		for _, o := range e.result.Orders {
			if telling == o.telling() {
				say(o.String())
			}
		}
	}
	needs := func(kind func(i int) bool) {
		for i, n := range e.result.Needs {
			if n.Larger || !kind(i) {
				continue
			}
			if n.Means != "" {
				say(n.Means)
			} else {
				say(n.Decision)
			}
		}
	}
	if orders(true); len(sentences) == 0 {
		needs(func(i int) bool { return e.list[i].Value == 0 })
	}
	needs(func(i int) bool { return e.list[i].Value > 0 && e.result.Needs[i].Step > 0 && e.whole.chances[i] })
	if len(sentences) == 0 {
		orders(false)
	}
	if len(sentences) == 0 {
		needs(func(int) bool { return true })
	}
	return sentences
}
