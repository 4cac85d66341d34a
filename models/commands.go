package models

import (
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/sim"
)

// Commands judges the durable queue of commands (properties Q1 to Q10, Q12 to Q14 and Q16), across crashes of the process that it is in. It knows what is
// stored by reading it: in each transaction, once what is done in it is done. It knows what ought to be done there from whom it watches: the application,
// which says what it adds, cancels and takes, and the executor, whose answers pass by here. No value of the queue is compared with itself.
//
// A scenario makes one for each run, and a Queue of it for each command.New, which it wires in at five places:
//
//	part := w.Shared("commands")
//	m := models.NewCommands(models.CommandOptions{World: part, Config: config})
//	part.AfterStep(m.Tick)
//	q := m.Queue()
//	queue, err := command.New(command.Environment{..., Observer: q}, config, models.WatchStore(q, store), models.WatchExecutor(q, executor))
//	q.Opened()                                                     // if there was no error
//	call := q.Update(correlations...); err = queue.Update(f); call.Return(err) // and in f: q.Adds, q.Cancels, q.Tells, after what they tell of
//	call := q.Suspend(); err = queue.Suspend(ctx); call.Return(err)  // also Resume, Close
//	q.Awaits(); e, ok := queue.Events().Recv(); q.Received(e, ok)
//	call := q.Take(e); err = queue.Update(f); call.Return(err)       // and in f: q.Takes(e)
//	q.Effect(c, what)                                              // by the executor, with what it does outside
//
//	q.Crashed()                    // when the process crashes
//	for m.Owed() != "" { sleep }   // after healing, for as long as the scenario's bound: Q2, Q10
//	m.Finish()                     // histories
//
// It relies on the store for two things: that what a transaction reads in its end is what is stored if Update answers nil, and that no other
// transaction begins before that. A Commands serves one run, and is for one thread of control: but for Finish and Owed its methods see to that.
type Commands struct {
	CommandOptions
	time    int64         // counts what is told: the order of everything
	elapsed time.Duration // as of the last Tick

	stored      []*ask // commands, by number
	ended       []*ask // what were some
	events      []*told
	lastCommand int64
	lastEvent   int64

	doing    intents     // of the transaction under way
	proposed *difference // what it has come to; nil: it is not at its end
	unsure   bool        // whether what is stored is as it is here: a transaction has failed, or a process has crashed

	queue        *Queue // that is open; nil: none
	queues       int
	correlations *History[CorrelationState, CorrelationCall]
	processes    int
	scratch      contents
}

// CommandOptions are what a Commands must know of its world.
type CommandOptions struct {
	World  World
	Config command.Config
}

// NewCommands makes the judge of one run.
func NewCommands(o CommandOptions) *Commands {
	return &Commands{CommandOptions: o, correlations: NewHistory(Correlations(), historyLimit)}
}

// CommandProperties are what a Commands checks. Q11 and Q15 are the business of connections.
func CommandProperties() []sim.Property {
	return []sim.Property{
		{ID: "Q1", Statement: "Durable first: a command, and the continuation waiting for it, are stored before the first effect outside; of a transaction all is stored or nothing."},
		{ID: "Q2", Statement: "One effective continuation for each accepted correlation id, with the success or with the error, across a crash at any step."},
		{ID: "Q3", Statement: "First in, first out for each key: one command at a time, the one with the lowest number."},
		{ID: "Q4", Statement: "A command that cannot be decoded or run is answered with an error, and the next one proceeds."},
		{ID: "Q5", Statement: "A blocked key never delays another."},
		{ID: "Q6", Statement: "No lost wake-up: a command that is added after the worker's read is read."},
		{ID: "Q7", Statement: "A command that is run again is the same, and makes nothing outside a second time."},
		{ID: "Q8", Statement: "No lock is held during a backoff or while blocked on handing out an event: no call waits for either."},
		{ID: "Q9", Statement: "Moving a command between keys is atomic, keeps its place by its number, and is not its completion."},
		{ID: "Q10", Statement: "After a restart each unfinished command is run; while suspended none starts, and suspended is said only when those started have ended, and then it is said."},
		{ID: "Q12", Statement: "A worker that panics goes on, at most so many times a minute, then it is reported as critical; its commands stay."},
		{ID: "Q13", Statement: "A temporary error is tried again, by the schedule; a permanent one is one error with its correlation id, and the command is gone."},
		{ID: "Q14", Statement: "The commands of a deleted connection end with an error each; what comes of one that is being run is dropped."},
		{ID: "Q16", Statement: "Events are handed on in the order in which they were stored, each once by a queue, also when its channel was full."},
		{ID: "linearizable", Statement: "Each correlation id is a register: free, held by a command, held by the event that answers it, free again once that is taken."},
	}
}

