package explore

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// greeter answers everything.
type greeter struct{ peer net.Peer[string] }

func (g *greeter) Accept(_ net.SessionID, _ string, p net.Peer[string]) (string, error) {
	g.peer = p
	return "", nil
}

func (g *greeter) Receive(net.SessionID, string) { g.peer.Send("hello") }

func (g *greeter) Closed(net.SessionID) {}

// one is a walk in worlds of one fault.
type one struct {
	*walk
	fault string
}

func (o one) Value(site choice.Site, n int) int {
	switch name, swarm := strings.CutPrefix(site.Name, "swarm/"); {
	case site.Name == "swarm", swarm && name == o.fault:
		return n - 1
	case swarm:
		return 0
	}
	return o.walk.Value(site, n)
}

// A reader is held up only if it has begun to read when something arrives: an order of two steps that is to be explored.
func TestAReaderThatIsHeldUpIsExplored(t *testing.T) {
	late := false
	scenario := &sim.Scenario{Name: "slow reader", Setup: func(w *sim.World) func() {
		late = false
		n := sim.NewNetwork[string, string](w)
		require.NoError(t, n.ListenWithin(w.Shared("server"), "server", &greeter{}))
		node := w.Node("client")
		return func() {
			node.Go("client", func() {
				c, err := n.Dialer(node).Dial(context.Background(), "server", "")
				if err != nil || c.Send(context.Background(), "hi") != nil {
					return
				}
				node.Go("reader", func() {
					_, _ = c.Receive()
					late = w.Elapsed() > 0
				})
			})
		}
	}}
	ends, runner := map[bool]int{}, sim.NewRunner()
	defer runner.Close()
	for strict, again := (strictness{}), true; again; {
		x := newWalk(newPlan(strict, nil), 0)
		for more := x.first(); more; more = x.next() {
			x.start()
			_, err := runner.Run(scenario, sim.RunConfig{Source: one{x, "slow-reader"}, Listener: x})
			require.NoError(t, err)
			require.Empty(t, x.defect)
			ends[late]++
		}
		again = !x.plan.stricter.none()
		strict.add(x.plan.stricter)
	}
	require.NotZero(t, ends[true])
	require.NotZero(t, ends[false])
}
