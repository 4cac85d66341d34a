package group_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/internal/connectiontest"
	"github.com/heddle-go/heddle/sim"
)

type (
	tx    = connectiontest.Tx
	world = connectiontest.World
	peer  = connectiontest.Peer
)

// honest is somebody with an agent, and what it has refused.
type honest struct {
	*group.Agent[tx]
	*connectiontest.World
	node    *sim.Node
	store   command.Store[tx]
	data    *store.Data
	refused []string
	// commands is how many have begun to be carried out.
	commands int
}

func (h *honest) Observe(t group.Transition) {
	if r, is := t.(group.Refused); is {
		h.Inline(func() { h.refused = append(h.refused, r.Why) })
	}
}

// executing counts commands.
type executing struct{ *honest }

func (e executing) Observe(t command.Transition) {
	if _, is := t.(command.Executing); is {
		e.Inline(func() { e.commands++ })
	}
}

func start(w *world, name string, data *store.Data) *honest {
	n, small := w.Small(name)
	h := &honest{World: w, node: n, store: w.Open(n, data), data: data}
	w.On(n, func() {
		var err error
		h.Agent, err = group.Start(group.Environment{Scheduler: n, Clock: n.Clock(), Small: small, Observer: h, Commands: executing{h}},
			group.Config{Connections: connectiontest.Config(), Timeout: time.Hour}, h.store)
		require.NoError(w.T, err)
	})
	return h
}

func (h *honest) do(f func(*command.Change[tx]) error) {
	h.On(h.node, func() { require.NoError(h.T, h.Update(f)) })
}

func (h *honest) member(id group.MemberID) (m group.Member, found bool) {
	h.On(h.node, func() {
		require.NoError(h.T, h.store.View(func(x tx) (err error) {
			m, found, err = x.Member("g", id)
			return err
		}))
	})
	return m, found
}

// takeRefused answers what was refused since it was last called.
func (h *honest) takeRefused() (why string) {
	h.Inline(func() { why, h.refused = strings.Join(h.refused, "; "), nil })
	return why
}

// hosting is an honest host with an invitation for "m".
func hosting(w *world) (*honest, group.Invitation) {
	host := start(w, "host", store.NewData())
	host.do(func(c *command.Change[tx]) error { return host.Found(c, "g", "h") })
	host.do(func(c *command.Change[tx]) error { return host.Invite(c, "g", "m") })
	w.Rest(time.Minute)
	var i group.Invitation
	host.On(host.node, func() {
		require.NoError(w.T, host.store.View(func(x tx) (err error) {
			var found bool
			i, found, err = group.InvitationFor(x, "g", "m")
			require.True(w.T, found)
			return err
		}))
	})
	return host, i
}

func TestWhoJoinsAsSomebodyElseIsRejected(t *testing.T) {
	for _, info := range []string{`{"event":"x.grp.acpt","member":"other"}`, `{"event":"x.grp.acpt"}`, `{"event":"x.grp.mem.info","member":"m"}`, "nonsense", ""} {
		connectiontest.Run(t, func(w *world) {
			host, i := hosting(w)
			l := w.Peer("liar", nil)
			l.JoinBy("c", i.Link, info)
			m, _ := host.member("m")
			require.Equal(t, group.Invited, m.Status, "G7")
			require.NotEmpty(t, m.Error)
			require.NotEmpty(t, host.takeRefused())
			require.Empty(t, l.Told("c", command.Info), "G7: the connection is refused")
		})
	}
}

func TestWhatAMemberMayNotSayIsRefusedByTheHost(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		host, i := hosting(w)
		l := w.Peer("liar", nil)
		l.JoinBy("c", i.Link, `{"event":"x.grp.acpt","member":"m"}`)
		m, _ := host.member("m")
		require.Equal(t, group.Complete, m.Status)
		link, err := json.Marshal(i.Link)
		require.NoError(t, err)
		links := `"links":[` + string(link) + `,` + string(link) + `]`
		for said, why := range map[string]string{
			"nonsense":                                             "cannot be read",
			`{"event":"x.grp.mem.inv"}`:                            "has links or not",
			`{"event":"x.something","member":"m"}`:                 "m says x.something",
			`{"event":"x.grp.mem.inv","member":"x",` + links + `}`: "who is unknown",
			`{"event":"x.grp.mem.inv","member":"m",` + links + `}`: "not introduced",
			`{"event":"x.grp.mem.con","member":"x"}`:               "who is unknown",
			`{"event":"x.grp.mem.con","member":"m"}`:               "not introduced",
			`{"event":"x.grp.mem.intro","member":"x"}`:             "who is unknown",
			`{"event":"x.grp.mem.del","member":"m"}`:               "m says x.grp.mem.del",
		} {
			l.Say("c", said)
			require.Contains(t, host.takeRefused(), why, said)
			now, _ := host.member("m")
			require.Equal(t, m, now, said)
		}
		_, known := host.member("x")
		require.False(t, known)
		l.Say("c", `{"event":"x.grp.leave"}`)
		require.Empty(t, host.takeRefused())
		m, _ = host.member("m")
		require.Equal(t, group.Left, m.Status, "what may be said is heard after all that")
	})
}

