package strategy

import "slices"

// Generation is how many runs a search makes before what they have taught is used. A run learns from the generations before
// its own only, merged in run order, so that what it does depends neither on the number of workers nor on their speed.
const Generation = 256

// Lengths learns how many choices the runs of a scenario have. The zero value has learnt nothing.
type Lengths struct {
	first     []int64 // of the first generation
	learnt    []int64 // of the last whole generation
	gathering []int64
}

// Add notes the choices of the next run, in run order. It must not be called while another goroutine calls Draw.
func (l *Lengths) Add(choices int64) {
	l.gathering = append(l.gathering, max(choices, 1))
	if len(l.gathering) == Generation {
		l.learnt, l.gathering = l.gathering, l.learnt[:0]
		if l.first == nil {
			l.first = slices.Clone(l.learnt)
		}
	}
}

// Draw is the length of a run of the last generation, of the first for a strategy whose runs are alike: which one is drawn by the seed
// of the run that asks. It is 0 if nothing has been learnt. Several goroutines may call it at once.
func (l *Lengths) Draw(s Strategy, seed uint64) int64 {
	from := l.learnt
	if s.Alike() {
		from = l.first
	}
	if len(from) == 0 {
		return 0
	}
	g := generator(seed ^ 0x6C656E67746873)
	return from[g.below(len(from))]
}
