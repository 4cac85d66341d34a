package clock_test

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// poll asks until the answer is yes, an hour apart, for as long as ctx lasts. It is given its time.
func poll(ctx context.Context, c clock.Clock, ask func() bool) error {
	for !ask() {
		if err := c.Sleep(ctx, time.Hour); err != nil {
			return err
		}
	}
	return nil
}

// In production a program is given the wall clock, and the scheduler of goroutines.
func ExampleWall() {
	c := clock.Wall()
	ctx, cancel := clock.WithTimeout(c, sched.Goroutines(), context.Background(), time.Minute)
	defer cancel()
	fmt.Println(poll(ctx, c, func() bool { return true }))
	// Output: <nil>
}

// In a simulation the same program is given the clock of a node: a day passes at once.
func ExampleWithTimeout() {
	patience := &sim.Scenario{
		Name: "patience",
		Setup: func(w *sim.World) func() {
			node, asked := w.Node("client"), 0
			return func() {
				ctx, cancel := clock.WithTimeout(node.Clock(), node.Scheduler(), context.Background(), 23*time.Hour+time.Minute)
				defer cancel()
				err := poll(ctx, node.Clock(), func() bool {
					asked++
					return false
				})
				fmt.Println(err, "- asked", asked, "times")
			}
		},
	}
	result, err := sim.NewRunner().Run(patience, sim.RunConfig{Source: choice.NewSequence(nil)})
	fmt.Println(result.Elapsed, result.Failure == nil, err)
	// Output:
	// context deadline exceeded - asked 24 times
	// 23h1m0s true <nil>
}
