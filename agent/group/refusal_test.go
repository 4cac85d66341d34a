package group_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/sim"
)

type tx = *store.MemoryTx

var only = protocol.Router{KeyHash: "key", Hosts: "router.example.org"}

// world has a router, and people who are what they seem, and others.
type world struct {
	*sim.World
	t       testing.TB
	network *sim.Network[[]protocol.Request, []protocol.Response]
	nodes   []*sim.Node
}

// simulated runs main in a world without faults.
func simulated(t *testing.T, main func(w *world)) {
	runner := sim.NewRunner()
	defer runner.Close()
	scenario := &sim.Scenario{Name: "group", Setup: func(x *sim.World) func() {
		w := &world{World: x, t: t, network: sim.NewNetwork[[]protocol.Request, []protocol.Response](x)}
		require.NoError(t, w.network.Listen(only.Address(), router.New(router.Options{Name: only.Hosts, Env: x, Mailboxes: true})))
		return func() {
			main(w)
			for _, n := range w.nodes {
				n.Crash()
			}
		}
	}}
	r, err := runner.Run(scenario, sim.RunConfig{Source: conformance.Random(1), Options: sim.Options{NoFaults: true}})
	require.NoError(t, err)
	require.Nil(t, r.Failure)
}

func (w *world) rest(d time.Duration) { _ = w.Host().Clock().Sleep(context.Background(), d) }

// small is a node with a small agent.
func (w *world) small(name string) (*sim.Node, *agent.Agent) {
	n := w.Node(name)
	w.nodes = append(w.nodes, n)
	a, err := agent.New(agent.Environment{Scheduler: n, Clock: n.Clock(), Dialer: w.network.Dialer(n)}, agent.DefaultConfig(protocol.RecipientService))
	require.NoError(w.t, err)
	return n, a
}

func connections() connection.Config {
	return connection.Config{Commands: command.DefaultConfig(), Routers: []protocol.Router{only}}
}

// open is the store of data that outlives processes: it is the world's.
func (w *world) open(n *sim.Node, data *store.Data) command.Store[tx] {
	return outliving{store.OpenMemory(n, data), w.World}
}

type outliving struct {
	command.Store[tx]
	w *sim.World
}

func (o outliving) Update(f func(tx) error) error {
	return o.Store.Update(func(x tx) (err error) {
		o.w.Inline(func() { err = f(x) })
		return err
	})
}

func (o outliving) View(f func(tx) error) error {
	return o.Store.View(func(x tx) (err error) {
		o.w.Inline(func() { err = f(x) })
		return err
	})
}

