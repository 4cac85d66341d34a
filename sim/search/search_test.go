package search

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// lostUpdate has two tasks that read and write a counter without a lock, and a fault that may take one from it.
var lostUpdate = &sim.Scenario{
	Name: "lost-update", Sometimes: []string{"both", "never"},
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		counter, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		thefts := int64(0)
		w.Rule("theft", 1, func() bool {
			thefts++
			w.Effect("theft")
			return true
		})
		return func() {
			done.Add(2)
			for range 2 {
				w.Host().Go("adder", func() {
					n := counter.Load()
					w.Value("hesitate", 3)
					counter.Store(n + 1)
					done.Done()
				})
			}
			done.Wait()
			if got := counter.Load(); got != 2 {
				w.Fail("counted", "counter is %d after 2 additions", got)
				w.Exhibit("counted", "sum.html", func() ([]byte, error) { return fmt.Appendf(nil, "<p>1 + 1 = %d", got), nil })
				w.Exhibit("another", "other.html", func() ([]byte, error) { panic("nobody asks for it") })
			}
			w.Sometimes("both")
		}
	},
}

var correct = &sim.Scenario{
	Name: "correct",
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		counter, done := sched.NewAtomicInt64(s, 0), sched.NewWaitGroup(s)
		return func() {
			done.Add(3)
			for range 3 {
				w.Host().Go("adder", func() {
					counter.Add(1)
					done.Done()
				})
			}
			done.Wait()
			if counter.Load() == 3 {
				w.Sometimes("three")
			}
		}
	},
}

func mix(t require.TestingT) strategy.Strategy { return parse(t, strategy.Default) }

func parse(t require.TestingT, name string) strategy.Strategy {
	s, err := strategy.Parse(name)
	require.NoError(t, err)
	return s
}

// timeless is the report without what depends on the clock.
func timeless(r *Report) []ScenarioReport {
	var all []ScenarioReport
	for _, s := range r.Scenarios {
		copied := *s
		copied.Seconds = 0
		all = append(all, copied)
	}
	return all
}

func TestFirstFailureEndsTheSearchAndReplays(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{lostUpdate}, Seed: "1", Strategy: mix(t), Runs: 1000})
	require.NoError(t, err)
	s := report.Scenarios[0]
	require.Len(t, s.Failures, 1)
	f := s.Failures[0]
	require.Equal(t, "counted", f.Property)
	require.Equal(t, "counter is 1 after 2 additions", f.Message)
	require.Equal(t, s.Runs-1, f.Run, "no run after the one that failed counts")

	for _, text := range []string{f.Token, f.Full.String(), f.Full.BySeed().String()} {
		token, err := choice.ParseToken(text)
		require.NoError(t, err)
		replayed, err := Replay(lostUpdate, token, nil)
		require.NoError(t, err)
		require.True(t, replayed.Same)
		require.Equal(t, f.Steps, replayed.Steps)
		require.Equal(t, f.Message, replayed.Failure.Message)
	}
}

// rare fails if a look with ten steps before it comes before the first of six stores: seldom at random, often where all orders of
// the look and the stores are alike.
var rare = &sim.Scenario{
	Name: "rare",
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		counter, own := sched.NewAtomicInt64(s, 0), sched.NewAtomicInt64(s, 0)
		return func() {
			w.Host().Go("writer", func() {
				for n := range int64(6) {
					counter.Store(n + 1)
				}
			})
			w.Host().Go("reader", func() {
				for n := range int64(10) {
					own.Store(n)
				}
				if counter.Load() == 0 {
					w.Fail("looked", "too early")
				}
			})
		}
	},
}

