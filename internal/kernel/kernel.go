// Package kernel is the single-threaded machine under the simulator: actors and the points between their steps, the
// simulated side of every primitive, virtual time, and the hash of a run. Package sched builds its primitives on it,
// package sim its worlds. It knows no strategy (a Source decides) and no network.
//
// A kernel runs one program at a time and is reused from run to run. Nothing in it is safe for concurrent use: exactly one
// goroutine of the program, or the hub that switches between them, is inside at any time.
package kernel

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Source makes the decisions of a run. Package choice states the whole contract.
type Source interface {
	// Schedule answers which actor moves next: an index into enabled, or len(enabled)+i for armed[i].
	Schedule(current *Actor, enabled, armed []*Actor) int
	// Value answers a number out of [0, n), 0 being the simplest.
	Value(site Site, n int) int
}

// Follower is a source that is told each step, also one that left no choice, before it is made.
type Follower interface {
	Moved(a *Actor)
}

// Site is the place of a Value decision: its name, who acts and, if there is one, the object that it concerns.
type Site struct {
	Name   string
	Actor  *Actor
	Object *Object
	Chance bool // all that matters is whether the answer is the last one
}

// Tracer is told every step and value of a run that somebody wants to read.
type Tracer interface {
	Step(step int64, now time.Duration, a *Actor)
	Value(site Site, n, value int)
	Note(text string)
}

// Counter is a tracer that counts what happens and may have nobody who reads it: then no notes are written for it, which cost
// more than the steps that they tell of.
type Counter interface {
	Tracer
	Read() bool
}

// LogReader is a tracer that also wants what the program under test logs, if ReadsLog says so.
type LogReader interface {
	Tracer
	Log(a *Actor, r LogRecord)
	ReadsLog() bool
}

// LogRecord is what the program under test has logged on a node.
type LogRecord struct {
	Node       string         `json:"node"`
	Level      string         `json:"level"`
	Message    string         `json:"message"`
	Attributes []LogAttribute `json:"attributes,omitempty"`
}

// LogAttribute is an attribute of a record; its key has the groups that it is in before it, each with a dot.
type LogAttribute struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Violation is what ends a run before its time.
type Violation struct {
	Property string
	Message  string
	Step     int64
	Stack    string // of the task that failed, if it was one that panicked
}

// Options of one run.
type Options struct {
	Source   Source
	DataSeed uint64   // of the random bytes
	MaxSteps int64    // more are a violation of "steps"; 0: no limit
	Tracer   Tracer   // nil: none
	Listener Listener // nil: none

	Until int64       // the run ends before the step of that number is made, or pauses there; 0: it does not
	Pause func() bool // what it does there, on the stack of the task that is about to make the step; false: the run ends. nil: it ends
	State bool        // the state at the end is wanted; see State
}

// Kernel is the machine. Make one with New, then for each run: Begin, spawn tasks, Run, End.
type Kernel struct {
	source    Source
	follower  Follower // the source, if it is one
	enabled   []*Actor
	armed     []*Actor
	live      []*Actor // tasks that have not finished
	actor     *Actor   // who acts; the set-up before the first step
	task      *Actor   // the same if it is a task that may yield, else nil
	last      *Actor   // who moved last
	previous  *Actor   // who moved before
	handoff   *Actor   // the task that the hub shall resume
	dying     []*Actor
	onStep    func()
	onDue     func()
	due       bool // onDue is to run after the step under way
	oneOrder  bool
	parts     []*Object // see AtomicAt; of the next point
	partOp    Op
	onRest    func()
	tracer    Tracer
	listener  Listener
	told      bool // somebody wants to know of each step: the tracer, the source, the listener, or who records
	read      bool // somebody reads the notes of the tracer
	now       time.Duration
	steps     int64
	decisions int64 // that the source was asked for
	maxSteps  int64
	hash      uint64
	dataSeed  uint64
	objects   int32
	shared    int32 // the last number of a shared object
	made      int
	stalls    int32 // in force
	others    int   // of those made: timers, deliveries and faults
	arena     []*Actor
	nodes     int32
	heap      []*Timer
	timerSeq  int64
	root      *Actor // the set-up
	clock     *Actor // virtual time as an actor
	main      *Actor
	idle      func() bool
	pool      []*coroutine
	hub       coroutine
	request   func() // race build: what a task asks the hub to run
	answer    any    // race build: what the request panicked with
	stopped   bool
	code      *Code // see sources
	until     int64
	limit     int64 // of steps, once until is passed
	pause     func() bool
	reached   bool // the run was ended by until
	inspector *inspector
	logs      LogReader // nil: nobody reads what the program logs

	moves     []Move // see Record
	recording bool
	violation *Violation
	broken    error
	abandoned int
	clockWait [1]*Actor
	tick      func()
	poked     atomic.Bool
}

