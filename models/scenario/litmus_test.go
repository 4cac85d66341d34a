package scenario

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// manyRuns is what a build with -race leaves out programs of.
const manyRuns = 10_000

// census makes every schedule of a scenario.
type census struct {
	runs, failed int
	share        float64 // of the failing ones, by their chance
	complete     bool
}

func takeCensus(t *testing.T, sc *sim.Scenario) (c census) {
	runner, everything := sim.NewRunner(), new(conformance.Enumerator)
	for everything.Next() {
		if !everySchedule && c.runs == manyRuns {
			return c
		}
		result, err := runner.Run(sc, sim.RunConfig{Source: everything})
		require.NoError(t, err)
		c.runs++
		if f := result.Failure; f != nil {
			require.Equal(t, sc.Fails, f.Property, f.Message)
			c.failed++
			c.share += everything.Chance()
		}
	}
	c.complete = true
	return c
}

func TestLitmusSharesAreThoseOfAllSchedules(t *testing.T) {
	for _, sc := range litmus() {
		t.Run(strings.TrimPrefix(sc.Name, "litmus/"), func(t *testing.T) {
			t.Parallel()
			c := takeCensus(t, sc)
			t.Logf("%d schedules, %d fail", c.runs, c.failed)
			if sc.Fails == "" {
				require.Zero(t, c.failed, "the mended twin fails")
			} else if c.complete {
				require.Equal(t, fmt.Sprintf("%.5f", c.share), fmt.Sprintf("%.5f", sc.Share))
			}
		})
	}
}

func TestSomeLitmusProgramsAreHardForRandom(t *testing.T) {
	hard := 0
	for _, sc := range litmus() {
		if sc.Fails != "" && sc.Share < 0.02 {
			hard++
		}
	}
	require.GreaterOrEqual(t, hard, 3)
}

// parsed is a strategy that exists.
func parsed(t *testing.T, name string) strategy.Strategy {
	s, err := strategy.Parse(name)
	require.NoError(t, err)
	return s
}

// firstFailure searches a scenario; nil: it found nothing.
func firstFailure(t *testing.T, sc *sim.Scenario, s strategy.Strategy, seed string, runs int64) *search.Failure {
	report, err := search.Run(t.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: seed, Strategy: s, Runs: runs})
	require.NoError(t, err)
	if failures := report.Failures(); len(failures) > 0 {
		require.Equal(t, sc.Fails, failures[0].Property)
		return failures[0]
	}
	return nil
}

func TestLitmusDepthIsTheLeastThatFinds(t *testing.T) {
	const runs = 2000
	for _, sc := range litmus() {
		if sc.Fails == "" {
			continue
		}
		t.Run(strings.TrimPrefix(sc.Name, "litmus/"), func(t *testing.T) {
			require.NotNil(t, firstFailure(t, sc, parsed(t, fmt.Sprintf("pct:%d", sc.Depth)), "1", runs))
			if sc.Depth > 1 {
				require.Nil(t, firstFailure(t, sc, parsed(t, fmt.Sprintf("pct:%d", sc.Depth-1)), "1", runs))
			}
		})
	}
}

func TestLitmusIsFoundByTheDefaultStrategy(t *testing.T) {
	const seeds = 20
	for _, sc := range litmus() {
		if sc.Fails == "" {
			continue
		}
		t.Run(strings.TrimPrefix(sc.Name, "litmus/"), func(t *testing.T) {
			found, latest := 0, int64(0)
			for seed := range seeds {
				if f := firstFailure(t, sc, parsed(t, strategy.Default), fmt.Sprint(seed), 1000); f != nil {
					found++
					latest = max(latest, f.Run+1)
				}
			}
			t.Logf("found from %d of %d first seeds, after at most %d runs", found, seeds, latest)
			require.GreaterOrEqual(t, found, seeds-1)
		})
	}
}
