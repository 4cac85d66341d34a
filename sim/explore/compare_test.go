package explore

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// orderly enumerates all schedules but for the steps that touch nothing, which come first.
type orderly struct {
	conformance.Enumerator
	watched bool
}

func (o *orderly) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	for i, a := range enabled {
		if !o.watched && (a.Op == kernel.OpStart || a.Op == kernel.OpResume) {
			return i
		}
	}
	return o.Enumerator.Schedule(current, enabled, armed)
}

// number is a setting of a test from the environment: HEDDLE_PROGRAMS, HEDDLE_LARGER and HEDDLE_BOUNDED are how many programs a
// test makes, HEDDLE_FIRST the seed of the first, HEDDLE_MOST how many schedules or states one may have.
func number(t testing.TB, name string, otherwise int) int {
	if text := os.Getenv(name); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	return max(otherwise/slowdown, 1)
}

// everyProgram makes random programs of the shapes in turn, on all processors, until so many were compared. compare answers false for one
// that is too large.
func everyProgram(t *testing.T, stream uint64, shapes []shape, programs int, compare func(t *testing.T, what string, src source, s shape) bool) {
	first := number(t, "HEDDLE_FIRST", 0)
	var next, done atomic.Int64
	t.Cleanup(func() { t.Logf("%d programs of %d, from %d on", done.Load(), next.Load(), first) })
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			for done.Load() < int64(programs) {
				seed := uint64(first) + uint64(next.Add(1)) - 1
				s := shapes[seed%uint64(len(shapes))]
				src := randomSource(rand.New(rand.NewPCG(seed, stream)), s)
				if compare(t, fmt.Sprintf("program %d of stream %d\n%v", seed, stream, src), src, s) {
					done.Add(1)
				}
			}
		})
	}
}

// referee is an independent search: the strict kinds are what classes are told apart by. false: there is more than most.
type referee func(t testing.TB, p program, most int, strict kinds) (o result, all bool)

// compared holds what comes of the runs that the search makes against what the referee finds: they must be one for each class, and none
// blocked, unless that cannot be said of the program. It answers false if there are more than so many.
func compared(t *testing.T, what string, src source, s shape, most int, judge referee) bool {
	p := src.build(s)
	some := reduced(t, p, most)
	require.Empty(t, some.defect, what)
	if some.runs+some.blocked == most {
		return false
	}
	exact, strict := !some.failed && !src.depends(), allKinds // a step that fails touches more than it does elsewhere
	if exact {
		strict = some.strict
	}
	all, complete := judge(t, p, most, strict)
	if !complete {
		return false
	}
	require.Equal(t, all.sorted(), some.sorted(), what)
	if exact {
		require.Zero(t, some.blocked, what)
		if some.foreseen {
			require.Len(t, some.classes, some.runs, what)
		}
		require.Equal(t, all.classed(), some.classed(), what)
	}
	return true
}

// small programs are compared in a few milliseconds.
var small = shape{tasks: 4, length: 3, variables: 2, locks: 2, channels: 2}

func TestRandomProgramsEndAsInAllSchedules(t *testing.T) {
	plain := small
	plain.plain = true
	most := number(t, "HEDDLE_MOST", 400)
	everyProgram(t, 1, []shape{small, small, plain}, number(t, "HEDDLE_PROGRAMS", 500), func(t *testing.T, what string, src source, s shape) bool {
		return compared(t, what, src, s, most, exhaustive)
	})
}

// Small programs pass wrong explorers. Of larger ones not every schedule can be made, but every state can be reached.
func TestRandomLargerProgramsEndAsInAllStates(t *testing.T) {
	shapes := []shape{
		{tasks: 5, length: 4, variables: 3, locks: 3, channels: 3},
		{tasks: 6, length: 3, variables: 4, locks: 3, channels: 2},
		{tasks: 4, length: 6, variables: 4, locks: 2, channels: 2},
		{tasks: 6, length: 4, variables: 4, locks: 4, channels: 4, plain: true},
		{tasks: 4, length: 3, variables: 2, locks: 2, channels: 2, faults: true},
		{tasks: 4, length: 3, variables: 2, locks: 2, channels: 1},
	}
	for range 9 {
		shapes = append(shapes, small)
	}
	most := number(t, "HEDDLE_MOST", 500)
	everyProgram(t, 2, shapes, number(t, "HEDDLE_LARGER", 1500), func(t *testing.T, what string, src source, s shape) bool {
		return compared(t, what, src, s, most, everyState)
	})
}