// honest is somebody with an agent, and what it has refused.
type honest struct {
	*group.Agent[tx]
	*world
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

func (w *world) honest(name string) *honest { return w.started(name, store.NewData()) }

func (w *world) started(name string, data *store.Data) *honest {
	n, small := w.small(name)
	h := &honest{world: w, node: n, store: w.open(n, data), data: data}
	w.on(n, func() {
		var err error
		h.Agent, err = group.Start(group.Environment{Scheduler: n, Clock: n.Clock(), Small: small, Observer: h, Commands: executing{h}},
			group.Config{Connections: connections(), Timeout: time.Hour}, h.store)
		require.NoError(w.t, err)
	})
	return h
}

// on runs f on a node, and answers when it has.
func (w *world) on(n *sim.Node, f func()) {
	done := false
	n.Go("asked", func() {
		f()
		w.Inline(func() { done = true })
	})
	for over := false; !over; {
		w.rest(time.Millisecond)
		w.Inline(func() { over = done })
	}
}

func (h *honest) do(f func(*command.Change[tx]) error) {
	h.on(h.node, func() { require.NoError(h.t, h.Update(f)) })
}

func (h *honest) member(id group.MemberID) (m group.Member, found bool) {
	h.on(h.node, func() {
		require.NoError(h.t, h.store.View(func(x tx) (err error) {
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

// liar is somebody who has connections, and says over them what he likes.
type liar struct {
	*connection.Agent[tx]
	*world
	node   *sim.Node
	events []command.Event
}

func (w *world) liar(name string) *liar {
	n, small := w.small(name)
	l := &liar{world: w, node: n}
	w.on(n, func() {
		var err error
		l.Agent, err = connection.Start(connection.Environment{Scheduler: n, Clock: n.Clock(), Small: small}, connections(),
			w.open(n, store.NewData()))
		require.NoError(w.t, err)
		n.Go("events", func() {
			for {
				e, open := l.Queue().Events().Recv()
				if !open {
					return
				}
				w.Inline(func() { l.events = append(l.events, e) })
				require.NoError(w.t, l.Queue().Update(func(c *command.Change[tx]) error {
					_, err := c.Tx.TakeEvent(e.Number)
					if e.Kind == command.Message {
						err = l.Acknowledge(c, e.Connection, "")
					}
					return err
				}))
			}
		})
	})
	return l
}

func (l *liar) do(f func(*command.Change[tx]) error) {
	l.on(l.node, func() { require.NoError(l.t, l.Queue().Update(f)) })
	l.rest(time.Minute)
}

func (l *liar) join(id command.Connection, link protocol.Link, info string) {
	l.do(func(c *command.Change[tx]) error {
		_, err := l.Join(c, id, command.Correlation("join "+id), link, []byte(info))
		return err
	})
}

// create answers the link of a new connection.
func (l *liar) create(id command.Connection) (link protocol.Link) {
	l.do(func(c *command.Change[tx]) error {
		_, err := l.Create(c, id, command.Correlation("create "+id))
		return err
	})
	e, told := l.told(id, command.Invitation)
	require.True(l.t, told)
	link, err := protocol.ParseLink(string(e.Body))
	require.NoError(l.t, err)
	return link
}

func (l *liar) allow(id command.Connection, info string) {
	l.do(func(c *command.Change[tx]) error {
		return l.Allow(c, id, command.Correlation("allow "+id), []byte(info))
	})
}

func (l *liar) say(id command.Connection, text string) {
	l.do(func(c *command.Change[tx]) error { return l.Send(c, id, "", []byte(text)) })
}

// told is the first event of a kind of a connection.
func (l *liar) told(id command.Connection, kind command.EventKind) (e command.Event, told bool) {
	l.Inline(func() {
		for _, x := range l.events {
			if x.Connection == id && x.Kind == kind && !told {
				e, told = x, true
			}
		}
	})
	return e, told
}

// hosting is an honest host with an invitation for "m".
func hosting(w *world) (*honest, group.Invitation) {
	host := w.honest("host")
	host.do(func(c *command.Change[tx]) error { return host.Found(c, "g", "h") })
	host.do(func(c *command.Change[tx]) error { return host.Invite(c, "g", "m") })
	w.rest(time.Minute)
	var i group.Invitation
	host.on(host.node, func() {
		require.NoError(w.t, host.store.View(func(x tx) (err error) {
			var found bool
			i, found, err = group.InvitationFor(x, "g", "m")
			require.True(w.t, found)
			return err
		}))
	})
	return host, i
}

func TestWhoJoinsAsSomebodyElseIsRejected(t *testing.T) {
	for _, info := range []string{`{"event":"x.grp.acpt","member":"other"}`, `{"event":"x.grp.acpt"}`, `{"event":"x.grp.mem.info","member":"m"}`, "nonsense", ""} {
		simulated(t, func(w *world) {
			host, i := hosting(w)
			l := w.liar("liar")
			l.join("c", i.Link, info)
			m, _ := host.member("m")
			require.Equal(t, group.Invited, m.Status, "G7")
			require.NotEmpty(t, m.Error)
			require.NotEmpty(t, host.takeRefused())
			_, told := l.told("c", command.Info)
			require.False(t, told, "G7: the connection is refused")
		})
	}
}

func TestWhatAMemberMayNotSayIsRefusedByTheHost(t *testing.T) {
	simulated(t, func(w *world) {
		host, i := hosting(w)
		l := w.liar("liar")
		l.join("c", i.Link, `{"event":"x.grp.acpt","member":"m"}`)
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
			l.say("c", said)
			require.Contains(t, host.takeRefused(), why, said)
			now, _ := host.member("m")
			require.Equal(t, m, now, said)
		}
		_, known := host.member("x")
		require.False(t, known)
		l.say("c", `{"event":"x.grp.leave"}`)
		require.Empty(t, host.takeRefused())
		m, _ = host.member("m")
		require.Equal(t, group.Left, m.Status, "what may be said is heard after all that")
	})
}

// joined is an honest member "m" of a group whose host is a liar; c is the liar's connection with it.
func joined(w *world) (*honest, *liar) {
	host := w.liar("liar")
	link := host.create("c")
	member := w.honest("member")
	member.do(func(c *command.Change[tx]) error {
		return member.Accept(c, group.Invitation{Group: "g", Host: "h", Member: "m", Link: link})
	})
	w.rest(time.Minute)
	host.allow("c", `{"event":"x.ok"}`)
	m, _ := member.member("h")
	require.Equal(w.t, group.Connected, m.Status)
	return member, host
}

func TestWhatTheHostMayNotSayIsRefusedByAMember(t *testing.T) {
	simulated(t, func(w *world) {
		member, host := joined(w)
		links := `"links":["` + only.String() + `#` + strings.Repeat("00", 24) + `","` + only.String() + `#` + strings.Repeat("01", 24) + `"]`
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
			host.say("c", said)
			require.Contains(t, member.takeRefused(), why, said)
		}
		_, known := member.member("e")
		require.False(t, known)
		host.say("c", `{"event":"x.grp.mem.new","member":"e"}`)
		e, _ := member.member("e")
		require.Equal(t, group.Announced, e.Status)
		for _, said := range []string{`{"event":"x.grp.mem.new","member":"e"}`, `{"event":"x.grp.mem.intro","member":"e"}`} {
			host.say("c", said)
			require.Contains(t, member.takeRefused(), "who is known")
		}
		host.say("c", `{"event":"x.grp.mem.del","member":"e"}`)
		host.say("c", `{"event":"x.grp.mem.fwd","member":"e",`+links+`}`)
		require.Contains(t, member.takeRefused(), "who is removed")
		host.say("c", `{"event":"x.grp.mem.del","member":"m"}`)
		require.Empty(t, member.takeRefused())
		member.on(member.node, func() {
			require.NoError(t, member.store.View(func(x tx) error {
				g, _, err := x.Group("g")
				require.Equal(t, group.Gone, g.Status)
				return err
			}))
		})
	})
}

func TestANewcomerWhoIsSomebodyElseIsRejected(t *testing.T) {
	simulated(t, func(w *world) {
		member, host := joined(w)
		host.say("c", `{"event":"x.grp.mem.new","member":"e"}`)
		group1, direct := host.create("as e, group"), host.create("as e, direct")
		host.say("c", `{"event":"x.grp.mem.fwd","member":"e","links":["`+group1.String()+`","`+direct.String()+`"]}`)
		for id, why := range map[command.Connection]string{"as e, group": "says x.grp.mem.info f", "as e, direct": "says x.grp.mem.info"} {
			confirmation, told := host.told(id, command.Confirmation)
			require.True(t, told)
			require.JSONEq(t, `{"event":"x.grp.mem.info","member":"m"}`, string(confirmation.Body))
			host.allow(id, `{"event":"x.grp.mem.info","member":"f"}`)
			require.Contains(t, member.takeRefused(), why, "G7")
		}
		w.rest(time.Minute)
		member.on(member.node, func() {
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
	simulated(t, func(w *world) {
		member, host := joined(w)
		host.say("c", `{"event":"x.grp.mem.intro","member":"e"}`)
		e, _ := member.member("e")
		require.Equal(t, group.IntroInvited, e.Status)
		require.Empty(t, e.Error)
		w.rest(30 * time.Minute)
		member.node.Crash()
		w.rest(time.Minute)
		again := w.started("again", member.data)
		w.rest(40 * time.Minute)
		e, _ = again.member("e")
		require.Contains(t, e.Error, "not connected within 1h", "G1: also after a crash")
	})
}

// What was told of a connection may be lost, as with a store that was restored from a copy: its status tells it again.
func TestAnAnswerThatIsLostIsToldByTheStatus(t *testing.T) {
	simulated(t, func(w *world) {
		host, _ := hosting(w)
		host.do(func(c *command.Change[tx]) error { return host.Invite(c, "g", "n") })
		w.rest(time.Minute)
		host.node.Crash()
		lost := w.open(w.Host(), host.data)
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
		again := w.started("again", host.data)
		w.rest(time.Minute)
		n, _ := again.member("n")
		require.NotEmpty(t, n.Links[group.InGroup])
	})
}
