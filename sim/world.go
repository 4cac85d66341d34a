// Package sim is a deterministic simulator for Go programs that are written against packages sched, clock and net. A World
// holds the nodes, networks and faults of one run; a Scenario builds it; a Runner runs it. Every decision of a run (who moves
// next, which fault strikes, what the workload does) is asked of one choice.Source, so that a run is a function of its
// decisions and its data seed, on every machine.
package sim

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim/choice"
)

// World is the world of one run. It belongs to the run's only thread of control: its methods are for the scenario's set-up,
// its tasks, handlers and checks, and nothing may keep it beyond the run.
type World struct {
	kernel    *kernel.Kernel
	host      *Node
	faults    []faultState
	density   int // of the swarm; -1: not yet drawn
	sometimes []string
	reached   []choice.Reached
	known     map[choice.Feature]struct{} // the features in reached; nil: nobody wants to know
	onStep    []func()
	watched   []*Shared // that have something to run after a step
	dueAt     time.Duration
	onHeal    []func()
	onEnd     []func()
	healed    bool
	options   Options
	exhibits  []exhibit
	watcher   Watcher     // nil: nobody looks
	states    []statePart // while somebody does
	messages  int64

	onFingerprint []func(*Fingerprint) // of models
	networks      []func(*Fingerprint)
	livelock      livelock
}

func (w *World) reset(k *kernel.Kernel, o Options) {
	clear(w.onStep)
	clear(w.watched)
	clear(w.onHeal)
	clear(w.onEnd)
	clear(w.onFingerprint)
	clear(w.networks)
	clear(w.exhibits)
	clear(w.states)
	w.livelock.reset()
	*w = World{
		kernel: k, options: o, density: -1, faults: w.faults[:0], sometimes: w.sometimes[:0], reached: w.reached[:0],
		onStep: w.onStep[:0], watched: w.watched[:0], onHeal: w.onHeal[:0], onEnd: w.onEnd[:0], exhibits: w.exhibits[:0], states: w.states[:0],
		onFingerprint: w.onFingerprint[:0], networks: w.networks[:0], livelock: w.livelock,
	}
	w.host = w.Node("main")
}

// Host is the node that never crashes and that no fault strikes: the main task and the workload run there.
func (w *World) Host() *Node { return w.host }

// Node makes a node: a process with its own tasks and clock.
func (w *World) Node(name string) *Node {
	return &Node{world: w, node: w.kernel.NewNode(name)}
}

// Fail records a violation of a property. The first one of a run ends it, after the current step, unless the run does not judge
// that property.
func (w *World) Fail(property, format string, args ...any) {
	w.Observe(func() {
		switch {
		case w.kernel.Stopped():
		case w.options.judges(property):
			w.kernel.Fail(property, fmt.Sprintf(format, args...))
		case w.kernel.Tracing():
			w.kernel.Note("not judged: " + property + ": " + fmt.Sprintf(format, args...))
		}
	})
}

// exhibit is what Exhibit was told.
type exhibit struct {
	property, name string
	content        func() ([]byte, error)
}

// Exhibit keeps a document with the failure of a property, as the picture of a history with the failure of its check. The name ends
// in the form, as in history.html. content is asked for at the end of the run, if that property failed and if the failure is
// being written to a file; it must not change anything.
func (w *World) Exhibit(property, name string, content func() ([]byte, error)) {
	if w.kernel.Tracing() {
		w.exhibits = append(w.exhibits, exhibit{property, name, content})
	}
}

// exhibited are the documents for the failure of a property.
func (w *World) exhibited(property string) []Exhibit {
	var shown []Exhibit
	for _, e := range w.exhibits {
		if e.property == property {
			content, err := e.content()
			if err != nil {
				content = fmt.Appendf(nil, "%s could not be made: %v\n", e.name, err)
			}
			shown = append(shown, Exhibit{e.name, content})
		}
	}
	return shown
}

// Reached notes that the run has come to something that tells it from others: a state of what is under test, say, without its names
// and numbers. Kinds of features and their numbers are the scenario's to choose. Guided searches begin runs where few have come before,
// by each kind as often: a kind of few numbers is not drowned by one of many. Other searches ignore it. It costs a look into a map.
func (w *World) Reached(kind string, number uint64) {
	if w.known == nil {
		return
	}
	w.kernel.ObserveCovered(func() { w.reach(choice.Feature{Kind: kind, Number: number}) }) // a set of them: their order makes no difference
}

func (w *World) reach(feature choice.Feature) {
	if _, ok := w.known[feature]; !ok {
		w.known[feature] = struct{}{}
		w.reached = append(w.reached, choice.Reached{Feature: feature, At: w.kernel.Decisions()})
	}
}

// Sometimes notes that this run has seen what a good search must see at some time.
func (w *World) Sometimes(id string) { w.kernel.ObserveCovered(func() { w.seen(id) }) }

func (w *World) seen(id string) {
	for _, seen := range w.sometimes {
		if seen == id {
			return
		}
	}
	w.sometimes = append(w.sometimes, id)
	if w.known != nil {
		feature := uint64(14695981039346656037) // FNV-1a
		for i := range len(id) {
			feature = (feature ^ uint64(id[i])) * 1099511628211
		}
		w.reach(choice.Feature{Kind: "sometimes", Number: feature})
	}
}

// Tracing says whether somebody reads the trace, for notes that cost something to make.
func (w *World) Tracing() bool { return w.kernel.Tracing() }

