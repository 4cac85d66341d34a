package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/explore"
)

func TestTheTinyWorldWithoutFaultsIsExploredToTheEnd(t *testing.T) {
	report, err := explore.Run(t.Context(), explore.Config{Scenario: SmallAgentTiny(), Options: sim.Options{NoFaults: true}})

	require.NoError(t, err)
	require.True(t, report.Complete, report.Left)
	require.Empty(t, report.Failures)
	require.Greater(t, report.Executions, int64(100), "the removal and the subscription have lost their races")
	t.Logf("%d executions, %d blocked", report.Executions, report.Blocked)
}

func TestTheTinyWorldWithoutFaultsAndPreemptionsIsExploredToTheEnd(t *testing.T) {
	report, err := explore.Run(t.Context(), explore.Config{Scenario: SmallAgentTiny(), Options: sim.Options{NoFaults: true}, Bounded: true})

	require.NoError(t, err)
	require.True(t, report.Complete, report.Left)
	require.Empty(t, report.Failures)
}

func TestTheTinyWorldHoldsForAsLongAsThisLooks(t *testing.T) {
	report, err := explore.Run(t.Context(), explore.Config{Scenario: SmallAgentTiny(), Duration: 3 * time.Second})

	require.NoError(t, err)
	require.Empty(t, report.Failures)
	require.NotZero(t, report.Executions)
}
