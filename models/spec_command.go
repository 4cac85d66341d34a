package models

import "fmt"

// CorrelationOp is what can happen to a correlation id.
type CorrelationOp uint8

// The operations. Those of the application are intervals, those of the queue points.
const (
	CorrelationAdd    CorrelationOp = iota // a command is added under it
	CorrelationAnswer                      // an event that answers it, with Number, takes the place of the command
	CorrelationEnd                         // the command ends without an event
	CorrelationTake                        // the event with Number is taken
)

// CorrelationCall is one call of a correlation id's register.
type CorrelationCall struct {
	Op     CorrelationOp
	Number int64 // of the event
	Known  bool  // it has returned
	Yes    bool  // it has done what it says; of a call that is known only
	Failed bool  // the transaction was undone, whatever was in it
}

// CorrelationState says what is stored under a correlation id: nothing, a command, or the event with Number.
type CorrelationState struct {
	Held   bool
	Number int64
}

// Correlations specifies the register of one correlation id: it is free, held by a command, held by the event that answers it, and free again
// once that is taken (Q2).
func Correlations() *Spec[CorrelationState, CorrelationCall] {
	return &Spec[CorrelationState, CorrelationCall]{
		Name: "correlation id",
		Step: func(s CorrelationState, c CorrelationCall) (CorrelationState, bool) {
			if c.Failed {
				return s, true
			}
			does, next := false, CorrelationState{}
			switch c.Op {
			case CorrelationAdd:
				does, next = s == CorrelationState{}, CorrelationState{Held: true}
			case CorrelationAnswer:
				does, next = s == CorrelationState{Held: true}, CorrelationState{Held: true, Number: c.Number}
			case CorrelationEnd:
				does = s == CorrelationState{Held: true}
			case CorrelationTake:
				does = s == CorrelationState{Held: true, Number: c.Number}
			}
			if !does {
				next = s
			}
			return next, !c.Known || c.Yes == does
		},
		Call: func(c CorrelationCall) string {
			name := [...]string{"add", "answer", "end", "take"}[c.Op]
			switch {
			case c.Failed:
				return name + " undone"
			case !c.Known:
				return fmt.Sprintf("%s(%d) unanswered", name, c.Number)
			}
			return fmt.Sprintf("%s(%d) %v", name, c.Number, c.Yes)
		},
		State: func(s CorrelationState) string {
			switch {
			case s.Number > 0:
				return fmt.Sprintf("held by event %d", s.Number)
			case s.Held:
				return "held by a command"
			}
			return "free"
		},
	}
}
