// Package choice holds the decisions of a run: who makes them, what was decided, and the text that repeats them.
//
// A run of the simulator is a function of its scenario, its data seed and the answers of one [Source]. Strategies, seeds and
// replay are all sources. What they answered is kept as a sparse list of [Deviation]s from one [Policy], each at an address that
// survives small changes of the code, and travels as a [Token].
package choice

import "github.com/heddle-go/heddle/internal/kernel"

// What a source sees of a run. Sources only read; nothing of it may be kept beyond the run.
type (
	// Actor is something that can make a step: a task, a due timer, a delivery or an armed fault.
	Actor = kernel.Actor
	// Object is what an operation touches.
	Object = kernel.Object
	// Op is the kind of operation that an actor is about to do.
	Op = kernel.Op
	// Site is the place that asks for a value: its name, who asks and about which object. Actor and Object may be nil.
	Site = kernel.Site
	// Tracer is told every step of a run as it is made.
	Tracer = kernel.Tracer
	// Follower is a source that is told each step, also one that left no choice, before it is made.
	Follower = kernel.Follower
)

// Source decides everything in a run that could go one way or another. The kernel asks it, from one goroutine at a time; a
// source serves one run at a time and needs no lock.
//
// Two runs of the same scenario with the same data seed whose sources answer alike are the same run, step for step.
type Source interface {
	// Schedule says which actor moves next. It is called before every step that leaves a choice: when enabled and armed
	// together hold at least two actors. It is never called with an empty enabled list, since with nothing enabled there is
	// nothing that a fault could hit.
	//
	// current is the actor that moved last; before the first step it is the set-up. It need not be in enabled: it may have
	// ended or be blocked; its Op and Object are what it is about to do, or wants to and cannot. The order inside enabled and
	// armed is the same in equal runs and means nothing else.
	//
	// The answer is an index into enabled, or len(enabled)+i for armed[i]. Anything else is a defect of the source and ends
	// the run with an error.
	Schedule(current *Actor, enabled, armed []*Actor) int

	// Value answers with a number of [0, n), where 0 is the simplest: no fault, the shortest delay, the first ready arm. It is
	// called only for n of 2 or more, in the course of the step of site.Actor, or outside any step if that is nil.
	Value(site Site, n int) int
}

// Feature is something that a run can come to, by a number of the scenario's choosing among those of one kind.
type Feature struct {
	Kind   string
	Number uint64
}

// Reached is a feature, and how many decisions the run's source had been asked for when it first came to it.
type Reached struct {
	Feature Feature
	At      int64
}

// Conflict says whether the next steps of two actors depend on each other, so that their order can matter.
func Conflict(a, b *Actor) bool { return kernel.Conflict(a, b) }