// New makes a kernel.
//
//go:norace
func New() *Kernel {
	k := &Kernel{}
	k.tick = k.advance
	return k
}

// Poke asks for a sign of life: the next step clears it. Poke and Poked may be called from any goroutine.
//
//go:norace
func (k *Kernel) Poke() { k.poked.Store(true) }

// Poked says whether no step has begun since Poke.
//
//go:norace
func (k *Kernel) Poked() bool { return k.poked.Load() }

// Begin starts a run: everything of the last one is forgotten, but for pooled coroutines and memory.
//
//go:norace
func (k *Kernel) Begin(o Options) {
	k.source, k.tracer, k.onStep, k.onDue, k.onRest, k.maxSteps, k.dataSeed = o.Source, o.Tracer, nil, nil, nil, o.MaxSteps, o.DataSeed
	k.follower, _ = o.Source.(Follower)
	k.listener = o.Listener
	k.until, k.limit, k.pause, k.reached, k.inspector = o.Until, o.MaxSteps, o.Pause, false, nil
	if o.Until > 0 && (o.MaxSteps == 0 || o.Until < o.MaxSteps) {
		k.maxSteps = o.Until
	}
	if o.State {
		k.inspector = newInspector()
	}
	k.logs, _ = o.Tracer.(LogReader)
	if k.logs != nil && !k.logs.ReadsLog() {
		k.logs = nil
	}
	k.Record(false)
	k.read = o.Tracer != nil
	if c, ok := o.Tracer.(Counter); ok {
		k.read = c.Read()
	}
	k.enabled, k.armed, k.live, k.dying = k.enabled[:0], k.armed[:0], k.live[:0], k.dying[:0]
	clear(k.heap)
	k.heap = k.heap[:0]
	k.now, k.steps, k.decisions, k.hash, k.objects, k.shared, k.made, k.others, k.nodes, k.timerSeq = 0, 0, 0, 0x6865646C65, 0, 0, 0, 0, 0, 0
	k.task, k.last, k.handoff, k.main, k.request, k.answer, k.idle = nil, nil, nil, nil, nil, nil, nil
	k.stalls = 0
	k.stopped, k.violation, k.broken, k.abandoned, k.due, k.oneOrder, k.parts = false, nil, nil, 0, false, false, nil
	k.actor = nil
	k.root = k.newActor(ClockActor, nil, "setup")
	k.actor = k.root
	k.clock = k.newActor(ClockActor, nil, "time")
	k.clock.Op, k.clock.fire = OpAdvance, k.tick
	k.clockWait[0] = k.clock
	k.previous, k.last = nil, k.root
}

// Steps is the number of steps so far.
//
//go:norace
func (k *Kernel) Steps() int64 { return k.steps }

// Decisions is how many decisions the source was asked for so far.
//
//go:norace
func (k *Kernel) Decisions() int64 { return k.decisions }

// Hash is the running hash over operations, objects and values.
//
//go:norace
func (k *Kernel) Hash() uint64 { return k.hash }

// Now is the virtual time since the run began.
//
//go:norace
func (k *Kernel) Now() time.Duration { return k.now }

// Violation is the first violation of the run; nil if there is none.
//
//go:norace
func (k *Kernel) Violation() *Violation { return k.violation }

// Abandoned counts tasks that went on for 1,000 operations after they were killed, and were left where they were.
//
//go:norace
func (k *Kernel) Abandoned() int { return k.abandoned }

// SetOnStep lets f run after each step, outside any task.
//
//go:norace
func (k *Kernel) SetOnStep(f func()) { k.onStep = f }

// SetOnDue lets f run, outside any task, after each step in which Due was called, and after each advance of time.
//
//go:norace
func (k *Kernel) SetOnDue(f func()) { k.onDue = f }

// Due asks for what SetOnDue has set, after the step under way.
//
//go:norace
func (k *Kernel) Due() { k.due = true }

// Stopped says that the run is to end: a violation, or Stop.
//
//go:norace
func (k *Kernel) Stopped() bool { return k.stopped }

// Stop ends the run after the current step.
//
//go:norace
func (k *Kernel) Stop() { k.stopped = true }

// Fail records a violation, the first of a run only, and ends it after the current step.
//
//go:norace
func (k *Kernel) Fail(property, message string) { k.fail(property, message, "") }

//go:norace
func (k *Kernel) fail(property, message, stack string) {
	if k.violation == nil && !k.stopped {
		k.violation = &Violation{Property: property, Message: message, Step: k.steps, Stack: stack}
		k.Note("violated " + property + ": " + message)
	}
	k.Stop()
}

// Tracing says whether somebody reads the trace.
//
//go:norace
func (k *Kernel) Tracing() bool { return k.read }

// Note adds a line to the trace.
//
//go:norace
func (k *Kernel) Note(text string) {
	if !k.read {
		return
	}
	if raceEnabled && k.task != nil && !k.task.dying {
		k.onHub(func() { k.Note(text) })
		return
	}
	k.tracer.Note(text)
}

