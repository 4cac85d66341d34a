package models

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// RegisterOp is what can happen to the subscription register of a queue.
type RegisterOp uint8

// The operations. The application's are intervals, those of the agent points.
const (
	RegisterSubscribe RegisterOp = iota // the application asks for the queue with Key
	RegisterRemove                      // the application removes it
	RegisterCommit                      // an answer on Session to a request with Key makes it active
	RegisterCount                       // likewise, under the session's service
	RegisterFail                        // an answer to a request with Key ends it
	RegisterEnd                         // the router ends it
	RegisterDemote                      // Session has ended: pending again
	RegisterRelease                     // its service no longer covers it: pending singly
	RegisterCover                       // only the service covers it from now
	RegisterUncover                     // its service is gone
	RegisterRead                        // a snapshot: Place, Key and Session
)

// RegisterCall is one call of a queue's register.
type RegisterCall struct {
	Op      RegisterOp
	Key     protocol.AuthKey
	Session net.SessionID
	Place   string // of RegisterRead: as a person reads it: "pending", "active"
	Known   bool   // of the application's: it has returned
}

// RegisterState is where a queue is recorded.
type RegisterState struct {
	Place   string
	Key     protocol.AuthKey
	Session net.SessionID
}

// Registers specifies the register of one queue: the newest key wins, an answer counts only for what is pending with its key, and
// only the session that holds it can demote it (S2, S9, S14, S15).
func Registers() *Spec[RegisterState, RegisterCall] {
	nowhere := RegisterState{Place: absent.String()}
	return &Spec[RegisterState, RegisterCall]{
		Name:  "queue",
		Start: nowhere,
		Step: func(s RegisterState, c RegisterCall) (RegisterState, bool) {
			pendingKey := s.Place == pending.String() && s.Key == c.Key
			held := (s.Place == active.String() || s.Place == counted.String()) && s.Session == c.Session
			switch c.Op {
			case RegisterSubscribe:
				return RegisterState{Place: pending.String(), Key: c.Key}, true
			case RegisterRemove:
				return nowhere, true
			case RegisterCommit:
				return RegisterState{active.String(), c.Key, c.Session}, pendingKey
			case RegisterCount:
				return RegisterState{counted.String(), c.Key, c.Session}, pendingKey
			case RegisterFail:
				return nowhere, pendingKey
			case RegisterEnd:
				return nowhere, s.Place != nowhere.Place
			case RegisterDemote:
				return RegisterState{Place: pending.String(), Key: s.Key}, held
			case RegisterRelease:
				return RegisterState{Place: pending.String(), Key: s.Key}, s.Place == counted.String() || s.Place == included.String()
			case RegisterCover:
				return RegisterState{included.String(), s.Key, s.Session}, s.Place == counted.String()
			case RegisterUncover:
				return nowhere, s.Place == counted.String() || s.Place == included.String()
			}
			return s, c.Place == s.Place && c.Key == s.Key && (c.Session == s.Session || s.Place == included.String())
		},
		Call:  describeRegisterCall,
		State: func(s RegisterState) string { return s.Place + on(s.Session) },
	}
}

func on(s net.SessionID) string {
	if s == "" {
		return ""
	}
	return " on " + short(s)
}

func describeRegisterCall(c RegisterCall) string {
	key := string(c.Key)
	switch c.Op {
	case RegisterSubscribe:
		return fmt.Sprintf("subscribe(%q)", key)
	case RegisterRead:
		return fmt.Sprintf("read %s %q%s", c.Place, key, on(c.Session))
	}
	name := [...]string{"", "remove", "commit", "count", "fail", "end", "demote", "release", "cover", "uncover"}[c.Op]
	return fmt.Sprintf("%s(%q)%s", name, key, on(c.Session))
}
