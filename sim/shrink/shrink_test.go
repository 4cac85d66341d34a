package shrink_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/shrink"
)

// world is an oracle without a world: what a list of decisions comes to is a function of it.
type world struct {
	fails    func(list []choice.Deviation) string // answers the property
	fits     func(choice.Deviation) bool          // nil: all fit
	steps    func(list []choice.Deviation) int64  // nil: always 100
	rewrites func(list []choice.Deviation) []choice.Deviation
	varies   func(list []choice.Deviation, n int) []choice.Deviation // nil: to what was given
	actors   []string                                                // nil: a, b, c
	asked    func(list []choice.Deviation) map[shrink.Question]int   // nil: nothing in a loop
	message  func(list []choice.Deviation) string                    // nil: always the same
	drift    bool                                                    // the same list comes to another run each time
	runs     int
}

func (w *world) Replay(list []choice.Deviation, _ int64) (shrink.Run, error) {
	w.runs++
	r := shrink.Run{Steps: 100, Actors: []string{"a", "b", "c"}}
	if w.actors != nil {
		r.Actors = w.actors
	}
	for _, d := range list {
		if w.fits == nil || w.fits(d) {
			r.Taken = append(r.Taken, d)
		}
	}
	if w.steps != nil {
		r.Steps = w.steps(r.Taken)
	}
	r.Property = w.fails(r.Taken)
	if w.message != nil {
		r.Message = w.message(r.Taken)
	}
	if w.asked != nil {
		r.Asked = w.asked(r.Taken)
	}
	h := fnv.New64a()
	fmt.Fprint(h, r.Taken)
	if w.drift {
		fmt.Fprint(h, w.runs)
	}
	r.Hash = h.Sum64()
	return r, nil
}

func (w *world) Record(list []choice.Deviation, _ int64) (shrink.Run, error) {
	return w.Replay(list, 0)
}

func (w *world) Rewrite(r shrink.Run) (shrink.Run, error) {
	if w.rewrites == nil {
		return r, nil
	}
	return w.Record(w.rewrites(r.Taken), 0)
}

func (w *world) Vary(list []choice.Deviation, n int, _ int64) (shrink.Run, error) {
	if w.varies == nil {
		return w.Record(list, 0)
	}
	return w.Record(w.varies(list, n), 0)
}

// failure is the run of the list, which must fail.
func (w *world) failure(t require.TestingT, list []choice.Deviation) shrink.Run {
	r, err := w.Record(list, 0)
	require.NoError(t, err)
	require.NotEmpty(t, r.Property)
	return r
}

// to is a scheduling decision: at its n-th time at a point, target moves instead of actor.
func to(actor string, n int, target string) choice.Deviation {
	return choice.Deviation{Actor: actor, Point: "lock", Occurrence: n, Target: target}
}

// value is a value decision.
func value(site string, n, v int) choice.Deviation {
	return choice.Deviation{Actor: "setup", Point: site, Occurrence: n, Value: v}
}

func list(d ...choice.Deviation) []choice.Deviation { return d }

// needs says that the property fails if the list has all of these.
func needs(all ...choice.Deviation) func([]choice.Deviation) string {
	return func(list []choice.Deviation) string {
		for _, d := range all {
			if !slices.Contains(list, d) {
				return ""
			}
		}
		return "broken"
	}
}

// allOrNone says that the property fails if the list has all or none of these, and the one in any case.
func allOrNone(one choice.Deviation, rest ...choice.Deviation) func([]choice.Deviation) string {
	return func(list []choice.Deviation) string {
		n := 0
		for _, d := range rest {
			if slices.Contains(list, d) {
				n++
			}
		}
		if !slices.Contains(list, one) || n != 0 && n != len(rest) {
			return ""
		}
		return "broken"
	}
}

