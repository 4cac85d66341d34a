package protocol

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// What is done to a single queue, beside subscribing it. The small agent passes these on unchanged; package connection sends them.
const (
	// NEW makes a queue whose recipient authorizes with Key, and is answered by IDS; again with the same key, by the same ids (property Q7).
	NEW Command = "NEW"
	// KEY secures a recipient's queue: from then on who sends to it must authorize with the key in Body. Again with the same key, it changes nothing.
	KEY Command = "KEY"
	// SEND stores Body as a message in the queue with that sender id. The queue takes any key until it is secured.
	SEND Command = "SEND"
	// ACK says that the recipient has the message whose id is Body, so that the next one is sent; answered by OK, or ERR NO_MSG if that is not the
	// message which the session was sent last.
	ACK Command = "ACK"
	// DEL deletes a recipient's queue.
	DEL Command = "DEL"
)

// IDS answers NEW: Body is the recipient's id of the queue and then the sender's; see DecodeIDs.
const IDS Kind = "IDS"

// CodeNoMessage: there is no such message to be acknowledged.
const CodeNoMessage = "NO_MSG"

// MessageID names a message on its router: it is the same when that sends the message again.
type MessageID [24]byte

// String is the id in hexadecimal.
func (id MessageID) String() string { return hex.EncodeToString(id[:]) }

// EncodeIDs is the body of IDS.
func EncodeIDs(recipient, sender QueueID) []byte { return append(recipient[:], sender[:]...) }

// DecodeIDs reads what EncodeIDs wrote.
func DecodeIDs(body []byte) (recipient, sender QueueID, err error) {
	if len(body) != len(recipient)+len(sender) {
		return recipient, sender, fmt.Errorf("the ids of a queue have %d bytes: want %d", len(body), len(recipient)+len(sender))
	}
	return QueueID(body[:len(recipient)]), QueueID(body[len(recipient):]), nil
}

// EncodeMessage is the body of MSG.
func EncodeMessage(id MessageID, content []byte) []byte {
	return append(append(make([]byte, 0, len(id)+len(content)), id[:]...), content...)
}

// DecodeMessage reads what EncodeMessage wrote; content shares the memory of body.
func DecodeMessage(body []byte) (id MessageID, content []byte, err error) {
	if len(body) < len(id) {
		return id, nil, fmt.Errorf("a message of %d bytes has no id: want %d or more", len(body), len(id))
	}
	return MessageID(body[:len(id)]), body[len(id):], nil
}

// Link is where somebody can send to: a queue, by the id that its senders know.
type Link struct {
	Router Router
	Sender QueueID
}

// String is the link as "router#queue"; ParseLink reads it back.
func (l Link) String() string { return l.Router.String() + "#" + l.Sender.String() }

// ParseLink reads what String wrote. The error says in one line what is wrong.
func ParseLink(text string) (l Link, err error) {
	router, queue, found := strings.Cut(text, "#")
	id, err := hex.DecodeString(queue)
	if !found || err != nil || len(id) != len(l.Sender) {
		return l, fmt.Errorf("link %q: want router#queue, the queue as %d bytes in hexadecimal", text, len(l.Sender))
	}
	l.Sender = QueueID(id)
	l.Router, err = ParseRouter(router)
	return l, err
}

// MarshalText is String.
func (l Link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is ParseLink.
func (l *Link) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLink(string(text))
	return err
}
