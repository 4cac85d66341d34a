package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
)

// id reads one of 24 bytes; NULL is zero.
func id[T ~[24]byte](s *sqlite3.Stmt, column int) (id T, err error) {
	bytes := s.ColumnRawBlob(column)
	if len(bytes) == 0 && s.ColumnType(column) == sqlite3.NULL {
		return id, nil
	}
	if len(bytes) != len(id) {
		return id, fmt.Errorf("an id in column %d has %d bytes: want %d", column, len(bytes), len(id))
	}
	copy(id[:], bytes)
	return id, nil
}

func (t *Tx) connection(q query, arguments ...any) (c connection.Connection, found bool, err error) {
	err = t.each(q, func(s *sqlite3.Stmt) (err error) {
		found = true
		c = connection.Connection{
			Status: connection.Status(s.ColumnInt(0)), Joins: s.ColumnBool(1), Router: router(s.ColumnText(2)),
			Key: protocol.AuthKey(s.ColumnText(5)), PeerKey: protocol.AuthKey(s.ColumnText(6)), Peer: protocol.Link{Router: router(s.ColumnText(7))},
			SendKey: protocol.AuthKey(s.ColumnText(9)), Sent: s.ColumnInt64(10), Received: s.ColumnInt64(11), ID: command.Connection(s.ColumnText(13)),
		}
		if c.Recipient, err = id[protocol.QueueID](s, 3); err != nil {
			return err
		}
		if c.Sender, err = id[protocol.QueueID](s, 4); err != nil {
			return err
		}
		if c.Peer.Sender, err = id[protocol.QueueID](s, 8); err != nil {
			return err
		}
		c.Unacknowledged, err = id[protocol.MessageID](s, 12)
		return err
	}, arguments...)
	return c, found, err
}

// Connection implements connection.Tx.
func (t *Tx) Connection(id command.Connection) (connection.Connection, bool, error) {
	return t.connection(findConnection, string(id))
}

// ConnectionAt implements connection.Tx.
func (t *Tx) ConnectionAt(r protocol.Router, q protocol.QueueID) (connection.Connection, bool, error) {
	return t.connection(findConnectionAt, routerText(r), q[:])
}

// PutConnection implements connection.Tx.
func (t *Tx) PutConnection(c connection.Connection) error {
	var recipient any // NULL
	if c.Recipient != (protocol.QueueID{}) {
		recipient = c.Recipient[:]
	}
	return t.run(putConnection, int64(c.Status), c.Joins, routerText(c.Router), recipient, c.Sender[:], string(c.Key), string(c.PeerKey), routerText(c.Peer.Router),
		c.Peer.Sender[:], string(c.SendKey), c.Sent, c.Received, c.Unacknowledged[:], string(c.ID))
}

// DropConnection implements connection.Tx.
func (t *Tx) DropConnection(id command.Connection) error { return t.run(dropConnection, string(id)) }
