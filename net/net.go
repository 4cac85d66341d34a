// Package net is the network, injected: dialling gives a connected and authenticated session with typed transmissions both
// ways. What is below (TLS, framing, the handshake of a protocol) belongs to the implementation: the in-process network of
// this package, the simulated one of package sim, or a real transport. It knows no protocol.
package net

import (
	"context"
	"errors"
)

// Address is where a network finds an acceptor.
type Address string

// SessionID identifies a session: opaque bytes, new for every connection.
type SessionID string

// Session is what the handshake has agreed.
type Session struct {
	ID    SessionID
	Grant string // what the acceptor granted for the dialler's credential; opaque
}

// Conn is one side of a session that sends Out and receives In. All methods may be called concurrently.
type Conn[Out, In any] interface {
	// Session is what the handshake has agreed. It does not change.
	Session() Session
	// Send hands one transmission to the connection. A nil error does not mean that it will arrive.
	Send(ctx context.Context, out Out) error
	// Receive waits for the next transmission. Its error, ErrClosed or ErrReset, is final.
	Receive() (In, error)
	// Close ends the session on this side and lets Receive return. What was sent before still arrives. It may be called
	// again.
	Close() error
}

// Dialer connects. It may be used concurrently.
type Dialer[Out, In any] interface {
	// Dial connects, authenticates with the credential, which is opaque to the network, and answers the session's
	// connection. It is bounded by ctx only. Errors wrap ErrRefused, ErrUnreachable, ErrReset, ErrHandshake or ctx's.
	Dial(ctx context.Context, to Address, credential string) (Conn[Out, In], error)
}

// Handler is the accepting side: a state machine whose methods are called one at a time and never block.
type Handler[In, Out any] interface {
	// Accept decides on a new session. What it grants is the dialler's Session.Grant; an error refuses the session, for
	// good, and reaches the dialler wrapped in ErrHandshake.
	Accept(session SessionID, credential string, peer Peer[Out]) (grant string, err error)
	// Receive takes one transmission of the session.
	Receive(session SessionID, in In)
	// Closed says that the session has ended, whoever ended it. It is the last call for that session.
	Closed(session SessionID)
}

// Peer is an acceptor's way to the dialler, for the handler's calls and for what its network runs between them. Its methods
// never block, and after the end of the session do nothing.
type Peer[Out any] interface {
	Send(out Out)
	// Close ends the session. What was sent before still arrives; the handler receives nothing more, and then hears Closed,
	// though not within the call that it is in.
	Close()
}

// What goes wrong on a network. All but ErrHandshake may be different the next time.
var (
	ErrRefused     = errors.New("connection refused")
	ErrUnreachable = errors.New("host unreachable")
	ErrReset       = errors.New("connection reset")
	ErrClosed      = errors.New("connection closed")
	ErrHandshake   = errors.New("handshake failed")
)
