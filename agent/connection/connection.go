// Package connection makes connections of two queues, one each way, with somebody who has nothing but a link (seed 000; reference.md, "Group
// connections"): one side creates the connection and gives its link away, the other joins by the link.
//
//	creator                                         joiner
//	Create: a queue, answered by Invitation
//	                     -- link, by other ways ->
//	                                                Join: a queue of its own; a confirmation with it is sent, answered by Joined
//	Confirmation (CONF) <- confirmation ----------
//	Allow: the queue is secured, a confirmation sent, answered by OK
//	                    -- confirmation ---------> Info (INFO); the queue is secured
//	Connected (CON)     <- hello -----------------
//	                    -- hello ----------------> Connected (CON)
//
// What takes a network is a durable command (package command), so that all of it survives a crash at any step. A connection is there from the
// transaction in which it is asked for, as New and with its keys: whatever is carried out again uses the same ones (property Q7), and no event comes of
// a connection that the application does not know (Q11).
//
// Messages come at least once, in order, from the routers, and are taken once: each has a number.
package connection

import (
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// Status is how far a connection has come. It only moves forward. They are stored by their values.
type Status uint8

// The statuses, in their order.
const (
	New       Status = iota + 1 // known here, with its keys; nothing was told to any network
	Created                     // its queue is there: the link can be given away
	Joined                      // its queue is there, and its creator was told
	Confirmed                   // somebody wants to join
	Allowed                     // he was allowed to
	Secured                     // the creator has allowed it
	Active                      // messages can be sent
	Deleted                     // it is being deleted
)

var statusNames = [...]string{
	New: "new", Created: "created", Joined: "joined", Confirmed: "confirmed", Allowed: "allowed", Secured: "secured", Active: "active", Deleted: "deleted",
}

// String is the name of the status.
func (s Status) String() string {
	if s > 0 && int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Connection is what is known of one.
type Connection struct {
	ID     command.Connection
	Status Status
	Joins  bool // this side has the link; the other has created it
	// Router has the queue in which messages for this side arrive, under the id Recipient, zero until it is made. Key authorizes what is done to it, and
	// PeerKey what is sent to it.
	Router            protocol.Router
	Recipient, Sender protocol.QueueID
	Key, PeerKey      protocol.AuthKey
	// Peer is the queue of the other side, and SendKey authorizes what is sent there.
	Peer    protocol.Link
	SendKey protocol.AuthKey
	// Sent and Received are the numbers of the last messages.
	Sent, Received int64
	// Unacknowledged is the message that the application was told of and has not acknowledged; zero: none.
	Unacknowledged protocol.MessageID
}

// Link is where the other side can send to, once there is a queue.
func (c *Connection) Link() protocol.Link { return protocol.Link{Router: c.Router, Sender: c.Sender} }

// at is the key for what is done to the connection's own queue, and towards for what is sent.
func (c *Connection) at() command.Key { return command.Key{Connection: c.ID, Router: c.Router} }

func (c *Connection) towards() command.Key {
	return command.Key{Connection: c.ID, Router: c.Peer.Router}
}

// Tx is a transaction in which connections are kept.
type Tx interface {
	command.Tx
	// Connection is the one with that id.
	Connection(command.Connection) (c Connection, found bool, err error)
	// ConnectionAt is the one with that queue (Connection.Router and Recipient).
	ConnectionAt(protocol.Router, protocol.QueueID) (c Connection, found bool, err error)
	// PutConnection adds a connection, or replaces the one with its id.
	PutConnection(Connection) error
	// DropConnection forgets a connection.
	DropConnection(command.Connection) error
}

// ErrUnknown answers what is asked of a connection that is not there, or is being deleted.
var ErrUnknown = errors.New("there is no such connection")

// ErrKnown answers who creates or joins a connection whose id is in use.
var ErrKnown = errors.New("there is such a connection already")

// ErrStatus answers what is asked of a connection before its time.
var ErrStatus = errors.New("the connection is not so far")
