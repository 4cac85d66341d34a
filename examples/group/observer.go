package main

import (
	"log/slog"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
)

// What is logged under these messages is looked at by the test.
const (
	memberAdvanced    = "a member advanced"
	memberFailed      = "something is wrong with a member"
	eventRefused      = "an event was refused"
	messageRefused    = "a message was refused"
	continued         = "a continuation was run"
	workerPanicked    = "a worker panicked"
	commandCarriedOut = "a command is carried out"
)

// groupLog logs what a group.Agent tells.
type groupLog struct{ log *slog.Logger }

func (l groupLog) Observe(t group.Transition) {
	switch t := t.(type) {
	case group.Advanced:
		l.log.Info(memberAdvanced, "member", t.Member, "status", t.Status.String())
	case group.Failed:
		l.log.Error(memberFailed, "member", t.Member, "why", t.Why)
	case group.Late:
		l.log.Warn("a member is late", "member", t.Member)
	case group.Continued:
		l.log.Info(continued, "correlation", t.Continuation.Correlation, "kind", t.Continuation.Kind.String(), "member", t.Continuation.Member,
			"connection", t.Event.Connection, "awaited", t.Continuation.Connection, "event", t.Event.Kind.String(), "expected", t.Continuation.Expects.String())
	case group.Refused:
		l.log.Error(eventRefused, "event", t.Event.Kind.String(), "connection", t.Event.Connection, "body", string(t.Event.Body), "why", t.Why)
	}
}

// connectionLog logs what a connection.Agent tells.
type connectionLog struct{ log *slog.Logger }

func (l connectionLog) Observe(t connection.Transition) {
	switch t := t.(type) {
	case connection.Advanced:
		l.log.Info("a connection advanced", "connection", t.Connection, "status", t.Status.String())
	case connection.Repeated:
		l.log.Info("a message came again", "connection", t.Connection, "number", t.Number)
	case connection.Refused:
		l.log.Error(messageRefused, "connection", t.Connection, "message", t.Message.String(), "why", t.Why)
	}
}

// commandLog logs what a command.Queue tells.
type commandLog struct{ log *slog.Logger }

func (l commandLog) Observe(t command.Transition) {
	switch t := t.(type) {
	case command.Executing:
		l.log.Info(commandCarriedOut, "command", t.Command.Kind.String(), "key", t.Command.Key.String())
	case command.Paused:
		l.log.Warn("a command is to be carried out again", "command", t.Command.Kind.String(), "key", t.Key.String(), "why", t.Err.Error(), "after", t.Delay)
	case command.WorkerPanicked:
		l.log.Error(workerPanicked, "key", t.Key.String(), "cause", t.Cause, "critical", t.Critical)
	}
}
