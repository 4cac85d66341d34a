package strategy

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// program is what each task does, an operation for each letter: y is a point and nothing else, x and z are stores to two atomics.
// Tasks are named a, b, c and so on.
type program []string

// schedule is the run of a program under a source: the task of each step, or only of the steps at the objects named.
func (p program) schedule(k *kernel.Kernel, s choice.Source, at string) string {
	order := &order{at: at}
	k.Begin(kernel.Options{Source: s, Tracer: order})
	objects := map[rune]*kernel.Object{}
	for _, name := range "xz" {
		objects[name] = k.NewObject(kernel.AtomicObject, string(name))
	}
	order.objects = objects
	for i, operations := range p {
		k.Spawn(nil, string(rune('a'+i)), func() {
			for _, op := range operations {
				if o := objects[op]; o != nil {
					o.Atomic(kernel.OpStore)
				} else {
					k.Yield()
				}
			}
		})
	}
	k.Run(nil)
	k.End()
	return order.text
}

// order is a tracer that keeps who moved.
type order struct {
	at      string
	objects map[rune]*kernel.Object
	text    string
}

func (o *order) Step(_ int64, _ time.Duration, a *kernel.Actor) {
	if o.at == "" {
		o.text += a.Name()
	}
	for _, name := range o.at {
		if a.Object() == o.objects[name] && a.Object() != nil {
			o.text += string(name) + a.Name()
		}
	}
}

func (o *order) Value(kernel.Site, int, int) {}
func (o *order) Note(string)                 {}

// schedules counts the schedules of runs under a strategy that has learnt from a generation before.
func (p program) schedules(t *testing.T, name string, runs int, at string) map[string]int {
	strategy, err := Parse(name)
	require.NoError(t, err)
	k, s := kernel.New(), strategy.Source()
	defer k.Close()
	var experience Experience
	var lessons Lessons
	for seed := range uint64(Generation) {
		begun(s, scramble(seed), Weights{}, &lessons)
		p.schedule(k, s, at)
	}
	experience.Add(&lessons)
	experience.Turn()
	counts := map[string]int{}
	for i := range runs {
		seed := scramble(uint64(Generation + i))
		begun(s, seed, experience.Draw(strategy, seed), nil)
		counts[p.schedule(k, s, at)]++
	}
	return counts
}

func begun(s Source, seed uint64, known Weights, lessons *Lessons) {
	s.Begin(seed, 20)
	if learner, ok := s.(Learner); ok {
		learner.Learn(Known{Weights: known}, lessons)
	}
}

// requireUniform is Pearson's test over so many outcomes, at five standard deviations.
func requireUniform(t *testing.T, counts map[string]int, outcomes int) {
	t.Helper()
	require.Len(t, counts, outcomes)
	require.Less(t, chiSquare(counts), bound(outcomes), "%v", counts)
}

func chiSquare(counts map[string]int) (sum float64) {
	runs := 0
	for _, n := range counts {
		runs += n
	}
	expected := float64(runs) / float64(len(counts))
	for _, n := range counts {
		sum += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return sum
}

// bound is the mean of the distribution and five times its standard deviation.
func bound(outcomes int) float64 {
	freedom := float64(outcomes - 1)
	return freedom + 5*math.Sqrt(2*freedom)
}
