package kernel

import (
	"fmt"
	"sort"
)

// killed is the private panic that unwinds a task after its node has crashed or its run has ended.
type killed struct{}

// deadOperationLimit is how many operations a killed task may try before its coroutine is abandoned.
const deadOperationLimit = 1000

// Spawn starts a task on a node. It is an operation of the acting task: others may run before it.
//
//go:norace
func (k *Kernel) Spawn(node *Node, name string, body func()) *Actor {
	if !addressable(name) {
		panic(fmt.Sprintf("sched: task name %q: a name is part of an address and cannot hold '/', '#' or ':'", name))
	}
	k.point(OpSpawn, nil, true, false)
	if raceEnabled && k.task != nil {
		var t *Actor
		k.onHub(func() { t = k.start(node, name, body) })
		raceReleaseMerge(t.address())
		return t
	}
	return k.start(node, name, body)
}

//go:norace
func (k *Kernel) start(node *Node, name string, body func()) *Actor {
	t := k.newActor(TaskActor, node, name)
	if node != nil && node.crashed {
		t.finished = true // before it could begin
		return t
	}
	t.Op, t.body = OpStart, body
	if node != nil {
		t.stalls = node.stalls
	}
	t.live = int32(len(k.live))
	k.live = append(k.live, t)
	raceRelease(t.address())
	k.setReady(t, true)
	return t
}

// Yield is a point and nothing else.
//
//go:norace
func (k *Kernel) Yield() { k.point(OpYield, nil, true, false) }

// Run makes steps until the run is over: a violation, Stop, or nothing can move. While only the clock could move, idle is
// asked whether the run is over; nil means never.
//
//go:norace
func (k *Kernel) Run(idle func() bool) {
	k.idle = idle
	if k.listener != nil {
		k.listener.Begin(k)
		defer k.listener.Over()
	}
	k.handoff = k.next(nil, false)
	for {
		for t := k.handoff; t != nil; t = k.handoff {
			k.resume(t)
			if raceEnabled {
				k.serve(t)
			}
		}
		if len(k.dying) == 0 {
			return
		}
		k.bury()
		k.handoff = k.next(nil, false)
	}
}

// perform is the body of a coroutine for one task. It returns normally, whatever the task does, but for runtime.Goexit.
//
//go:norace
func (k *Kernel) perform(t *Actor) {
	returned := false
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok && !t.dying {
				k.fail("panic", "task "+t.Path()+" panicked: "+Describe(r), k.sources().stack())
			}
		} else if !returned {
			if !t.dying {
				k.fail("goexit", "task "+t.Path()+" called runtime.Goexit (testing's FailNow, or Fatal, in a simulated task)", k.sources().stack())
			}
			k.finish(t)
			t.coroutine.abandon() // or it would take the hub with it
		}
		k.finish(t)
	}()
	raceAcquire(t.address())
	if !t.dying || t.paused() {
		t.body()
	}
	returned = true
}

// finish takes a task that has returned out of the run.
//
//go:norace
func (k *Kernel) finish(t *Actor) {
	t.finished = true
	raceReleaseMerge(k.endAddress())
	t.Op, t.object = OpEnd, nil
	t.ready = false
	k.disable(t)
	n := len(k.live) - 1
	moved := k.live[n]
	k.live[t.live] = moved
	moved.live = t.live
	k.live = k.live[:n]
	t.live = -1
}

// deadOperation is what every operation of a killed task does.
//
//go:norace
func (a *Actor) deadOperation() {
	if a.withStack {
		a.takeStack()
		return
	}
	if a.paused() {
		return
	}
	a.deadOps++
	if a.deadOps > deadOperationLimit {
		a.kernel.abandoned++
		a.coroutine.abandon()
	}
	panic(killed{})
}

// takeStack leaves the stack of a parked task, that was resumed for it, and goes back to the hub.
//
//go:norace
func (a *Actor) takeStack() {
	for a.withStack {
		a.withStack, a.dying = false, false
		a.stack = a.kernel.sources().stack()
		raceReleaseMerge(a.kernel.endAddress()) // who shows what is in channels sees what it has put there
		a.coroutine.yield()
	}
	if a.dying {
		a.deadOperation()
	}
}

