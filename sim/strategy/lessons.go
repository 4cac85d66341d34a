package strategy

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

// Draw is what a run of that seed under a single strategy shall expect; the zero value if the strategy needs nothing or nothing
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
