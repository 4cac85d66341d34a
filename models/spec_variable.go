package models

import "fmt"

// VariableOp is a call of a session variable's slot.
type VariableOp uint8

// The calls. ID is an argument of Fill and Remove, and an answer of GetOrCreate and TryRead.
const (
	GetOrCreate VariableOp = iota // Yes: it was created
	Fill
	TryRead // ID 0: empty; Yes: it is filled
	Remove  // Yes: it was removed
)

// VariableCall is one call of a slot.
type VariableCall struct {
	Op    VariableOp
	ID    uint64
	Yes   bool
	Known bool // the call has returned: its answer is known
}

// VariableState is a slot's: the id of the variable in it, 0 for none, and the highest that there was. Unknown: it was put by a call
// that has not returned, so that its id is only known to be above Last.
type VariableState struct {
	Current, Last   uint64
	Filled, Unknown bool
}

// Variables specifies the slot of a session variable as one sequential register with rising ids: get-or-create, fill, try-read and
// compare-and-remove (S3, S4).
func Variables() *Spec[VariableState, VariableCall] {
	return &Spec[VariableState, VariableCall]{
		Name: "session variable of",
		Step: stepVariable,
		Call: func(c VariableCall) string {
			name := [...]string{"get-or-create", "fill", "try-read", "remove"}[c.Op]
			if !c.Known {
				return fmt.Sprintf("%s(%d) unanswered", name, c.ID)
			}
			return fmt.Sprintf("%s(%d) %v", name, c.ID, c.Yes)
		},
		State: func(s VariableState) string {
			return fmt.Sprintf("variable %d, filled %v, highest %d", s.Current, s.Filled, s.Last)
		},
	}
}

func stepVariable(s VariableState, c VariableCall) (VariableState, bool) {
	if s.Unknown && c.ID > s.Last && (c.Op != GetOrCreate || c.Known && !c.Yes) {
		s.Current, s.Last, s.Unknown = c.ID, c.ID, false // this must be the one
	}
	empty := s.Current == 0 && !s.Unknown
	switch c.Op {
	case GetOrCreate:
		if !empty {
			return s, !c.Known || !c.Yes && c.ID == s.Current
		}
		if !c.Known {
			return VariableState{Last: s.Last, Unknown: true}, true
		}
		return VariableState{Current: c.ID, Last: c.ID}, c.Yes && c.ID > s.Last
	case Fill:
		if c.ID != s.Current {
			return s, c.ID <= s.Last // a variable that was removed before it was filled
		}
		return VariableState{Current: s.Current, Last: s.Last, Filled: true}, !s.Filled
	case TryRead:
		return s, !c.Known || c.ID == s.Current && !s.Unknown && (c.ID == 0 || c.Yes == s.Filled)
	}
	removes := c.ID == s.Current && !empty
	if removes {
		return VariableState{Last: s.Last}, !c.Known || c.Yes
	}
	return s, !c.Known || !c.Yes
}