// asked says how often the set-up asks for values, whatever the list.
func asked(times map[string]int) func([]choice.Deviation) map[shrink.Question]int {
	questions := map[shrink.Question]int{}
	for site, n := range times {
		questions[shrink.Question{Actor: "setup", Site: site}] = n
	}
	return func([]choice.Deviation) map[shrink.Question]int { return questions }
}

func TestEachPassFindsWhatItIsFor(t *testing.T) {
	forty := make([]choice.Deviation, 40)
	for i := range forty {
		forty[i] = to("a", i+1, "b")
	}
	for name, c := range map[string]struct {
		pass        string
		start, want []choice.Deviation
		world       world
	}{
		"an equivalent run with fewer context switches, again and again": {
			"rewrite", list(to("a", 1, "b"), to("a", 2, "b"), to("a", 3, "b")), list(to("a", 1, "b")),
			world{fails: needs(to("a", 1, "b")), rewrites: func(l []choice.Deviation) []choice.Deviation { return l[:max(1, len(l)-1)] }},
		},
		"all decisions of a task that are needed all or none": {
			"drop all of a task", list(to("a", 1, "b"), to("b", 1, "c"), to("a", 2, "c")), list(to("b", 1, "c")),
			world{fails: allOrNone(to("b", 1, "c"), to("a", 1, "b"), to("a", 2, "c"))},
		},
		"all decisions to a task": {
			"drop all to a task", list(to("a", 1, "c"), to("b", 1, "a"), to("b", 2, "c")), list(to("b", 1, "a")),
			world{fails: allOrNone(to("b", 1, "a"), to("a", 1, "c"), to("b", 2, "c"))},
		},
		"all values of a site": {
			"drop all values of a site", list(value("delay", 1, 1), value("delay", 2, 1), value("coin", 1, 1)), list(value("coin", 1, 1)),
			world{fails: allOrNone(value("coin", 1, 1), value("delay", 1, 1), value("delay", 2, 1))},
		},
		"blocks, down to single ones": {
			"drop blocks", forty, list(forty[3], forty[17]),
			world{fails: needs(forty[3], forty[17])},
		},
		"the least value that fails": {
			"lower values", list(value("pause", 1, 1000), value("coin", 1, 9)), list(value("pause", 1, 37), value("coin", 1, 1)),
			world{fails: func(l []choice.Deviation) string {
				if l[0].Value >= 37 {
					return "broken"
				}
				return ""
			}},
		},
		"an earlier point": {
			"move one", list(to("a", 5, "b")), list(to("a", 1, "b")),
			world{fails: func([]choice.Deviation) string { return "broken" }, steps: func(l []choice.Deviation) int64 { return int64(l[0].Occurrence) }},
		},
		"another target": {
			"move one", list(to("a", 5, "b")), list(to("a", 5, "c")),
			world{fails: func([]choice.Deviation) string { return "broken" }, steps: func(l []choice.Deviation) int64 {
				if l[0].Target == "c" {
					return 10
				}
				return 20
			}},
		},
		"the first of two twins in the part of the second": {
			"swap twins", list(to("main/t", 1, "main/t#2"), choice.Deviation{Actor: "main/t#2/child", Point: "store", Object: "main/t#2:atomic", Occurrence: 3, Target: "main/t"}),
			list(choice.Deviation{Actor: "main/t/child", Point: "store", Object: "main/t:atomic", Occurrence: 3, Target: "main/t#2"}),
			world{fails: func(l []choice.Deviation) string {
				if len(l) == 2 || len(l) == 1 && l[0].Actor == "main/t/child" && l[0].Object == "main/t:atomic" && l[0].Target == "main/t#2" {
					return "broken"
				}
				return ""
			}},
		},
		"two that only go together": {
			"drop pairs", list(to("a", 1, "b"), to("b", 1, "c"), to("c", 1, "a")), list(to("b", 1, "c")),
			world{fails: allOrNone(to("b", 1, "c"), to("a", 1, "b"), to("c", 1, "a"))},
		},
		"one elsewhere instead of two": {
			"drop pairs", list(to("a", 1, "b"), to("b", 2, "a")), list(to("a", 2, "b")),
			world{fails: func(l []choice.Deviation) string {
				if len(l) == 2 || len(l) == 1 && l[0] == to("a", 2, "b") {
					return "broken"
				}
				return ""
			}},
		},
		"the rounds of a loop that are needed come first": {
			"close gaps", list(value("op", 3, 1), value("op", 7, 2), value("key", 7, 4)), list(value("op", 1, 1), value("op", 2, 2), value("key", 2, 4)),
			world{asked: asked(map[string]int{"op": 10, "key": 10}), fails: func(l []choice.Deviation) string {
				if len(l) == 3 && l[0].Occurrence < l[1].Occurrence && l[1].Occurrence == l[2].Occurrence {
					return "broken"
				}
				return ""
			}},
		},
		"one round to an earlier one, where the others must stay": {
			"close gaps", list(value("op", 2, 1), value("op", 7, 2)), list(value("op", 2, 1), value("op", 1, 2)),
			world{asked: asked(map[string]int{"op": 10}), fails: func(l []choice.Deviation) string {
				if slices.Contains(l, value("op", 2, 1)) && len(l) == 2 {
					return "broken"
				}
				return ""
			}},
		},
		"rounds that are cut out": {
			"shorten loops", list(value("rounds", 1, 4), value("op", 1, 1), value("op", 5, 2)), list(value("rounds", 1, 1), value("op", 1, 1), value("op", 2, 2)),
			world{
				asked: func(l []choice.Deviation) map[shrink.Question]int {
					return asked(map[string]int{"op": 1 + l[0].Value, "rounds": 1})(l)
				},
				fails: func(l []choice.Deviation) string { // the last round, and the first
					if len(l) == 3 && l[1] == value("op", 1, 1) && l[2] == value("op", 1+l[0].Value, 2) {
						return "broken"
					}
					return ""
				},
			},
		},
		"a task that is no more, its part for its twin": {
			"shorten loops", list(value("tasks", 1, 2), value("op", 1, 3), choice.Deviation{Actor: "main/t#2/dial", Point: "refuse", Occurrence: 1, Value: 1}),
			list(value("op", 1, 3), choice.Deviation{Actor: "main/t/dial", Point: "refuse", Occurrence: 1, Value: 1}),
			world{asked: asked(map[string]int{"op": 2}), actors: []string{"main", "main/t", "main/t/dial"}, fails: func(l []choice.Deviation) string {
				second := "main/t/dial"
				if len(l) == 3 {
					second = "main/t#2/dial"
				}
				if slices.Contains(l, value("op", 1, 3)) && l[len(l)-1].Actor == second {
					return "broken"
				}
				return ""
			}},
		},
		"another schedule under which an input is not needed": {
			"vary schedule", list(value("op", 1, 3), to("a", 5, "b")), list(to("c", 1, "a")),
			world{
				fails: func(l []choice.Deviation) string {
					if len(l) == 2 || slices.Equal(l, list(to("c", 1, "a"))) {
						return "broken"
					}
					return ""
				},
				varies: func(l []choice.Deviation, n int) []choice.Deviation {
					if n == 5 && len(l) == 1 {
						return list(to("c", 1, "a"))
					}
					return nil
				},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, shrink.PassNames(), c.pass)
			r, err := shrink.MinimiseBy(t.Context(), &c.world, c.world.failure(t, c.start), shrink.Limits{}, c.pass)
			require.NoError(t, err)
			require.Equal(t, c.want, r.Best.Taken)
			require.Equal(t, shrink.Complete, r.Ended)
			require.Positive(t, r.Passes[0].Kept)
		})
	}
}

