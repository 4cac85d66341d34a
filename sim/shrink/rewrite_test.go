package shrink

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// program draws a small concurrent program: for each task the operations that it does.
func program(t *rapid.T) *sim.Scenario {
	const operations = 8
	tasks := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, operations-1), 1, 10), 2, 5).Draw(t, "tasks")
	return &sim.Scenario{Name: "program", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		mutex, other, done := sched.NewMutex(s), sched.NewRWMutex(s), sched.NewWaitGroup(s)
		atomic, pipe := sched.NewAtomicInt64(s, 0), sched.NewChan[int](s, 2)
		return func() {
			done.Add(len(tasks))
			for _, list := range tasks {
				w.Host().Go("task", func() {
					defer done.Done()
					for _, operation := range list {
						switch operation {
						case 0:
							mutex.Lock()
							atomic.Add(1)
							mutex.Unlock()
						case 1:
							other.RLock()
							atomic.Load()
							other.RUnlock()
						case 2:
							other.Lock()
							other.Unlock()
						case 3:
							pipe.TrySend(1)
						case 4:
							pipe.TryRecv()
						case 5:
							atomic.Store(2)
						case 6:
							w.Value("coin", 3)
						case 7:
							w.Host().Clock().Sleep(context.Background(), time.Second)
						}
					}
				})
			}
			done.Wait()
		}
	}}
}

// story is what a rewriting must keep: how many steps each actor makes, and for each object the steps on it, those that commute as
// one. Objects have no names here, since their numbers are those of their creation, which has no order.
func story(r Run) (actors map[uint64]int, stories []string) {
	actors = map[uint64]int{}
	objects := map[int32][]string{}
	first := int32(0)
	for _, s := range r.trace.steps {
		actors[s.actor]++
		for _, a := range r.trace.accesses[first:s.accesses] {
			did := fmt.Sprintf("%x %d", s.actor, actors[s.actor])
			list := objects[a.object]
			if last := len(list) - 1; a.family != none {
				did = fmt.Sprint("family ", a.family)
				if last >= 0 && list[last] == did {
					continue
				}
			}
			objects[a.object] = append(list, did)
		}
		first = s.accesses
	}
	for _, list := range objects {
		stories = append(stories, strings.Join(list, ", "))
	}
	slices.Sort(stories)
	return actors, stories
}

func TestARewrittenRunKeepsTheOrderOfDependentSteps(t *testing.T) {
	before, after := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		replayer, err := search.NewReplayer(program(t), choice.Token{Strategy: "random", Seed: seed})
		require.NoError(t, err)
		defer replayer.Close()
		w := &world{replayer: replayer}
		random, err := strategy.Parse("random")
		require.NoError(t, err)
		source := random.Source()
		source.Begin(seed, 0)
		w.observer = newObserver(&w.names)
		w.recorder.Begin(source, &w.observer)
		recorded, err := w.recorded(w.run(&w.recorder, w.recorder.Tracer(), 0))
		require.NoError(t, err)

		rewritten, err := w.Rewrite(recorded)
		require.NoError(t, err)

		actors, objects := story(recorded)
		sameActors, sameObjects := story(rewritten)
		require.Equal(t, actors, sameActors)
		require.Equal(t, objects, sameObjects)
		before += sizeOf(recorded).Switches
		after += sizeOf(rewritten).Switches
	})
	require.Less(t, after, before/2, "context switches in all")
	t.Log(before, after)
}
