package search

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// quarrel violates "small" in nearly every run, "large" in some, and now and then panics.
var quarrel = &sim.Scenario{
	Name: "quarrel", Sometimes: []string{"never"},
	Setup: func(w *sim.World) func() {
		w.Rule("storm", 1, func() bool {
			w.Effect("storm")
			w.Fail("storm-proof", "it blew")
			return true
		})
		n := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
		return func() {
			switch v := w.Value("size", 50); {
			case v == 7:
				w.Fail("small", "v is %d", v)
				panic("seven")
			case v > 0:
				w.Fail("small", "v is %d", v)
				n.Add(1)
				if v >= 30 {
					w.Fail("large", "v is %d", v)
				}
			}
		}
	},
}

func quarrels(t *testing.T, options sim.Options, stopAt ...string) *ScenarioReport {
	report, err := Run(context.Background(), Config{
		Scenarios: []*sim.Scenario{quarrel}, Seed: "q", Strategy: mix(t), Runs: 300, KeepGoing: true, StopAt: stopAt, Options: options,
	})
	require.NoError(t, err)
	return report.Scenarios[0]
}

func TestOnlyOnePropertyIsJudged(t *testing.T) {
	all := quarrels(t, sim.Options{})
	for _, f := range all.Failures {
		require.NotEqual(t, "large", f.Property, "another failure comes first, always")
	}
	for _, id := range []string{"small", "large", sim.Panic} {
		r := quarrels(t, sim.Options{Only: id})
		require.NotZero(t, r.Failed, id)
		require.Less(t, r.Failed, r.Runs, id)
		for _, f := range r.Failures {
			require.Equal(t, id, f.Property)
			token, err := choice.ParseToken(f.Token)
			require.NoError(t, err)
			replayed, err := Replay(quarrel, token, nil)
			require.NoError(t, err)
			require.True(t, replayed.Same, "the token holds the option")
			bySeed, err := Replay(quarrel, token.BySeed(), nil)
			require.NoError(t, err)
			require.True(t, bySeed.Same)
		}
	}
	require.Zero(t, quarrels(t, sim.Options{Only: sim.Leak}).Failed)
}

func TestWithoutFaultsNoneStrikes(t *testing.T) {
	struck := func(r *ScenarioReport) (fired int64) {
		for _, f := range r.Faults {
			fired += f.Armed + f.Fired
		}
		return fired
	}
	require.NotZero(t, struck(quarrels(t, sim.Options{Only: "large"})))
	r := quarrels(t, sim.Options{Only: "large", NoFaults: true})
	require.Zero(t, struck(r))
	token, err := choice.ParseToken(r.Failures[0].Token)
	require.NoError(t, err)
	replayed, err := Replay(quarrel, token, nil)
	require.NoError(t, err)
	require.True(t, replayed.Same)
}

func TestSearchStopsAtAProperty(t *testing.T) {
	all := quarrels(t, sim.Options{})
	r := quarrels(t, sim.Options{}, sim.Panic, "storm-proof")
	last := r.Failures[len(r.Failures)-1]
	require.Contains(t, []string{sim.Panic, "storm-proof"}, last.Property)
	require.Equal(t, r.Runs-1, last.Run, "nothing is run after it")
	require.Less(t, r.Runs, all.Runs)
	for _, f := range r.Failures[:len(r.Failures)-1] {
		require.Equal(t, "small", f.Property)
	}
}

func TestSometimesIsNotJudgedBesideOneProperty(t *testing.T) {
	finish := func(o sim.Options) []*Failure {
		l := newLane(quarrel, Config{Strategy: mix(t), Options: o})
		l.report.Runs = SometimesRuns
		l.finish()
		return l.report.Failures
	}
	require.Len(t, finish(sim.Options{}), 1)
	require.Len(t, finish(sim.Options{Only: Sometimes}), 1)
	require.Empty(t, finish(sim.Options{Only: "small"}))
	require.Empty(t, finish(sim.Options{NoFaults: true}))
}
