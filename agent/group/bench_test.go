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
	"github.com/heddle-go/heddle/internal/connectiontest"
)

// crowded is a store of a host with n members, all connected; what it says to them goes to one queue, where nobody listens.
func crowded(b *testing.B, w *world, n int, to protocol.Link) *store.Data {
	data := store.NewData()
	require.NoError(b, w.Open(w.Host(), data).Update(func(x tx) error {
		require.NoError(b, x.PutGroup(group.Group{ID: "g", Me: "h", Host: "h", Status: group.Connected, Numbers: int64(n)}))
		for i := range n {
			id := group.MemberID(fmt.Sprint("e", i))
			m := group.Member{Group: "g", ID: id, Status: group.Complete, Connected: [2]bool{group.InGroup: true}, Number: int64(i + 1), All: true}
			_, err := x.PutMember(m)
			require.NoError(b, err)
			require.NoError(b, x.PutConnection(connection.Connection{
				ID: command.Connection(fmt.Sprintf("g/%s/group", id)), Status: connection.Active, Router: connectiontest.Router, Key: "key", Peer: to, SendKey: "key",
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
			commands, steps, took := 0, int64(0), time.Duration(0)
			for range b.N {
				steps += connectiontest.Run(b, func(w *world) {
					data := crowded(b, w, n, w.Peer("nobody", nil).CreateLink("listens"))
					host := start(w, "host", data)
					host.do(func(c *command.Change[tx]) error { return host.Invite(c, "g", "m") })
					w.Rest(time.Minute)
					var i group.Invitation
					require.NoError(b, w.Open(w.Host(), data).View(func(x tx) (err error) {
						i, _, err = group.InvitationFor(x, "g", "m")
						return err
					}))
					member := start(w, "member", store.NewData())
					begin := time.Now()
					member.do(func(c *command.Change[tx]) error { return member.Accept(c, i) })
					w.Rest(time.Minute)
					took += time.Since(begin)
					last, _ := member.member(group.MemberID(fmt.Sprint("e", n-1)))
					require.Equal(b, group.IntroInvited, last.Status)
					w.Inline(func() { commands += member.commands })
				})
			}
			each := float64(b.N * n)
			b.ReportMetric(float64(took.Nanoseconds())/each, "ns/member")
			b.ReportMetric(float64(commands)/each, "commands/member")
			b.ReportMetric(float64(steps)/each, "steps/member")
			b.ReportMetric(0, "ns/op")
		})
	}
}
