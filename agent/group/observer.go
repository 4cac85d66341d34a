package group

import "github.com/heddle-go/heddle/agent/command"

// Observer is told what an agent does, for logs, metrics and models. Observe must not block, use a primitive of package sched or call the agent; it
// is called by many tasks at once, each time after what it tells of was stored.
type Observer interface {
	Observe(Transition)
}

// Transition is one of the types of this package that follow, by value.
type Transition interface{ transition() }

type (
	// Advanced: a member has another status here.
	Advanced struct {
		Group  ID
		Member MemberID
		Status Status
	}
	// Failed: something is wrong with a member, for good: it will not be connected unless the error was about one of the two sides only.
	Failed struct {
		Group  ID
		Member MemberID
		Why    string
	}
	// Late: a member is not connected by its deadline. It may be later.
	Late struct {
		Group  ID
		Member MemberID
	}
	// Continued: a continuation was run, with the answer or with the error that it waited for.
	Continued struct {
		Continuation Continuation
		Event        command.Event
	}
	// Refused: an event was taken for nothing, and why: a message that comes out of order, of somebody who is unknown or removed, or with a wrong
	// member id.
	Refused struct {
		Event command.Event
		Why   string
	}
)

func (Advanced) transition()  {}
func (Failed) transition()    {}
func (Late) transition()      {}
func (Continued) transition() {}
func (Refused) transition()   {}
