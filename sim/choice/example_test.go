package choice_test

import (
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// counter reads and writes in two steps, so that some interleaving loses an increment.
var counter = &sim.Scenario{
	Name: "counter",
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		return func() {
			done.Add(2)
			for range 2 {
				s.Go("adder", func() {
					defer done.Done()
					n.Store(n.Load() + 1)
				})
			}
			done.Wait()
			if n.Load() != 2 {
				w.Fail("counted", "two increments made %d", n.Load())
			}
		}
	},
}

// failing makes runs of the counter until one fails, and answers how it departed from the default.
func failing() ([]choice.Deviation, sim.Result, error) {
	random, err := strategy.Parse("random")
	if err != nil {
		return nil, sim.Result{}, err
	}
	source, runner := random.Source(), sim.NewRunner()
	defer runner.Close()
	var recorder choice.Recorder
	for seed := uint64(1); ; seed++ {
		source.Begin(seed, 0)
		recorder.Begin(source, nil)
		result, err := runner.Run(counter, sim.RunConfig{Source: &recorder, Tracer: recorder.Tracer()})
		if err != nil || result.Failure != nil {
			return recorder.Deviations(), result, err
		}
	}
}

// A run is what it departs from the default in. Who follows the list makes the run again.
func ExampleReplay() {
	deviations, recorded, err := failing()
	if err != nil {
		fmt.Println(err)
		return
	}
	var replay choice.Replay
	replay.Begin(deviations, nil)
	result, err := sim.NewRunner().Run(counter, sim.RunConfig{Source: &replay, Tracer: replay.Tracer()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Failure.Message, "- the same run:", result.Hash == recorded.Hash, replay.Fit().Exact())
	// Output: two increments made 1 - the same run: true true
}

// A token is a run as a text for a command line. What was altered on its way is no token any more.
func ExampleToken() {
	deviations := []choice.Deviation{{
		Actor: "main/adder", Point: "store", Object: "setup:atomic", Occurrence: 1, Target: "main/adder#2",
	}}
	text := choice.Token{Scenario: "counter", Property: "counted", Deviations: deviations}.String()
	token, err := choice.ParseToken(text)
	fmt.Println(token.Scenario, token.Property, err)
	for _, d := range token.Deviations {
		fmt.Println(d)
	}
	_, err = choice.ParseToken(text[:len(text)-1])
	fmt.Println(err)
	// Output:
	// counter counted <nil>
	// main/adder#2 moves while main/adder is at store setup:atomic (1st time)
	// the token is cut off: it should have 127 characters after heddle1_ and has 126
}
