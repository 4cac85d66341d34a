package models

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// ServiceOp is what can happen to a router's service register.
type ServiceOp uint8

// The operations. The application's is an interval, those of the agent are points.
const (
	ServiceSubscribe ServiceOp = iota // the application asks for Sub
	ServiceConfirm                    // the answer to Sub on Session makes it active
	ServiceRefresh                    // newer figures for what is active on Session
	ServiceGiveUp                     // the answer to Sub on Session ends the wish; Yes: and what is active there
	ServiceCount                      // a queue was counted on Session, which makes its service active
	ServiceDemote                     // Session has ended: Sub is pending, unless something newer is
	ServiceTake                       // another client took the service of Session
	ServiceRead                       // a snapshot: Sub is pending, or zero; Session has the active one, or none
)

// ServiceCall is one call of a router's service register.
type ServiceCall struct {
	Op      ServiceOp
	Sub     protocol.ServiceSub
	Session net.SessionID
	Yes     bool // of ServiceDemote: it became pending; of ServiceGiveUp: see there
}

// ServiceState is the service register of a router; zero values stand for none.
type ServiceState struct {
	Pending protocol.ServiceSub
	Active  net.SessionID
}

// Services specifies the service register of one router: pending clears only through a result for the same value, is never overwritten
// by what is demoted, and only the session that holds the active service loses it (S2, S7).
func Services() *Spec[ServiceState, ServiceCall] {
	none := protocol.ServiceSub{}
	return &Spec[ServiceState, ServiceCall]{
		Name: "service of",
		Step: func(s ServiceState, c ServiceCall) (ServiceState, bool) {
			switch c.Op {
			case ServiceSubscribe:
				return ServiceState{c.Sub, s.Active}, true
			case ServiceConfirm:
				return ServiceState{none, c.Session}, s.Pending == c.Sub
			case ServiceRefresh:
				return s, s.Active == c.Session
			case ServiceGiveUp:
				legal := s.Pending == c.Sub
				if c.Yes && s.Active == c.Session {
					s.Active = ""
				}
				return ServiceState{none, s.Active}, legal
			case ServiceCount:
				return ServiceState{s.Pending, c.Session}, s.Active == "" || s.Active == c.Session
			case ServiceDemote:
				legal := s.Active == c.Session && c.Yes == (s.Pending == none)
				if c.Yes {
					s.Pending = c.Sub
				}
				return ServiceState{Pending: s.Pending}, legal
			case ServiceTake:
				return ServiceState{Pending: s.Pending}, s.Active == c.Session
			}
			return s, s == ServiceState{c.Sub, c.Session}
		},
		Call: func(c ServiceCall) string {
			name := [...]string{"subscribe", "confirm", "refresh", "give up", "count", "demote", "take", "read"}[c.Op]
			return fmt.Sprintf("%s(%v)%s", name, c.Sub, on(c.Session))
		},
		State: func(s ServiceState) string { return fmt.Sprintf("pending %v, active%s", s.Pending, on(s.Active)) },
	}
}
