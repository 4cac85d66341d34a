// Package conformance runs one test of a primitive on both of its sides: on real goroutines and, under many schedules, in a
// simulation. It is for the tests of the packages that have two sides.
package conformance

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

const (
	schedules = 64      // that a test is simulated under
	maxSteps  = 100_000 // of one of them
)

// T is a test of testing or of rapid.
type T interface {
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
}

// Side is the side that a test runs on. It serves testify's require in the test and in tasks started with Go.
type Side struct {
	Scheduler sched.Scheduler
	Clock     clock.Clock
	Simulated bool
	World     *sim.World // nil on goroutines

	t      T
	prefix string
	failed bool
	tasks  sched.WaitGroup
}

// stop ends a task whose test has failed.
type stop struct{}

// Run runs the test on both sides as sub-tests. f is called many times and must keep its state in itself.
func Run(t *testing.T, f func(*Side)) {
	t.Run("native", func(t *testing.T) { Native(t, f) })
	t.Run("simulated", func(t *testing.T) { Simulated(t, f) })
}

// Native runs the test on goroutines and the wall clock.
func Native(t T, f func(*Side)) {
	s := sched.Goroutines()
	e := &Side{t: t, Scheduler: s, Clock: clock.Wall(), tasks: sched.NewWaitGroup(s)}
	e.guard(func() { f(e) })
}

// Simulated runs the test under many schedules. It fails if one of them violates anything.
func Simulated(t T, f func(*Side)) { Schedules(t, schedules, f) }

// Schedules is Simulated under n schedules.
func Schedules(t T, n uint64, f func(*Side)) {
	for seed := range n {
		e, result := simulate(t, seed, f)
		if failure := result.Failure; failure != nil && !e.failed {
			t.Errorf("schedule %d: %s: %s%s", seed, failure.Property, failure.Message, tasks(failure))
		}
		if t.Failed() {
			return
		}
	}
}

// Violates runs the test under many schedules and asserts that each of them violates the property.
func Violates(t T, property string, f func(*Side)) {
	for seed := range uint64(schedules) {
		_, result := simulate(t, seed, f)
		if result.Failure == nil || result.Failure.Property != property {
			t.Fatalf("schedule %d: %+v, want a violation of %q", seed, result.Failure, property)
		}
	}
}

func simulate(t T, seed uint64, f func(*Side)) (*Side, sim.Result) {
	e := &Side{t: t, Simulated: true, prefix: fmt.Sprintf("schedule %d: ", seed)}
	scenario := &sim.Scenario{Name: "conformance", Setup: func(w *sim.World) func() {
		e.World, e.Scheduler, e.Clock = w, w.Host().Scheduler(), w.Host().Clock()
		e.tasks = sched.NewWaitGroup(e.Scheduler)
		return func() { f(e) }
	}}
	result, err := sim.NewRunner().Run(scenario, sim.RunConfig{Source: Random(seed), DataSeed: seed, MaxSteps: maxSteps})
	if err != nil {
		t.Fatalf("schedule %d: %v", seed, err)
	}
	return e, result
}

func tasks(f *sim.Failure) string {
	var b strings.Builder
	for _, task := range f.Tasks {
		fmt.Fprintf(&b, "\n%+v", task)
	}
	return b.String()
}

type random struct{ *rand.Rand }

// Random decides everything uniformly.
func Random(seed uint64) choice.Source { return random{rand.New(rand.NewPCG(seed, 1))} }

func (r random) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	return r.IntN(len(enabled) + len(armed))
}

func (r random) Value(_ choice.Site, n int) int { return r.IntN(n) }

// Errorf is for testify.
func (e *Side) Errorf(format string, args ...any) {
	e.failed = true
	e.t.Errorf(e.prefix+format, args...)
}

// FailNow is for testify. It ends the task, not the goroutine: that of a simulated task runs others too.
func (e *Side) FailNow() { panic(stop{}) }

// guard calls f and ends quietly where f has failed on goroutines, whose panic would end the process.
func (e *Side) guard(f func()) {
	if !e.Simulated {
		defer func() {
			if r := recover(); r != nil && r != (stop{}) {
				panic(r)
			}
		}()
	}
	f()
}

// Go starts a task that Join waits for.
func (e *Side) Go(f func()) {
	e.tasks.Add(1)
	e.Scheduler.Go("task", func() {
		defer e.tasks.Done()
		e.guard(f)
	})
}

// Join waits for all tasks that Go has started.
func (e *Side) Join() { e.tasks.Wait() }

// Until waits until the condition holds, letting other tasks run meanwhile.
func (e *Side) Until(condition func() bool) {
	for !condition() {
		if e.Simulated {
			sched.Yield(e.Scheduler)
		} else {
			runtime.Gosched()
			time.Sleep(10 * time.Microsecond)
		}
	}
}

// Panic answers what f panics with, as text; empty if it does not.
func Panic(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}
