package strategy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

func actors(kind kernel.ActorKind, ids ...int32) []*choice.Actor {
	var list []*choice.Actor
	for _, id := range ids {
		list = append(list, &choice.Actor{ID: id, Kind: kind})
	}
	return list
}

func source(t require.TestingT, name string) Source {
	s, err := Parse(name)
	require.NoError(t, err)
	return s.Source()
}

var single = []string{"random", "guided", "pct:1", "pct:3", "pct:16", "pos", "urw", "surw", "delay:0", "delay:2", "delay:16", "fair"}

func TestSameSeedDecidesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(single).Draw(t, "strategy")
		seed, length := rapid.Uint64().Draw(t, "seed"), rapid.Int64Range(0, 100).Draw(t, "length")
		used, fresh := source(t, name), source(t, name)
		used.Begin(seed+1, 3)
		play(used, 50)
		used.Begin(seed, length)
		fresh.Begin(seed, length)
		require.Equal(t, play(fresh, 300), play(used, 300), "a source forgets its last run")
		require.EqualValues(t, 300, used.Choices())
	})
}

// play asks the source for n choices among tasks and armed faults that come and go, and as many values.
func play(s Source, n int) []int {
	tasks, faults := actors(kernel.TaskActor, 1, 2, 3, 4, 5), actors(kernel.FaultActor, 6, 7)
	var answers []int
	for i := range n {
		enabled, armed := tasks[i%3:], faults[:i%3]
		answers = append(answers, s.Schedule(enabled[0], enabled, armed), s.Value(choice.Site{Name: "x"}, i+2))
	}
	return answers
}

func TestAnswersAreInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := source(t, rapid.SampledFrom(single).Draw(t, "strategy"))
		s.Begin(rapid.Uint64().Draw(t, "seed"), rapid.Int64Range(0, 1<<40).Draw(t, "length"))
		for range rapid.IntRange(1, 60).Draw(t, "choices") {
			enabled := actors(kernel.TaskActor, rapid.SliceOfNDistinct(rapid.Int32Range(1, 9), 1, 6, rapid.ID[int32]).Draw(t, "enabled")...)
			armed := actors(kernel.FaultActor, rapid.SliceOfNDistinct(rapid.Int32Range(10, 13), 0, 3, rapid.ID[int32]).Draw(t, "armed")...)
			i := s.Schedule(nil, enabled, armed)
			require.True(t, i >= 0 && i < len(enabled)+len(armed))
			n := rapid.IntRange(2, 1<<30).Draw(t, "n")
			v := s.Value(choice.Site{}, n)
			require.True(t, v >= 0 && v < n)
		}
	})
}

func TestRandomIsUniform(t *testing.T) {
	s := source(t, "random")
	s.Begin(1, 0)
	enabled := actors(kernel.TaskActor, 1, 2, 3, 4)
	var counts [4]int
	for range 40_000 {
		counts[s.Schedule(nil, enabled, nil)]++
	}
	for _, n := range counts {
		require.InDelta(t, 10_000, n, 500)
	}
}

func TestStrikesComeAtOnceSoonAndLate(t *testing.T) {
	for _, name := range single {
		s := source(t, name)
		enabled, armed := actors(kernel.TaskActor, 1), actors(kernel.FaultActor, 2)
		var first [11]int // by number of binary digits of the choice of the first strike
		const runs = 4000
		for seed := range uint64(runs) {
			s.Begin(scramble(seed), 1000)
			for i := 1; ; i++ {
				if s.Schedule(nil, enabled, armed) == 1 {
					first[digits(i)]++
					break
				}
			}
		}
		for d, n := range first[1:] {
			require.InDelta(t, runs/10, n, runs/25, "%s: %d binary digits", name, d+1)
		}
	}
}

func digits(n int) int {
	d := 0
	for ; n > 0; n >>= 1 {
		d++
	}
	return d
}

func TestPCTKeepsToTheHighestPriority(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := source(t, "pct:1")
		s.Begin(rapid.Uint64().Draw(t, "seed"), 100)
		ids := rapid.Permutation([]int32{1, 2, 3, 4, 5}).Draw(t, "order")
		enabled := actors(kernel.TaskActor, ids...)
		first := enabled[s.Schedule(nil, enabled, nil)].ID
		for range 99 {
			require.Equal(t, first, enabled[s.Schedule(nil, enabled, nil)].ID, "without a point to change at")
		}
	})
}

