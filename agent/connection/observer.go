package connection

import (
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// Observer is told what an agent does, for logs, metrics and models. Observe must not block, use a primitive of package sched or call the agent; it
// is called by many tasks at once, each time after what it tells of was stored.
type Observer interface {
	Observe(Transition)
}

// Transition is one of the types of this package that follow, by value.
type Transition interface{ transition() }

type (
	// Advanced: a connection has another status.
	Advanced struct {
		Connection command.Connection
		Status     Status
	}
	// Refused: a message was not taken, and why; it is acknowledged, so that those behind it come.
	Refused struct {
		Connection command.Connection
		Message    protocol.MessageID
		Why        string
	}
	// Repeated: a message came again that was taken before, from the same router or sent twice.
	Repeated struct {
		Connection command.Connection
		Number     int64
	}
)

func (Advanced) transition() {}
func (Refused) transition()  {}
func (Repeated) transition() {}
