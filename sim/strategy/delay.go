package strategy

import (
	"slices"

	"github.com/heddle-go/heddle/sim/choice"
)

// delay is delay bounding: Emmi, Qadeer and Rakamaric, "Delay-bounded scheduling", POPL 2011. A deterministic scheduler decides,
// except that at most D times in a run the actor that would move is passed over for the next one in the round. With one delay
// there are as many schedules as choices, whatever the number of tasks, and many bugs need no more than one or two.
//
// Where it departs from the paper:
//
//   - The paper makes every schedule within the bound; here one is drawn for each run. It has from 1 to D delays, each number
//     alike, since with few tasks one delay too many undoes the one that matters: it gives the turn back. They come at
//     independent random choices of 1 to k, where k is the learnt length as in pct. Two at the same choice pass over two actors.
//   - The deterministic scheduler is the default policy of the house ([choice.Policy]): the task that ran last goes on, for at
//     most a quantum, then the next by creation; deliveries and timers move when no task can. So the schedule of a run
//     departs from the default at no more than D places, and its token is short before anybody has shrunk it.
//   - Faults and values are drawn as by random: the bound is on the schedule alone, given these.
type delay struct {
	generator generator
	strikes   strikes
	policy    choice.Policy
	choices   int64
	most      int
	points    []int64 // choices with a delay, in rising order
	used      int     // points that have passed
}

const maxDelays = 16

func newDelay(delays int) *delay { return &delay{most: delays, points: make([]int64, delays)} }

func (d *delay) Begin(seed uint64, length int64) {
	d.generator = generator(seed)
	d.strikes.begin(&d.generator, length)
	d.policy = choice.Policy{}
	if length == 0 {
		length = d.generator.logUniform(guessedWidth)
	}
	if d.most > 0 {
		d.points = d.points[:1+d.generator.below(d.most)]
	}
	for i := range d.points {
		d.points[i] = 1 + int64(d.generator.below(int(length)))
	}
	slices.Sort(d.points)
	d.choices, d.used = 0, 0
}

func (d *delay) Choices() int64 { return d.choices }

func (d *delay) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	d.choices++
	i := d.policy.Decide(current, enabled)
	for ; d.used < len(d.points) && d.points[d.used] == d.choices; d.used++ {
		i = nextInRound(enabled, i)
	}
	if len(armed) > 0 {
		if strike := d.strikes.next(&d.generator, armed); strike >= 0 {
			d.policy.Moved(armed[strike])
			return len(enabled) + strike
		}
	}
	d.policy.Moved(enabled[i])
	return i
}

// nextInRound is the position of the actor created next after the one at i, or of the first if that was the last.
func nextInRound(enabled []*choice.Actor, i int) int {
	next, lowest := -1, i
	for j, a := range enabled {
		if a.ID > enabled[i].ID && (next < 0 || a.ID < enabled[next].ID) {
			next = j
		}
		if a.ID < enabled[lowest].ID {
			lowest = j
		}
	}
	if next >= 0 {
		return next
	}
	return lowest
}

func (d *delay) Value(_ choice.Site, n int) int { return d.generator.below(n) }
