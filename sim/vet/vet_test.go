package vet_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/heddle-go/heddle/sim/vet"
)

func TestEveryEscapeIsReported(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), vet.New(), "escapes")
}

func TestWhatLooksLikeAnEscapeIsNot(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), vet.New(), "harmless")
}

func TestAnAllowHasAReasonAndAllowsSomething(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), vet.New(), "allows")
}

func TestTestsAreLookedAtIfAsked(t *testing.T) {
	a := vet.New()
	require.NoError(t, a.Flags.Set("tests", "true"))
	reported := map[string]bool{}
	for _, result := range analysistest.Run(silent{}, analysistest.TestData(), a, "harmless") {
		for _, d := range result.Diagnostics {
			reported[d.Category] = true
		}
	}
	require.Equal(t, map[string]bool{"goroutine": true, "channel": true, "clock": true}, reported)
}

// silent hears of diagnostics that no comment expects, which are what the test is about.
type silent struct{}

func (silent) Errorf(string, ...any) {}
