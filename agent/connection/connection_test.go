package connection_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/internal/connectiontest"
)

type (
	world  = connectiontest.World
	peer   = connectiontest.Peer
	change = command.Change[connectiontest.Tx]
)

// connected are two who have a connection, which the first has created: "c" for each.
func connected(w *world) (creator, joiner *peer) {
	creator, joiner = w.Peer("creator", nil), w.Peer("joiner", nil)
	joiner.JoinBy("c", creator.CreateLink("c"), "let me in")
	creator.AllowIt("c", "come in")
	return creator, joiner
}

// status is where a connection is, as it is stored; 0: it is not there.
func status(p *peer, id command.Connection) (s connection.Status) {
	p.On(p.Node, func() {
		require.NoError(p.T, p.Store.View(func(x connectiontest.Tx) error {
			c, _, err := x.Connection(id)
			s = c.Status
			return err
		}))
	})
	return s
}

func bodies(events []command.Event) (list []string) {
	for _, e := range events {
		list = append(list, string(e.Body))
	}
	return list
}

func TestTwoWithALinkHaveAConnection(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		creator, joiner := connected(w)
		require.Equal(t, []connection.Advanced{{"c", connection.Created}, {"c", connection.Confirmed}, {"c", connection.Allowed}, {"c", connection.Active}}, creator.Advanced)
		require.Equal(t, []connection.Advanced{{"c", connection.Joined}, {"c", connection.Secured}, {"c", connection.Active}}, joiner.Advanced)
		require.Equal(t, []string{"let me in"}, bodies(creator.Told("c", command.Confirmation)), "CONF")
		require.Equal(t, []string{"come in"}, bodies(joiner.Told("c", command.Info)), "INFO")
		var want []string
		for i := range 5 {
			text := fmt.Sprint("message ", i)
			creator.Say("c", text)
			joiner.Say("c", text)
			want = append(want, text)
		}
		for _, p := range []*peer{creator, joiner} {
			require.Len(t, p.Told("c", command.Connected), 1, "CON")
			require.Equal(t, want, bodies(p.Told("c", command.Message)))
			require.Empty(t, p.Told("c", command.Error))
			require.Empty(t, p.Refused)
		}
	})
}

func TestAConnectionThatIsAskedForIsThereAsNew(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		p := w.Peer("p", nil)
		link := protocol.Link{Router: connectiontest.Router}
		for id, ask := range map[command.Connection]func(*change) (connection.Status, error){
			"created": func(c *change) (connection.Status, error) { return p.Create(c, "created", "1") },
			"joined":  func(c *change) (connection.Status, error) { return p.Join(c, "joined", "2", link, nil) },
		} {
			require.NoError(t, p.Try(func(c *change) error {
				s, err := ask(c)
				require.Equal(t, connection.New, s, "seed 000: create and join answer at once")
				x, found, _ := c.Tx.Connection(id)
				require.True(t, found, "Q11")
				require.NotEmpty(t, x.Key, "Q7: its keys are stored before any network")
				require.NotEmpty(t, x.SendKey)
				return err
			}))
		}
	})
}

func TestWhatIsAskedOfAConnectionBeforeItsTimeIsRefused(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		p, other := w.Peer("p", nil), w.Peer("other", nil)
		link := p.CreateLink("c")
		refused := func(want error, ask func(*change) error) {
			t.Helper()
			require.ErrorIs(t, p.Try(ask), want)
		}
		send := func(c *change) error { return p.Send(c, "c", "", nil) }
		allow := func(c *change) error { return p.Allow(c, "c", "allow", nil) }
		acknowledge := func(c *change) error { return p.Acknowledge(c, "c", "") }
		create := func(c *change) error { _, err := p.Create(c, "c", "again"); return err }
		join := func(c *change) error { _, err := p.Join(c, "c", "again", link, nil); return err }
		remove := func(c *change) error { return p.Delete(c, "c", "delete") }
		for _, ask := range []func(*change) error{send, allow, acknowledge} {
			refused(connection.ErrStatus, ask)
		}
		for _, ask := range []func(*change) error{create, join} {
			refused(connection.ErrKnown, ask)
		}
		require.Equal(t, connection.Created, status(p, "c"))
		other.JoinBy("c", link, "")
		refused(connection.ErrStatus, send)
		p.AllowIt("c", "")
		refused(connection.ErrStatus, allow)
		p.Do(remove)
		for _, ask := range []func(*change) error{send, allow, acknowledge, remove} {
			refused(connection.ErrUnknown, ask)
		}
		require.Len(t, p.Told("c", command.OK), 2, "what was allowed, and what was deleted")
		require.Zero(t, status(p, "c"))
	})
}