func TestRunThatHasLearntReplaysFromItsSeed(t *testing.T) {
	for _, name := range []string{"urw", "surw"} {
		learnt := 0
		for seed := range 20 {
			report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{rare}, Seed: fmt.Sprint(seed), Strategy: parse(t, name), Runs: 4 * strategy.Generation})
			require.NoError(t, err)
			for _, f := range report.Scenarios[0].Failures {
				require.Equal(t, f.Run >= strategy.Generation, f.Full.Learnt != "")
				if f.Full.Learnt == "" {
					continue
				}
				learnt++
				token, err := choice.ParseToken(f.Full.BySeed().String())
				require.NoError(t, err)
				replayed, err := Replay(rare, token, nil)
				require.NoError(t, err)
				require.True(t, replayed.Same, "%s, seed %d", name, seed)

				token.Learnt = "damaged"
				_, err = Replay(rare, token, nil)
				require.EqualError(t, err, "the token cannot be replayed: what its strategy had learnt is damaged")
			}
		}
		require.Positive(t, learnt, name)
	}
}

func TestReportDoesNotDependOnWorkers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := Config{
			Scenarios: []*sim.Scenario{correct, lostUpdate}, Strategy: parse(t, rapid.SampledFrom([]string{"mix", "random", "guided", "pct:3", "pos", "urw", "surw", "delay:2"}).Draw(rt, "strategy")),
			Seed: rapid.StringN(0, 4, 8).Draw(rt, "seed"), Runs: rapid.Int64Range(1, 700).Draw(rt, "runs"), KeepGoing: rapid.Bool().Draw(rt, "keep going"),
		}
		config.Workers = 1
		one, err := Run(context.Background(), config)
		require.NoError(rt, err)
		for workers := 2; workers <= 5; workers += 3 {
			config.Workers = workers
			many, err := Run(context.Background(), config)
			require.NoError(rt, err)
			require.Equal(rt, timeless(one), timeless(many), "%d workers", workers)
		}
	})
}

func TestReportDoesNotDependOnProcessors(t *testing.T) {
	config := Config{Scenarios: []*sim.Scenario{correct}, Seed: "p", Strategy: mix(t), Runs: 600, Workers: 3}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one, err := Run(context.Background(), config)
	require.NoError(t, err)
	runtime.GOMAXPROCS(2)
	two, err := Run(context.Background(), config)
	require.NoError(t, err)
	require.Equal(t, timeless(one), timeless(two))
}

func TestSeedsAndScenariosDiffer(t *testing.T) {
	hash := func(sc *sim.Scenario, seed string) string {
		report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{sc}, Seed: seed, Strategy: mix(t), Runs: 50, KeepGoing: true})
		require.NoError(t, err)
		return report.Scenarios[0].TraceHash
	}
	twin := *correct
	twin.Name = "twin"
	require.NotEqual(t, hash(correct, "1"), hash(correct, "2"))
	require.NotEqual(t, hash(correct, "1"), hash(&twin, "1"))
}

func TestKeepGoingCollectsDistinctFailures(t *testing.T) {
	two := &sim.Scenario{Name: "two", Setup: func(w *sim.World) func() {
		return func() {
			switch w.Value("which", 3) {
			case 1:
				w.Fail("first", "after %d things", w.Value("n", 50))
			case 2:
				w.Fail("second", "always")
			}
		}
	}}
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{two}, Seed: "k", Strategy: mix(t), Runs: 500, KeepGoing: true})
	require.NoError(t, err)
	s := report.Scenarios[0]
	require.EqualValues(t, 500, s.Runs)
	require.Len(t, s.Failures, 2, "numbers in a message make no new failure")
	require.Equal(t, s.Failed, s.Failures[0].Runs+s.Failures[1].Runs)
}

func TestOfFailuresThatAreAlikeTheShortestIsKept(t *testing.T) {
	longer := &sim.Scenario{Name: "longer", Setup: func(w *sim.World) func() {
		n := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
		return func() {
			for range w.Value("length", 30) {
				n.Add(1)
			}
			w.Fail("ends", "after %d steps", w.Step())
		}
	}}
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{longer}, Seed: "k", Strategy: mix(t), Runs: 500, KeepGoing: true})
	require.NoError(t, err)
	require.Len(t, report.Failures(), 1)
	f := report.Failures()[0]
	require.EqualValues(t, 500, f.Runs)
	require.Equal(t, "after 1 steps", f.Message)
	require.EqualValues(t, 1, f.Steps)
}

