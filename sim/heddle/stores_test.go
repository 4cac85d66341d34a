package heddle

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
)

// onStores is the command line with scenarios of which one can be on another store, and how it ends.
func onStores(scenarios []*sim.Scenario, args ...string) (out, errOut string, status int) {
	var stdout, stderr bytes.Buffer
	status = ours.execute(context.Background(), scenarios, append([]string{"run", "--runs", "2", "--seed", "1"}, args...), &stdout, &stderr)
	return stdout.String(), stderr.String(), status
}

func TestRunOnAStore(t *testing.T) {
	all := []*sim.Scenario{{Name: "small", Setup: nothing}, {Name: "large", Setup: nothing}, {Name: "large/sqlite", Setup: nothing}}
	for _, args := range [][]string{{"large", "--store", "sqlite"}, {"--store", "sqlite"}, {"large/sqlite", "--store", "sqlite"}} {
		out, errOut, status := onStores(all, args...)
		require.Zero(t, status, "%s%s", out, errOut)
		require.Contains(t, out, "large/sqlite ")
		require.NotContains(t, out, "small")
	}
	out, _, status := onStores(all, "large", "--store", "memory")
	require.Zero(t, status)
	require.NotContains(t, out, "sqlite")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--store", "tape"}, `heddle: unknown store "tape": there are memory and sqlite`},
		{[]string{"small", "--store", "sqlite"}, "heddle: scenario small has no store sqlite: large has"},
		{[]string{"larger", "--store", "sqlite"}, `heddle: unknown scenario "larger": did you mean large?`},
	} {
		_, errOut, status := onStores(all, c.args...)
		require.Equal(t, statusError, status)
		require.Contains(t, errOut, c.want)
	}
	_, errOut, status := onStores(all[:2], "large", "--store", "sqlite")
	require.Equal(t, statusError, status)
	require.Contains(t, errOut, "no scenario of this program is on sqlite: its name would end with /sqlite")
}
