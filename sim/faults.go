package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// FaultCount is a row of the ledger. A fault that was armed in many runs and never had an effect is a hole in the test.
type FaultCount struct {
	Fault  string `json:"fault"`
	Armed  int64  `json:"armed"`  // runs that were allowed to use it
	Fired  int64  `json:"fired"`  // times that it struck
	Effect int64  `json:"effect"` // times that a task under test got a result which it would not have got
}

type faultState struct {
	FaultCount
	object *kernel.Object
	actors []*kernel.Actor
}

func (w *World) fault(name string) *faultState {
	for i := range w.faults {
		if w.faults[i].Fault == name {
			return &w.faults[i]
		}
	}
	w.faults = append(w.faults, faultState{FaultCount: FaultCount{Fault: name}})
	f := &w.faults[len(w.faults)-1]
	if w.swarm(name) {
		f.Armed = 1
	}
	return f
}

// swarmOdds are, for each density of the swarm, out of how many faults one is used. Runs without any fault, and with few, are
// as important as those with many (Groce et al. 2012).
var swarmOdds = [...]int{0, 8, 4, 2}

func (w *World) swarm(name string) bool {
	if w.options.NoFaults {
		return false
	}
	if w.density < 0 {
		w.density = w.Value("swarm", len(swarmOdds))
	}
	odds := swarmOdds[w.density]
	return odds > 0 && w.kernel.Chance("swarm/"+name, odds)
}

// NoSwarm leaves the swarm out of this run, for a scenario that brings its own faults, and says whether these may strike. It must be called
// before anything else that may draw.
func (w *World) NoSwarm() (faults bool) {
	w.density = 0
	return w.MayFail()
}

// MayFail says whether faults may strike in this run at all, those of the scenario's own included; see Options.NoFaults.
func (w *World) MayFail() bool { return !w.options.NoFaults }

// Swarm says whether this run may use a fault. It is drawn once for each run and fault, and never true after Heal.
func (w *World) Swarm(fault string) (may bool) {
	w.Inline(func() { may = w.fault(fault).Armed > 0 && !w.healed })
	return may
}

// tellFaults adds to the trace which faults the swarm has.
func (w *World) tellFaults() {
	if !w.Tracing() {
		return
	}
	var names []string
	for i := range w.faults {
		if w.faults[i].Armed > 0 {
			names = append(names, w.faults[i].Fault)
		}
	}
	if len(names) > 0 {
		w.Logf("faults that may strike: %s", strings.Join(names, ", "))
	}
}

// Fired counts that the fault struck, Effect that a task under test got a result which it would not have got otherwise.
func (w *World) Fired(fault string) {
	w.kernel.ObserveCovered(func() { w.fault(fault).Fired++ }) // a number: the order makes no difference
	if w.watcher != nil {
		w.watcher.Fault(fault)
	}
	w.Logf("fault %s", fault)
}

// Effect counts an effect of the fault; see Fired.
func (w *World) Effect(fault string) { w.kernel.ObserveCovered(func() { w.fault(fault).Effect++ }) }

// Struck is Fired and Effect at once, for a fault that is felt the moment it strikes.
func (w *World) Struck(fault string) {
	w.Fired(fault)
	w.Effect(fault)
}

// triesPerStrike bounds how often a fault looks for something to strike, for each time that it may.
const triesPerStrike = 8

// Rule arms a fault that strikes at any step that the source chooses, at most so many times, if the swarm has it. strike runs
// outside any task and says whether it found something to strike: else it may try again, up to triesPerStrike times as often.
func (w *World) Rule(fault string, times int, strike func() bool) {
	if !w.Swarm(fault) || times <= 0 {
		return
	}
	f := w.fault(fault)
	if f.object == nil {
		f.object = w.kernel.NewObject(kernel.FaultObject, fault)
	}
	tries := triesPerStrike * times
	var a *kernel.Actor
	a = w.kernel.NewActor(kernel.FaultActor, fault, kernel.OpStrike, f.object, func() {
		tries--
		if strike() {
			times--
			w.Fired(fault)
		}
		if times == 0 || tries == 0 {
			w.kernel.Disarm(a)
		}
	})
	f.actors = append(f.actors, a)
	w.kernel.Arm(a)
}

