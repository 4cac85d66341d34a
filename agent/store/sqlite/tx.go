package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// Tx is a transaction of a Store. It implements group.Tx.
type Tx Store

// each binds the arguments of a statement and calls row for each of its rows. After an error there is none that succeeds: the engine may have undone
// the transaction, and what came later would be committed alone.
func (t *Tx) each(q query, row func(*sqlite3.Stmt) error, arguments ...any) (err error) {
	if t.failure != nil {
		return t.failure
	}
	defer func() { t.failure = err }()
	statement := t.statements[q]
	for i, a := range arguments {
		switch a := a.(type) {
		case nil:
			err = statement.BindNull(i + 1)
		case string:
			err = statement.BindText(i+1, a)
		case int64:
			err = statement.BindInt64(i+1, a)
		case bool:
			err = statement.BindBool(i+1, a)
		case []byte:
			err = statement.BindBlob(i+1, a)
		default:
			err = fmt.Errorf("argument %d of %q is a %T", i+1, texts[q], a)
		}
		if err != nil {
			return t.failed(err)
		}
	}
	for err == nil && statement.Step() {
		err = row(statement)
	}
	if reset := statement.Reset(); err == nil { // which answers the error of the last step, if there was one
		err = reset
	}
	return t.failed(err)
}

// run runs a statement that has no rows.
func (t *Tx) run(q query, arguments ...any) error {
	return t.each(q, func(*sqlite3.Stmt) error { return nil }, arguments...)
}

func (t *Tx) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store %s: %w", t.path, explained(err))
}

// number is the first value of the first row, and whether there is one.
func (t *Tx) number(q query, arguments ...any) (n int64, found bool, err error) {
	err = t.each(q, func(s *sqlite3.Stmt) error {
		n, found = s.ColumnInt64(0), true
		return nil
	}, arguments...)
	return n, found, err
}

func routerText(r protocol.Router) string {
	switch {
	case r == protocol.Router{}:
		return ""
	case r.KeyHash == "": // see router
		return r.Hosts
	}
	return r.String()
}

// router reads what routerText wrote. Of other text, which only a damaged file can have, it makes a router that does not exist, so that what it is to
// do fails, and nothing else (property Q4).
func router(text string) protocol.Router {
	if text == "" {
		return protocol.Router{}
	}
	r, err := protocol.ParseRouter(text)
	if err != nil {
		return protocol.Router{Hosts: text}
	}
	return r
}

// unused answers command.ErrCorrelation for one that is in use.
func (t *Tx) unused(c command.Correlation) error {
	for _, q := range [...]query{usedByCommand, usedByEvent} {
		if _, used, err := t.number(q, string(c)); err != nil {
			return err
		} else if used {
			return command.ErrCorrelation
		}
	}
	return nil
}

// AddCommand implements command.Tx.
func (t *Tx) AddCommand(c command.Command) (int64, error) {
	if err := t.unused(c.Correlation); err != nil {
		return 0, err
	}
	n, _, err := t.number(addCommand, string(c.Correlation), string(c.Key.Connection), routerText(c.Key.Router), int64(c.Kind), c.Body)
	return n, err
}

func commandOf(s *sqlite3.Stmt) command.Command {
	return command.Command{
		Number: s.ColumnInt64(0), Correlation: command.Correlation(s.ColumnText(1)),
		Key:  command.Key{Connection: command.Connection(s.ColumnText(2)), Router: router(s.ColumnText(3))},
		Kind: command.Kind(s.ColumnInt(4)), Body: s.ColumnBlob(5, nil),
	}
}

// FirstCommand implements command.Tx.
func (t *Tx) FirstCommand(key command.Key) (c command.Command, found bool, err error) {
	err = t.each(firstCommand, func(s *sqlite3.Stmt) error {
		c, found = commandOf(s), true
		return nil
	}, string(key.Connection), routerText(key.Router))
	return c, found, err
}

// CommandsOf implements command.Tx.
func (t *Tx) CommandsOf(connection command.Connection) (list []command.Command, err error) {
	err = t.each(commandsOf, func(s *sqlite3.Stmt) error {
		list = append(list, commandOf(s))
		return nil
	}, string(connection))
	return list, err
}

// Keys implements command.Tx. It looks each key up in an index, and at no other commands.
func (t *Tx) Keys() (keys []command.Key, err error) {
	connection, text, more := "", "", true
	next := func(s *sqlite3.Stmt) error {
		more, connection, text = true, s.ColumnText(0), s.ColumnText(1)
		keys = append(keys, command.Key{Connection: command.Connection(connection), Router: router(text)})
		return nil
	}
	for more && err == nil {
		more = false
		if err = t.each(nextRouter, next, connection, text); err == nil && !more {
			err = t.each(nextConnection, next, connection)
		}
	}
	return keys, err
}

// MoveCommand implements command.Tx.
func (t *Tx) MoveCommand(number int64, to command.Key) (found bool, err error) {
	_, found, err = t.number(moveCommand, string(to.Connection), routerText(to.Router), number)
	return found, err
}

// EndCommand implements command.Tx.
func (t *Tx) EndCommand(number int64) (found bool, err error) {
	_, found, err = t.number(endCommand, number)
	return found, err
}

// AddEvent implements command.Tx.
func (t *Tx) AddEvent(e command.Event) (int64, error) {
	var correlation any // NULL
	if e.Correlation != "" {
		if err := t.unused(e.Correlation); err != nil {
			return 0, err
		}
		correlation = string(e.Correlation)
	}
	n, _, err := t.number(addEvent, correlation, string(e.Connection), int64(e.Command), int64(e.Kind), e.Body)
	return n, err
}

// NextEvents implements command.Tx.
func (t *Tx) NextEvents(after int64, n int) (list []command.Event, err error) {
	err = t.each(nextEvents, func(s *sqlite3.Stmt) error {
		list = append(list, command.Event{
			Number: s.ColumnInt64(0), Correlation: command.Correlation(s.ColumnText(1)), Connection: command.Connection(s.ColumnText(2)),
			Command: command.Kind(s.ColumnInt(3)), Kind: command.EventKind(s.ColumnInt(4)), Body: s.ColumnBlob(5, nil),
		})
		return nil
	}, after, int64(n))
	return list, err
}

// TakeEvent implements command.Tx.
func (t *Tx) TakeEvent(number int64) (found bool, err error) {
	_, found, err = t.number(takeEvent, number)
	return found, err
}
