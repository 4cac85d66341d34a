package scenario

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/explore"
	"github.com/heddle-go/heddle/sim/search"
)

func TestLitmusIsExploredToTheEnd(t *testing.T) {
	for _, sc := range litmus() {
		t.Run(strings.TrimPrefix(sc.Name, "litmus/"), func(t *testing.T) {
			report, err := explore.Run(t.Context(), explore.Config{Scenario: sc, KeepGoing: true})
			require.NoError(t, err)
			require.True(t, report.Complete, report.Left)
			t.Logf("%d executions, %d blocked", report.Executions, report.Blocked)
			if sc.Fails == "" {
				require.Empty(t, report.Failures, "the mended twin fails")
				return
			}
			require.NotEmpty(t, report.Failures)
			for _, f := range report.Failures {
				require.Equal(t, sc.Fails, f.Property)
				replayed, err := search.Replay(sc, f.Full, nil)
				require.NoError(t, err)
				require.True(t, replayed.Same)
			}
		})
	}
}
