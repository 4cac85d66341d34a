package strategy

import "github.com/heddle-go/heddle/sim/choice"

// random lets any enabled actor move, all alike, and answers any value, all alike. Faults strike by countdown.
//
// It is memoryless, so it misses what needs one task to stay behind for long: a bug that asks for one order of two events k
// steps apart is found about once in 2^k runs. It is the best there is for bugs of many short races, and the baseline.
const randomName = "random"

type random struct {
	generator generator
	strikes   strikes
	choices   int64
}

func (r *random) Begin(seed uint64, length int64) {
	r.generator = generator(seed)
	r.choices = 0
	r.strikes.begin(&r.generator, length)
}

func (r *random) Choices() int64 { return r.choices }

func (r *random) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	r.choices++
	if len(armed) > 0 {
		if i := r.strikes.next(&r.generator, armed); i >= 0 {
			return len(enabled) + i
		}
	}
	return r.generator.below(len(enabled))
}

func (r *random) Value(_ choice.Site, n int) int { return r.generator.below(n) }