// CommandSometimes are what a good search must have seen and only a Commands can see.
func CommandSometimes() []string {
	return []string{
		"effect-found-again", "handed-on-again", "answer-dropped", "executed-after-its-end", "moved-ahead", "overtaken-by-a-move", "store-failed-at-conclusion",
		"schedule-grew", "panicked-and-went-on", "critical", "key-ran-beside-a-blocked-one", "suspended-while-executing", "suspension-given-up",
		"suspension-overtaken", "added-while-suspended", "closed-while-executing", "closed-during-pause", "added-while-its-worker-may-end", "taken-before",
		"crashed-while-executing", "crashed-before-a-commit-was-told", "correlation-refused", "correlation-used-again", "ended-silently", "event-queue-full",
	}
}

// ask is a command that is or was stored.
type ask struct {
	last *execution // which has returned or panicked
	command.Command
	moved, cancelled bool
	late             bool   // has begun once more after it was cancelled
	effect           string // what it has made outside; empty: nothing
	queue            int    // in which it was added
}

// told is an event that is stored.
type told struct {
	command.Event
	queue    int // in which it was added
	handedBy int // the last queue that has handed it on; 0: none
	taken    bool
}

// intents are what the functions of a transaction say that they do in it.
type intents struct {
	adds      []command.Command
	cancels   []cancel
	takes     []int64
	tells     int
	concludes []*execution
}

type cancel struct {
	connection command.Connection
	why        string
}

func (i *intents) reset() {
	i.adds, i.cancels, i.takes, i.tells, i.concludes = i.adds[:0], i.cancels[:0], i.takes[:0], 0, i.concludes[:0]
}

func (m *Commands) fail(property, format string, args ...any) {
	m.World.Fail(property, format, args...)
}

// numbered is a stored command.
func (m *Commands) numbered(n int64) *ask {
	for _, a := range m.stored {
		if a.Number == n {
			return a
		}
	}
	return nil
}

// was is a command that was stored.
func (m *Commands) was(n int64) *ask {
	for _, a := range m.ended {
		if a.Number == n {
			return a
		}
	}
	return nil
}

// event is one that is stored, or was.
func (m *Commands) event(n int64) *told {
	at, found := slices.BinarySearchFunc(m.events, n, func(e *told, n int64) int { return int(e.Number - n) })
	if !found {
		return nil
	}
	return m.events[at]
}

// first is the command of the key with the lowest number; nil: none.
func (m *Commands) first(key command.Key) *ask {
	for _, a := range m.stored {
		if a.Key == key {
			return a
		}
	}
	return nil
}

// Owed is what has still to happen to what is stored, with the property that says so; both are empty for nothing.
func (m *Commands) Owed() (property, what string) {
	m.World.Inline(func() {
		if len(m.stored) > 0 {
			a := m.stored[0]
			property, what = "Q10", "command "+string(a.Correlation)+" of "+a.Key.String()+" has not ended"
			return
		}
		for _, e := range m.events {
			if !e.taken {
				property, what = "Q2", "the "+e.Kind.String()+" event that answers "+string(e.Correlation)+" was not taken"
				return
			}
		}
	})
	return property, what
}

// Stored says how many commands and events are stored.
func (m *Commands) Stored() (commands, events int) {
	for _, e := range m.events {
		if !e.taken {
			events++
		}
	}
	return len(m.stored), events
}

// Finish judges the histories, and names the correlation ids that are undecided. It is for the end of a run.
func (m *Commands) Finish() (undecided []string) {
	m.World.Inline(func() {
		v := m.correlations.Check(historyTries)
		if v.Illegal != "" {
			m.World.Exhibit("linearizable", "history.html", v.Picture)
			m.fail("linearizable", "%s", v.Story)
		}
		undecided = v.Unknown
	})
	return undecided
}
