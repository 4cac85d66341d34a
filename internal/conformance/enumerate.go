package conformance

import "github.com/heddle-go/heddle/sim/choice"

// Enumerator decides in every possible way, one run after another, depth first. It keeps the answers of the last run as the
// digits of a number whose bases are what there was to choose from, and counts: the last digit that can rise does, and those
// behind it start at 0 again (TigerBeetle's exhaustigen). Digits 0 2 1 with bases 2 3 2 are followed by 1.
//
//	for e := new(Enumerator); e.Next(); { run with e as the source }
type Enumerator struct {
	digits  []digit
	depth   int // digits used in this run
	started bool
}

type digit struct{ value, base int }

// Next prepares the next run; false: all have been made. The run before must have ended.
func (e *Enumerator) Next() bool {
	if !e.started {
		e.started = true
		return true
	}
	e.digits = e.digits[:e.depth]
	e.depth = 0
	for n := len(e.digits); n > 0; n-- {
		if last := &e.digits[n-1]; last.value+1 < last.base {
			last.value++
			e.digits = e.digits[:n]
			return true
		}
	}
	return false
}

// Chance is how likely the run that has been made is if every decision is drawn uniformly.
func (e *Enumerator) Chance() float64 {
	chance := 1.0
	for _, d := range e.digits[:e.depth] {
		chance /= float64(d.base)
	}
	return chance
}

// Schedule serves choice.Source.
func (e *Enumerator) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	return e.decide(len(enabled) + len(armed))
}

// Value serves choice.Source.
func (e *Enumerator) Value(_ choice.Site, n int) int { return e.decide(n) }

func (e *Enumerator) decide(base int) int {
	if e.depth == len(e.digits) {
		e.digits = append(e.digits, digit{base: base})
	}
	d := e.digits[e.depth]
	if d.base != base {
		panic("conformance: the program is not deterministic: it offers another number of choices than in the run before")
	}
	e.depth++
	return d.value
}
