package strategy

import (
	"math"

	"github.com/heddle-go/heddle/sim/choice"
)

// guided decides as random does, but many of its runs begin as an earlier one did: up to the decision at which that came to something
// that few runs have come to, and from there on differently. This is feedback as a fuzzer has it (Zalewski's AFL; Padhye et al.,
// "Semantic fuzzing with Zest", 2019, for choices in the place of bytes) and, since what lies before the place is kept, multilevel splitting as it is
// used to simulate rare events (Kahn and Harris 1951): a state that one run in hundreds comes to, such as two sessions at once, is then
// where hundreds of runs begin. What a run came to, the scenario tells by World.Reached.
//
// The beginning of a run is not kept as a list: it is repeated from its seed, and at the fork the generator gets another one. So a
// run is its first seed and a few forks, which are what it was taught.
type guided struct {
	random
	length    int64
	forks     []Fork
	decisions int64 // made so far, of both kinds
	at        int64 // of the next fork
}

// Fork is where a run goes another way than the one that it began as: from the decision of that number on, counted from 0, it is
// decided by another seed.
type Fork struct {
	At   int64
	Seed uint64
}

// mostForks bounds how many forks a run has: one with more begins anew.
const mostForks = 24

const guidedName = "guided"

func (g *guided) Begin(seed uint64, length int64) {
	g.random.Begin(seed, length)
	g.length, g.decisions = length, 0
	g.follow(nil)
}

// Learn implements [Learner].
func (g *guided) Learn(known Known, _ *Lessons) { g.follow(known.Forks) }

// follow sets the forks of the run that has begun.
func (g *guided) follow(forks []Fork) {
	g.forks, g.at = forks, math.MaxInt64
	if len(forks) > 0 {
		g.at = forks[0].At
	}
}

func (g *guided) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	g.decide()
	return g.random.Schedule(current, enabled, armed)
}

func (g *guided) Value(site choice.Site, n int) int {
	g.decide()
	return g.random.Value(site, n)
}

// decide counts a decision, and takes the fork if it is here. The next fault is due anew from there on.
func (g *guided) decide() {
	if g.decisions == g.at {
		g.generator = generator(g.forks[0].Seed)
		g.strikes.begin(&g.generator, g.length)
		g.follow(g.forks[1:])
	}
	g.decisions++
}