// stallTimes are how long a stall lasts; around the timeouts of the programs under test.
var stallTimes = [...]time.Duration{
	10 * time.Millisecond, time.Second, 5 * time.Second, 16 * time.Second, 31 * time.Second, 46 * time.Second, 100 * time.Second,
}

// StallFaults are the faults that Stalls arms, each under its name in the ledger.
func StallFaults() []string { return []string{"stall-node", "stall-task", "slow-task", "stale-clock"} }

// LongestStall is for how long a fault may hold up a task in this run, also once the world has healed; 0 if the swarm has none that does.
func (w *World) LongestStall() (longest time.Duration) {
	for _, fault := range append(StallFaults(), slowReader, slowClose) {
		if w.Swarm(fault) {
			longest = stallTimes[len(stallTimes)-1]
		}
	}
	return longest
}

// Stalls arms stalls of the node as a whole, of single tasks of it, and, four times as many, of tasks of one name: a node of which one
// part is slow sees its sessions overlap. Besides, some of those who read its clock are held up right behind that, so that what they
// have read is no longer true.
func (n *Node) Stalls(times int) {
	w := n.world
	n.staleClock = w.Swarm("stale-clock")
	w.Rule("stall-node", times, func() bool {
		if n.Crashed() {
			return false
		}
		n.Stall(w.stallTime("stall-node"))
		w.Effect("stall-node")
		return true
	})
	w.Rule("stall-task", times, func() bool {
		tasks := n.tasks("")
		if len(tasks) == 0 {
			return false
		}
		// Who is in the middle of something is held up there as often as anybody at all: between two sections that should be one, a
		// wait of some steps is seldom enough.
		t := w.kernel.Previous()
		if !slices.Contains(tasks, t) || w.Value("stall-whom", 2) == 1 {
			t = tasks[w.Value("stall-which", len(tasks))]
		}
		return w.stallTask(t, "stall-task")
	})
	slow := ""
	w.Rule("slow-task", 4*times, func() bool {
		tasks := n.tasks(slow)
		if len(tasks) == 0 {
			return false
		}
		t := tasks[w.Value("slow-which", len(tasks))]
		slow = t.Name()
		return w.stallTask(t, "slow-task")
	})
}

// staleOdds is out of how many readings of the clock one is followed by a stall.
const staleOdds = 24

// outdate may hold up the task that has just read the clock.
func (n *Node) outdate() {
	w := n.world
	if t := w.kernel.Acting(); t.Kind == kernel.TaskActor && w.hits("stale-clock", staleOdds) {
		w.Fired("stale-clock")
		w.stallTask(t, "stale-clock")
	}
}

// tasks are those of the node that have not finished, of that name if one is given; if some of them have something to do, these.
func (n *Node) tasks(name string) []*kernel.Actor {
	var ready, all []*kernel.Actor
	n.world.kernel.Tasks(func(t *kernel.Actor) {
		if t.Node() != n.node || name != "" && t.Name() != name {
			return
		}
		all = append(all, t)
		if t.Ready() {
			ready = append(ready, t)
		}
	})
	if name != "" && len(ready) > 0 {
		return ready
	}
	return all
}

func (w *World) stallTime(fault string) time.Duration {
	return stallTimes[w.Value(fault, len(stallTimes))]
}

func (w *World) stallTask(t *kernel.Actor, fault string) bool {
	d := w.stallTime(fault)
	w.Logf("%s stalls for %s", t.Path(), d)
	w.kernel.StallTask(t, d)
	w.Effect(fault)
	return true
}

// Heal ends all faults: none strikes any more, and what OnHeal registered mends what is broken.
func (w *World) Heal() { w.Inline(w.heal) }

func (w *World) heal() {
	if w.healed {
		return
	}
	w.Logf("the world heals")
	w.healed = true
	for i := range w.faults {
		for _, a := range w.faults[i].actors {
			w.kernel.Disarm(a)
		}
	}
	for _, f := range w.onHeal {
		f()
	}
}

// Healed says whether Heal was called.
//
//go:norace
func (w *World) Healed() bool { return w.healed }

// OnHeal lets f run in the step of Heal, outside any task.
func (w *World) OnHeal(f func()) { w.onHeal = append(w.onHeal, f) }
