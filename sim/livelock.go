package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// The check for livelocks. A run that comes back to a state in which it was before, under a fair schedule and with something
// still owed, can go round for ever. Its state is looked at whenever the world is at rest: nothing can move but time. So no
// task is starved in what lies between two looks, whatever the strategy: each that could move has moved (weak fairness; Manna
// and Pnueli 1992). What a state is stands in fingerprint.go here and in the kernel. It has no locals of the tasks and none of
// their memory, so a repeat is but a candidate; it is a loop once it has been driven round three times.

// loopRounds is how often a loop must have been driven round.
const loopRounds = 3

// Bounds of what is remembered: states, recorded steps, and lines of a report.
const (
	maxRests     = 4096
	maxMoves     = 20_000
	maxLoopLines = 18
	maxLineMoves = 6
)

// livelock is the check in one run.
type livelock struct {
	owed        func() string
	rests       []rest
	unseen      bool // time advances for the watcher alone: the next state is the last one, a little later
	shape       kernel.Shape
	fingerprint Fingerprint
}

// rest is a state in which nothing could move but time.
type rest struct {
	fingerprint uint64
	at          time.Duration
	step        int64
}

func (l *livelock) reset() {
	l.owed, l.unseen, l.rests = nil, false, l.rests[:0]
	l.shape.Watcher, l.shape.Old = nil, 0
}

// Owes tells the world what is still to happen: owed answers it in one line, and "" for nothing. From then on, once the world has
// healed, a loop of states in which something is owed all the time is a violation of Livelock. owed runs outside any task and
// must change nothing; what it reads of what tasks write, they write by Inline.
//
// The task that calls Owes is taken for one that only looks on until nothing is owed: it, and the timer that it waits for, are
// no part of the state. Nothing that is owed may depend on it.
func (w *World) Owes(owed func() string) {
	if !w.options.judges(Livelock) {
		return
	}
	w.Inline(func() {
		l, watcher := &w.livelock, w.kernel.Acting()
		l.reset()
		l.owed, l.shape.Old = owed, w.kernel.Actors()
		if watcher.Kind == kernel.TaskActor {
			l.shape.Watcher = watcher
		}
		w.kernel.SetOnRest(w.atRest)
	})
}

// atRest looks at the state if there is reason to.
func (w *World) atRest() {
	l := &w.livelock
	if !w.healed {
		return
	}
	skip := l.unseen
	l.unseen = l.shape.WakesWatcherOnly(w.kernel)
	what := l.owed()
	if what == "" {
		w.forgetRests()
		return
	}
	if skip {
		return
	}
	if len(l.rests) == maxRests {
		l.rests = append(l.rests[:0], l.rests[maxRests/2:]...)
	}
	l.rests = append(l.rests, rest{w.fingerprint(), w.kernel.Now(), w.kernel.Steps()})
	if round := l.round(); round > 0 {
		w.Fail(Livelock, "%s", w.loop(what, round))
		w.forgetRests()
		return
	}
	w.watchRound()
}

func (w *World) forgetRests() {
	if l := &w.livelock; len(l.rests) > 0 {
		l.rests = l.rests[:0]
		w.kernel.Record(false)
	}
}

// round is the length, in rests, of the shortest loop that was driven round often enough; 0 if there is none.
func (l *livelock) round() int {
	last := len(l.rests) - 1
	for n := 1; n*loopRounds <= last; n++ {
		if l.repeats(last, n) {
			return n
		}
	}
	return 0
}

// repeats says whether the rests up to the last one are rounds of n.
func (l *livelock) repeats(last, n int) bool {
	for i := last; i >= last-n*(loopRounds-1); i-- {
		if l.rests[i].fingerprint != l.rests[i-n].fingerprint {
			return false
		}
	}
	return true
}

// watchRound records steps while the present state is one that was there before, to tell of the loop if it is one.
func (w *World) watchRound() {
	l, last := &w.livelock, len(w.livelock.rests)-1
	candidate := false
	for i := last - 1; i >= 0 && !candidate; i-- {
		candidate = l.rests[i].fingerprint == l.rests[last].fingerprint
	}
	if candidate != w.kernel.Recording() || len(w.kernel.Recorded()) > maxMoves {
		w.kernel.Record(candidate)
	}
}

// loop tells of a loop: how long it is, what is owed, and who does what in its last round.
func (w *World) loop(owed string, round int) string {
	rests := w.livelock.rests
	end, begin := rests[len(rests)-1], rests[len(rests)-1-round]
	var b strings.Builder
	fmt.Fprintf(&b, "%s, and will be: the world was in the same state %d times, every %v and %d steps; in the last round:",
		owed, loopRounds+1, end.at-begin.at, end.step-begin.step)
	w.tellRound(&b, begin.step)
	return b.String()
}

// untold are the operations of which a report says nothing, since a loop is recognised without them.
var untold = map[kernel.Op]bool{
	kernel.OpAdvance: true, kernel.OpNow: true, kernel.OpArm: true, kernel.OpStop: true, kernel.OpFire: true, kernel.OpResume: true,
	kernel.OpYield: true, kernel.OpLen: true, kernel.OpLoad: true, kernel.OpLock: true, kernel.OpUnlock: true, kernel.OpRLock: true,
	kernel.OpRUnlock: true, kernel.OpAnnounce: true, kernel.OpDrain: true, kernel.OpWUnlock: true, kernel.OpOnce: true,
	kernel.OpOnceDone: true, kernel.OpSpawn: true,
}

// tellRound writes the steps since one: a line for each stretch of a task, up to a bound.
func (w *World) tellRound(b *strings.Builder, since int64) {
	var actor *kernel.Actor
	lines, moves := 0, 0
	for _, m := range w.kernel.Recorded() {
		if m.Step <= since || m.Actor == w.livelock.shape.Watcher || untold[m.Op] {
			continue
		}
		if m.Actor != actor {
			actor, moves = m.Actor, 0
			if lines++; lines > maxLoopLines {
				b.WriteString("\n    ...")
				return
			}
			fmt.Fprintf(b, "\n    %v %s:", m.Now, m.Actor.Path())
		}
		switch moves++; {
		case moves <= maxLineMoves:
			if moves > 1 {
				b.WriteByte(',')
			}
			b.WriteString(" " + m.Op.String())
			if path := m.Object.Path(); path != "" {
				b.WriteString(" " + path)
			}
		case moves == maxLineMoves+1:
			b.WriteString(", ...")
		}
	}
}
