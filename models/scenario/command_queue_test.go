package scenario

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

func TestTheCommandQueueHolds(t *testing.T) {
	report, err := search.Run(t.Context(), search.Config{
		Scenarios: []*sim.Scenario{CommandQueue()}, Seed: "holds", Strategy: parsed(t, "mix"), Runs: 1000, KeepGoing: true,
	})

	require.NoError(t, err)
	for _, f := range report.Failures() {
		t.Errorf("%s: %s\n%s", f.Property, f.Message, f.Replay)
	}
}

func TestTheSimplestCommandLoadIsOneCommand(t *testing.T) {
	var drawn commandLoad
	sc := CommandQueue()
	sc.Setup = func(w *sim.World) func() {
		drawn = drawCommands(w)
		return func() {}
	}

	_, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: firstChoice{}})

	require.NoError(t, err)
	require.Equal(t, commandLoad{
		config: drawn.config, keys: []command.Key{commandKeys[0]},
		tasks: [][]commandOp{{{kind: addCommands, commands: []plannedCommand{{correlation: "c1"}}, lasts: suspensions[0], patience: Never}}},
	}, drawn)
}

func TestASmallRunOfTheCommandQueueIsSmall(t *testing.T) {
	result, err := sim.NewRunner().Run(CommandQueue(), sim.RunConfig{Source: firstChoice{}})

	require.NoError(t, err)
	require.Nil(t, result.Failure)
	require.Less(t, result.Steps, int64(150))
}

func TestCommandOperationsAreReadable(t *testing.T) {
	commands := []plannedCommand{{correlation: "c1", key: 1, behaviour: moving, to: 2}, {correlation: "c2", behaviour: garbled}}
	for want, op := range map[string]commandOp{
		"add c1 (key 1, moves to key 2) c2 (key 0, garbled)": {commands: commands},
		"after 1s suspend for 5s":                            {pause: commandPauses[6], kind: suspendQueue, lasts: suspensions[2]},
		"suspend":                                            {kind: suspendQueue, lasts: Never},
		"delete the connection of c2 (key 0, garbled)":       {kind: deleteTheirs, commands: commands[1:]},
	} {
		require.Equal(t, want, op.String())
	}
}
