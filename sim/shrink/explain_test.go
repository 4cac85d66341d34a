package shrink_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/shrink"
)

// lookup is a program whose reader commits what it has read of a table, though a cleaner may have emptied the table meanwhile. Others
// are busy with something else.
func lookup() *sim.Scenario {
	return &sim.Scenario{Name: "lookup", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		table := sched.NewMutex(sched.Named(s, "table"))
		other, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		rows := 3
		return func() {
			done.Add(3)
			s.Go("bystander", func() {
				defer done.Done()
				for range 40 {
					other.Add(1)
				}
			})
			s.Go("reader", func() {
				defer done.Done()
				other.Add(1) // in whatever order with those of the bystander
				table.Lock()
				read := rows
				w.Logf("reads %d rows", read)
				table.Unlock()
				table.Lock()
				defer table.Unlock()
				w.Logf("commits %d rows", read)
				if read != rows {
					w.Fail("fresh", "%d rows were committed, and there are %d", read, rows)
				}
			})
			s.Go("cleaner", func() {
				defer done.Done()
				table.Lock()
				defer table.Unlock()
				rows = 0
				w.Logf("empties the table")
			})
			done.Wait()
		}
	}}
}

// explained is the explanation of the smallest failure of a scenario.
func explained(t *testing.T, sc *sim.Scenario) *shrink.Explanation {
	small, _, err := shrink.Failure(t.Context(), sc, failureOf(t, sc).Full, shrink.Limits{})
	require.NoError(t, err)
	e, err := shrink.Explain(t.Context(), sc, small.Full, shrink.Limits{})
	require.NoError(t, err)
	require.Equal(t, small.Property, e.Property)
	require.Equal(t, small.Steps, e.Steps)
	require.Len(t, e.Needs, len(small.Full.Deviations))
	return e
}

func TestAnExplanationNamesWhatComesBetweenWhat(t *testing.T) {
	e := explained(t, lookup())

	require.Len(t, e.Needs, 1)
	require.Equal(t, "main/cleaner moves while main/reader is at lock table (2nd time)", e.Needs[0].Decision)
	require.Contains(t, e.Needs[0].Means, "main/cleaner's start (step ")
	require.Regexp(t, ` until unlock table \(step \d+\) between main/reader's unlock table \(step \d+\) and lock table \(step \d+: commits 3 rows\)$`, e.Needs[0].Means)
	require.Empty(t, e.Needs[0].Without, "it passes")
	require.False(t, e.Needs[0].Larger)

	require.Len(t, e.Orders, 1)
	o := e.Orders[0]
	require.Equal(t, []string{"reads 3 rows"}, o.First.Meaning)
	require.Equal(t, []string{"empties the table"}, o.Then.Meaning)
	require.Equal(t, []string{"commits 3 rows"}, o.Until.Meaning)
	require.Equal(t, [...]string{"main/reader", "main/cleaner", "main/reader"}, [...]string{o.First.Task, o.Then.Task, o.Until.Task})
	require.Equal(t, "table", o.Then.Object)

	require.NotNil(t, e.Nearest)
	require.Regexp(t, `^main/reader's lock table \(step \d+: commits 3 rows\)$`, e.Nearest.First.There)
	require.Regexp(t, `^main/cleaner's `, e.Nearest.First.Here)
}

func TestAStoryLeavesOutWhatDoesNotMatter(t *testing.T) {
	e := explained(t, lookup())
	var left, told int64
	var meanings []string
	for _, l := range e.Story {
		left += l.Left
		if l.Left == 0 && l.Again == 0 {
			told++
		}
		meanings = append(meanings, l.Meaning...)
		require.NotContains(t, l.Task, "bystander")
	}
	require.Equal(t, e.Steps, left+told, "every step is told or counted")
	require.Greater(t, left, int64(40))
	require.Less(t, told, int64(12))
	require.Equal(t, []string{"reads 3 rows", "empties the table", "commits 3 rows"}, meanings)
	last := e.Story[len(e.Story)-1]
	require.True(t, last.Failed)
	require.Equal(t, e.Steps, last.Step)
	switches := 0
	for _, l := range e.Story {
		if l.Switch {
			switches++
			require.Equal(t, "main/cleaner", l.Task)
			require.Equal(t, []int{1}, l.Decisions)
		}
	}
	require.Equal(t, 1, switches)
}

func TestAStoryTellsWhatComesAgainOnce(t *testing.T) {
	e := explained(t, &sim.Scenario{Name: "again", Setup: func(w *sim.World) func() {
		ticks := sched.NewAtomicInt64(sched.Named(w.Host().Scheduler(), "ticks"), 0)
		return func() {
			for i := range 100 {
				ticks.Add(1)
				w.Logf("tick %d", i)
			}
			w.Fail("quiet", "it ticked")
		}
	}})
	require.Less(t, len(e.Story), 6)
	require.Empty(t, e.Needs)
	require.Empty(t, e.Orders)
	require.Nil(t, e.Nearest, "there is nothing to change")
	again := 0
	for _, l := range e.Story {
		again += l.Again
	}
	require.Equal(t, 98, again)
}

