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
	Until    int64           // the run ends before the step of that number, and Result.Tasks is wanted; 0: it goes on
	Tracer   Tracer          // nil: nobody reads the trace
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
	Tasks     []TaskReport     // of a run that was to end at RunConfig.Until: who has not finished, and where each is
}

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
	if cfg.Until > 0 {
		cfg.MaxSteps = min(cfg.MaxSteps, cfg.Until)
	}
	k := r.kernel
	k.Begin(kernel.Options{Source: cfg.Source, DataSeed: cfg.DataSeed, MaxSteps: cfg.MaxSteps, Tracer: cfg.Tracer, Listener: cfg.Listener})
	r.world.reset(k, cfg.Options)
	if cfg.Reached {
		if r.reached == nil {
			r.reached = map[choice.Feature]struct{}{}
		}
		clear(r.reached)
		r.world.known = r.reached
	}
	defer r.world.end()
	if err := r.build(sc); err != nil {
		k.End()
		return Result{}, err
	}
	k.Run(r.idle)
	if cfg.Until > 0 {
		result = Result{Steps: k.Steps(), Hash: k.Hash(), Elapsed: k.Now(), Tasks: k.Report()}
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