// joined is an honest member "m" of a group whose host is a liar; c is the liar's connection with it.
func joined(w *world) (*honest, *peer) {
	host := w.Peer("liar", nil)
	link := host.CreateLink("c")
	member := start(w, "member", store.NewData())
	member.do(func(c *command.Change[tx]) error {
		return member.Accept(c, group.Invitation{Group: "g", Host: "h", Member: "m", Link: link})
	})
	w.Rest(time.Minute)
	host.AllowIt("c", `{"event":"x.ok"}`)
	m, _ := member.member("h")
	require.Equal(w.T, group.Connected, m.Status)
	return member, host
}

func TestWhatTheHostMayNotSayIsRefusedByAMember(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		member, host := joined(w)
		links := `"links":["` + connectiontest.Router.String() + `#` + strings.Repeat("00", 24) + `","` + connectiontest.Router.String() + `#` + strings.Repeat("01", 24) + `"]`
		for said, why := range map[string]string{
			"[]":                                     "cannot be read",
			`{"event":"x.grp.mem.fwd","member":"e"}`: "has links or not",
			`{"event":"x.grp.mem.fwd","member":"e",` + links + `}`:     "who is unknown",
			`{"event":"x.grp.mem.fwd","member":"e","links":["a","b"]}`: "cannot be read",
			`{"event":"x.grp.mem.intro","member":"m"}`:                 "who is known",
			`{"event":"x.grp.mem.new","member":"h"}`:                   "who is known",
			`{"event":"x.grp.mem.new"}`:                                "who is known",
			`{"event":"x.grp.mem.del","member":"e"}`:                   "who is unknown",
			`{"event":"x.grp.mem.del","member":"h"}`:                   "the host removes h",
			`{"event":"x.grp.mem.con","member":"h"}`:                   "the host says",
			`{"event":"x.grp.leave"}`:                                  "the host says",
		} {
			host.Say("c", said)
			require.Contains(t, member.takeRefused(), why, said)
		}
		_, known := member.member("e")
		require.False(t, known)
		host.Say("c", `{"event":"x.grp.mem.new","member":"e"}`)
		e, _ := member.member("e")
		require.Equal(t, group.Announced, e.Status)
		for _, said := range []string{`{"event":"x.grp.mem.new","member":"e"}`, `{"event":"x.grp.mem.intro","member":"e"}`} {
			host.Say("c", said)
			require.Contains(t, member.takeRefused(), "who is known")
		}
		host.Say("c", `{"event":"x.grp.mem.del","member":"e"}`)
		host.Say("c", `{"event":"x.grp.mem.fwd","member":"e",`+links+`}`)
		require.Contains(t, member.takeRefused(), "who is removed")
		host.Say("c", `{"event":"x.grp.mem.del","member":"m"}`)
		require.Empty(t, member.takeRefused())
		member.On(member.node, func() {
			require.NoError(t, member.store.View(func(x tx) error {
				g, _, err := x.Group("g")
				require.Equal(t, group.Gone, g.Status)
				return err
			}))
		})
	})
}

func TestANewcomerWhoIsSomebodyElseIsRejected(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		member, host := joined(w)
		host.Say("c", `{"event":"x.grp.mem.new","member":"e"}`)
		group1, direct := host.CreateLink("as e, group"), host.CreateLink("as e, direct")
		host.Say("c", `{"event":"x.grp.mem.fwd","member":"e","links":["`+group1.String()+`","`+direct.String()+`"]}`)
		for id, why := range map[command.Connection]string{"as e, group": "says x.grp.mem.info f", "as e, direct": "says x.grp.mem.info"} {
			confirmations := host.Told(id, command.Confirmation)
			require.Len(t, confirmations, 1)
			require.JSONEq(t, `{"event":"x.grp.mem.info","member":"m"}`, string(confirmations[0].Body))
			host.AllowIt(id, `{"event":"x.grp.mem.info","member":"f"}`)
			require.Contains(t, member.takeRefused(), why, "G7")
		}
		w.Rest(time.Minute)
		member.On(member.node, func() {
			require.NoError(t, member.store.View(func(x tx) error {
				for _, id := range []command.Connection{"g/e/group", "g/e/direct"} {
					_, found, err := x.Connection(id)
					require.NoError(t, err)
					require.False(t, found, "G7: the connection is refused")
				}
				return nil
			}))
		})
		e, _ := member.member("e")
		require.Equal(t, group.Announced, e.Status)
		require.NotEmpty(t, e.Error)
	})
}

