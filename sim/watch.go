package sim

// Watcher is told what no step, value or note of a run says, for who draws a picture of it. It must change nothing: a run that has one is
// the same as without it.
type Watcher interface {
	// Begin comes before the set-up. World.State may be asked from then on, and until no step follows.
	Begin(w *World)
	// Sent says that the step under way sends a message.
	Sent(m Message)
	// Arrived says that the step under way is the arrival of a message. Reader is the task that reads what arrives at a dialler, or its
	// node if none has begun to; empty for what arrives at an address.
	Arrived(id int64, reader string)
	// Fault says that a fault strikes in the step under way.
	Fault(name string)
}

// Message is something that a network carries between a dialler and an address. One that never arrives was lost, or is still on its way.
type Message struct {
	ID        int64 // by sending, from 1
	Address   string
	ToAddress bool // else from there
	Text      string
}

// statePart is what OnState was told.
type statePart struct {
	name     string
	describe func(set func(field, value string))
}

// OnState lets f describe a part of the state of the run, field by field, for a person who goes through a failure step by step: an empty
// value is a field that there is not. It is asked while a failure is drawn, never in a search; it must change nothing, wait for nothing and
// use no operation of package sched. It runs outside any task, as what World.Observe is given does: under the race detector it may read what
// is written there, and not what tasks write.
func (w *World) OnState(part string, f func(set func(field, value string))) {
	if w.watcher != nil {
		w.states = append(w.states, statePart{part, f})
	}
}

// State describes the state of the run by all that OnState has registered.
func (w *World) State(set func(part, field, value string)) {
	for _, s := range w.states {
		s.describe(func(field, value string) { set(s.name, field, value) })
	}
}

// sent tells the watcher of a message, and answers its number; 0 if there is no watcher.
func (w *World) sent(address string, toAddress bool, text func() string) int64 {
	if w.watcher == nil {
		return 0
	}
	w.messages++
	w.watcher.Sent(Message{ID: w.messages, Address: address, ToAddress: toAddress, Text: text()})
	return w.messages
}

// arrived tells the watcher of the arrival of a message; see Watcher.
func (w *World) arrived(id int64, reader string) {
	if w.watcher != nil && id > 0 {
		w.watcher.Arrived(id, reader)
	}
}
