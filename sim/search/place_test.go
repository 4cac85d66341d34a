package search_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// placed is a scenario whose default run takes each step from a line that is marked.
var placed = &sim.Scenario{Name: "placed", Setup: func(w *sim.World) func() { // set-up
	s := w.Host().Scheduler()
	mutex, wake := sched.NewMutex(s), sched.NewChan[int](s, 0)
	w.After(time.Second, func() { w.Fail("told", "by nobody") })
	return func() { // main begins
		w.Host().Go("ends", func() { // spawns ends; ends begins
			mutex.Lock()   // ends locks
			mutex.Unlock() // ends unlocks
		})
		w.Host().Go("stays", func() { // spawns stays; stays begins
			wake.Recv() // stays receives
		})
		wake.Recv() // main receives
	}
}}

// TestPlaceOfAStepIsALineOfTheProgram: also where the compiler has inlined the library, and for a step that no task makes.
func TestPlaceOfAStepIsALineOfTheProgram(t *testing.T) {
	source, err := os.ReadFile("place_test.go")
	require.NoError(t, err)
	lines := strings.Split(string(source), "\n")
	token := choice.Token{Scenario: placed.Name, Deviations: []choice.Deviation{}}
	var told []string
	_, err = search.Replay(placed, token, search.NewTracer(func(e search.Event) {
		if e.Operation == "" {
			return
		}
		p, err := search.PlaceOf(placed, token, e.Step)
		if err != nil || p == nil {
			told = append(told, fmt.Sprintf("%s: no place, %v", e, err))
			return
		}
		_, mark, _ := strings.Cut(lines[p.Line-1], "// ")
		told = append(told, fmt.Sprintf("%s of %d %s: %s", p.Task, p.Step, e, mark))
	}))
	require.NoError(t, err)
	require.Equal(t, []string{
		"main of 1 main: start: main begins",
		"main of 2 main: spawn: spawns ends; ends begins",
		"main of 3 main: spawn: spawns stays; stays begins",
		"main of 4 main: receive setup:chan: main receives",
		"main/ends of 5 main/ends: start: spawns ends; ends begins",
		"main/ends of 6 main/ends: lock setup:mutex: ends locks",
		"main/ends of 7 main/ends: unlock setup:mutex: ends unlocks",
		"main/stays of 8 main/stays: start: spawns stays; stays begins",
		"main/stays of 9 main/stays: receive setup:chan: stays receives",
		"main/stays of 9 time: advance: stays receives",
		"main/stays of 9 after: fire setup:timer: stays receives",
	}, told)
}

func TestPlaceOfAStepThatThereIsNot(t *testing.T) {
	token := choice.Token{Scenario: placed.Name, Deviations: []choice.Deviation{}}
	p, err := search.PlaceOf(placed, token, 1000)
	require.NoError(t, err)
	require.Equal(t, "main/stays", p.Task, "the end of the run")
	token.Options = []choice.Option{{Name: "gravity", Value: "off"}}
	_, err = search.PlaceOf(placed, token, 1)
	require.ErrorContains(t, err, `option "gravity"`)
}

func TestPlaceOfASetup(t *testing.T) {
	source, err := os.ReadFile("place_test.go")
	require.NoError(t, err)
	p := search.PlaceOfSetup(placed)
	require.Equal(t, "sim/search/place_test.go", p.File)
	require.Contains(t, strings.Split(string(source), "\n")[p.Line-1], "// set-up")
}
