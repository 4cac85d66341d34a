package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/explore"
)

func explored(t *testing.T, c explore.Config) *explore.Report {
	c.Scenario = SmallAgentTiny()
	report, err := explore.Run(t.Context(), c)
	require.NoError(t, err)
	require.Empty(t, report.Failures)
	t.Logf("%d executions, %d blocked", report.Executions, report.Blocked)
	return report
}

func TestTheTinyWorldWithoutFaultsIsExploredToTheEnd(t *testing.T) {
	all := explored(t, explore.Config{Options: sim.Options{NoFaults: true}})

	require.True(t, all.Complete, all.Left)
	require.True(t, all.OneOrder)
	require.Greater(t, all.Executions, int64(len(tinyCases)+10), "the removal has lost its races with the subscription and its answers")
}

func TestTheTinyWorldWithoutFaultsIsExploredToTheEndWithinABound(t *testing.T) {
	for most := range 3 {
		some := explored(t, explore.Config{Options: sim.Options{NoFaults: true}, Bound: explore.Preemptions, Most: most})
		require.True(t, some.Complete, some.Left)
	}
}

func TestTheTinyWorldHoldsForAsLongAsThisLooks(t *testing.T) {
	require.NotZero(t, explored(t, explore.Config{Duration: 3 * time.Second}).Executions)
}
