package sim_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// counter is the program under test: it knows nothing of the simulator.
type counter struct {
	mu sched.Mutex
	n  int
}

func (c *counter) increment() {
	c.mu.Lock()
	n := c.n
	c.mu.Unlock() // too early: another task may come in here
	c.mu.Lock()
	c.n = n + 1
	c.mu.Unlock()
}

// twoIncrements is the world that it is tried in: who does what, and what must hold.
var twoIncrements = &sim.Scenario{
	Name: "two-increments",
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		c, done := &counter{mu: sched.NewMutex(s)}, sched.NewWaitGroup(s)
		return func() {
			done.Add(2)
			for range 2 {
				s.Go("increment", func() {
					defer done.Done()
					c.increment()
				})
			}
			done.Wait()
			if c.n != 2 {
				w.Fail("lost-update", "two increments make %d, want 2", c.n)
			}
		}
	},
}

// A program, the world that it is tried in, a search that finds its bug, and the bug once more.
func Example() {
	mix, err := strategy.Parse(strategy.Default)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := search.Run(context.Background(), search.Config{
		Scenarios: []*sim.Scenario{twoIncrements}, Seed: "1", Strategy: mix, Runs: 1000,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, failure := range report.Failures() {
		fmt.Printf("%s: %s\n", failure.Property, failure.Message)
		again, err := search.Replay(twoIncrements, failure.Full, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("replayed:", again.Failure.Message, "- the same run:", again.Same)
	}
	// Output:
	// lost-update: two increments make 1, want 2
	// replayed: two increments make 1, want 2 - the same run: true
}

// A run takes no time: the clock of a node is virtual, and moves only when nothing else can.
func ExampleNode_Clock() {
	sleeper := &sim.Scenario{
		Name: "sleeper",
		Setup: func(w *sim.World) func() {
			clock := w.Host().Clock()
			return func() {
				if err := clock.Sleep(context.Background(), 24*time.Hour); err != nil {
					w.Fail("sleep", "%v", err)
				}
			}
		},
	}
	random, err := strategy.Parse("random")
	if err != nil {
		fmt.Println(err)
		return
	}
	source := random.Source()
	source.Begin(1, 0)
	result, err := sim.NewRunner().Run(sleeper, sim.RunConfig{Source: source})
	fmt.Println(result.Elapsed, result.Failure == nil, err)
	// Output: 24h0m0s true <nil>
}

// greeter is a program that logs: in production it is given another *slog.Logger.
func greeter(s sched.Scheduler, log *slog.Logger) {
	guests := sched.NewChan[string](s, 0)
	s.Go("door", func() {
		guests.Send("Ada")
		log.WithGroup("door").Info("closed", "guests", 1)
	})
	guest, _ := guests.Recv()
	log.Info("greets", "guest", guest)
}

// What a program logs costs nothing while a search runs, and stands in the trace for who wants to read it: in the course of the step in which
// it was logged, with virtual time, task and node. heddle replay --log shows it so.
func ExampleNode_Logger() {
	party := &sim.Scenario{
		Name: "party",
		Setup: func(w *sim.World) func() {
			n := w.Node("house")
			return func() { greeter(n.Scheduler(), n.Logger().With("street", "Elm")) }
		},
	}
	byDefault := choice.Token{Scenario: party.Name, Deviations: []choice.Deviation{}}
	tracer := search.NewTracer(func(e search.Event) {
		if e.Log != nil {
			fmt.Println(e.Step, e.Time, e.Actor, search.LogText(e.Log))
		}
	}).WithLog()
	if _, err := search.Replay(party, byDefault, tracer); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 5 0s main/door house: INFO closed street=Elm door.guests=1
	// 6 0s main house: INFO greets street=Elm guest=Ada
}

// A deadlock is found without being asked for, and says who waits for what.
func ExampleRunner_Run() {
	deadlock := &sim.Scenario{
		Name: "deadlock",
		Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			left, right, done := sched.NewMutex(s), sched.NewMutex(s), sched.NewWaitGroup(s)
			lockBoth := func(first, second *sched.Mutex) func() {
				return func() {
					defer done.Done()
					first.Lock()
					defer first.Unlock()
					second.Lock()
					defer second.Unlock()
				}
			}
			return func() {
				done.Add(2)
				s.Go("one", lockBoth(&left, &right))
				s.Go("two", lockBoth(&right, &left))
				done.Wait()
			}
		},
	}
	random, err := strategy.Parse("random")
	if err != nil {
		fmt.Println(err)
		return
	}
	source, runner := random.Source(), sim.NewRunner()
	for seed := range uint64(1000) {
		source.Begin(seed, 0)
		result, err := runner.Run(deadlock, sim.RunConfig{Source: source})
		if err != nil {
			fmt.Println(err)
			return
		}
		if result.Failure != nil {
			fmt.Println(result.Failure.Property)
			for _, task := range result.Failure.Tasks {
				fmt.Println(task.Path, "waits to", task.Operation, task.Object)
			}
			return
		}
	}
	// Output:
	// deadlock
	// main waits to wait setup:waitgroup
	// main/one waits to lock setup:mutex#2
	// main/two waits to lock setup:mutex
}
