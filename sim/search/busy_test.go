package search

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// busy is a world with everything that decides something: clients that reconnect, a network with all its faults, timers, selects,
// stalls and a crash. Every run fails, each with a message of its own, so that every run is recorded and replayed.
var busy = &sim.Scenario{
	Name: "busy",
	Setup: func(w *sim.World) func() {
		network := sim.NewNetwork[string, string](w)
		if err := network.Listen("server", &shouter{peers: map[net.SessionID]net.Peer[string]{}}); err != nil {
			panic(err)
		}
		nodes := []*sim.Node{w.Node("one"), w.Node("two")}
		nodes[0].Stalls(2)
		w.Rule("crash", 1, func() bool {
			nodes[1].Crash()
			w.Effect("crash")
			return true
		})
		heard := sched.NewAtomicInt64(w.Host().Scheduler(), 0)
		return func() {
			for _, n := range nodes {
				n.Go("client", func() { chat(n, network.Dialer(n), heard) })
			}
			_ = w.Host().Clock().Sleep(context.Background(), 5*time.Minute)
			w.Heal()
			_ = w.Host().Clock().Sleep(context.Background(), 5*time.Minute)
			w.Fail("always", "%s", letters(uint64(w.Step())<<16|uint64(heard.Load())))
		}
	},
}

func chat(n *sim.Node, dialer net.Dialer[string, string], heard *sched.AtomicInt64) {
	s := n.Scheduler()
	for range 4 {
		conn, err := dialer.Dial(context.Background(), "server", "me")
		if err != nil {
			_ = n.Clock().Sleep(context.Background(), time.Second)
			continue
		}
		lost := sched.NewChan[error](s, 1)
		answers := sched.NewChan[string](s, 2)
		n.Go("receiver", func() {
			for {
				answer, err := conn.Receive()
				if err != nil {
					lost.Send(err)
					return
				}
				answers.TrySend(answer)
			}
		})
		for range 3 {
			_ = conn.Send(context.Background(), "hello")
			timer := n.Clock().NewTimer(3 * time.Second)
			answer, gone, expired := sched.Recv(answers), sched.Recv(lost), sched.Recv(timer.C)
			if sched.Select3(&answer, &gone, &expired) == 0 {
				heard.Add(1)
			}
			timer.Stop()
		}
		_ = conn.Close()
	}
}

// shouter answers everything.
type shouter struct {
	peers map[net.SessionID]net.Peer[string]
}

func (s *shouter) Accept(id net.SessionID, _ string, p net.Peer[string]) (string, error) {
	s.peers[id] = p
	return "", nil
}
func (s *shouter) Receive(id net.SessionID, in string) { s.peers[id].Send(strings.ToUpper(in)) }
func (s *shouter) Closed(id net.SessionID)             { delete(s.peers, id) }

// letters writes a number without digits, which would not make a message another one.
func letters(v uint64) string {
	var b []byte
	for ; v > 0; v /= 26 {
		b = append(b, 'a'+byte(v%26))
	}
	return string(b)
}

func TestEveryRunOfABusyWorldRepeatsFromItsDeviations(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{busy}, Seed: "b", Strategy: mix(t), Runs: 400, KeepGoing: true})
	require.NoError(t, err)
	s := report.Scenarios[0]
	require.EqualValues(t, 400, s.Failed)
	require.Len(t, s.Failures, mostFailures)
	require.Greater(t, len(s.Faults), 12)
	byRule := 0
	for _, f := range s.Failures {
		for _, d := range f.Full.Deviations {
			if strings.HasPrefix(d.Target, "crash") || strings.HasPrefix(d.Target, "stall") {
				byRule++
			}
		}
		require.True(t, len(f.Token) <= choice.LongToken)
	}
	require.Positive(t, byRule, "strikes are deviations with a name")
}

func TestTheBeginningOfADecisionListIsAWholeRun(t *testing.T) {
	report, err := Run(context.Background(), Config{Scenarios: []*sim.Scenario{busy}, Seed: "h", Strategy: mix(t), Runs: 20, KeepGoing: true})
	require.NoError(t, err)
	for _, f := range report.Failures() {
		half := f.Full
		half.Deviations = half.Deviations[:len(half.Deviations)/2]
		replayed, err := Replay(busy, half, nil)
		require.NoError(t, err)
		require.NotNil(t, replayed.Failure)
		require.Empty(t, replayed.Fit.Misfits)
	}
}
