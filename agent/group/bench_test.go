package group_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/sim"
)

// crowded is a store of a host with n members, all connected; what it says to them goes to one queue, where nobody listens.
func crowded(b *testing.B, w *world, n int, to protocol.Link) *store.Data {
	data := store.NewData()
	require.NoError(b, w.open(w.Host(), data).Update(func(x tx) error {
		require.NoError(b, x.PutGroup(group.Group{ID: "g", Me: "h", Host: "h", Status: group.Connected, Numbers: int64(n)}))
		for i := range n {
			id := group.MemberID(fmt.Sprint("e", i))
			m := group.Member{Group: "g", ID: id, Status: group.Complete, Connected: [2]bool{group.InGroup: true}, Number: int64(i + 1), All: true}
			_, err := x.PutMember(m)
			require.NoError(b, err)
			require.NoError(b, x.PutConnection(connection.Connection{
				ID: command.Connection(fmt.Sprintf("g/%s/group", id)), Status: connection.Active, Router: only, Key: "key", Peer: to, SendKey: "key",
			}))
		}
		return nil
	}))
	return data
}

// BenchmarkJoin is what it takes, for each member of a group, until a newcomer is introduced to all and has sent its links for each: of time, of the newcomer's
// commands, and of steps of all. None of them is to grow with the group.
func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n, " members"), func(b *testing.B) {
			runner := sim.NewRunner()
			defer runner.Close()
			commands, steps, took := 0, int64(0), time.Duration(0)
			scenario := &sim.Scenario{Name: "join", Setup: func(x *sim.World) func() {
				w := &world{World: x, t: b, network: sim.NewNetwork[[]protocol.Request, []protocol.Response](x)}
				require.NoError(b, w.network.Listen(only.Address(), router.New(router.Options{Name: only.Hosts, Env: x, Mailboxes: true})))
				return func() {
					data := crowded(b, w, n, w.liar("nobody").create("listens"))
					host := w.started("host", data)
					host.do(func(c *command.Change[tx]) error { return host.Invite(c, "g", "m") })
					w.rest(time.Minute)
					var i group.Invitation
					require.NoError(b, w.open(w.Host(), data).View(func(x tx) (err error) {
						i, _, err = group.InvitationFor(x, "g", "m")
						return err
					}))
					member := w.honest("member")
					begin := time.Now()
					member.do(func(c *command.Change[tx]) error { return member.Accept(c, i) })
					w.rest(time.Minute)
					took += time.Since(begin)
					last, _ := member.member(group.MemberID(fmt.Sprint("e", n-1)))
					require.Equal(b, group.IntroInvited, last.Status)
					w.Inline(func() { commands += member.commands })
					for _, n := range w.nodes {
						n.Crash()
					}
				}
			}}
			for range b.N {
				r, err := runner.Run(scenario, sim.RunConfig{Source: conformance.Random(1), Options: sim.Options{NoFaults: true}, MaxSteps: 100_000_000})
				require.NoError(b, err)
				require.Nil(b, r.Failure)
				steps += r.Steps
			}
			each := float64(b.N * n)
			b.ReportMetric(float64(took.Nanoseconds())/each, "ns/member")
			b.ReportMetric(float64(commands)/each, "commands/member")
			b.ReportMetric(float64(steps)/each, "steps/member")
			b.ReportMetric(0, "ns/op")
		})
	}
}