func TestSometimesNeverSeenFailsTheSearch(t *testing.T) {
	never := *correct
	never.Sometimes = []string{"three", "four"}
	config := Config{Scenarios: []*sim.Scenario{&never}, Seed: "s", Strategy: mix(t), Runs: SometimesRuns - 1}
	report, err := Run(context.Background(), config)
	require.NoError(t, err)
	require.Empty(t, report.Failures(), "the budget was too small to say so")
	require.Equal(t, []Seen{{"three", SometimesRuns - 1}, {"four", 0}}, report.Scenarios[0].Sometimes)

	config.Runs = SometimesRuns
	report, err = Run(context.Background(), config)
	require.NoError(t, err)
	require.Len(t, report.Failures(), 1)
	require.Equal(t, Sometimes, report.Failures()[0].Property)
	require.Equal(t, "not seen in 10000 runs: four", report.Failures()[0].Message)
}

func TestLedgerIsMerged(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{lostUpdate}, Seed: "l", Strategy: mix(t), Runs: 400, KeepGoing: true})
	require.NoError(t, err)
	faults := report.Scenarios[0].Faults
	require.Len(t, faults, 1)
	require.Equal(t, "theft", faults[0].Fault)
	require.Less(t, faults[0].Armed, int64(400))
	require.Positive(t, faults[0].Effect)
	require.LessOrEqual(t, faults[0].Effect, faults[0].Armed)
}

func TestPanicOutsideATaskKeepsWhatWasFound(t *testing.T) {
	broken := &sim.Scenario{Name: "broken", Setup: func(w *sim.World) func() {
		if w.Value("when", 400) == 0 {
			panic("no such file")
		}
		return func() {}
	}}
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{lostUpdate, broken}, Seed: "b", Strategy: mix(t), Runs: 3000, KeepGoing: true})
	require.ErrorContains(t, err, "scenario broken panicked outside a task: no such file")
	require.Len(t, report.Scenarios[0].Failures, 1)
	require.Positive(t, report.Scenarios[1].Runs)
}

func TestNondeterminismIsReportedAsSuch(t *testing.T) {
	runs := 0
	var mutex sync.Mutex
	flaky := &sim.Scenario{Name: "flaky", Setup: func(w *sim.World) func() {
		mutex.Lock()
		defer mutex.Unlock()
		runs++
		fails := runs == 10
		return func() {
			if fails {
				w.Fail("once", "in run %d", runs)
			}
		}
	}}
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{flaky}, Seed: "n", Strategy: mix(t), Runs: 100, Workers: 1})
	var nondeterminism *NondeterminismError
	require.ErrorAs(t, err, &nondeterminism)
	require.Contains(t, err.Error(), "scenario flaky is not deterministic: the run of seed ")
	require.Contains(t, err.Error(), "came to once (")
	require.Contains(t, err.Error(), "repeated from its seed to no failure (")
	require.Empty(t, report.Failures())
}

func TestWatchdogReportsANativeLock(t *testing.T) {
	var native sync.Mutex
	stuck := &sim.Scenario{Name: "stuck", Setup: func(w *sim.World) func() {
		return func() {
			native.Lock()
			w.Host().Go("other", func() {})
			waitForever(&native)
		}
	}}
	s := &search{
		config: Config{Scenarios: []*sim.Scenario{stuck}, Seed: "w", Strategy: mix(t), Runs: 10}, crew: newCrew(1), started: time.Now(), stuckAfter: 3 * watchEvery,
	}
	_, err := s.run(context.Background())
	var stuckError *StuckError
	require.ErrorAs(t, err, &stuckError)
	require.Equal(t, "stuck", stuckError.Scenario)
	require.Contains(t, stuckError.Stack, "search.waitForever")
	native.Unlock() // lets the goroutine that was left behind end
}

