package explore

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
)

// within makes the runs with at most so many preemptions that the bounded search makes.
func within(t testing.TB, p program, preemptions int) (ends map[string]bool, runs, pruned int) {
	b, runner := newBounded(preemptions, 0), sim.NewRunner()
	defer runner.Close()
	ends = map[string]bool{}
	for more := true; more; more = b.next() {
		b.start()
		r, err := runner.Run(p.scenario, sim.RunConfig{Source: b, Listener: b})
		require.NoError(t, err)
		require.Empty(t, b.defect)
		require.LessOrEqual(t, int(b.used), preemptions)
		if b.pruned {
			pruned++
			continue
		}
		runs++
		ends[p.end(r)] = true
	}
	return ends, runs, pruned
}

// counter counts the preemptions of a run that another source decides.
type counter struct {
	watcher
	running     *kernel.Actor
	preemptions int
}

func (c *counter) Begin(k *kernel.Kernel) {
	c.watcher.Begin(k)
	c.running, c.preemptions = nil, 0
}

func (c *counter) Step(a *kernel.Actor) {
	if a.Kind == kernel.TaskActor && a != c.running {
		if c.running != nil && c.running.Enabled() {
			c.preemptions++
		}
		c.running = a
	}
	c.watcher.Step(a)
}

func TestBoundedSearchEndsAsAllSchedulesWithinTheBound(t *testing.T) {
	const bounds = 3
	programs, first, most := number(t, "HEDDLE_BOUNDED", 40), number(t, "HEDDLE_FIRST", 0), number(t, "HEDDLE_MOST", 2000)
	s := shape{tasks: 3, length: 2, variables: 2, locks: 2, channels: 2}
	done, all, some, pruned := 0, 0, 0, 0
	for seed := first; done < programs; seed++ {
		src := randomSource(rand.New(rand.NewPCG(uint64(seed), 3)), s)
		p := src.build(s)
		var want [bounds]map[string]bool
		for n := range want {
			want[n] = map[string]bool{}
		}
		everything, runner, c, runs := new(conformance.Enumerator), sim.NewRunner(), new(counter), 0
		for runs < most && everything.Next() {
			runs++
			r, err := runner.Run(p.scenario, sim.RunConfig{Source: everything, Listener: c})
			require.NoError(t, err)
			end := p.end(r)
			for n := c.preemptions; n < bounds; n++ {
				want[n][end] = true
			}
		}
		runner.Close()
		if runs == most {
			continue
		}
		done, all = done+1, all+runs
		for n := range want {
			got, runs, cut := within(t, p, n)
			some, pruned = some+runs, pruned+cut
			require.Equal(t, slices.Sorted(maps.Keys(want[n])), slices.Sorted(maps.Keys(got)), "program %d, %d preemptions\n%v", seed, n, src)
		}
	}
	t.Logf("%d programs, %d schedules; %d runs and %d pruned for bounds 0 to %d", done, all, some, pruned, bounds-1)
}
