package heddle

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExploreFindsAFailureAndSaysHowToRepeatIt(t *testing.T) {
	out := found(t, "explore", "account")
	require.Contains(t, out, "account violates all-counted: balance is 1 after two deposits of 1")
	require.Contains(t, out, "not complete: stopped at the first failure")
	token := regexp.MustCompile(`heddle1_[\w-]+`).FindString(out)
	again := found(t, "replay", token)
	require.Contains(t, again, "found by explore")
	require.Contains(t, again, "reproduced: the same property failed, with the same trace ")
}

func TestExploreIsCompleteWhereNothingFails(t *testing.T) {
	out := clean(t, "explore", "account-fixed")
	require.Contains(t, out, "2 executions, 0 blocked")
	require.Contains(t, out, "complete: every class of interleavings, all values and faults, 0 failures, within 10,000 steps for each execution and with data seed 0")
}

func TestExploreGoesOnAfterFailures(t *testing.T) {
	var d exploreDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "explore", "account", "--keep-going", "--format", "json")), &d))
	require.True(t, d.Complete)
	require.Empty(t, d.Cut)
	require.Len(t, d.Failures, 1)
	require.EqualValues(t, 4, d.Executions)
	require.EqualValues(t, 2, d.Failures[0].Runs)
}

func TestExploreTriesEveryValue(t *testing.T) {
	require.Contains(t, found(t, "explore", "two-faced"), "tails")
}

func TestExploreTriesEveryFault(t *testing.T) {
	var d exploreDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, "explore", "faulty", "--format", "json")), &d))
	require.True(t, d.Complete)
	require.Equal(t, "lightning", d.Faults[0].Fault)
	require.Positive(t, d.Faults[0].Effect)

	require.NoError(t, json.Unmarshal([]byte(clean(t, "explore", "faulty", "--no-faults", "--format", "json")), &d))
	require.EqualValues(t, 1, d.Executions)
}

func TestExploreSaysWhatItHasCutOff(t *testing.T) {
	out := clean(t, "explore", "account-fixed", "--steps", "5")
	require.NotContains(t, out, "\ncomplete")
	require.Contains(t, out, "were cut off at 5 steps")
}

func TestExploreWithinABoundOnPreemptions(t *testing.T) {
	var d exploreDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, "explore", "account", "--preemptions", "0", "--format", "json")), &d))
	require.True(t, d.Complete)
	require.Equal(t, 0, *d.Bounds.Preemptions)
	require.Contains(t, found(t, "explore", "account", "--preemptions", "1"), "all-counted")
}

func TestExploreWithinABoundOnDelays(t *testing.T) {
	var d exploreDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, "explore", "account", "--delays", "0", "--format", "json")), &d))
	require.True(t, d.Complete)
	require.EqualValues(t, 1, d.Executions)
	require.Equal(t, 0, *d.Bounds.Delays)
	require.Contains(t, found(t, "explore", "account", "--delays", "1"), "all-counted")
	require.Contains(t, clean(t, "explore", "account-fixed", "--delays", "3"), "complete: every class of interleavings, and so every interleaving with at most 3 delays")
}

func TestExploreJudgesOnlyWhatItIsTold(t *testing.T) {
	out := clean(t, "explore", "account", "--only", "deadlock")
	require.Contains(t, out, "\ncomplete")
	require.Contains(t, out, "only deadlock is judged")
}

func TestExploreRefusesWhatItCannotDo(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"explore"}, "takes one scenario and was given 0"},
		{[]string{"explore", "acount"}, "did you mean account?"},
		{[]string{"explore", "account", "--steps", "0"}, "give 1 or more"},
		{[]string{"explore", "account", "--for", "0s"}, "give a duration above 0"},
		{[]string{"explore", "account", "--preemptions", "-1"}, "give 0 or more"},
		{[]string{"explore", "account", "--delays", "-1"}, "give 0 or more"},
		{[]string{"explore", "account", "--delays", "1", "--preemptions", "1"}, "give one of them"},
		{[]string{"explore", "account", "--workers", "0"}, "give 1 or more"},
		{[]string{"explore", "account", "--only", "nothing"}, "unknown property"},
	} {
		_, errOut, status := heddle(t, c.args...)
		require.Equal(t, statusError, status, c.args)
		require.Contains(t, errOut, c.want)
	}
}
