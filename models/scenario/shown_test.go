package scenario_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/report"
)

// TestAPictureShowsTheStateOfTheWorldInWords: of any run, since what is shown is no matter of a failure.
func TestAPictureShowsTheStateOfTheWorldInWords(t *testing.T) {
	for _, test := range []struct {
		scenario *sim.Scenario
		want     []string
	}{
		{scenario.SmallAgent(), []string{`"agent"`, `"router 0"`, `"session variable"`, `"pending"`, `"active"`, `"queue 0"`, `"SUB queue`, `"OK queue`}},
		{scenario.CommandQueue(), []string{`"stored"`, `"command 1"`, `"event 1"`}},
		{scenario.GroupRecovery(), []string{`"host"`, `"member-1"`, `"process"`, `"connected"`, `"NEW`, `"SEND`}},
	} {
		t.Run(test.scenario.Name, func(t *testing.T) {
			pages := ""
			for seed := range uint64(8) {
				page, err := report.Page{Scenario: test.scenario, Token: choice.Token{Scenario: test.scenario.Name, Strategy: "random", Seed: seed, DataSeed: seed}}.HTML()
				require.NoError(t, err)
				pages += string(page)
			}
			for _, want := range test.want {
				require.True(t, strings.Contains(pages, want), "no page has %s", want)
			}
		})
	}
}
