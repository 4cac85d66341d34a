package strategy

import "github.com/heddle-go/heddle/sim/choice"

// surw is the selectively uniform random walk: Zhao, Wolff, Mathur and Roychoudhury, "Selectively Uniform Concurrency Testing",
// ASPLOS 2025. Each run has a subset of steps that interest it, and is uniform over the orders of these alone: a far smaller set than
// that of all schedules, so that each of its members is tried. The actor that shall make the next interesting step is drawn
// first, with a chance proportional to the number of them that it has yet to make. Until it has made it, no other makes one;
// steps without interest are made as by random.
//
// Where it departs from the paper, beside what urw does:
//
//   - The subset of a run is all operations on the objects of one class, drawn from those that more than one actor came to in the
//     last generation. In a small program that is one object, in a large one some.
//   - The actor is drawn among those that can move. If it cannot make an interesting step before every other that can move wants
//     to, or within [choice.Quantum] choices, another is drawn among these: the counts are estimates, and it may never.
//   - If the actor spawns another one, it hands its turn over with the chance that the step is the child's.
type surw struct {
	generator generator
	strikes   strikes
	choices   int64
	forecast  forecast
	intended  int32 // id of the actor that shall make the next interesting step; 0: not drawn
	waited    int   // choices for which it has kept others waiting

	interests []bool // by place among the actors of the choice: its next step is interesting
	free      []int  // the places of those that need not wait for the intended one
}

func (s *surw) Begin(seed uint64, length int64) {
	s.generator = generator(seed)
	s.choices = 0
	s.strikes.begin(&s.generator, length)
	s.Learn(Known{}, nil)
}

// Learn implements [Learner].
func (s *surw) Learn(known Known, lessons *Lessons) {
	s.forecast.begin(known.Weights, lessons)
	s.intended, s.waited = 0, 0
}

func (s *surw) Choices() int64 { return s.choices }

func (s *surw) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	s.choices++
	if len(armed) > 0 {
		if i := s.strikes.next(&s.generator, armed); i >= 0 {
			return len(enabled) + i
		}
	}
	if !s.forecast.informed {
		return s.generator.below(len(enabled))
	}
	s.interests, s.free = s.interests[:0], s.free[:0]
	for _, a := range enabled {
		s.see(a)
		s.interests = append(s.interests, s.interesting(a))
	}
	if s.intended == 0 {
		s.intend(enabled, false)
	}
	for i, a := range enabled {
		if held := s.intended != 0 && a.ID != s.intended && s.interests[i]; !held {
			s.free = append(s.free, i)
		}
	}
	if len(s.free) < len(enabled) {
		s.waited++
	}
	if len(s.free) == 0 || s.waited > choice.Quantum {
		s.intend(enabled, true)
		return s.position(enabled)
	}
	return s.free[s.generator.below(len(s.free))]
}

// intend draws the actor that shall make the next interesting step. With wanting, only those that are about to make one are drawn.
func (s *surw) intend(enabled []*choice.Actor, wanting bool) {
	s.intended, s.waited = 0, 0
	sum := 0
	for i, a := range enabled {
		sum += s.weight(a, s.interests[i], wanting)
	}
	if sum == 0 {
		return
	}
	drawn := s.generator.below(sum)
	for i, a := range enabled {
		if drawn -= s.weight(a, s.interests[i], wanting); drawn < 0 {
			s.intended = a.ID
			return
		}
	}
}

func (s *surw) weight(a *choice.Actor, interesting, wanting bool) int {
	if wanting && !interesting {
		return 0
	}
	slot, _ := s.forecast.of(a)
	if interesting {
		return max(int(slot.steps), unit)
	}
	return max(int(slot.steps), 0)
}

// position is that of the intended actor.
func (s *surw) position(enabled []*choice.Actor) int {
	for i, a := range enabled {
		if a.ID == s.intended {
			return i
		}
	}
	return 0
}

func (s *surw) interesting(a *choice.Actor) bool { return siteOf(a) == s.forecast.known.Site }

func (s *surw) see(a *choice.Actor) *ahead {
	slot, begot := s.forecast.of(a)
	if !begot {
		return slot
	}
	all, ok := s.forecast.pass(a, slot)
	if ok && slot.steps > 0 && a.Parent().ID == s.intended && s.generator.below(int(max(all, slot.steps))) < int(slot.steps) {
		s.intended = a.ID
	}
	return slot
}

// Moved implements [choice.Follower].
func (s *surw) Moved(a *choice.Actor) {
	if !scheduled(a) {
		return
	}
	slot := s.see(a)
	interesting := s.forecast.informed && s.interesting(a)
	if interesting {
		s.intended, s.waited = 0, 0
	}
	s.forecast.made(a, slot, interesting, true)
}

func (s *surw) Value(_ choice.Site, n int) int { return s.generator.below(n) }
