package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// Tx is a transaction of a Store. It implements command.Tx.
type Tx Store

// each binds the arguments of a statement and calls row for each of its rows.
func (t *Tx) each(q query, row func(*sqlite3.Stmt) error, arguments ...any) (err error) {
	statement := t.statements[q]
	for i, a := range arguments {
		switch a := a.(type) {
		case string:
			err = statement.BindText(i+1, a)
		case int64:
			err = statement.BindInt64(i+1, a)
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
	if r == (protocol.Router{}) {
		return ""
	}
	return r.String()
}

func router(text string) (r protocol.Router, err error) {
	if text == "" {
		return r, nil
	}
	return protocol.ParseRouter(text)
}

// unused answers command.ErrCorrelation for one that is in use.
func (t *Tx) unused(c command.Correlation) error {
	for _, q := range [...]query{usedByCommand, usedByResponse} {
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

func commandOf(s *sqlite3.Stmt) (c command.Command, err error) {
	c = command.Command{
		Number: s.ColumnInt64(0), Correlation: command.Correlation(s.ColumnText(1)), Key: command.Key{Connection: command.Connection(s.ColumnText(2))},
		Kind: command.Kind(s.ColumnInt(4)), Body: s.ColumnBlob(5, nil),
	}
	c.Key.Router, err = router(s.ColumnText(3))
	return c, err
}

// FirstCommand implements command.Tx.
func (t *Tx) FirstCommand(key command.Key) (c command.Command, found bool, err error) {
	err = t.each(firstCommand, func(s *sqlite3.Stmt) (err error) {
		found = true
		c, err = commandOf(s)
		return err
	}, string(key.Connection), routerText(key.Router))
	return c, found, err
}

// CommandsOf implements command.Tx.
func (t *Tx) CommandsOf(connection command.Connection) (list []command.Command, err error) {
	err = t.each(commandsOf, func(s *sqlite3.Stmt) error {
		c, err := commandOf(s)
		list = append(list, c)
		return err
	}, string(connection))
	return list, err
}

// Keys implements command.Tx. It looks each key up in an index, and at no other commands.
func (t *Tx) Keys() (keys []command.Key, err error) {
	connection, text, more := "", "", true
	next := func(s *sqlite3.Stmt) (err error) {
		more, connection, text = true, s.ColumnText(0), s.ColumnText(1)
		key := command.Key{Connection: command.Connection(connection)}
		key.Router, err = router(text)
		keys = append(keys, key)
		return err
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

// AddResponse implements command.Tx.
func (t *Tx) AddResponse(r command.Response) (int64, error) {
	if err := t.unused(r.Correlation); err != nil {
		return 0, err
	}
	n, _, err := t.number(addResponse, string(r.Correlation), string(r.Connection), int64(r.Command), int64(r.Kind), r.Body)
	return n, err
}

func responseOf(s *sqlite3.Stmt) command.Response {
	return command.Response{
		Number: s.ColumnInt64(0), Correlation: command.Correlation(s.ColumnText(1)), Connection: command.Connection(s.ColumnText(2)),
		Command: command.Kind(s.ColumnInt(3)), Kind: command.ResponseKind(s.ColumnInt(4)), Body: s.ColumnBlob(5, nil),
	}
}

// NextResponses implements command.Tx.
func (t *Tx) NextResponses(after int64, n int) (list []command.Response, err error) {
	err = t.each(nextResponses, func(s *sqlite3.Stmt) error {
		list = append(list, responseOf(s))
		return nil
	}, after, int64(n))
	return list, err
}

// TakeResponse implements command.Tx.
func (t *Tx) TakeResponse(c command.Correlation) (r command.Response, found bool, err error) {
	err = t.each(findResponse, func(s *sqlite3.Stmt) error {
		r, found = responseOf(s), true
		return nil
	}, string(c))
	if err != nil || !found {
		return command.Response{}, false, err
	}
	_, found, err = t.number(takeResponse, r.Number)
	return r, found, err
}
