package sim_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkStrategy is a step of the ring under each strategy. x-random is its time against that of a step under random (bar: 2), in the
// fastest of many short runs of each, in turns.
// Strategies that learn have learnt from a whole generation, and go on gathering what the next one may learn.
func BenchmarkStrategy(b *testing.B) {
	for _, name := range []string{"guided", "pct:3", "pos", "urw", "surw", "delay:3", "fair"} {
		for _, tasks := range []int{4, 16} {
			b.Run(fmt.Sprintf("%s/tasks=%d", name, tasks), func(b *testing.B) {
				const rounds = 50
				measured, baseline := newRinger(b, name, tasks, rounds), newRinger(b, "random", tasks, rounds)
				fastest, fastestBaseline := math.Inf(1), math.Inf(1)
				b.ResetTimer()
				for range b.N/(10*tasks*rounds) + 100 {
					fastest = min(fastest, measured.perStep(b, 1))
					fastestBaseline = min(fastestBaseline, baseline.perStep(b, 1))
				}
				b.ReportMetric(fastest/fastestBaseline, "x-random")
			})
		}
	}
}

// ringer runs the ring under a strategy.
type ringer struct {
	scenario *sim.Scenario
	runner   *sim.Runner
	strategy strategy.Strategy
	source   strategy.Source
	length   int64
	learnt   strategy.Experience
	lessons  strategy.Lessons
	seed     uint64
}

func newRinger(b *testing.B, name string, tasks, rounds int) *ringer {
	s, err := strategy.Parse(name)
	if err != nil {
		b.Fatal(err)
	}
	r := &ringer{scenario: busy(tasks, rounds), runner: sim.NewRunner(), strategy: s, source: s.Source()}
	r.perStep(b, 10)
	r.length = r.source.Choices()
	r.learnt.Add(&r.lessons)
	r.learnt.Turn()
	b.Cleanup(r.runner.Close)
	return r
}

// perStep is the time of a step over so many runs.
func (r *ringer) perStep(b *testing.B, runs int) float64 {
	steps := int64(0)
	begun := time.Now()
	for range runs {
		r.seed++
		r.source.Begin(r.seed, r.length)
		if learner, ok := r.source.(strategy.Learner); ok {
			learner.Learn(strategy.Known{Weights: r.learnt.Draw(r.strategy, r.seed)}, &r.lessons)
		}
		result, err := r.runner.Run(r.scenario, sim.RunConfig{Source: r.source})
		if err != nil || result.Failure != nil {
			b.Fatal(err, result.Failure)
		}
		steps += result.Steps
	}
	return float64(time.Since(begun)) / float64(steps)
}