func TestAMessageIsAcknowledgedByACommand(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		creator, joiner := connected(w)
		w.Inline(func() { joiner.Durably = true })
		for _, text := range []string{"one", "two"} {
			creator.Say("c", text) // the second comes only after the first was acknowledged
		}
		require.Equal(t, []string{"one", "two"}, bodies(joiner.Told("c", command.Message)))
		answers := joiner.Told("c", command.OK)
		require.Len(t, answers, 2)
		for i, id := range []command.Correlation{"ack one", "ack two"} {
			require.Equal(t, id, answers[i].Correlation)
			require.Equal(t, command.Acknowledge, answers[i].Command)
		}
	})
}

func TestCommandsOfADeletedConnectionEnd(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		creator, joiner := connected(w)
		require.NoError(t, creator.Try(func(c *change) error {
			if err := creator.Send(c, "c", "message", []byte("too late")); err != nil {
				return err
			}
			return creator.Delete(c, "c", "delete")
		}))
		w.Rest(time.Minute)
		failed := creator.Told("c", command.Error)
		require.Len(t, failed, 1, "Q14")
		require.Equal(t, command.Correlation("message"), failed[0].Correlation)
		require.Len(t, creator.Told("c", command.OK), 2)
		require.Empty(t, joiner.Told("c", command.Message))
		joiner.Say("c", "is anybody there?")
		require.NotEmpty(t, joiner.Told("c", command.Error), "its queue is gone")
	})
}

// raw adds a command as no method of an agent would.
func raw(p *peer, kind command.Kind, body string) (told []command.Event) {
	before := len(p.Told("c", command.Error))
	p.Do(func(c *change) error {
		return c.Add(command.Command{Correlation: "raw", Key: command.Key{Connection: "c", Router: connectiontest.Router}, Kind: kind, Body: []byte(body)})
	})
	return p.Told("c", command.Error)[before:]
}

func TestACommandThatCannotBeReadIsAnsweredByAnError(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		creator, joiner := connected(w)
		for kind, why := range map[command.Kind]string{command.Acknowledge: "has 5 bytes", 99: "no such command"} {
			told := raw(creator, kind, "12345")
			require.Len(t, told, 1, "Q4")
			require.Contains(t, string(told[0].Body), why)
		}
		creator.Say("c", "the next one proceeds")
		require.Len(t, joiner.Told("c", command.Message), 1, "Q4")
	})
}

func TestAMessageThatDoesNotFitIsRefused(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		creator, joiner := connected(w)
		for i, c := range []struct{ said, why string }{
			{"nonsense", "cannot be read"},
			{`{"number":0,"kind":"message"}`, "its number is 0"},
			{`{"number":9,"kind":"confirmation","key":"k"}`, "want number 1 and a key"},
			{`{"number":9,"kind":"hello"}`, "does not fit"},
			{`{"number":9,"kind":"something"}`, "does not fit"},
		} {
			require.Empty(t, raw(creator, command.Send, c.said))
			require.Len(t, joiner.Refused, i+1, c.said)
			require.Contains(t, joiner.Refused[i].Why, c.why, c.said)
		}
		require.Empty(t, raw(creator, command.Send, `{"number":1,"kind":"confirmation","key":"k"}`))
		require.Len(t, joiner.Repeated, 1)
		creator.Say("c", "all the same")
		require.Equal(t, []string{"all the same"}, bodies(joiner.Told("c", command.Message)), "those behind it come")
		require.Equal(t, connection.Active, status(joiner, "c"))
	})
}

func TestASubscriptionAnswersWhereConnectionsAre(t *testing.T) {
	connectiontest.Run(t, func(w *world) {
		creator, joiner := connected(w)
		creator.CreateLink("d")
		creator.Node.Crash()
		again := w.Peer("again", creator.Data)
		joiner.Say("c", "while nobody listens")
		require.Empty(t, again.Told("c", command.Message))
		again.On(again.Node, func() {
			connections, err := again.Subscribe("c", "unknown", "d")
			require.NoError(t, err)
			require.Len(t, connections, 2)
			require.Equal(t, connection.Active, connections[0].Status)
			require.Equal(t, connection.Created, connections[1].Status)
			require.NotEmpty(t, connections[1].Link().String())
		})
		w.Rest(time.Minute)
		require.Equal(t, []string{"while nobody listens"}, bodies(again.Told("c", command.Message)))
	})
}
