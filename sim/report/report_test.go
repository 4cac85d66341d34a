package report_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// nasty is a message with all that a format may stumble over.
const nasty = "100 %0A of <b>\"two\" & 'three'</b>, ]]> a:b, | \\ `code` ``` \x1b[31mred\x00\x7f\xff \uFFFE é 織\r\nsecond line\n::error::third line"

// scenarios are worlds that pass and that fail in each way in which a report has something else to say.
func scenarios() map[string]*sim.Scenario {
	list := []*sim.Scenario{
		{Name: "passes", Properties: []sim.Property{{ID: "holds", Statement: "It holds."}}, Setup: func(w *sim.World) func() { return func() {} }},
		{Name: "racy/one", Properties: []sim.Property{{ID: "counted", Statement: "All is counted."}}, Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			n, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
			return func() {
				done.Add(2)
				for range 2 {
					w.Host().Go("adder", func() {
						n.Store(n.Load() + 1)
						done.Done()
					})
				}
				done.Wait()
				if n.Load() != 2 {
					w.Fail("counted", "%s", nasty)
				}
			}
		}},
		{Name: "stuck", Setup: func(w *sim.World) func() {
			never := sched.NewChan[int](w.Host().Scheduler(), 0)
			return func() { never.Recv() }
		}},
		{Name: "panics", Setup: func(w *sim.World) func() { return func() { panic(nasty) } }},
		{Name: "unlisted", Setup: func(w *sim.World) func() { return func() { w.Fail("no list: of them, has 1 %", "%s", "") } }},
		{Name: "unseen", Sometimes: []string{"a miracle"}, Setup: func(w *sim.World) func() { return func() {} }},
	}
	byName := map[string]*sim.Scenario{}
	for _, sc := range list {
		byName[sc.Name] = sc
	}
	return byName
}

// searched is what a search of scenarios comes to, with each failure made small, explained and located.
func searched(t testing.TB, runs int64, options sim.Options, names ...string) report.Search {
	s := report.Search{Seed: "it's | 7", Strategy: strategy.Default, Options: options}
	for _, name := range names {
		s.Scenarios = append(s.Scenarios, scenarios()[name])
	}
	mix, err := strategy.Parse(strategy.Default)
	require.NoError(t, err)
	found, err := search.Run(context.Background(), search.Config{
		Scenarios: s.Scenarios, Seed: s.Seed, Strategy: mix, Runs: runs, Workers: 1, KeepGoing: true, Options: options,
	})
	require.NoError(t, err)
	s.Reports = found.Scenarios
	for i, r := range s.Reports {
		r.Seconds = 1.5
		for _, f := range r.Failures {
			if f.Token == "" {
				f.Replay = "heddle run " + r.Name
				continue
			}
			f.Shrunk, _, err = shrink.Failure(context.Background(), s.Scenarios[i], f.Full, shrink.Limits{})
			require.NoError(t, err)
			f.Shrunk.Explanation, err = shrink.Explain(context.Background(), s.Scenarios[i], f.Shrunk.Full, shrink.Limits{})
			require.NoError(t, err)
		}
	}
	require.NoError(t, report.Locate(s.Scenarios, s.Reports))
	return s
}

// searches are searches of each kind, by name.
func searches(t testing.TB) map[string]report.Search {
	all := map[string]report.Search{
		"clean":     searched(t, 20, sim.Options{}, "passes"),
		"failing":   searched(t, 200, sim.Options{}, "passes", "racy/one", "stuck", "panics", "unlisted"),
		"one":       searched(t, 200, sim.Options{Only: "counted"}, "passes", "racy/one"),
		"unseen":    searched(t, search.SometimesRuns, sim.Options{}, "unseen"),
		"no search": {Seed: "s", Strategy: "mix"},
	}
	ended := searched(t, 20, sim.Options{}, "passes", "stuck")
	ended.Error, ended.Interrupted = nasty, true
	ended.Reports[0].Runs = 0
	all["ended early"] = ended
	return all
}

// placeOf is the place that reports show.
func placeOf(f *search.Failure) *search.Place {
	if f.Shrunk != nil {
		return f.Shrunk.Place
	}
	return f.Place
}

func TestEachFailureHasThePlaceOfTheStepThatDecides(t *testing.T) {
	s := searches(t)
	of := func(search string, scenario int) *search.Place {
		return placeOf(s[search].Reports[scenario].Failures[0])
	}
	for name, c := range map[string]struct {
		place *search.Place
		line  string
	}{
		"an order":                      {of("failing", 1), "n.Store(n.Load() + 1)"},
		"without an order the last":     {of("failing", 2), "never.Recv()"},
		"a panic":                       {of("failing", 3), "panic(nasty)"},
		"a failure of the whole search": {of("unseen", 0), "a miracle"},
	} {
		require.Equal(t, "sim/report/report_test.go", c.place.File, name)
		require.Contains(t, sourceLine(t, c.place.Line), c.line, name)
	}
	require.NotZero(t, of("failing", 1).Step)
	require.Equal(t, "main/adder#2", of("failing", 1).Task)
	require.Contains(t, sourceLine(t, s["failing"].Reports[1].Failures[0].Place.Line), "n.Load() != 2", "as it was found, without an explanation: the last step")
}
