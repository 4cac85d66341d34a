package strategy

import (
	"math"

	"github.com/heddle-go/heddle/sim/choice"
)

// pct is probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with
// probabilistic guarantees of finding bugs", ASPLOS 2010. Every actor has a random priority and the highest that can move does.
// At depth-1 random points of the run the actor about to move falls below all others. A bug that needs depth ordering
// constraints is found, in a run of at most k choices among n actors, with a chance of at least 1/(n k^(depth-1)).
//
// Where it departs from the paper:
//
//   - k counts choices, not instructions: a step without an alternative cannot be a point where an order is decided.
//   - k is not given but learnt: it is the length of a run of an earlier generation, drawn anew for each run, so that scenarios
//     with short and long runs get points that fit both. The guarantee holds for the k that was drawn. Before anything is
//     learnt k is drawn log-uniformly below 2^guessedWidth.
//   - Deliveries and due timers are actors with a priority, too. n is the number of all of them.
//   - The paper's schedule is not fair, and would let a task that spins starve the one that it waits for. A task that was chosen
//     [choice.Quantum] times in a row falls below all others, and after 4 k and fairAfter choices the rest of the run is decided
//     as by random (Coyote's fair PCT). Both lie beyond the runs that the guarantee speaks of.
//   - Faults and values are drawn as by random: the guarantee is for the schedule alone, given these.
type pct struct {
	generator generator
	strikes   strikes
	choices   int64
	seed      uint64  // of the priorities
	points    []int64 // choices at which a priority changes, in no order; the place is the new priority, lowest first
	next      int64   // the earliest point that is still to come; 0: none
	fairFrom  int64   // first choice that is decided as by random

	// lowered holds the actors that have fallen; their rank is below every priority. The first len(points) slots belong to
	// the points, the rest is a ring for spinners. used is how far slots have been used in this run.
	lowered []lowered
	used    int
	spun    int // spinners lowered so far

	last   int32 // id of the actor chosen last
	streak int   // choices in a row for it
}

type lowered struct {
	id   int32 // 0: free
	rank uint64
}

const (
	maxDepth  = 16
	spinners  = 8       // how many spinners are remembered; an older one gets its first priority back
	fairAfter = 1 << 14 // choices

	firstPriority = 1 << 63 // priorities from birth on lie above
	pointRank     = 1 << 32 // ranks of points lie above, of spinners below
)

func newPCT(depth int) *pct {
	return &pct{points: make([]int64, depth-1), lowered: make([]lowered, depth-1+spinners)}
}

func (p *pct) Begin(seed uint64, length int64) {
	p.generator = generator(seed)
	p.seed = p.generator.next()
	p.strikes.begin(&p.generator, length)
	if length == 0 {
		length = p.generator.logUniform(guessedWidth)
	}
	for i := range p.points {
		p.points[i] = 1 + int64(p.generator.below(int(length)))
	}
	clear(p.lowered)
	p.choices, p.used, p.spun, p.last, p.streak = 0, 0, 0, 0, 0
	p.fairFrom = fairAfter + 4*length
	p.plan()
}

// plan finds the earliest point that is still to come.
func (p *pct) plan() {
	p.next = 0
	for _, at := range p.points {
		if at > p.choices && (p.next == 0 || at < p.next) {
			p.next = at
		}
	}
}

func (p *pct) Choices() int64 { return p.choices }

func (p *pct) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	p.choices++
	if len(armed) > 0 {
		if i := p.strikes.next(&p.generator, armed); i >= 0 {
			return len(enabled) + i
		}
	}
	if p.choices >= p.fairFrom {
		return p.generator.below(len(enabled))
	}
	i := p.highest(enabled)
	if p.choices == p.next {
		for point, at := range p.points {
			if at == p.choices {
				p.lower(point, enabled[i].ID, pointRank+uint64(point))
				i = p.highest(enabled)
			}
		}
		p.plan()
	}
	if p.streak >= choice.Quantum && enabled[i].ID == p.last && len(enabled) > 1 {
		p.spun++
		p.lower(len(p.points)+p.spun%spinners, p.last, pointRank-uint64(p.spun))
		i = p.highest(enabled)
	}
	if id := enabled[i].ID; id == p.last {
		p.streak++
	} else {
		p.last, p.streak = id, 1
	}
	return i
}

// lower gives the actor a rank in a slot, and frees the slot that it had.
func (p *pct) lower(slot int, id int32, rank uint64) {
	for i := range p.lowered[:p.used] {
		if p.lowered[i].id == id {
			p.lowered[i].id = 0
		}
	}
	p.lowered[slot] = lowered{id, rank}
	p.used = max(p.used, slot+1)
}

// highest is the position of the actor with the highest priority.
func (p *pct) highest(enabled []*choice.Actor) int {
	best, highest := 0, uint64(0)
	for i, a := range enabled {
		if priority := p.priority(a.ID); priority > highest {
			best, highest = i, priority
		}
	}
	return best
}

// priority from birth on is a hash of seed and id: random, and nothing to keep.
func (p *pct) priority(id int32) uint64 {
	for i := range p.lowered[:p.used] {
		if p.lowered[i].id == id {
			return p.lowered[i].rank
		}
	}
	h := p.seed + uint64(id)*0x9E3779B97F4A7C15
	return (h^h>>32)*0xBF58476D1CE4E5B9 | firstPriority
}

func (p *pct) Value(_ choice.Site, n int) int { return p.generator.below(n) }

// Depth is that of the bugs which a run of pct is guaranteed to find with the chance of [Guarantee]; 0 for other strategies.
func (s Strategy) Depth() int { return s.depth }

// Guarantee is the chance with which a run of pct finds any given bug of that depth at the least, if it has at most so many actors and no
// more choices than it was begun with: for the schedule alone, given the inputs and the faults that it has drawn.
func Guarantee(depth int, actors, choices int64) float64 {
	return 1 / (float64(actors) * math.Pow(float64(choices), float64(depth-1)))
}
