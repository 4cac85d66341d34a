package scenario

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

func TestGroupsRecover(t *testing.T) {
	report, err := search.Run(t.Context(), search.Config{
		Scenarios: []*sim.Scenario{GroupRecovery()}, Seed: "recovers", Strategy: parsed(t, "mix"), Runs: 100, KeepGoing: true,
	})

	require.NoError(t, err)
	for _, f := range report.Failures() {
		t.Errorf("%s: %s\n%s", f.Property, f.Message, f.Replay)
	}
}