// Logf adds a line to the trace if somebody reads it.
func (w *World) Logf(format string, args ...any) {
	if w.kernel.Tracing() {
		w.kernel.Note(fmt.Sprintf(format, args...))
	}
}

// Value is a decision: a number out of [0, n). 0 must be the simplest: the shortest, the smallest, no fault. The site is a
// constant word that addresses the decision.
func (w *World) Value(site string, n int) int { return w.kernel.Value(site, nil, n) }

// Chance is a decision that is true once in so many times, false being the simplest.
func (w *World) Chance(site string, oneIn int) bool {
	return w.kernel.Chance(site, oneIn)
}

// Elapsed is the virtual time since the run began.
func (w *World) Elapsed() time.Duration { return w.kernel.Now() }

// Step is the number of steps so far: the time stamp for histories, since virtual time stands still while tasks run.
func (w *World) Step() int64 { return w.kernel.Steps() }

// After lets f run after d of virtual time, as a step of its own outside any task. f must not block.
func (w *World) After(d time.Duration, f func()) {
	w.kernel.After(nil, "after", d, func() {
		w.kernel.TouchWorld()
		f()
	})
}

// Inline runs f as part of the current step, without points: for models that a task calls. f must not block. See Shared for an f
// that touches a part only of what tasks share with models.
func (w *World) Inline(f func()) { w.kernel.Inline(f) }

// Observe is Inline for an f that answers nothing to the program: an observer of it. Under the race detector no edge leads from
// f back to the task, so that observing the program does not hide its races.
func (w *World) Observe(f func()) { w.kernel.Observe(f) }

// Touch says that the step under way reads or writes what tasks share with models and checks. Inline and Observe say so themselves.
//
//go:norace
func (w *World) Touch() { w.kernel.TouchWorld() }

// OneOrder says whether, of the steps that follow, one order is enough for a search that makes all of them (package explore): what leads
// up to what is to be explored, or away from it, need not multiply it. Such a search states it as a bound; to others it makes no difference.
func (w *World) OneOrder(on bool) { w.kernel.Inline(func() { w.kernel.SetOneOrder(on) }) }

// OnStep lets f run after each step, outside any task. Then no two steps commute; see Shared.AfterStep.
func (w *World) OnStep(f func()) {
	w.onStep = append(w.onStep, f)
	w.kernel.SetOnStep(w.afterStep)
}

func (w *World) afterStep() {
	for _, f := range w.onStep {
		f()
	}
}

// OnEnd lets f run when the run is over and all its tasks have been unwound: to give back what the world has taken from outside it.
func (w *World) OnEnd(f func()) { w.onEnd = append(w.onEnd, f) }

func (w *World) end() {
	for _, f := range w.onEnd {
		f()
	}
}

// Node is a process of the simulated world. Its Scheduler and Clock are what the program under test is given.
type Node struct {
	world   *World
	node    *kernel.Node
	onCrash []func()

	staleClock bool // see Stalls
}

// Name is the node's name.
func (n *Node) Name() string { return n.node.Name }

// Scheduler is what programs on this node make their tasks and primitives from.
func (n *Node) Scheduler() sched.Scheduler { return n }

// Clock is the node's clock: virtual time plus the node's offset.
func (n *Node) Clock() clock.Clock { return nodeClock{n} }

// Go starts a task on the node; it implements sched.Scheduler.
func (n *Node) Go(name string, f func()) { n.world.kernel.Spawn(n.node, name, f) }

// Read fills p with random bytes of the run's data seed; it implements sched.Scheduler.
func (n *Node) Read(p []byte) { n.world.kernel.Random(p) }

// Kernel implements sched.Scheduler.
func (n *Node) Kernel() *kernel.Kernel { return n.world.kernel }

// Crash ends the process: its tasks unwind without any effect, its timers never fire, its connections are reset. It is for
// good; a restarted process is a new Node.
func (n *Node) Crash() {
	n.world.Inline(func() {
		if n.node.Crashed() {
			return
		}
		n.world.Logf("%s crashes", n.Name())
		n.node.Crash()
		for _, f := range n.onCrash {
			f()
		}
	})
}

// OnCrash lets f run in the step in which the node crashes, outside any task, when its tasks can do nothing any more.
func (n *Node) OnCrash(f func()) { n.onCrash = append(n.onCrash, f) }

// Crashed says whether the node has crashed.
func (n *Node) Crashed() bool { return n.node.Crashed() }

// Tasks counts the node's tasks that have not finished.
func (n *Node) Tasks() (count int) {
	n.world.Inline(func() {
		n.world.kernel.TouchAll() // each task of the node matters
		n.world.kernel.Tasks(func(t *kernel.Actor) {
			if t.Node() == n.node {
				count++
			}
		})
	})
	return count
}

// FreeSince is since when, in virtual time, nothing holds up a task of the node: no stall, and no fault of a network that holds up who
// uses it. ok is false while something does: then who waits for the node may wait longer, and nothing is wrong.
func (n *Node) FreeSince() (since time.Duration, ok bool) { return n.node.FreeSince() }

// Stall holds up all tasks of the node for d of virtual time: a collector's pause, a suspended laptop.
func (n *Node) Stall(d time.Duration) {
	n.world.Logf("%s stalls for %s", n.Name(), d)
	n.node.Stall(d)
}

// Jump moves the node's wall clock by d, either way. Timers do not notice.
func (n *Node) Jump(d time.Duration) { n.node.Offset += d }
