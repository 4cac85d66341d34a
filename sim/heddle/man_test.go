package heddle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachCommandHasAManPage(t *testing.T) {
	folder := t.TempDir()
	out, errOut, status := heddle(t, "man", folder)
	require.Equal(t, statusClean, status, errOut)
	require.Empty(t, out)
	for _, name := range []string{"run", "explore", "replay", "shrink", "zoo", "audit", "vet", "list", "man", "completion"} {
		page, err := os.ReadFile(filepath.Join(folder, "heddle-"+name+".1"))
		require.NoError(t, err)
		require.Contains(t, string(page), ".SH SYNOPSIS")
	}
	page, err := os.ReadFile(filepath.Join(folder, "heddle-run.1"))
	require.NoError(t, err)
	require.Contains(t, string(page), `\fB--seed\fP`)

	_, errOut, status = heddle(t, "man", filepath.Join(folder, "missing"))
	require.Equal(t, statusError, status)
	require.Contains(t, errOut, "is no folder that man pages can be written to: make it first")
	require.Equal(t, 1, strings.Count(errOut, "\n"))
}

func TestShellsCompleteNames(t *testing.T) {
	for _, c := range []struct {
		args       []string
		with, none string
	}{
		{[]string{"run", ""}, "account\t", ""},
		{[]string{"run", "account", ""}, "account-fixed\t", "account\t"},
		{[]string{"explore", "account", ""}, "", "account-fixed\t"},
		{[]string{"audit", ""}, "account\t", ""},
		{[]string{"run", "--strategy", ""}, "pct:D\t", "account\t"},
		{[]string{"run", "--store", ""}, "sqlite", "account\t"},
	} {
		out, errOut, status := heddle(t, append([]string{"__complete"}, c.args...)...)
		require.Equal(t, statusClean, status, errOut)
		lines := "\n" + out
		if c.with != "" {
			require.Contains(t, lines, "\n"+c.with, "%v", c.args)
		}
		if c.none != "" {
			require.NotContains(t, lines, "\n"+c.none, "%v", c.args)
		}
	}
}
