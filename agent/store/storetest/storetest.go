// Package storetest is what every store must pass.
package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
)

// model is what a store holds, as plainly as it can be said.
type model struct {
	commands []command.Command // by number
	events   []command.Event
	groups
}

func (m model) clone() model {
	return model{slices.Clone(m.commands), slices.Clone(m.events), m.groups.clone()}
}

func (m model) uses(c command.Correlation) bool {
	return slices.ContainsFunc(m.commands, func(x command.Command) bool { return x.Correlation == c }) ||
		slices.ContainsFunc(m.events, func(x command.Event) bool { return x.Correlation == c })
}

func (m model) first(k command.Key) (command.Command, bool) {
	for _, c := range m.commands {
		if c.Key == k {
			return c, true
		}
	}
	return command.Command{}, false
}

func (m model) of(connection command.Connection) (list []command.Command) {
	for _, c := range m.commands {
		if c.Key.Connection == connection {
			list = append(list, c)
		}
	}
	return list
}

func (m model) keys() (keys []command.Key) {
	for _, c := range m.commands {
		if !slices.Contains(keys, c.Key) {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

var (
	keys = []command.Key{
		{Connection: "one"}, {Connection: "one", Router: protocol.Router{KeyHash: "k", Hosts: "a"}},
		{Connection: "one", Router: protocol.Router{KeyHash: "k", Hosts: "a", Port: "1"}}, {Connection: "two", Router: protocol.Router{KeyHash: "k", Hosts: "a"}},
	}
	correlations = []command.Correlation{"a", "b", "c", "d", "e", "f"}
	errUndo      = errors.New("undo")
)

// Conform holds a store against a model, by transactions of several operations, of which some are undone. again answers the store as it is
// after it was closed, or its process killed, and it was opened anew.
func Conform[T group.Tx](t *rapid.T, s command.Store[T], again func() command.Store[T]) {
	m := model{groups: newGroups()}
	lastCommand, lastEvent := int64(0), int64(0)
	operation := func(tx T, m *model) {
		key, correlation := rapid.SampledFrom(keys).Draw(t, "key"), rapid.SampledFrom(correlations).Draw(t, "correlation")
		number := int64(rapid.IntRange(1, 12).Draw(t, "number"))
		at := slices.IndexFunc(m.commands, func(c command.Command) bool { return c.Number == number })
		switch rapid.SampledFrom([]string{"add", "add", "move", "end", "tell", "take", "group", "group", "group"}).Draw(t, "operation") {
		case "group":
			m.groups.operation(t, tx)
		case "add":
			c := command.Command{Correlation: correlation, Key: key, Kind: command.Join, Body: []byte(fmt.Sprint("body ", number))}
			n, err := tx.AddCommand(c)
			if m.uses(correlation) {
				require.ErrorIs(t, err, command.ErrCorrelation)
				return
			}
			require.NoError(t, err)
			require.Greater(t, n, lastCommand)
			c.Number, lastCommand = n, n
			m.commands = append(m.commands, c)
		case "move":
			found, err := tx.MoveCommand(number, key)
			require.NoError(t, err)
			require.Equal(t, at >= 0, found)
			if found {
				m.commands[at].Key = key
			}
		case "end":
			found, err := tx.EndCommand(number)
			require.NoError(t, err)
			require.Equal(t, at >= 0, found)
			if found {
				m.commands = slices.Delete(m.commands, at, at+1)
			}
		case "tell":
			e := command.Event{Correlation: correlation, Connection: key.Connection, Command: command.Create, Kind: command.Invitation, Body: []byte("link")}
			if rapid.Bool().Draw(t, "unasked") {
				e.Correlation, e.Command, e.Kind = "", 0, command.Message
			}
			n, err := tx.AddEvent(e)
			if e.Correlation != "" && m.uses(correlation) {
				require.ErrorIs(t, err, command.ErrCorrelation)
				return
			}
			require.NoError(t, err)
			require.Greater(t, n, lastEvent)
			e.Number, lastEvent = n, n
			m.events = append(m.events, e)
		case "take":
			at := slices.IndexFunc(m.events, func(x command.Event) bool { return x.Number == number })
			found, err := tx.TakeEvent(number)
			require.NoError(t, err)
			require.Equal(t, at >= 0, found)
			if found {
				m.events = slices.Delete(m.events, at, at+1)
			}
		}
	}
	look := func(tx T) error {
		for _, k := range keys {
			c, found, err := tx.FirstCommand(k)
			require.NoError(t, err)
			want, exists := m.first(k)
			require.Equal(t, exists, found)
			require.Equal(t, want, c)
			list, err := tx.CommandsOf(k.Connection)
			require.NoError(t, err)
			require.Equal(t, m.of(k.Connection), list)
		}
		all, err := tx.Keys()
		require.NoError(t, err)
		require.ElementsMatch(t, m.keys(), all)
		for _, after := range []int64{0, lastEvent - 2} {
			events, err := tx.NextEvents(after, 2)
			require.NoError(t, err)
			want := slices.DeleteFunc(slices.Clone(m.events), func(e command.Event) bool { return e.Number <= after })
			require.ElementsMatch(t, want[:min(2, len(want))], events)
		}
		m.groups.look(t, tx)
		return nil
	}
	for range rapid.IntRange(1, 12).Draw(t, "transactions") {
		before, undo := m.clone(), rapid.Bool().Draw(t, "undo")
		commands, events := lastCommand, lastEvent
		err := s.Update(func(tx T) error {
			for range rapid.IntRange(1, 4).Draw(t, "operations") {
				operation(tx, &m)
			}
			require.NoError(t, look(tx), "a transaction sees what it has done")
			if undo {
				return errUndo
			}
			return nil
		})
		if undo {
			require.ErrorIs(t, err, errUndo)
			m, lastCommand, lastEvent = before, commands, events
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, s.View(look))
		if rapid.Bool().Draw(t, "again") {
			s = again()
			require.NoError(t, s.View(look))
		}
	}
}
