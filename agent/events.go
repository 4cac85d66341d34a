package agent

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// EventKind says what an Event tells.
type EventKind uint8

// The events. For each the fields that are set, besides Router and Session.
const (
	// Connected: Service, what the session was granted. The first event of its
	// session, once.
	Connected EventKind = iota + 1
	// Disconnected: Queues, those now pending; may be empty. The last event of
	// its session, once. What was subscribed on the session no longer is.
	Disconnected
	// Subscribed: Queues. With Service set they are counted under that service,
	// and Figures is its subscription with them; else each on its own.
	Subscribed
	// SubError: Errors, the queues given up and why.
	SubError
	// Ended: Queues, and the Reason: another client took them, singly (END) or with
	// the service (ENDS), or they were deleted (DELD). If one was counted under the service, Figures is what is
	// left of that. The session is the one that brought the news.
	Ended
	// ServiceSubscribed: Wanted, what was asked for, zero if that had had its answer
	// already and these are newer figures; Confirmed, the router's own
	// figures (a mismatch is information); Figures, what is now recorded: those
	// and the queues that were confirmed singly after them; Queues, if any, those
	// that the figures may not count: they are pending, on their own.
	ServiceSubscribed
	// ServiceSubError: Wanted, which is given up, and Err, why. What was counted
	// under the service on this session is pending, on its own: Queues.
	ServiceSubError
	// ServiceUnavailable: Wanted, which is given up. The session has no such
	// service: every queue of it is to be subscribed on its own, anew. Queues, if
	// any, are so already: those counted under it on this session.
	ServiceUnavailable
	// ServiceDisconnected: Figures, the subscription that is lost with its
	// session; it is now pending, unless a newer one was; Queues, those that the
	// newer one does not cover: they are pending, on their own.
	ServiceDisconnected
	// ServiceEnded: Figures, the subscription that another client took (ENDS).
	ServiceEnded
)

var eventNames = [...]string{
	Connected: "Connected", Disconnected: "Disconnected", Subscribed: "Subscribed", SubError: "SubError",
	Ended: "Ended", ServiceSubscribed: "ServiceSubscribed", ServiceSubError: "ServiceSubError",
	ServiceUnavailable: "ServiceUnavailable", ServiceDisconnected: "ServiceDisconnected", ServiceEnded: "ServiceEnded",
}

// String is the kind's name.
func (k EventKind) String() string {
	if k > 0 && int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
}

// Event tells of one transition of the agent. What it points to is never changed
// afterwards, and must not be changed.
type Event struct {
	Kind      EventKind
	Router    protocol.Router
	Session   net.SessionID
	Service   *protocol.ServiceID
	Queues    []protocol.QueueID
	Errors    []QueueError
	Reason    EndReason
	Wanted    protocol.ServiceSub
	Confirmed protocol.ServiceSub
	Figures   *protocol.ServiceSub
	Err       *protocol.Error
}

// QueueError is a queue that was given up, and why.
type QueueError struct {
	Queue protocol.QueueID
	Err   *protocol.Error
}

// EndReason is why a subscription ended at the router: END, ENDS or DELD.
type EndReason = protocol.Kind

// MessageKind says why a Message reaches the application.
type MessageKind uint8

// The kinds of messages.
const (
	// Pushed: the router sent it unasked (MSG, NMSG, ALLS), or as the answer to
	// SUB (MSG). An END or DELD of a queue that the agent does not know singly,
	// as one of a service, is pushed too.
	Pushed MessageKind = iota + 1
	// Late: the answer to Request, after its timeout; also that to a PING of the
	// agent's. Late answers to subscriptions are not here, but for a MSG that
	// answers SUB: they count, and have their events.
	Late
	// Stray: an answer to no request that the session knows of.
	Stray
)

// String is the kind's name.
func (k MessageKind) String() string {
	switch k {
	case Pushed:
		return "Pushed"
	case Late:
		return "Late"
	case Stray:
		return "Stray"
	}
	return fmt.Sprintf("message(%d)", uint8(k))
}

// Message is a transmission of a router that no call waits for.
type Message struct {
	Kind     MessageKind
	Router   protocol.Router
	Session  net.SessionID
	Request  protocol.Request
	Response protocol.Response
}
