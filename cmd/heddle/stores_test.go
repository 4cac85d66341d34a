package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
)

// onStores is the command line with scenarios of which one can be on another store, and how it ends.
func onStores(scenarios []*sim.Scenario, args ...string) (out, errOut string, status int) {
	var stdout, stderr bytes.Buffer
	status = execute(context.Background(), scenarios, append([]string{"run", "--runs", "2", "--seed", "1"}, args...), &stdout, &stderr)
	return stdout.String(), stderr.String(), status
}

func TestRunOnAStore(t *testing.T) {
	if len(onSQLite()) == 0 {
		t.Skip("built without SQLite")
	}
	all := append(scenario.All(), onSQLite()...)
	for _, args := range [][]string{{"group-recovery", "--store", "sqlite"}, {"--store", "sqlite"}, {"group-recovery/sqlite", "--store", "sqlite"}} {
		out, errOut, status := onStores(all, args...)
		require.Zero(t, status, "%s%s", out, errOut)
		require.Contains(t, out, "group-recovery/sqlite ")
		require.NotContains(t, out, "small-agent")
	}
	out, _, status := onStores(all, "group-recovery", "--store", "memory")
	require.Zero(t, status)
	require.NotContains(t, out, "sqlite")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--store", "tape"}, `heddle: unknown store "tape": there are memory and sqlite`},
		{[]string{"small-agent", "--store", "sqlite"}, "heddle: scenario small-agent has no store sqlite: group-recovery has"},
		{[]string{"group-recoverie", "--store", "sqlite"}, `heddle: unknown scenario "group-recoverie": did you mean group-recovery?`},
	} {
		_, errOut, status := onStores(all, c.args...)
		require.Equal(t, statusError, status)
		require.Contains(t, errOut, c.want)
	}
	_, errOut, status := onStores(scenario.All(), "group-recovery", "--store", "sqlite")
	require.Equal(t, statusError, status)
	require.Contains(t, errOut, "this heddle was built without sqlite: build it without the tag nosqlite")
}