func TestNoPassAcceptsAnotherProperty(t *testing.T) {
	start := list(value("pause", 1, 40), to("a", 3, "b"), to("b", 2, "c"), to("c", 1, "a"))
	w := &world{
		fails: func(l []choice.Deviation) string {
			if slices.Equal(l, start) {
				return "broken"
			}
			return "broken-otherwise" // all that is smaller
		},
		rewrites: func(l []choice.Deviation) []choice.Deviation { return l[1:] },
	}
	for _, pass := range shrink.PassNames() {
		t.Run(pass, func(t *testing.T) {
			r, err := shrink.MinimiseBy(t.Context(), w, w.failure(t, start), shrink.Limits{}, pass)
			require.NoError(t, err)
			require.Equal(t, start, r.Best.Taken)
			require.Equal(t, "broken", r.Best.Property)
		})
	}
}

func TestAFailureThatSaysSomethingElseIsAnotherOne(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		kept    bool
	}{
		"the same":                 {"router one: queue 7 of session 3ef0 is lost after 30s", true},
		"other numbers and names":  {"router two: queue 12 of session aa91 is lost after 1m0s", true},
		"less of the same":         {"router one: queue 7 is lost", true},
		"another fault altogether": {"runtime error: invalid memory address or nil pointer dereference", false},
	} {
		t.Run(name, func(t *testing.T) {
			start := list(to("a", 1, "b"), to("b", 1, "c"))
			w := &world{fails: func([]choice.Deviation) string { return "broken" }, message: func(l []choice.Deviation) string {
				if len(l) == 2 {
					return "router one: queue 7 of session 3ef0 is lost after 30s"
				}
				return c.message
			}}
			r, err := shrink.Minimise(t.Context(), w, w.failure(t, start), shrink.Limits{})
			require.NoError(t, err)
			require.Equal(t, c.kept, len(r.Best.Taken) < 2)
		})
	}
}

