package storetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
)

// groups is what a store holds of connections and groups.
type groups struct {
	connections   map[command.Connection]connection.Connection
	groups        map[group.ID]group.Group
	members       []group.Member                            // by row
	introductions map[group.Introduction]group.Introduction // by that without status
	continuations map[command.Correlation]group.Continuation
}

func newGroups() groups {
	return groups{
		connections: map[command.Connection]connection.Connection{}, groups: map[group.ID]group.Group{},
		introductions: map[group.Introduction]group.Introduction{}, continuations: map[command.Correlation]group.Continuation{},
	}
}

func (g groups) clone() groups {
	return groups{maps.Clone(g.connections), maps.Clone(g.groups), slices.Clone(g.members), maps.Clone(g.introductions), maps.Clone(g.continuations)}
}

var (
	connections = []command.Connection{"one", "two"}
	groupIDs    = []group.ID{"g", "h"}
	memberIDs   = []group.MemberID{"a", "b", "c"}
)

// queueOf is the queue that a connection has, if it has one: no two have the same.
func queueOf(c command.Connection) protocol.QueueID { return protocol.QueueID{23: c[0]} }

// operation does one thing with connections and groups.
func (g *groups) operation(t *rapid.T, tx group.Tx) {
	n := rapid.Int64Range(0, 1<<40).Draw(t, "figure")
	id, in := rapid.SampledFrom(memberIDs).Draw(t, "member"), rapid.SampledFrom(groupIDs).Draw(t, "group")
	switch c := rapid.SampledFrom(connections).Draw(t, "connection"); rapid.IntRange(0, 7).Draw(t, "which") {
	case 0, 1:
		x := connection.Connection{
			ID: c, Status: connection.Status(1 + n%8), Joins: n%2 == 0, Router: keys[1].Router, Sender: protocol.QueueID{1, byte(n)}, Key: "key", PeerKey: "peer's",
			Peer: protocol.Link{Router: keys[2].Router, Sender: protocol.QueueID{2, byte(n)}}, SendKey: "to send", Sent: n, Received: n + 1,
			Unacknowledged: protocol.MessageID{byte(n)},
		}
		if rapid.Bool().Draw(t, "has a queue") {
			x.Recipient = queueOf(c)
		} else if g.connections[c].Recipient != (protocol.QueueID{}) {
			return // it is never taken away
		}
		require.NoError(t, tx.PutConnection(x))
		g.connections[c] = x
	case 2:
		require.NoError(t, tx.DropConnection(c))
		delete(g.connections, c)
	case 3:
		x := group.Group{ID: in, Me: id, Host: "a", Status: group.Status(1 + n%10), Numbers: n}
		require.NoError(t, tx.PutGroup(x))
		g.groups[in] = x
	case 4, 5:
		m := group.Member{
			Group: in, ID: id, Status: group.Status(1 + n%10), Connected: [2]bool{n%2 == 0, n%3 == 0}, Links: [2]string{fmt.Sprint(n), ""},
			Number: n, Introduced: n + 1, Met: n + 2, All: n%5 == 0, Deadline: n + 3, Error: "what is wrong",
		}
		at := slices.IndexFunc(g.members, func(o group.Member) bool { return o.Group == in && o.ID == id })
		if at >= 0 {
			m.Row = g.members[at].Row
		}
		row, err := tx.PutMember(m)
		require.NoError(t, err)
		if at >= 0 {
			require.Equal(t, m.Row, row)
			g.members[at] = m
			return
		}
		require.Positive(t, row)
		if len(g.members) > 0 {
			require.Greater(t, row, g.members[len(g.members)-1].Row)
		}
		m.Row = row
		g.members = append(g.members, m)
	case 6:
		i := group.Introduction{Group: in, Newcomer: id, Existing: rapid.SampledFrom(memberIDs).Draw(t, "existing")}
		key := i
		i.Status, i.By = group.IntroductionStatus(1+n%6), id
		require.NoError(t, tx.PutIntroduction(i))
		g.introductions[key] = i
	default:
		k := group.Continuation{
			Correlation: rapid.SampledFrom(correlations).Draw(t, "waits"), Connection: c, Expects: command.EventKind(1 + n%4), Kind: group.ContinuationKind(1 + n%8),
			Group: in, Member: id, Peer: "c", Which: group.Which(n % 2), After: n,
		}
		if _, waits := g.continuations[k.Correlation]; waits {
			require.NoError(t, tx.DropContinuation(k.Correlation))
			delete(g.continuations, k.Correlation)
			return
		}
		require.NoError(t, tx.AddContinuation(k))
		g.continuations[k.Correlation] = k
	}
}

// look holds all that can be asked of connections and groups against the model.
func (g *groups) look(t *rapid.T, tx group.Tx) {
	for _, id := range connections {
		x, found, err := tx.Connection(id)
		require.NoError(t, err)
		want, exists := g.connections[id]
		require.Equal(t, exists, found)
		require.Equal(t, want, x)
		x, found, err = tx.ConnectionAt(keys[1].Router, queueOf(id))
		require.NoError(t, err)
		require.Equal(t, want.Recipient == queueOf(id), found)
		if found {
			require.Equal(t, want, x)
		}
		waiting, err := tx.ContinuationsOf(id)
		require.NoError(t, err)
		var wanted []group.Continuation
		for _, c := range correlations {
			if k, waits := g.continuations[c]; waits && k.Connection == id {
				wanted = append(wanted, k)
			}
		}
		require.ElementsMatch(t, wanted, waiting)
	}
	for _, c := range correlations {
		k, found, err := tx.Continuation(c)
		require.NoError(t, err)
		want, exists := g.continuations[c]
		require.Equal(t, exists, found)
		require.Equal(t, want, k)
	}
	for _, in := range groupIDs {
		x, found, err := tx.Group(in)
		require.NoError(t, err)
		want, exists := g.groups[in]
		require.Equal(t, exists, found)
		require.Equal(t, want, x)
		last := int64(0)
		for _, m := range g.members {
			if m.Group != in {
				continue
			}
			next, found, err := tx.NextMember(in, last)
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, m, next)
			last = m.Row
		}
		_, found, err = tx.NextMember(in, last)
		require.NoError(t, err)
		require.False(t, found)
		for _, id := range memberIDs {
			m, found, err := tx.Member(in, id)
			require.NoError(t, err)
			at := slices.IndexFunc(g.members, func(o group.Member) bool { return o.Group == in && o.ID == id })
			require.Equal(t, at >= 0, found)
			if found {
				require.Equal(t, g.members[at], m)
			}
			for _, other := range memberIDs {
				i, found, err := tx.Introduction(in, id, other)
				require.NoError(t, err)
				want, exists := g.introductions[group.Introduction{Group: in, Newcomer: id, Existing: other}]
				require.Equal(t, exists, found)
				require.Equal(t, want, i)
			}
		}
	}
	var all []group.Member
	for last := int64(0); ; {
		some, err := tx.NextMembers(last, 2)
		require.NoError(t, err)
		if len(some) == 0 {
			break
		}
		require.LessOrEqual(t, len(some), 2)
		all, last = append(all, some...), some[len(some)-1].Row
	}
	require.Equal(t, g.members, all)
}