func TestPCTChangesAtItsPointsOnly(t *testing.T) {
	const depth, length = 4, 500
	enabled := actors(kernel.TaskActor, 1, 2, 3, 4, 5, 6)
	s := source(t, "pct:4")
	most := 0
	for seed := range uint64(200) {
		s.Begin(scramble(seed), length)
		var moved []int32
		for range length {
			moved = append(moved, enabled[s.Schedule(nil, enabled, nil)].ID)
		}
		switches := len(slices.Compact(moved)) - 1
		require.LessOrEqual(t, switches, depth-1)
		most = max(most, switches)
	}
	require.Equal(t, depth-1, most)
}

// Two tasks of k steps; the bug is that the second runs between two given steps of the first. That is of depth 2, so pct:2 must
// find it with a chance of at least 1/(2k), which random, at 2^-k, never does.
func TestPCTKeepsItsPromise(t *testing.T) {
	const k, runs = 40, 20_000
	s := source(t, "pct:2")
	found := 0
	for seed := range uint64(runs) {
		s.Begin(scramble(seed), 2*k)
		steps, firstAt := [3]int{}, -1
		for steps[1] < k && steps[2] < k {
			enabled := actors(kernel.TaskActor, 1, 2)
			id := enabled[s.Schedule(nil, enabled, nil)].ID
			if id == 2 && firstAt < 0 {
				firstAt = steps[1]
			}
			steps[id]++
		}
		if firstAt == 17 && steps[2] == k {
			found++
		}
	}
	require.Greater(t, found, runs/(2*2*k)*9/10)
}

func TestPCTTakesTheTurnFromASpinner(t *testing.T) {
	enabled := actors(kernel.TaskActor, 1, 2)
	s := source(t, "pct:1")
	s.Begin(3, 10)
	seen := map[int32]int{}
	for range 3 * choice.Quantum {
		seen[enabled[s.Schedule(nil, enabled, nil)].ID]++
	}
	require.GreaterOrEqual(t, seen[1], choice.Quantum)
	require.GreaterOrEqual(t, seen[2], choice.Quantum)
}

func TestPCTIsFairInTheEnd(t *testing.T) {
	enabled := actors(kernel.TaskActor, 1, 2, 3)
	s := source(t, "pct:3")
	s.Begin(3, 10)
	var late [4]int
	for i := range 3 * fairAfter {
		if id := enabled[s.Schedule(nil, enabled, nil)].ID; i > 2*fairAfter {
			late[id]++
		}
	}
	for _, n := range late[1:] {
		require.InDelta(t, fairAfter/3, n, fairAfter/20)
	}
}

func TestParse(t *testing.T) {
	for _, name := range append(single, "mix") {
		s, err := Parse(name)
		require.NoError(t, err)
		require.Equal(t, name, s.Name())
	}
	for name, want := range map[string]string{
		"":         `unknown strategy "": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`,
		"guess":    `unknown strategy "guess": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`,
		"pos:2":    `strategy "pos:2": pos has no parameter`,
		"fair:":    `strategy "fair:": fair has no parameter`,
		"delay":    `strategy "delay": delay needs the number of delays in a run, from 0 to 16, such as delay:2`,
		"delay:":   `strategy "delay:": delay needs the number of delays in a run, from 0 to 16, such as delay:2`,
		"delay:-1": `strategy "delay:-1": delay needs the number of delays in a run, from 0 to 16, such as delay:2`,
		"delay:17": `strategy "delay:17": delay needs the number of delays in a run, from 0 to 16, such as delay:2`,
		"pct":      `strategy "pct": pct needs the depth of the bugs that it looks for, from 1 to 16, such as pct:3`,
		"pct:0":    `strategy "pct:0": pct needs the depth of the bugs that it looks for, from 1 to 16, such as pct:3`,
		"pct:+3":   `strategy "pct:+3": pct needs the depth of the bugs that it looks for, from 1 to 16, such as pct:3`,
		"pct:99":   `strategy "pct:99": pct needs the depth of the bugs that it looks for, from 1 to 16, such as pct:3`,
	} {
		_, err := Parse(name)
		require.EqualError(t, err, want)
	}
}

