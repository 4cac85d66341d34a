package durable_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario/durable"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

func TestGroupsRecoverOnSQLite(t *testing.T) {
	mix, err := strategy.Parse("mix")
	require.NoError(t, err)
	report, err := search.Run(t.Context(), search.Config{Scenarios: durable.All(), Seed: "recovers", Strategy: mix, Runs: 30, KeepGoing: true})

	require.NoError(t, err)
	for _, f := range report.Failures() {
		t.Errorf("%s: %s\n%s", f.Property, f.Message, f.Replay)
	}
}
