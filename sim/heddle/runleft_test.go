package heddle

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunSaysHowMuchIsLeft(t *testing.T) {
	args := []string{"run", "account-fixed", "--runs", "2000", "--seed", "7"}
	require.Regexp(t, `(?m)^  account-fixed +218 runs +no states +\d orders \+0 +0 % \(at most \d.\d %\)`, clean(t, args...))
	require.NotContains(t, clean(t, append(args, "--strategy", "pct:3")...), "drawn by random alone")

	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, append(args, "--format", "json")...)), &d))
	b := d.Scenarios[0].Behaviour
	require.EqualValues(t, 218, b.Runs)
	require.Positive(t, b.Orders.Seen)
	require.Equal(t, b.Orders.Seen, b.Orders.Growth[len(b.Orders.Growth)-1].Seen)
	require.False(t, b.Quiet)
}

func TestRunEndsWhenItIsQuiet(t *testing.T) {
	args := []string{"run", "account-fixed", "--runs", "20000", "--seed", "7", "--until-quiet", "0.02"}
	require.Regexp(t, `\(at most .* %\) +quiet\n`, clean(t, args...))
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, append(args, "--format", "json")...)), &d))
	require.True(t, d.Scenarios[0].Behaviour.Quiet)
	require.Less(t, d.Scenarios[0].Runs, int64(20_000))

	for want, args := range map[string][]string{
		"heddle: --until-quiet 1.5 is no chance to wait for: give one between 0 and 1, such as 0.01\n":               {"--until-quiet", "1.5"},
		"heddle: --until-quiet 0 is no chance to wait for: give one between 0 and 1, such as 0.01\n":                 {"--until-quiet", "0"},
		"heddle: --until-quiet looks at runs drawn by random alone, and strategy pos has none: give mix or random\n": {"--until-quiet", "0.1", "--strategy", "pos"},
	} {
		_, errOut, status := heddle(t, append([]string{"run", "account-fixed"}, args...)...)
		require.Equal(t, statusError, status)
		require.Equal(t, want, errOut)
	}
}

func TestRunUnderPCTSaysWhatItGuarantees(t *testing.T) {
	args := []string{"run", "account-fixed", "--runs", "1000", "--seed", "7"}
	out := clean(t, append(args, "--strategy", "pct:3")...)
	require.Contains(t, out, "\nguaranteed for the schedule alone, given the inputs and faults of a run: any bug of depth 3, with a chance of 1/(n k^2)\n")
	require.Regexp(t, `(?m)^  account-fixed  one in \d+ on average over \d+ of 1,000 runs, .*; n up to 4 actors, k up to \d+ choices$`, out)
	require.Contains(t, clean(t, "run", "account-fixed", "--runs", "100", "--seed", "7", "--strategy", "pct:1"), "  account-fixed  nothing: ")

	require.NotContains(t, clean(t, args...), "guaranteed")
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, append(args, "--format", "json")...)), &d))
	require.Len(t, d.Scenarios[0].Guarantees, 1, "of the part of the mix")
}