// Logging says whether somebody reads what the acting task logs. What a task that was killed still logs has no effect.
//
//go:norace
func (k *Kernel) Logging() bool { return k.logs != nil && (k.task == nil || !k.task.dying) }

// Log adds a record to the trace if somebody reads what the program logs; see Unseen.
//
//go:norace
func (k *Kernel) Log(record func() LogRecord) {
	if k.Logging() {
		k.Unseen(func() { k.logs.Log(k.actor, record()) })
	}
}

// Unseen runs f in the course of the step under way, for somebody who reads the log: whatever f does is no point, and no part of the hash, so
// that a run is the same whether its log is read or not. f must not block.
//
//go:norace
func (k *Kernel) Unseen(f func()) {
	if raceEnabled && k.task != nil {
		k.onHub(func() { k.Unseen(f) })
		k.acquireHub()
		return
	}
	task, hash := k.task, k.hash
	k.task = nil
	defer func() { k.task, k.hash = task, hash }()
	f()
}

// Acting is the actor whose step it is.
//
//go:norace
func (k *Kernel) Acting() *Actor { return k.actor }

// Main marks the task whose end is the end of the program; Finished says that it has returned.
//
//go:norace
func (k *Kernel) Main(a *Actor) { k.main = a }

// Finished says whether the main task has returned.
//
//go:norace
func (k *Kernel) Finished() bool { return k.main != nil && k.main.finished }

// Value asks for a decision: a number out of [0, n), 0 the simplest.
//
//go:norace
func (k *Kernel) Value(name string, o *Object, n int) int {
	return k.decide(Site{Name: name, Object: o}, n)
}

// Chance is a Value that counts as true if it is the last of oneIn.
//
//go:norace
func (k *Kernel) Chance(name string, oneIn int) bool {
	return oneIn > 0 && k.decide(Site{Name: name, Chance: true}, oneIn) == oneIn-1
}

//go:norace
func (k *Kernel) decide(site Site, n int) int {
	if n < 2 {
		return 0
	}
	k.mustLive()
	var v int
	if raceEnabled && k.task != nil {
		k.onHub(func() { v = k.decide(site, n) })
		return v
	}
	k.decisions++
	site.Actor = k.actor
	v = k.source.Value(site, n)
	if uint(v) >= uint(n) {
		panic(fmt.Sprintf("kernel: the source answered %d at %s, want 0 to %d", v, site.Name, n-1))
	}
	k.hash = mix(k.hash, uint64(v))
	if k.tracer != nil {
		k.tracer.Value(site, n, v)
	}
	return v
}

// note folds the outcome of an operation into the hash.
//
//go:norace
func (k *Kernel) outcome(v uint64) { k.hash = mix(k.hash, v) }

// Fold folds into the hash of the run what the operation and the object of the step under way do not say, such as where in a file.
//
//go:norace
func (k *Kernel) Fold(v uint64) { k.outcome(v) }

// Inline runs f in the current step, without points: for models that a task under test calls. f must not block.
//
//go:norace
func (k *Kernel) Inline(f func()) {
	k.mustLive()
	k.TouchWorld()
	k.covered(f)
}

// Covered is Inline for an f that reads and writes only what the table of dependences knows: what the step has announced or touched,
// and what f touches by operations.
//
//go:norace
func (k *Kernel) Covered(f func()) {
	k.mustLive()
	k.covered(f)
}

//go:norace
func (k *Kernel) covered(f func()) {
	if raceEnabled && k.task != nil {
		k.onHub(f)
		k.acquireHub()
		return
	}
	k.inline(f)
}

// Observe is Inline for an f that answers nothing: the race detector is told of no edge back, so that what observes the
// program does not hide its races.
//
//go:norace
func (k *Kernel) Observe(f func()) {
	k.mustLive()
	k.TouchWorld()
	k.observe(f)
}

// ObserveCovered is Observe for an f as Covered wants it.
//
//go:norace
func (k *Kernel) ObserveCovered(f func()) {
	k.mustLive()
	k.observe(f)
}

//go:norace
func (k *Kernel) observe(f func()) {
	if raceEnabled && k.task != nil {
		k.onHub(f)
		return
	}
	k.inline(f)
}

//go:norace
func (k *Kernel) inline(f func()) {
	task := k.task
	k.task = nil
	defer func() { k.task = task }() // the task may recover a panic of f
	f()
	if task != nil && task.dying { // its node has crashed in f
		task.deadOperation()
	}
}

// mustLive unwinds the acting task if it was killed: what it asks of the world has no more effect than its operations.
//
//go:norace
func (k *Kernel) mustLive() {
	if k.task != nil && k.task.dying {
		k.task.deadOperation()
	}
}
