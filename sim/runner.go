package sim

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// DefaultMaxSteps is the limit of steps of a run that sets none.
const DefaultMaxSteps = 1_000_000

// drainTime is how much virtual time tasks have to end after the main task has returned.
const drainTime = time.Hour

// RunConfig is what a run is a function of, beside its scenario.
type RunConfig struct {
	Source   choice.Source
	DataSeed uint64          // of all random bytes
	MaxSteps int64           // 0: DefaultMaxSteps
	Until    int64           // the run ends before the step of that number is made, and Result.State is wanted; 0: it goes on
	Pause    func() bool     // not nil: the run does not end there, but calls this on the stack of the task that is about to make the step, and ends only if that answers false
	Tracer   Tracer          // nil: nobody reads the trace
	Watcher  Watcher         // nil: nobody looks
	Listener kernel.Listener // nil: nobody reduces by dependence; see package explore
	Reached  bool            // Result.Reached is wanted
	Options
}

// Tracer is told every step, value and note of a run, in order.
type Tracer = kernel.Tracer

// TaskReport tells of a task at the end of a failed run: its path, what it is about to do, and its stack.
type TaskReport = kernel.TaskReport

// Failure is the first violation of a run.
type Failure struct {
	Property string
	Message  string
	Step     int64
	Stack    string       // of the task that panicked, if one did
	Tasks    []TaskReport // what was left: for a deadlock and a leak
	Exhibits []Exhibit    // what belongs to it, if the run was traced; see World.Exhibit
}

// Exhibit is a document that belongs to a failure.
type Exhibit struct {
	Name    string // ends in its form, as in history.html
	Content []byte
}

// Result is what a run came to. Its slices are valid until the runner's next run.
type Result struct {
	Steps     int64
	Hash      uint64 // over operations, objects and values
	Elapsed   time.Duration
	Failure   *Failure // nil if nothing was violated
	Faults    []FaultCount
	Sometimes []string
	Reached   []choice.Reached // if that is wanted; see World.Reached
	Actors    int32            // tasks, timers, links and fault rules that it has had
	Abandoned int              // tasks that would not end after their node had crashed
	State     *State           // of a run that was to end at RunConfig.Until, or had ended before
}

// State is a run between two steps.
type State struct {
	kernel.State
	Faults []FaultCount `json:"faults"` // that have struck
}

// Parts of a State.
type (
	TaskState   = kernel.TaskState
	ObjectState = kernel.ObjectState
	TimerState  = kernel.TimerState
	NextStep    = kernel.NextStep
)

// LogReader is a [Tracer] that also wants what programs log by [Node.Logger], if ReadsLog says so.
type LogReader = kernel.LogReader

// LogRecord is what a program has logged, with its attributes.
type (
	LogRecord    = kernel.LogRecord
	LogAttribute = kernel.LogAttribute
)

// Runner runs scenarios, one run at a time. Runs share nothing but memory; use one runner for each goroutine.
type Runner struct {
	kernel  *kernel.Kernel
	world   World
	faults  []FaultCount
	reached map[choice.Feature]struct{} // of the world
	drained time.Duration
}

// NewRunner makes a runner.
func NewRunner() *Runner { return &Runner{kernel: kernel.New()} }

// Poke asks a run under way for a sign of life; Poked says whether no step has begun since. For watchdogs: both may be called
// from any goroutine.
func (r *Runner) Poke() { r.kernel.Poke() }

// Poked says whether no step has begun since Poke.
func (r *Runner) Poked() bool { return r.kernel.Poked() }