func TestLengthsAreThoseOfTheLastWholeGeneration(t *testing.T) {
	var l Lengths
	draw := func(name string) int64 {
		s, err := Parse(name)
		require.NoError(t, err)
		return l.Draw(s, 1)
	}
	require.Zero(t, draw("pct:3"), "nothing is learnt")
	for range Generation - 1 {
		l.Add(7)
	}
	require.Zero(t, draw("pct:3"), "the generation is not whole")
	l.Add(7)
	require.EqualValues(t, 7, draw("pct:3"))
	for range Generation {
		l.Add(0)
	}
	require.EqualValues(t, 1, draw("pct:3"), "a run without a choice has length 1")
	require.EqualValues(t, 7, draw("random"), "its runs are drawn alike, so those of the first generation are what it knows")
}

// everybody is a world of actors that can always move: tasks, two of which touch one object, and a delivery.
func everybody() []*choice.Actor {
	k := kernel.New()
	k.Begin(kernel.Options{})
	shared := k.NewObject(kernel.AtomicObject, "")
	return []*choice.Actor{
		k.NewActor(kernel.TaskActor, "spinner", kernel.OpYield, nil, nil),
		k.NewActor(kernel.TaskActor, "writer", kernel.OpStore, shared, nil),
		k.NewActor(kernel.TaskActor, "writer", kernel.OpStore, shared, nil),
		k.NewActor(kernel.DeliveryActor, "link", kernel.OpDeliver, k.NewObject(kernel.ConnObject, ""), nil),
	}
}

// begin starts a run of a source that has learnt, if it learns, that each actor makes some steps.
func begin(s Source, seed uint64, site int) {
	s.Begin(seed, 1000)
	if learner, ok := s.(Learner); ok {
		known := Known{Weights: Weights{Site: site}}
		for c := range known.Weights.Steps {
			known.Weights.Steps[c] = 100 * unit
		}
		learner.Learn(known, nil)
	}
}

func TestEverybodyMovesInTheEnd(t *testing.T) {
	all := everybody()
	for _, name := range single {
		s := source(t, name)
		for seed := range uint64(20) {
			begin(s, scramble(seed), siteOf(all[1]))
			moved := map[int32]bool{}
			for range 3 * fairAfter {
				a := all[s.Schedule(nil, all, nil)]
				moved[a.ID] = true
				if follower, ok := s.(choice.Follower); ok {
					follower.Moved(a)
				}
			}
			require.Len(t, moved, len(all), "%s, seed %d", name, seed)
		}
	}
}

func TestAChoiceAllocatesNothing(t *testing.T) {
	all, armed := everybody(), actors(kernel.FaultActor, 100)
	lessons := &Lessons{}
	for _, name := range single {
		s := source(t, name)
		begin(s, 1, siteOf(all[1]))
		if learner, ok := s.(Learner); ok {
			learner.Learn(Known{Weights: Weights{Site: siteOf(all[1]), Steps: [classes]uint32{1}}}, lessons)
		}
		require.Zero(t, testing.AllocsPerRun(2000, func() {
			i := s.Schedule(all[0], all, armed)
			if follower, ok := s.(choice.Follower); ok {
				follower.Moved(all[i%len(all)])
			}
			s.Value(choice.Site{}, 3)
		}), name)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.Begin(2, 100) }), name)
	}
}

// BenchmarkSchedule is one choice among tasks. x-random is its time against that of random, in turns.
func BenchmarkSchedule(b *testing.B) {
	for _, name := range []string{"random", "pct:3", "pos", "urw", "surw", "delay:3", "fair"} {
		for _, tasks := range []int{4, 16} {
			b.Run(fmt.Sprintf("%s/tasks=%d", name, tasks), func(b *testing.B) {
				baseline, s := source(b, "random"), source(b, name)
				all := everybody()
				for len(all) < tasks {
					all = append(all, everybody()[0])
				}
				for i, a := range all {
					a.ID = int32(1 + i)
				}
				begin(baseline, 1, siteOf(all[1]))
				begin(s, 1, siteOf(all[1]))
				choices := b.N/turns + 1
				measure := func(s Source) float64 {
					follower, _ := s.(choice.Follower)
					started := time.Now()
					for n := range choices {
						if n%1000 == 0 {
							begin(s, uint64(n), siteOf(all[1]))
						}
						i := s.Schedule(all[0], all, nil)
						if follower != nil {
							follower.Moved(all[i])
						}
					}
					return float64(time.Since(started))
				}
				ratios := make([]float64, turns)
				b.ReportAllocs()
				b.ResetTimer()
				for i := range ratios {
					own := measure(s)
					b.StopTimer()
					ratios[i] = own / measure(baseline)
					b.StartTimer()
				}
				slices.Sort(ratios)
				b.ReportMetric(ratios[turns/2], "x-random")
			})
		}
	}
}

const turns = 11