func TestWhatDoesNotFitTheSmallerRunFallsAway(t *testing.T) {
	w := &world{fails: needs(to("b", 1, "c"))}
	failure := w.failure(t, list(to("a", 1, "b"), to("b", 1, "c"), to("c", 1, "a")))
	w.fits = func(d choice.Deviation) bool { return d.Actor != "c" }
	r, err := shrink.Minimise(t.Context(), w, failure, shrink.Limits{})
	require.NoError(t, err)
	require.Equal(t, list(to("b", 1, "c")), r.Best.Taken)
}

// entries draws decisions at different addresses.
func entries(t *rapid.T) []choice.Deviation {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) choice.Deviation {
		actor, n := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "actor"), rapid.IntRange(1, 9).Draw(t, "occurrence")
		if rapid.Bool().Draw(t, "value") {
			return value("site-of-"+actor, n, rapid.IntRange(1, 20).Draw(t, "answer"))
		}
		return to(actor, n, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "target"))
	}), 1, 12, func(d choice.Deviation) string { return fmt.Sprint(d.Actor, d.Point, d.Occurrence) }).Draw(t, "list")
}

// TestAResultIsMinimal: whatever the failure depends on, the result fails alike, is no larger, and no entry can be left out.
func TestAResultIsMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := entries(t)
		salt, share := rapid.Uint32().Draw(t, "salt"), rapid.Uint32Range(1, 6).Draw(t, "share")
		w := &world{fails: func(l []choice.Deviation) string {
			if slices.Equal(l, start) {
				return "broken"
			}
			l = slices.SortedFunc(slices.Values(l), func(a, b choice.Deviation) int { return cmp.Compare(a.String(), b.String()) }) // a list is a set
			h := fnv.New32a()
			fmt.Fprint(h, salt, l)
			return [...]string{"", "broken", "broken-otherwise"}[min(h.Sum32()>>8%(share+2), 2)]
		}}
		r, err := shrink.Minimise(t.Context(), w, w.failure(t, start), shrink.Limits{})
		require.NoError(t, err)
		require.Equal(t, "broken", w.fails(r.Best.Taken))
		require.False(t, r.Before.Less(r.After))
		for i := range r.Best.Taken {
			require.NotEqual(t, "broken", w.fails(slices.Concat(r.Best.Taken[:i], r.Best.Taken[i+1:])), "without entry %d", i)
		}
	})
}