func waitForever(native *sync.Mutex) {
	native.Lock()
	native.Unlock() //nolint:staticcheck // an empty critical section is the point
}

func TestGoexitIsAFailureOfTheRun(t *testing.T) {
	exits := &sim.Scenario{Name: "exits", Setup: func(w *sim.World) func() {
		return func() {
			w.Host().Go("leaver", runtime.Goexit)
			w.Host().Go("other", func() {})
		}
	}}
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{exits, correct}, Seed: "g", Strategy: mix(t), Runs: 20, KeepGoing: true})
	require.NoError(t, err)
	require.Len(t, report.Failures(), 1)
	f := report.Failures()[0]
	require.Equal(t, sim.Goexit, f.Property)
	require.EqualValues(t, 20, f.Runs)
	require.EqualValues(t, 20, report.Scenarios[1].Runs, "the workers survive")
	replayed, err := Replay(exits, f.Full, nil)
	require.NoError(t, err)
	require.True(t, replayed.Same)
}

func TestInterruptedSearchReportsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	config := Config{Scenarios: []*sim.Scenario{correct}, Seed: "i", Strategy: mix(t), Runs: 1 << 40, Progress: func(p Progress) {
		if p.Runs > 0 {
			cancel()
		}
	}}
	report, err := Run(ctx, config)
	require.NoError(t, err)
	require.True(t, report.Interrupted)
	runs := report.Runs()
	require.Positive(t, runs)

	config.Runs, config.Progress = runs, nil
	whole, err := Run(context.Background(), config)
	require.NoError(t, err)
	require.False(t, whole.Interrupted)
	require.Equal(t, timeless(report), timeless(whole), "an interrupted search is a shorter one")
}

func TestDurationReachesEveryScenario(t *testing.T) {
	var scenarios []*sim.Scenario
	for i := range 5 {
		sc := *correct
		sc.Name = fmt.Sprintf("correct%d", i)
		scenarios = append(scenarios, &sc)
	}
	report, err := Run(context.Background(), Config{Scenarios: scenarios, Seed: "d", Strategy: mix(t), Duration: 300 * time.Millisecond})
	require.NoError(t, err)
	require.False(t, report.Interrupted)
	for _, s := range report.Scenarios {
		require.Positive(t, s.Runs)
	}
}

func TestKeptFailureIsReadAgain(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{lostUpdate}, Seed: "f", Strategy: mix(t), Runs: 1000})
	require.NoError(t, err)
	f := report.Failures()[0]
	path, err := Save(t.TempDir(), lostUpdate, f)
	require.NoError(t, err)
	_, token, err := LoadFile(path)
	require.NoError(t, err)
	require.Equal(t, f.Full, token)

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var file File
	require.NoError(t, json.Unmarshal(content, &file))
	require.Equal(t, f.Message, file.Message)
	require.Greater(t, int64(len(file.Trace)), f.Steps, "steps and notes")

	require.Len(t, file.Exhibits, 1, "those of the property that failed")
	require.Equal(t, strings.TrimSuffix(filepath.Base(path), ".json")+"-sum.html", file.Exhibits[0])
	exhibit, err := os.ReadFile(filepath.Join(filepath.Dir(path), file.Exhibits[0]))
	require.NoError(t, err)
	require.Equal(t, "<p>1 + 1 = 1", string(exhibit))
}

func TestSignatureLeavesOutNumbersAndIDs(t *testing.T) {
	a := Signature("S5", "queue one/7100 on session 46a3a630 is lost after 12 steps")
	require.Equal(t, a, Signature("S5", "queue one/9 on session 6c11ff0e is lost after 7 steps"))
	require.NotEqual(t, a, Signature("S5", "queue one/7100 on session 46a3a630 is found after 12 steps"))
	require.NotEqual(t, a, Signature("S6", "queue one/7100 on session 46a3a630 is lost after 12 steps"))
	require.Equal(t, a, Signature("S5", "queue one/7100 on session 46a3a630 is lost after 12 steps\n  main/task: lock"))
}

