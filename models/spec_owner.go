package models

import "fmt"

// OwnerOp is what can happen to the owner of a queue at a router.
type OwnerOp uint8

const (
	OwnerSubscribe OwnerOp = iota // a client asks for the queue, on a session; Granted is the answer
	OwnerClosed                   // the connection of a session is gone
	OwnerForget                   // the router forgets the subscription: a restart, or a deleted queue
	OwnerEnd                      // the router tells a session that the queue is no longer its own
	OwnerRead                     // who owns it, as the router says
)

// OwnerCall is one call of a router's ownership register of one queue. A session is empty for "nobody".
type OwnerCall struct {
	Op      OwnerOp
	Session string
	Granted bool // an answer: the router said yes
	Known   bool // the answer came; false for calls without one
}

// Ownership specifies a queue at a router: it has at most one subscriber, a new one displaces the old, and only one who has been
// displaced is told so (S18). The state is the owning session.
func Ownership() *Spec[string, OwnerCall] {
	return &Spec[string, OwnerCall]{
		Name: "owner of queue",
		Step: func(owner string, c OwnerCall) (string, bool) {
			switch c.Op {
			case OwnerSubscribe:
				if c.Known && !c.Granted {
					return owner, true
				}
				return c.Session, true
			case OwnerClosed:
				if owner == c.Session {
					return "", true
				}
				return owner, true
			case OwnerForget:
				return "", true
			case OwnerEnd:
				return owner, owner != c.Session
			default:
				return owner, !c.Known || owner == c.Session
			}
		},
		Call: func(c OwnerCall) string {
			switch c.Op {
			case OwnerSubscribe:
				if !c.Known {
					return fmt.Sprintf("subscribe(%s) unanswered", c.Session)
				}
				return fmt.Sprintf("subscribe(%s) granted=%v", c.Session, c.Granted)
			case OwnerClosed:
				return fmt.Sprintf("closed(%s)", c.Session)
			case OwnerForget:
				return "forgotten"
			case OwnerEnd:
				return fmt.Sprintf("END to %s", c.Session)
			default:
				return fmt.Sprintf("read %q", c.Session)
			}
		},
		State: func(owner string) string {
			if owner == "" {
				return "nobody"
			}
			return owner
		},
	}
}
