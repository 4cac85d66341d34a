// Package rapidtest lets rapid (pgregory.net/rapid) decide runs of scenarios: whole worlds as property tests, whose shape is drawn by
// rapid too, and that rapid makes smaller when they fail.
//
//	rapid.Check(t, func(t *rapid.T) {
//		rapidtest.Run(t, bank(rapid.IntRange(1, 5).Draw(t, "accounts")))
//	})
//
// It is apart from package simtest because rapid registers flags, which whoever does not use rapid need not have. It is for tests alone.
package rapidtest

import (
	"errors"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// Bounds of what is drawn for a run.
const (
	mostChoices = 64
	mostGap     = 1000
	mostAnswer  = 255
)

// Source draws what decides one run: a list of decisions beside the default ones, all of it before the run begins. So a smaller draw is
// a run closer to the default, and nothing is asked of rapid from within a task.
func Source(t *rapid.T) choice.Source {
	return choice.NewSequence(rapid.SliceOfN(choices(), 0, mostChoices).Draw(t, "decisions"))
}

func choices() *rapid.Generator[choice.Choice] {
	return rapid.Custom(func(t *rapid.T) choice.Choice {
		return choice.Choice{Gap: rapid.IntRange(0, mostGap).Draw(t, "gap"), Answer: rapid.IntRange(1, mostAnswer).Draw(t, "answer")}
	})
}

// Run makes one run of the scenario, decided by a Source and with random bytes of a seed that is drawn, and fails the property if the
// run violates one of its own. A scenario that cannot be set up fails it too. Rapid says how to repeat it.
func Run(t *rapid.T, scenario *sim.Scenario) {
	runner := sim.NewRunner()
	config := sim.RunConfig{DataSeed: rapid.Uint64().Draw(t, "data seed"), Source: Source(t)}
	var result sim.Result
	err := search.Watched(scenario, []*sim.Runner{runner}, func() (err error) {
		result, err = runner.Run(scenario, config)
		return err
	})
	if stuck := new(search.StuckError); errors.As(err, &stuck) {
		t.Fatalf("%v\n%s", err, stuck.Stack) // the runner is in its run, and cannot be closed
	}
	defer runner.Close()
	if err != nil {
		t.Fatal(err)
	}
	if f := result.Failure; f != nil {
		var tasks strings.Builder
		for _, task := range f.Tasks {
			fmt.Fprintf(&tasks, "\ntask %s waits to %s\n%s", task.Path, strings.TrimSpace(task.Operation+" "+task.Object), task.Stack)
		}
		t.Fatalf("%s violates %s at step %d: %s\n%s%s", scenario.Name, f.Property, f.Step, f.Message, f.Stack, tasks.String())
	}
}
