package heddle

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
)

func TestAProgramNeedsScenariosThatCanBeTold(t *testing.T) {
	for want, scenarios := range map[string][]*sim.Scenario{
		"this program has no scenario: heddle.Main takes one or more":                                    nil,
		"scenario 2 of this program has no name or no Setup: heddle.Main takes scenarios that have both": {{Name: "a", Setup: nothing}, {Setup: nothing}},
		"scenario 1 of this program has no name or no Setup: heddle.Main takes scenarios that have both": {{Name: "a"}},
		"two scenarios of this program are named a: each must have a name of its own":                    {{Name: "a", Setup: nothing}, {Name: "b", Setup: nothing}, {Name: "a", Setup: nothing}},
		"scenario 3 of this program has no name or no Setup: heddle.Main takes scenarios that have both": {{Name: "a", Setup: nothing}, {Name: "b", Setup: nothing}, nil},
	} {
		var out, errOut bytes.Buffer
		require.Equal(t, statusError, ours.execute(t.Context(), scenarios, []string{"list"}, &out, &errOut))
		require.Equal(t, "heddle: "+want+"\n", errOut.String())
		require.Empty(t, out.String())
	}
}

func TestAProgramWithoutAModuleBuildsNoMutants(t *testing.T) {
	var out, errOut bytes.Buffer
	require.Equal(t, statusError, program{}.execute(t.Context(), testScenarios(), []string{"zoo"}, &out, &errOut))
	require.Equal(t, "heddle: this heddle was built without a module, of whose sources it could build mutants: use go build, go run or go tool with its package\n", errOut.String())
}
