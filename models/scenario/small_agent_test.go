package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// firstChoice decides everything in the simplest way: the first who can move, and the value 0.
type firstChoice struct{}

func (firstChoice) Schedule(_ *choice.Actor, _, _ []*choice.Actor) int { return 0 }
func (firstChoice) Value(choice.Site, int) int                         { return 0 }

func TestTheSimplestWorkloadIsOneSubscription(t *testing.T) {
	var drawn Workload
	sc := SmallAgentWith(Workload{})
	sc.Setup = func(w *sim.World) func() {
		drawn = DrawWorkload(w)
		return func() {}
	}

	_, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: firstChoice{}})

	require.NoError(t, err)
	require.Equal(t, Workload{
		Party: protocol.RecipientService, Routers: 1, Queues: 1,
		Applications: []Application{{Config: drawn.Applications[0].Config, Tasks: [][]Op{{{Kind: Subscribe, Count: 1, Cancel: Never}}}}},
	}, drawn)
}

func TestASmallRunIsSmall(t *testing.T) {
	result, err := sim.NewRunner().Run(SmallAgent(), sim.RunConfig{Source: firstChoice{}})

	require.NoError(t, err)
	require.Nil(t, result.Failure)
	require.Less(t, result.Steps, int64(300))
}

func TestAGivenWorkloadIsDone(t *testing.T) {
	config := agent.DefaultConfig(protocol.RecipientService)
	config.Credential = protocol.Credential{Role: protocol.Messaging, CertificateHash: "certificate"}
	config.BlockSize = 2
	load := Workload{
		Party: protocol.RecipientService, Routers: 2, Queues: 5, ServiceQueues: 3, Linger: time.Second,
		Applications: []Application{
			{Config: config, Tasks: [][]Op{
				{{Kind: SubscribeService, Cancel: Never}, {Kind: Subscribe, Count: 5, Cancel: Never}, {Kind: Lookup, Cancel: Never}},
				{{Kind: Subscribe, Router: 1, First: 3, Count: 3, Key: 1, Cancel: 0}, {Kind: Remove, Router: 1, First: 3, Count: 1, Cancel: Never}},
			}},
			{Config: config, Tasks: [][]Op{{{Pause: time.Minute, Kind: Subscribe, Count: 2, Cancel: Never}, {Kind: Connect, Router: 1, Cancel: Never}}}},
		},
	}

	result, err := sim.NewRunner().Run(SmallAgentWith(load), sim.RunConfig{Source: firstChoice{}})

	require.NoError(t, err)
	require.Nil(t, result.Failure)
}

func TestTheSmallAgentHolds(t *testing.T) {
	report, err := search.Run(t.Context(), search.Config{
		Scenarios: []*sim.Scenario{SmallAgent()}, Seed: "holds", Strategy: parsed(t, "mix"), Runs: 1000, KeepGoing: true,
	})

	require.NoError(t, err)
	for _, f := range report.Failures() {
		t.Errorf("%s: %s\n%s", f.Property, f.Message, f.Replay)
	}
}

func TestOperationsAreReadable(t *testing.T) {
	for want, op := range map[string]Op{
		`subscribe 2 queues from 3 at router 1 with "new key"`: {Kind: Subscribe, Router: 1, First: 3, Count: 2, Key: 1, Cancel: Never},
		`after 1s remove 1 queues from 0 at router 0`:          {Pause: time.Second, Kind: Remove, Count: 1, Cancel: Never},
		`subscribe service at router 0 cancelled after 0s`:     {Kind: SubscribeService},
		`close`: {Kind: Close, Cancel: Never},
	} {
		require.Equal(t, want, op.String())
	}
}
