package simtest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heddle-go/heddle/sim/strategy"
)

// What is used where neither a flag, nor the environment, nor the test says anything. They are constants, so that a test that
// passes today passes tomorrow, and its result can be cached by the go command.
const (
	defaultSeed = "1"
	defaultRuns = 1000
)

// The names of the flags, and of the variables that stand for them: see variable.
const (
	seedName     = "heddle.seed"
	runsName     = "heddle.runs"
	forName      = "heddle.for"
	strategyName = "heddle.strategy"
	replayName   = "heddle.replay"
)

// A flag of a test must exist before package testing reads the command line, so here, and here only, something happens at import.
func init() {
	for name, usage := range map[string]string{
		seedName:     "simulate from seed `S`, any text (default " + defaultSeed + ")",
		runsName:     fmt.Sprintf("simulate `N` runs in each test (default %d, or what the test says)", defaultRuns),
		forName:      "simulate for `D` in each test, such as 30s or 10m, instead of a number of runs",
		strategyName: "decide runs by strategy `S`, such as random, pos or pct:3 (default " + strategy.Default + ")",
		replayName:   "repeat one failure, a token or a `FILE`, instead of a search",
	} {
		flag.String(name, "", usage+"; also "+variable(name))
	}
}

// variable is the environment variable of a flag.
func variable(flag string) string { return strings.ToUpper(strings.ReplaceAll(flag, ".", "_")) }

// settings are what a search is made with.
type settings struct {
	seed     string
	runs     int64         // 0: as many as the duration allows
	duration time.Duration // if runs is 0
	strategy strategy.Strategy
	replay   string // a token or a file; empty: search
}

// given is the text of a setting, and where it comes from: a flag wins over the environment. Empty is as good as not given.
func given(name string) (text, origin string, byFlag bool) {
	if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
		return f.Value.String(), "-" + name, true
	}
	return os.Getenv(variable(name)), variable(name), false
}

// read reads the settings of a test that asks for so many runs. The error is one line that says what would be right.
func read(t testing.TB, runs int64) (s settings, err error) {
	if runs < 1 {
		return s, fmt.Errorf("simtest.Runs(%d) would explore nothing: give 1 or more", runs)
	}
	s.seed, s.runs = defaultSeed, runs
	s.replay, _, _ = given(replayName)
	if text, _, _ := given(seedName); text != "" {
		s.seed = text
	}

	number, numberOrigin, numberByFlag := given(runsName)
	duration, durationOrigin, durationByFlag := given(forName)
	if number != "" && duration != "" && numberByFlag == durationByFlag {
		return s, fmt.Errorf("%s and %s exclude each other: give one budget", numberOrigin, durationOrigin)
	}
	switch {
	case number != "" && (duration == "" || numberByFlag):
		s.runs, err = strconv.ParseInt(number, 10, 64)
		if err != nil || s.runs < 1 {
			return s, fmt.Errorf("%s=%s is no number of runs: give 1 or more, such as 10000", numberOrigin, number)
		}
	case duration != "":
		s.runs = 0
		s.duration, err = time.ParseDuration(duration)
		if err != nil || s.duration <= 0 {
			return s, fmt.Errorf("%s=%s is no time to search for: give a duration above 0, such as 30s", durationOrigin, duration)
		}
		if err := fits(t, s.duration, durationOrigin); err != nil {
			return s, err
		}
	}

	name, origin, _ := given(strategyName)
	if name == "" {
		name = strategy.Default
	}
	if s.strategy, err = strategy.Parse(name); err != nil {
		return s, fmt.Errorf("%s=%s: %w", origin, name, err)
	}
	return s, nil
}

// fits says whether the test has the time for a search, since a test that runs into its timeout says nothing of what was found.
func fits(t testing.TB, duration time.Duration, origin string) error {
	d, ok := t.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return nil
	}
	if deadline, ok := d.Deadline(); ok && time.Until(deadline) <= duration {
		return fmt.Errorf("%s=%s is longer than what -timeout leaves to the test: give -timeout 0, or a longer one", origin, duration)
	}
	return nil
}
