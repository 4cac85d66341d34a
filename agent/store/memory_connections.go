package store

import (
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
)

// connectionData is what a Memory keeps of connections.
type connectionData struct {
	connections map[command.Connection]connection.Connection
	byQueue     map[queueKey]command.Connection
}

type queueKey struct {
	router protocol.Router
	queue  protocol.QueueID
}

func newConnectionData() connectionData {
	return connectionData{map[command.Connection]connection.Connection{}, map[queueKey]command.Connection{}}
}

// Connection implements connection.Tx.
func (t *MemoryTx) Connection(id command.Connection) (c connection.Connection, found bool, err error) {
	c, found = t.data.connections[id]
	return c, found, nil
}

// ConnectionAt implements connection.Tx.
func (t *MemoryTx) ConnectionAt(r protocol.Router, q protocol.QueueID) (c connection.Connection, found bool, err error) {
	id, found := t.data.byQueue[queueKey{r, q}]
	return t.data.connections[id], found, nil
}

// PutConnection implements connection.Tx.
func (t *MemoryTx) PutConnection(c connection.Connection) error {
	put(t, t.data.connections, c.ID, c)
	if key := (queueKey{c.Router, c.Recipient}); c.Recipient != (protocol.QueueID{}) && t.data.byQueue[key] != c.ID {
		put(t, t.data.byQueue, key, c.ID)
	}
	return nil
}

// DropConnection implements connection.Tx.
func (t *MemoryTx) DropConnection(id command.Connection) error {
	c := t.data.connections[id]
	drop(t, t.data.connections, id)
	drop(t, t.data.byQueue, queueKey{c.Router, c.Recipient})
	return nil
}
