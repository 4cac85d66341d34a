package protocol

import (
	"errors"
	"fmt"
)

// ErrorKind says where an error comes from; it decides the class.
type ErrorKind uint8

// The kinds of errors, in the order of the table of classes.
const (
	// Network: no connection, or it was lost.
	Network ErrorKind = iota + 1
	// Timeout: no answer, or no connection, within the time allowed.
	Timeout
	// IO: reading or writing failed.
	IO
	// Protocol: the router answered with an error; Code says which.
	Protocol
	// Parse: a transmission could not be read.
	Parse
	// Unexpected: an answer of a kind that does not fit its request.
	Unexpected
	// Host: the router has no address that this client can use.
	Host
	// Transport: the handshake failed.
	Transport
	// Crypto: a signature or a decryption failed.
	Crypto
	// NoService: the session has no such service.
	NoService
	// Broker: an error that a proxy passes on; Code says which.
	Broker
)

var kindNames = [...]string{
	Network: "network", Timeout: "timeout", IO: "i/o", Protocol: "protocol", Parse: "parse",
	Unexpected: "unexpected response", Host: "incompatible host", Transport: "transport",
	Crypto: "crypto", NoService: "service unavailable", Broker: "broker",
}

// String is the kind's name.
func (k ErrorKind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Codes of errors that the agent tells apart.
const (
	// CodeAuth: the key does not fit the queue, or there is no such queue.
	CodeAuth = "AUTH"
	// CodeService: the router refuses the service.
	CodeService = "SERVICE"
	// CodeNoService: a proxy's destination knows no services.
	CodeNoService = "NO_SERVICE"
)

// Error is why a request failed. Cause is what the transport said, if anything.
type Error struct {
	Kind   ErrorKind
	Code   string
	Detail string
	Cause  error
}

// Error is the kind, the code, the detail and the cause, as far as they are set.
func (e *Error) Error() string {
	text := e.Kind.String() + " error"
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Class says what the agent does about an error.
type Class uint8

// The three classes.
const (
	// Temporary: what failed stays pending and is tried again.
	Temporary Class = iota + 1
	// Permanent: what failed is given up and reported.
	Permanent
	// ServiceError: the service is given up for single queues.
	ServiceError
)

var classNames = [...]string{Temporary: "temporary", Permanent: "permanent", ServiceError: "service"}

// String is the name of the class.
func (c Class) String() string {
	if c > 0 && int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// Class is the class of the error's kind and code.
func (e *Error) Class() Class {
	switch e.Kind {
	case Network, Timeout, IO:
		return Temporary
	case NoService:
		return ServiceError
	case Protocol:
		if e.Code == CodeService {
			return ServiceError
		}
	case Broker:
		if e.Code == CodeNoService {
			return ServiceError
		}
	}
	return Permanent
}

// Classify is the class of any error: that of the Error in its chain; an error
// without one (cancellation, a transport's own) is temporary.
func Classify(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class()
	}
	return Temporary
}
