package protocol

import "github.com/heddle-go/heddle/net"

// Command is the name of a request. The agent itself sends those listed here;
// any other name passes through a client unchanged.
type Command string

// What the agent sends.
const (
	// SUB subscribes a recipient's queue; answered OK, SOK, MSG or ERR.
	SUB Command = "SUB"
	// NSUB subscribes a notifier's queue; answered OK, SOK or ERR.
	NSUB Command = "NSUB"
	// SUBS subscribes all queues of a recipient's service; answered SOKS or ERR.
	SUBS Command = "SUBS"
	// NSUBS subscribes all queues of a notifier's service; answered SOKS or ERR.
	NSUBS Command = "NSUBS"
	// PING asks whether the router is there; answered PONG.
	PING Command = "PING"
)

// Subscribes reports whether c is one of the four subscription commands.
func (c Command) Subscribes() bool { return c == SUB || c == NSUB || c == SUBS || c == NSUBS }

// Kind is the name of a response.
type Kind string

// What a router answers or pushes.
const (
	// OK confirms a request; for a subscription, the queue on its own.
	OK Kind = "OK"
	// SOK confirms a queue; with the session's own service id in Service it is
	// counted under that service.
	SOK Kind = "SOK"
	// SOKS confirms a service, with the router's own Count and Hash.
	SOKS Kind = "SOKS"
	// MSG is a message; as the answer to SUB it also confirms the queue.
	MSG Kind = "MSG"
	// NMSG is a notification of a message.
	NMSG Kind = "NMSG"
	// END is pushed when another client took the queue.
	END Kind = "END"
	// ENDS is pushed when another client took the service (Count, Hash).
	ENDS Kind = "ENDS"
	// DELD is pushed when the queue was deleted.
	DELD Kind = "DELD"
	// ALLS is pushed when all stored messages of the service were delivered.
	ALLS Kind = "ALLS"
	// ERR refuses a request; Err says why.
	ERR Kind = "ERR"
	// PONG answers PING.
	PONG Kind = "PONG"
)

// Request is one transmission to a router.
type Request struct {
	// Correlation is set by the client that sends the request.
	Correlation CorrelationID
	// Queue is zero for commands that concern none.
	Queue QueueID
	// Key authorizes the command; empty where none is needed.
	Key     AuthKey
	Command Command
	// Service is what SUBS and NSUBS subscribe.
	Service ServiceSub
	// Body is the rest of a command that the agent only passes on.
	Body []byte
}

// Response is one transmission from a router.
type Response struct {
	// Correlation is that of the request; zero for a push.
	Correlation CorrelationID
	// Queue is that of the request, or of the push.
	Queue QueueID
	Kind  Kind
	// Service is the service id of SOK; nil for none.
	Service *ServiceID
	// Count and Hash are the figures of SOKS and ENDS.
	Count int64
	Hash  IDsHash
	// Err is set for ERR.
	Err *Error
	// Body is what the agent only passes on: the content of MSG, NMSG and others.
	Body []byte
}

// What travels at once is a block: about 16,384 bytes of transmissions.
type (
	// Conn is an authenticated session with a router, blocks both ways.
	Conn = net.Conn[[]Request, []Response]
	// Dialer opens sessions with routers.
	Dialer = net.Dialer[[]Request, []Response]
)