func TestTraceTellsEveryStep(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{lostUpdate}, Seed: "t", Strategy: mix(t), Runs: 1000})
	require.NoError(t, err)
	steps, last := int64(0), lastEvents{most: 3}
	replayed, err := Replay(lostUpdate, report.Failures()[0].Full, NewTracer(func(e Event) {
		if e.Operation != "" {
			steps++
			require.Equal(t, steps, e.Step)
			require.NotEmpty(t, e.Actor)
		}
		last.add(e)
	}))
	require.NoError(t, err)
	require.Equal(t, replayed.Steps, steps)
	events := last.events()
	require.Len(t, events, 3)
	require.Equal(t, "violated counted: counter is 1 after 2 additions", events[2].Note)
}

func TestReplayRefusesWhatItDoesNotKnow(t *testing.T) {
	_, err := Replay(lostUpdate, choice.Token{Scenario: "lost-update", Strategy: "dream"}, nil)
	require.EqualError(t, err, `the token cannot be replayed: unknown strategy "dream": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`)
	_, err = Replay(lostUpdate, choice.Token{Scenario: "lost-update", Strategy: "mix"}, nil)
	require.EqualError(t, err, "the token cannot be replayed: strategy mix decides no run, only a part of it does")
	_, err = Replay(lostUpdate, choice.Token{Scenario: "lost-update", Strategy: "random", Options: []choice.Option{{Name: "store", Value: "sqlite"}}}, nil)
	require.EqualError(t, err, `the token sets option "store", which scenario lost-update of this build does not have`)
}

func BenchmarkSearch(b *testing.B) {
	for workers := 1; workers <= 2; workers++ {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{correct}, Seed: "b", Strategy: mix(b), Runs: int64(b.N), Workers: workers})
			require.NoError(b, err)
			b.ReportMetric(float64(report.Scenarios[0].Steps)/float64(b.N), "steps/op")
		})
	}
}

// TestProgressTellsEachScenarioAsItsReportWillBe: what is told on the way is a report of the runs until then, complete and never changed.
func TestProgressTellsEachScenarioAsItsReportWillBe(t *testing.T) {
	var told []*ScenarioReport
	var asTold []string
	text := func(r *ScenarioReport) string {
		content, err := json.Marshal(r)
		require.NoError(t, err)
		return string(content)
	}
	config := Config{Scenarios: []*sim.Scenario{correct, lostUpdate}, Seed: "p", Strategy: mix(t), Duration: 1500 * time.Millisecond, KeepGoing: true, Progress: func(p Progress) {
		require.Len(t, p.Scenarios, 2)
		told = append(told, p.Scenarios[1])
		asTold = append(asTold, text(p.Scenarios[1]))
	}}
	report, err := Run(context.Background(), config)
	require.NoError(t, err)
	require.Greater(t, len(told), 3)
	last := told[len(told)-1]
	require.Positive(t, last.Runs)
	require.LessOrEqual(t, last.Runs, report.Scenarios[1].Runs)
	require.NotEmpty(t, last.Failures)
	require.NotNil(t, last.Behaviour)
	for i, r := range told {
		require.Equal(t, asTold[i], text(r), "a report that was told has changed")
	}

	config.Runs, config.Progress, config.Scenarios = last.Runs, nil, config.Scenarios[1:]
	until, err := Run(context.Background(), config)
	require.NoError(t, err)
	again := *last
	again.Seconds = until.Scenarios[0].Seconds
	until.Scenarios[0].Failures = until.Scenarios[0].Failures[:len(last.Failures)] // that something was never seen is known at the end
	require.Equal(t, text(until.Scenarios[0]), text(&again), "a search of as many runs comes to the same")
}