// Run runs the scenario once. The error is a failure of the set-up or of Heddle, not of the program under test.
func (r *Runner) Run(sc *Scenario, cfg RunConfig) (result Result, err error) {
	if cfg.MaxSteps == 0 {
		cfg.MaxSteps = DefaultMaxSteps
	}
	k, state := r.kernel, cfg.Until > 0 && cfg.Pause == nil
	k.Begin(kernel.Options{
		Source: cfg.Source, DataSeed: cfg.DataSeed, MaxSteps: cfg.MaxSteps, Tracer: cfg.Tracer, Listener: cfg.Listener,
		Until: cfg.Until, Pause: cfg.Pause, State: state,
	})
	r.world.reset(k, cfg.Options)
	if cfg.Reached {
		if r.reached == nil {
			r.reached = map[choice.Feature]struct{}{}
		}
		clear(r.reached)
		r.world.known = r.reached
	}
	defer r.world.end()
	if r.world.watcher = cfg.Watcher; cfg.Watcher != nil {
		cfg.Watcher.Begin(&r.world)
	}
	if err := r.build(sc); err != nil {
		k.End()
		return Result{}, err
	}
	k.Run(r.idle)
	if state {
		result = r.inspect()
	} else {
		result = r.judge()
	}
	k.End()
	if broken := k.Broken(); broken != nil {
		return Result{}, fmt.Errorf("scenario %s panicked outside a task: %w", sc.Name, broken)
	}
	return result, nil
}

// Close gives back the coroutines that the runner keeps from run to run. It is of no use afterwards.
func (r *Runner) Close() { r.kernel.Close() }

// build runs the set-up and spawns the main task.
func (r *Runner) build(sc *Scenario) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("scenario %s panicked outside a task: %w", sc.Name, kernel.PanicError(p))
		}
	}()
	main := sc.Setup(&r.world)
	if main == nil {
		return fmt.Errorf("scenario %s has no main task: its Setup answered nil", sc.Name)
	}
	r.world.tellFaults()
	r.kernel.Main(r.kernel.Spawn(r.world.host.node, "main", main))
	r.drained = -1
	return nil
}

// idle ends a run whose main task has returned, when nothing more happens within an hour of virtual time since. It is asked
// while a timer is armed.
func (r *Runner) idle() bool {
	if !r.kernel.Finished() {
		return false
	}
	if r.drained < 0 {
		r.drained = r.kernel.Now() + drainTime
	}
	return r.kernel.NextDeadline() > r.drained
}

// inspect looks at a run that has come to the step that it was to end at.
func (r *Runner) inspect() Result {
	k := r.kernel
	result := Result{Steps: k.Steps(), Hash: k.Hash(), Elapsed: k.Now(), State: &State{State: *k.State(), Faults: []FaultCount{}}}
	for i := range r.world.faults {
		if f := r.world.faults[i].FaultCount; f.Fired > 0 {
			result.State.Faults = append(result.State.Faults, f)
		}
	}
	return result
}

// judge looks at a run that has come to its end.
func (r *Runner) judge() Result {
	k := r.kernel
	var tasks []TaskReport
	if k.Violation() == nil && !k.Stopped() {
		switch n := k.Live(); {
		case !k.Finished():
			tasks = k.Report()
			r.world.Fail(Deadlock, "%s", blocked("nothing can move, and the main task has not returned", tasks))
		case n > 0:
			tasks = k.Report()
			r.world.Fail(Leak, "%s", blocked(fmt.Sprintf("the main task has returned, %d others have not", n), tasks))
		}
	}
	r.faults = r.faults[:0]
	for i := range r.world.faults {
		r.faults = append(r.faults, r.world.faults[i].FaultCount)
	}
	result := Result{
		Steps: k.Steps(), Hash: k.Hash(), Elapsed: k.Now(), Faults: r.faults, Sometimes: r.world.sometimes, Reached: r.world.reached, Actors: k.Actors(), Abandoned: k.Abandoned(),
	}
	if v := k.Violation(); v != nil && r.world.options.judges(v.Property) {
		result.Failure = &Failure{Property: v.Property, Message: v.Message, Step: v.Step, Stack: v.Stack, Tasks: tasks, Exhibits: r.world.exhibited(v.Property)}
	}
	return result
}

// blocked says in one line who waits for what.
func blocked(what string, tasks []TaskReport) string {
	for i, t := range tasks {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		what += sep + t.Path + " waits to " + t.Operation
		if t.Object != "" {
			what += " " + t.Object
		}
	}
	return what
}
