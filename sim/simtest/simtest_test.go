package simtest

import (
	"fmt"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

func TestFoldersOfTests(t *testing.T) {
	for test, want := range map[string]string{
		"TestX":           "TestX",
		"TestX/a_b/c=1":   "TestX/a_b/c=1",
		"TestX/a.b":       "TestX/a_b-HASH",
		"TestX/..":        "TestX/__-HASH",
		"TestX//":         "TestX/-HASH/-HASH",
		"TestÜbung/é\\a?": "Test_bung-HASH/__a_-HASH",
	} {
		require.Equal(t, want, regexp.MustCompile(`-[0-9a-f]{8}\b`).ReplaceAllString(folderName(test), "-HASH"), test)
	}
	require.NotEqual(t, folderName("TestX/a.b"), folderName("TestX/a:b"))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		require.Regexp(t, `^[A-Za-z0-9_=+-]+(/[A-Za-z0-9_=+-]+)*$`, folderName(name))
		require.Len(t, strings.Split(folderName(name), "/"), len(strings.Split(name, "/")))
	})
}

func TestThePatternOfATest(t *testing.T) {
	require.Equal(t, `^TestX$`, pattern("TestX"))
	require.Equal(t, `^TestX$/^100%_\(safe\)$/^b$`, pattern("TestX/100%_(safe)/b"))
	require.Equal(t, `'it'\''s'`, quoted("it's"))
}

func TestALongTokenIsNotInTheLine(t *testing.T) {
	c := corpus{scenario: &sim.Scenario{Name: "long"}, test: "TestLong"}
	token := choice.Token{Scenario: "long", Property: "p", Strategy: "random", Seed: 7}
	for i := range 1000 {
		token.Deviations = append(token.Deviations, choice.Deviation{Actor: fmt.Sprint("task", i*i), Point: "lock", Occurrence: 1, Value: 1})
	}
	f := search.NewFailure(token, 9, &sim.Failure{Property: "p"})
	require.Regexp(t, ` -v -heddle.replay='testdata/long file'$`, c.replayLine(f, "testdata/long file"))
	require.Regexp(t, ` -v -heddle.replay=`+token.BySeed().String()+`$`, c.replayLine(f, ""), "as it is kept nowhere")
	small := token
	small.Deviations = token.Deviations[:1]
	f.Shrunk = &search.Shrunk{Failure: search.NewFailure(small, 9, &sim.Failure{Property: "p"})}
	require.Regexp(t, ` -v -heddle.replay=`+small.String()+`$`, c.replayLine(f, "testdata/short"))
}

func TestLongTextIsCut(t *testing.T) {
	require.Equal(t, strings.Repeat("x", mostText), limited(strings.Repeat("x", mostText)))
	require.Equal(t, strings.Repeat("x", mostText)+"... (2001 characters in all)", limited(strings.Repeat("x", mostText+1)))
	require.Equal(t, strings.Repeat("x", mostText-1)+"... (2001 characters in all)", limited(strings.Repeat("x", mostText-1)+"é"), "no half of a letter")
	c := corpus{scenario: &sim.Scenario{Name: "loud"}, test: t.Name()}
	f := &search.Failure{Scenario: "loud", Property: "quiet", Message: strings.Repeat("a\n", 1e6), Stack: strings.Repeat("\tframe\n", 1e6)}
	f.Tasks = slices.Repeat([]sim.TaskReport{{Path: "main", Operation: "lock", Stack: strings.Repeat("f\n", 1e6)}}, 1000)
	text := c.text(f, kept{})
	require.Less(t, len(text), (mostTasks+2)*8*mostText)
	require.Contains(t, text, "and 984 more tasks")
}

func TestATraceKeepsTheLastEvents(t *testing.T) {
	var kept trace
	for i := range 10 * mostTrace {
		kept.add(search.Event{Step: int64(i), Actor: "main", Operation: "lock"})
	}
	require.Equal(t, int64(10*mostTrace-1), kept.events[len(kept.events)-1].Step)
	require.Equal(t, 10*mostTrace, kept.missed+len(kept.events))
	require.GreaterOrEqual(t, len(kept.events), mostTrace)
	require.Contains(t, kept.String(), fmt.Sprintf("%d events before\n", kept.missed))
}

func TestInputsOfTheFuzzer(t *testing.T) {
	require.Empty(t, decode(nil))
	require.Empty(t, decode([]byte{7}), "half a decision is none")
	gaps := map[int]int{}
	for b := range math.MaxUint8 + 1 {
		gaps[gap(byte(b))]++
	}
	for g := range 32 {
		require.NotZero(t, gaps[g], "each small gap can be said with a byte: %d", g)
	}
	small := 0
	for g := range 8 {
		small += gaps[g]
	}
	require.Greater(t, small, math.MaxUint8/3, "small ones are likelier")
	require.Equal(t, 248, slices.Max(keys(gaps)))
}

func keys(m map[int]int) (list []int) {
	for k := range m {
		list = append(list, k)
	}
	return list
}

func TestAFlagGoesBeforeTheEnvironment(t *testing.T) {
	t.Setenv("HEDDLE_FOR", "1ms")
	s, err := read(t, 5)
	require.NoError(t, err)
	require.Equal(t, time.Millisecond, s.duration)
	require.Zero(t, s.runs, "a budget that is given replaces that of the test")
	t.Setenv("HEDDLE_RUNS", "7")
	_, err = read(t, 5)
	require.EqualError(t, err, "HEDDLE_RUNS and HEDDLE_FOR exclude each other: give one budget")
	t.Setenv("HEDDLE_FOR", "")
	s, err = read(t, 5)
	require.NoError(t, err)
	require.Equal(t, int64(7), s.runs)
}

// refused takes down what ends a test.
type refused struct {
	testing.TB
	why string
}

func (*refused) Helper() {}

func (r *refused) Fatal(why ...any) {
	r.why = fmt.Sprint(why...)
	runtime.Goexit()
}

func TestATestNeedsAScenario(t *testing.T) {
	for _, scenario := range []*sim.Scenario{nil, {Name: "no set-up"}} {
		r, ended := &refused{}, make(chan struct{})
		go func() {
			defer close(ended)
			newCorpus(r, scenario)
		}()
		<-ended
		require.Equal(t, "a test needs a scenario that has a Setup", r.why)
	}
}