func TestALimitOfStepsEndsTheWorkAtTheSamePlaceEveryTime(t *testing.T) {
	var forty []choice.Deviation
	for i := range 40 {
		forty = append(forty, to("a", i+1, "b"))
	}
	shrunk := func(steps int64) shrink.Result {
		w := &world{fails: needs(forty[3], forty[17])}
		r, err := shrink.Minimise(t.Context(), w, w.failure(t, forty), shrink.Limits{Steps: steps})
		require.NoError(t, err)
		return r
	}
	r := shrunk(2000)
	require.Equal(t, shrink.Spent, r.Ended)
	require.Equal(t, r, shrunk(2000))
	require.True(t, r.After.Less(r.Before))
	require.Less(t, r.Steps, int64(3000))
	require.Equal(t, 2, shrunk(0).After.Switches)
}

func TestAnInterruptKeepsTheBestSoFar(t *testing.T) {
	start := list(to("a", 1, "b"), to("b", 1, "c"), to("c", 1, "a"))
	w := &world{fails: needs(start[0])}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := shrink.Minimise(ctx, w, w.failure(t, start), shrink.Limits{Progress: func(p shrink.Progress) {
		if p.Size.Switches == 2 {
			cancel()
		}
	}})
	require.NoError(t, err)
	require.Equal(t, shrink.Interrupted, r.Ended)
	require.Equal(t, 2, r.After.Switches)
	require.Equal(t, "broken", w.fails(r.Best.Taken))
}

func TestARunThatDoesNotRepeatIsAnError(t *testing.T) {
	w := &world{fails: needs(to("a", 1, "b")), drift: true}
	_, err := shrink.Minimise(t.Context(), w, w.failure(t, list(to("a", 1, "b"), to("b", 1, "c"))), shrink.Limits{})
	var unstable *shrink.UnstableError
	require.ErrorAs(t, err, &unstable)
	require.ErrorContains(t, err, "the scenario is not deterministic: one list of decisions came to broken (100 steps, hash ")
}

func TestSizesAreOrderedByWhatIsHardestToRead(t *testing.T) {
	sizes := []shrink.Size{
		{Inputs: 1, Faults: 9, Switches: 9, Values: 9, Rounds: 9, Steps: 9},
		{Inputs: 2, Faults: 1, Switches: 9, Values: 9, Rounds: 9, Steps: 9},
		{Inputs: 2, Faults: 2, Switches: 1, Values: 9, Rounds: 9, Steps: 9},
		{Inputs: 2, Faults: 2, Switches: 2, Values: 1, Rounds: 9, Steps: 9},
		{Inputs: 2, Faults: 2, Switches: 2, Values: 2, Rounds: 1, Steps: 9},
		{Inputs: 2, Faults: 2, Switches: 2, Values: 2, Rounds: 2, Steps: 1},
		{Inputs: 2, Faults: 2, Switches: 2, Values: 2, Rounds: 2, Steps: 2},
	}
	for i := range sizes {
		for j := range sizes {
			require.Equal(t, i < j, sizes[i].Less(sizes[j]))
		}
	}
}

func TestTheResultIsReplayedTwice(t *testing.T) {
	w := &world{fails: needs(to("a", 1, "b"))}
	failure := w.failure(t, list(to("a", 1, "b")))
	before := w.runs
	r, err := shrink.MinimiseBy(t.Context(), w, failure, shrink.Limits{})
	require.NoError(t, err)
	require.Equal(t, 2, w.runs-before, "even if there was no pass at all")
	require.Equal(t, 2, r.Replays)

	w.drift = true
	_, err = shrink.MinimiseBy(t.Context(), w, failure, shrink.Limits{})
	require.ErrorContains(t, err, "the scenario is not deterministic")
}
