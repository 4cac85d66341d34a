package explore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
)

// together makes the runs of an exploration by several workers.
func together(t testing.TB, build func() program, workers int) result {
	for strict := (strictness{}); ; {
		plan := newPlan(strict, nil)
		o := result{classes: map[uint64]int{}, ends: map[string]bool{}}
		var mu sync.Mutex
		var wait sync.WaitGroup
		for range workers {
			wait.Go(func() {
				x, p, runner := newWalk(plan, 0), build(), sim.NewRunner()
				defer runner.Close()
				x.identify = true
				for more := x.first(); more; more = x.next() {
					x.start()
					r, err := runner.Run(p.scenario, sim.RunConfig{Source: x, Listener: x, Options: p.options})
					if !assert.NoError(t, err) || !assert.Empty(t, x.defect) {
						x.stop()
						return
					}
					mu.Lock()
					if x.blocked {
						o.blocked++
					} else {
						o.runs++
						o.classes[x.class(x.draws)]++
						o.ends[p.end(r)] = true
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		o.strict, o.foreseen = strict.kinds, strict.reaches == [maxOps]kinds{}
		if plan.stricter.none() {
			return o
		}
		strict.add(plan.stricter)
	}
}

func TestManyWorkersExploreWhatOneDoes(t *testing.T) {
	for _, workers := range []int{2, 4} {
		require.Equal(t, 64, together(t, func() program { return filesystem(19) }, workers).runs)
		require.Equal(t, 256, together(t, func() program { return readers(8) }, workers).runs)
	}
}

func TestManyWorkersExploreWhatOneDoesInRandomPrograms(t *testing.T) {
	programs, first, most := number(t, "HEDDLE_WORKERS", 100), number(t, "HEDDLE_FIRST", 0), 1500
	s := shape{tasks: 5, length: 4, variables: 3, locks: 3, channels: 3}
	done, runs := 0, 0
	for seed := first; done < programs; seed++ {
		src := randomSource(rand.New(rand.NewPCG(uint64(seed), 5)), s)
		one := reduced(t, src.build(s), most)
		if one.runs+one.blocked >= most || one.runs < 5 {
			continue
		}
		done, runs = done+1, runs+one.runs
		for _, workers := range []int{2, 3} {
			many := together(t, func() program { return src.build(s) }, workers)
			what := fmt.Sprintf("program %d, %d workers\n%v", seed, workers, src)
			require.Equal(t, one.sorted(), many.sorted(), what)
			if !one.failed && !src.depends() && one.foreseen {
				require.Zero(t, many.blocked, what)
				require.Equal(t, one.runs, many.runs, what)
				require.Equal(t, one.classed(), many.classed(), what)
			}
		}
	}
	t.Logf("%d programs, %d executions", done, runs)
}

// The report of an exploration tells of the same classes and failures, whoever finds them.
func TestTheReportDoesNotDependOnTheNumberOfWorkers(t *testing.T) {
	properties := func(r *Report) (all []string) {
		for _, f := range r.Failures {
			all = append(all, f.Property+" "+f.Message)
		}
		slices.Sort(all)
		return all
	}
	one, err := Run(t.Context(), Config{Scenario: readers(10).scenario, KeepGoing: true})
	require.NoError(t, err)
	many, err := Run(t.Context(), Config{Scenario: readers(10).scenario, KeepGoing: true, Workers: 3})
	require.NoError(t, err)
	require.True(t, many.Complete)
	require.Equal(t, one.Executions, many.Executions)
	require.EqualValues(t, 1024, many.Executions)
	require.Zero(t, many.Blocked)
	require.Equal(t, properties(one), properties(many))
}