// paused makes the pause that the task was resumed for, if it was.
//
//go:norace
func (a *Actor) paused() bool {
	if !a.pausing {
		return false
	}
	a.pausing, a.dying = false, false
	a.kernel.makePause()
	return true
}

// Kill ends the task: at its next operation it unwinds, and nothing that it does on the way has an effect.
//
//go:norace
func (k *Kernel) Kill(t *Actor) {
	if t.finished || t.dying {
		return
	}
	k.touchAll()
	k.halt(t)
	t.dying = true
	k.dying = append(k.dying, t)
}

// bury unwinds the tasks that were killed, in the order of their creation.
//
//go:norace
func (k *Kernel) bury() {
	sort.Slice(k.dying, func(i, j int) bool { return k.dying[i].ID < k.dying[j].ID })
	for len(k.dying) > 0 {
		t := k.dying[0]
		k.dying = k.dying[1:]
		k.unwind(t)
	}
	k.dying = nil
}

// unwind resumes a killed task until it has returned, or is given up.
//
//go:norace
func (k *Kernel) unwind(t *Actor) {
	if t.finished {
		return
	}
	if t.coroutine == nil { // it never started
		k.finish(t)
		return
	}
	violation, stopped := k.violation, k.stopped
	k.resume(t)
	k.violation, k.stopped = violation, stopped
	if !t.finished {
		k.finish(t)
	}
}

// End unwinds what is left of a run. It must be called before the next Begin.
//
//go:norace
func (k *Kernel) End() {
	k.stopped = true
	for len(k.live) > 0 {
		t := k.live[len(k.live)-1]
		t.dying = true
		k.unwind(t)
	}
	raceAcquire(k.endAddress())
	k.source, k.follower, k.tracer, k.listener, k.onStep, k.onDue, k.onRest = nil, nil, nil, nil, nil, nil, nil
	k.Record(false)
}

// TaskReport tells of a task that is blocked or left over.
type TaskReport struct {
	Path      string // spawn path
	Operation string // what it is about to do
	Object    string // on what; empty if on nothing
	Stack     string // where it is in its own code, or where that begins
}

// Report describes the tasks that have not finished, in order of creation, each with its stack: parked tasks are resumed
// once to take it. Only for the end of a run.
//
//go:norace
func (k *Kernel) Report() []TaskReport {
	tasks := k.unfinished()
	reports := make([]TaskReport, 0, len(tasks))
	for _, t := range tasks {
		reports = append(reports, TaskReport{Path: t.Path(), Operation: t.Op.String(), Object: t.object.Name(), Stack: k.stackOf(t)})
	}
	return reports
}

// unfinished are the tasks that have not finished, in order of creation.
//
//go:norace
func (k *Kernel) unfinished() []*Actor {
	tasks := append([]*Actor(nil), k.live...)
	sort.Slice(tasks, func(i, j int) bool { return tasks[i].ID < tasks[j].ID })
	return tasks
}

// stackOf is where a parked task is. It is resumed once to take that.
//
//go:norace
func (k *Kernel) stackOf(t *Actor) string {
	switch {
	case t.coroutine != nil && !t.dying:
		t.withStack, t.dying = true, true
		k.resume(t)
		return t.stack
	case t.Op == OpStart && t.body != nil:
		return k.sources().entry(t.body)
	}
	return ""
}

// sources is where the code comes from: found out when it is first asked for. The race detector would see tasks share it.
//
//go:norace
func (k *Kernel) sources() *Code {
	if k.code == nil || raceEnabled {
		k.code = NewCode()
	}
	return k.code
}

// Live is the number of tasks that have not finished.
//
//go:norace
func (k *Kernel) Live() int { return len(k.live) }

// Previous is who moved before the step under way; nil at the beginning of a run.
//
//go:norace
func (k *Kernel) Previous() *Actor { return k.previous }

// Tasks calls f for every task that has not finished, in no order that depends on anything but the run.
//
//go:norace
func (k *Kernel) Tasks(f func(*Actor)) {
	for _, t := range k.live {
		f(t)
	}
}

// Close ends the pooled coroutines. The kernel must not be in a run, and is of no use afterwards. Tasks that were abandoned
// stay for ever.
//
//go:norace
func (k *Kernel) Close() {
	for len(k.pool) > 0 {
		c := k.pool[len(k.pool)-1]
		k.pool = k.pool[:len(k.pool)-1]
		k.dismiss(c)
	}
}