func TestAnExplanationTellsValuesFromChances(t *testing.T) {
	e := explained(t, &sim.Scenario{Name: "weather", Setup: func(w *sim.World) func() {
		return func() {
			storm := w.Chance("storm", 4)
			ships := w.Value("ships", 10)
			w.Logf("%d ships are out", ships)
			switch {
			case storm && ships > 2:
				w.Fail("safe", "%d ships are lost", ships)
			case ships > 2:
				w.Fail("paid", "the crews of %d ships want to be paid", ships)
			}
		}
	}})
	require.Len(t, e.Needs, 1, "three ships are enough for the crews")
	require.Equal(t, "ships = 3 for main (1st time)", e.Needs[0].Decision)
	require.Equal(t, &shrink.Difference{Step: 1, Here: "3 ships are out", There: "0 ships are out"}, e.Needs[0].First)

	e = explained(t, &sim.Scenario{Name: "storm", Setup: func(w *sim.World) func() {
		return func() {
			if w.Chance("storm", 4) {
				w.Fail("safe", "a ship is lost")
			}
		}
	}})
	require.Equal(t, "storm happens to main (1st time)", e.Needs[0].Decision)
}

func TestWhatDoesNotReproduceIsNotExplained(t *testing.T) {
	token := failureOf(t, lookup()).Full
	token.Hash++
	_, err := shrink.Explain(t.Context(), lookup(), token, shrink.Limits{})
	var other *shrink.NotReproducedError
	require.True(t, errors.As(err, &other))
	require.ErrorContains(t, err, "the failure does not reproduce, so there is nothing to make smaller or to explain: expected fresh with trace ")
}

func TestANameOfAnObjectDecidesNothing(t *testing.T) {
	token := func(named func(sched.Scheduler, string) sched.Scheduler) string {
		return failureOf(t, &sim.Scenario{Name: "named", Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			mutex, box := sched.NewMutex(named(s, "door")), sched.NewChan[int](named(s, "box"), 1)
			return func() {
				s.Go("one", func() {
					mutex.Lock()
					box.Send(1)
					mutex.Unlock()
				})
				mutex.Lock()
				if _, _, received := box.TryRecv(); received {
					w.Fail("empty", "there was something in the box")
				}
				mutex.Unlock()
			}
		}}).Token
	}
	require.Equal(t, token(func(s sched.Scheduler, _ string) sched.Scheduler { return s }), token(sched.Named))
}

func TestAnInputIsExplainedByWhatTheSetUpSays(t *testing.T) {
	e := explained(t, &sim.Scenario{Name: "fleet", Setup: func(w *sim.World) func() {
		ships, crew := w.Value("ships", 10), w.Value("crew", 10)
		w.Logf("a fleet: %d ships, %d sailors on each", ships, crew)
		return func() {
			if ships > 2 {
				w.Fail("small", "%d ships are too many", ships)
			}
		}
	}})
	require.Equal(t, "ships = 3 for setup (1st time)", e.Needs[0].Decision)
	require.Equal(t, "a fleet: 3 ships, instead of a fleet: 0 ships", e.Needs[0].Means)
}

func TestAWorldThatCannotBeMadeIsNoRunThatPasses(t *testing.T) {
	e := explained(t, &sim.Scenario{Name: "ship", Setup: func(w *sim.World) func() {
		masts := 1 - w.Value("sunk", 2) // of 1
		ballast := 10 / (masts + w.Value("masts", 3))
		return func() {
			if masts == 0 && ballast > 0 {
				w.Fail("afloat", "it lies on the ground")
			}
		}
	}})
	require.Len(t, e.Needs, 2)
	require.Empty(t, e.Needs[0].Without)
	require.Equal(t, shrink.NoWorld, e.Needs[1].Without)
	require.Equal(t, "without decision 1", e.Nearest.Change)
}

// TestTheDecisiveStep: of a telling order rather than of another one, of another one rather than of a need, and at last the end.
func TestTheDecisiveStep(t *testing.T) {
	point := func(step int64, meaning ...string) shrink.Point { return shrink.Point{Step: step, Meaning: meaning} }
	e := shrink.Explanation{Steps: 50}
	require.EqualValues(t, 50, e.Decisive())
	e.Story = []shrink.Line{{Step: 3, Decisive: true}, {Step: 7, Decisive: true}, {Step: 50}}
	require.EqualValues(t, 7, e.Decisive())
	e.Orders = []shrink.Order{{First: point(10), Then: point(20, "writes")}}
	require.EqualValues(t, 20, e.Decisive())
	e.Orders = append(e.Orders, shrink.Order{First: point(11, "reads"), Then: point(21, "writes")})
	require.EqualValues(t, 21, e.Decisive())

	real := explained(t, lookup())
	at := real.Decisive()
	require.True(t, slices.ContainsFunc(real.Story, func(l shrink.Line) bool {
		return l.Step == at && l.Task == "main/cleaner" && l.Decisive
	}), "the cleaner's step: %d of %+v", at, real.Story)
}