func TestAMemberThatIsNotHeardOfIsLate(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		member, host := joined(w)
		host.Say("c", `{"event":"x.grp.mem.intro","member":"e"}`)
		e, _ := member.member("e")
		require.Equal(t, group.IntroInvited, e.Status)
		require.Empty(t, e.Error)
		w.Rest(30 * time.Minute)
		member.node.Crash()
		w.Rest(time.Minute)
		again := start(w, "again", member.data)
		w.Rest(40 * time.Minute)
		e, _ = again.member("e")
		require.Contains(t, e.Error, "not connected within 1h", "G1: also after a crash")
	})
}

// Deadlines are read after a start in the order of the members, which need not be theirs; some while the first are waited for.
func TestWhoIsLateIsToldInTimeWhicheverDeadlineIsReadFirst(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		member, _ := joined(w)
		member.node.Crash()
		require.NoError(t, w.Open(w.Host(), member.data).Update(func(x tx) error {
			for i := range 300 {
				after := time.Hour
				if i == 299 {
					after = time.Minute
				}
				if _, err := x.PutMember(group.Member{
					Group: "g", ID: group.MemberID(fmt.Sprint("e", i)), Status: group.Announced, Deadline: w.Host().Clock().Now().Add(after).UnixNano(),
				}); err != nil {
					return err
				}
			}
			return nil
		}))
		again := start(w, "again", member.data)
		w.Rest(2 * time.Minute)
		last, _ := again.member("e299")
		require.Contains(t, last.Error, "not connected within", "G1")
		e, _ := again.member("e0")
		require.Empty(t, e.Error)
		w.Rest(time.Hour)
		e, _ = again.member("e0")
		require.Contains(t, e.Error, "not connected within", "G1")
	})
}

// An answer that cannot be used ends what waited for it: no other one comes.
func TestAContinuationThatIsRefusedDoesNotWaitOn(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		member, host := joined(w)
		host.Say("c", `{"event":"x.grp.mem.new","member":"e"}`)
		member.node.Crash()
		require.NoError(t, w.Open(w.Host(), member.data).Update(func(x tx) error {
			e, _, err := x.Member("g", "e")
			require.NoError(t, err)
			e.Status, e.Links[group.Direct] = group.Introduced, "damaged"
			if _, err := x.PutMember(e); err != nil {
				return err
			}
			if err := x.AddContinuation(group.Continuation{
				Correlation: "links", Connection: "g/e/group", Expects: command.Invitation, Kind: group.SendLinks, Group: "g", Member: "e",
			}); err != nil {
				return err
			}
			_, err = x.AddEvent(command.Event{Correlation: "links", Connection: "g/e/group", Command: command.Create, Kind: command.Invitation, Body: []byte("damaged")})
			return err
		}))
		again := start(w, "again", member.data)
		w.Rest(time.Minute)
		require.Contains(t, again.takeRefused(), "the link of a connection with e")
		again.On(again.node, func() {
			require.NoError(t, again.store.View(func(x tx) error {
				_, waits, err := x.Continuation("links")
				require.False(t, waits, "Q2")
				return err
			}))
		})
		e, _ := again.member("e")
		require.Contains(t, e.Error, "the link of a connection with e", "Q2: it is told why")
	})
}

// What was told of a connection may be lost, as with a store that was restored from a copy: its status tells it again.
func TestAnAnswerThatIsLostIsToldByTheStatus(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		host, _ := hosting(w)
		host.do(func(c *command.Change[tx]) error { return host.Invite(c, "g", "n") })
		w.Rest(time.Minute)
		host.node.Crash()
		lost := w.Open(w.Host(), host.data)
		require.NoError(t, lost.Update(func(x tx) error {
			m, _, err := x.Member("g", "n")
			require.NoError(t, err)
			m.Links = [2]string{}
			_, err = x.PutMember(m)
			require.NoError(t, err)
			return x.AddContinuation(group.Continuation{
				Correlation: "lost", Connection: "g/n/group", Expects: command.Invitation, Kind: group.OfferLink, Group: "g", Member: "n",
			})
		}))
		again := start(w, "again", host.data)
		w.Rest(time.Minute)
		n, _ := again.member("n")
		require.NotEmpty(t, n.Links[group.InGroup])
	})
}
