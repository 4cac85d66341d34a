package router

import (
	"encoding/binary"

	"github.com/heddle-go/heddle/agent/protocol"
)

// mailbox is what a queue has that was made by NEW: its messages are kept until they are acknowledged, and sent one at a time.
type mailbox struct {
	*queue
	sender   protocol.QueueID
	key      protocol.AuthKey // of who may send; empty: anybody
	secured  bool
	messages []stored // not acknowledged, the oldest first
	last     uint64   // messages ever stored
	// sent is whether the first message was sent to the owner, since he has subscribed or the one before was acknowledged.
	sent bool
}

type stored struct {
	id      protocol.MessageID
	content []byte
}

// Mailbox is what is to be known of a queue that NEW has made.
type Mailbox struct {
	Recipient, Sender protocol.QueueID
	Key               protocol.AuthKey // of the recipient
	Deleted           bool
	Messages          int    // not acknowledged
	Stored            uint64 // messages ever
}

// EachMailbox calls f for every queue that NEW has made, in the order of creation.
func (r *Router) EachMailbox(f func(Mailbox)) {
	for _, m := range r.mailboxes {
		f(Mailbox{m.name.ID, m.sender, m.keys[0], m.deleted, len(m.messages), m.last})
	}
}

// newMailbox is NEW. Who asks again is answered as before.
func (r *Router) newMailbox(q protocol.Request) protocol.Response {
	m := r.byKey[q.Key]
	switch {
	case q.Key == "":
		return refused(protocol.CodeAuth)
	case m == nil:
		m = &mailbox{}
		var recipient protocol.QueueID
		n := uint64(len(r.mailboxes)) + 1
		recipient[0], m.sender[0] = 'r', 's'
		binary.LittleEndian.PutUint64(recipient[2:], n)
		binary.LittleEndian.PutUint64(m.sender[2:], n)
		copy(recipient[10:], r.Name)
		copy(m.sender[10:], r.Name)
		r.NewQueue(protocol.RecipientService, recipient, q.Key)
		m.queue = r.queues[QueueName{protocol.RecipientService, recipient}]
		m.queue.mailbox = m
		r.mailboxes = append(r.mailboxes, m)
		r.byKey[q.Key], r.bySender[m.sender] = m, m
	case m.deleted:
		return refused(protocol.CodeAuth)
	}
	return protocol.Response{Kind: protocol.IDS, Body: protocol.EncodeIDs(m.name.ID, m.sender)}
}

// owned is the mailbox that a recipient's request is about; nil if it is not authorized, or not there.
func (r *Router) owned(q protocol.Request) *mailbox {
	o := r.queues[QueueName{protocol.RecipientService, q.Queue}]
	if o == nil || o.mailbox == nil || o.deleted || o.keys[0] != q.Key {
		return nil
	}
	return o.mailbox
}

// mail serves what is done to mailboxes.
func (r *Router) mail(s *session, q protocol.Request) protocol.Response {
	switch q.Command {
	case protocol.NEW:
		return r.newMailbox(q)
	case protocol.SEND:
		return r.deposit(q)
	}
	m := r.owned(q)
	if m == nil {
		return refused(protocol.CodeAuth)
	}
	switch q.Command {
	case protocol.KEY:
		if key := protocol.AuthKey(q.Body); m.secured && key != m.key {
			return refused(protocol.CodeAuth)
		} else {
			m.key, m.secured = key, true
		}
	case protocol.ACK:
		if m.owner != s || !m.sent || len(m.messages) == 0 || string(m.messages[0].id[:]) != string(q.Body) {
			return refused(protocol.CodeNoMessage)
		}
		m.messages, m.sent = m.messages[1:], false
		r.forward(m)
	default: // DEL
		m.messages, m.sent = nil, false
		r.Delete(protocol.RecipientService, q.Queue)
	}
	return protocol.Response{Kind: protocol.OK}
}

// deposit is SEND.
func (r *Router) deposit(q protocol.Request) protocol.Response {
	m := r.bySender[q.Queue]
	if m == nil || m.deleted || m.secured && m.key != q.Key {
		return refused(protocol.CodeAuth)
	}
	m.last++
	var id protocol.MessageID
	binary.BigEndian.PutUint64(id[:], m.last)
	copy(id[8:], m.sender[:])
	m.messages = append(m.messages, stored{id, q.Body})
	r.forward(m)
	return protocol.Response{Kind: protocol.OK}
}

// forward sends the first message to the owner, behind the answer that is being made, unless one is out.
func (r *Router) forward(m *mailbox) {
	if m.sent || len(m.messages) == 0 || m.owner == nil {
		return
	}
	s := m.owner
	r.after(0, func() {
		if m.owner == s && !m.sent && len(m.messages) > 0 {
			m.sent = true
			r.push(s, m.first())
		}
	})
}

func (m *mailbox) first() protocol.Response {
	return protocol.Response{Kind: protocol.MSG, Queue: m.name.ID, Body: protocol.EncodeMessage(m.messages[0].id, m.messages[0].content)}
}
