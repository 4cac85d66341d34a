// Package command is a durable queue of commands (seed 000, "Proposal 2"): an application asks for something that takes a network, goes on
// at once, and is answered later, under the correlation id that it gave, whatever happens in between.
//
//	q, err := command.New(env, config, store, executor)
//	err = q.Update(func(c *command.Change[Tx]) error {
//		... what the application writes down, with what it will do when the answer comes
//		return c.Add(command.Command{Correlation: id, Key: key, Kind: command.Join, Body: link})
//	})
//	event, ok := q.Events().Recv()
//	err = q.Update(func(c *command.Change[Tx]) error {
//		if found, err := c.Tx.TakeEvent(event.Number); !found {
//			return err // it was dealt with before
//		}
//		... what the application does about it
//	})
//
// What the application writes down and its commands are stored in one transaction (property Q1), and so are the event that answers a command, what has
// changed, and the end of the command. An event stays stored, and is handed on again after a restart, until the application takes it, in the
// transaction with what it does about it: so that happens once, across a crash at any step (Q2).
//
// Commands with the same key are executed one after the other, in the order in which they were added (Q3), those of different keys side by side (Q5).
package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
)

// Correlation is how an application finds again what it wanted to do when it is answered. It is unique among the commands and events that are
// stored. Events that answer no command have none.
type Correlation string

// Connection is the id of a connection. The application gives it, so that it knows the connection before anything happens there (property Q11).
type Connection string

// Key is what commands are executed in order for.
type Key struct {
	Connection Connection
	Router     protocol.Router // zero: for what needs none
}

// String is the connection and the router.
func (k Key) String() string {
	if k.Router == (protocol.Router{}) {
		return string(k.Connection)
	}
	return string(k.Connection) + " at " + k.Router.String()
}

// Kind is what a command does. They are stored by their values.
type Kind uint8

// The commands of the reference.
const (
	Create      Kind = iota + 1 // NEW, answered by Invitation
	Join                        // JOIN, answered by Joined
	Allow                       // LET, answered by OK
	Acknowledge                 // ACK, answered by OK
	Delete                      // DEL, answered by OK
	Send                        // SEND, answered by OK
	Greet                       // the handshake's own HELLO, which nobody asks for
)

var kindNames = [...]string{Create: "create", Join: "join", Allow: "allow", Acknowledge: "acknowledge", Delete: "delete", Send: "send", Greet: "greet"}

// String is the kind's name.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("command(%d)", uint8(k))
}

// Command is something to be done.
type Command struct {
	Number      int64 // in the order in which they were added, from 1; the store gives it
	Correlation Correlation
	Key         Key
	Kind        Kind
	Body        []byte // what it is about, as the executor reads it
}

// EventKind is what an event says. They are stored by their values.
type EventKind uint8

// The answers to commands, and then what is told of a connection without being asked for.
const (
	Invitation   EventKind = iota + 1 // INV, answers Create
	Joined                            // JOINED, answers Join
	OK                                // OK, answers the others
	Error                             // ERR, answers any: the body says in one line what is wrong
	Confirmation                      // CONF: somebody wants to join
	Info                              // INFO: who has joined was allowed to
	Connected                         // CON: messages can be sent
	Message                           // MSG
	Ended                             // the connection is of no more use: the body says in one line why
)

var eventNames = [...]string{
	Invitation: "invitation", Joined: "joined", OK: "ok", Error: "error", Confirmation: "confirmation", Info: "info", Connected: "connected",
	Message: "message", Ended: "ended",
}

// String is the kind's name.
func (k EventKind) String() string {
	if k > 0 && int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
}

// Event is what an application is told of a connection.
type Event struct {
	Number      int64       // in the order in which they came about, from 1; the store gives it
	Correlation Correlation // of the command that it answers; empty: of none
	Connection  Connection
	Command     Kind // that it answers; 0: none
	Kind        EventKind
	Body        []byte
}

// ErrCorrelation answers who adds a command under a correlation id that is stored with another one, or with an event.
var ErrCorrelation = errors.New("command: the correlation id is in use")

// Store is where commands and events are kept, with whatever else belongs in a transaction with them.
type Store[T Tx] interface {
	// Update runs f in a transaction, alone, and makes what it did durable; nothing of it if f or Update answers an error. It
	// must not be called from within f, and what f does is done by the methods of the transaction only.
	Update(f func(T) error) error
	// View runs f in a transaction in which nothing is changed.
	View(f func(T) error) error
}

// Tx is a transaction of a Store, as far as this package needs it. Its methods are called by one task; none of them costs more with the number
// of commands and events that are stored than a search does.
type Tx interface {
	// AddCommand stores a command and answers its number, which is above that of every command that was ever stored; or ErrCorrelation.
	AddCommand(Command) (number int64, err error)
	// FirstCommand is the command of the key with the lowest number.
	FirstCommand(Key) (c Command, found bool, err error)
	// CommandsOf are the commands of a connection, by number.
	CommandsOf(Connection) ([]Command, error)
	// Keys are those that have commands, each once.
	Keys() ([]Key, error)
	// MoveCommand gives a command another key. It keeps its number, and so comes before all of that key with higher ones (property Q9).
	MoveCommand(number int64, to Key) (found bool, err error)
	// EndCommand removes a command.
	EndCommand(number int64) (found bool, err error)
	// AddEvent stores an event and answers its number, which is above that of every event that was ever stored; or ErrCorrelation, if its correlation is
	// not empty.
	AddEvent(Event) (number int64, err error)
	// NextEvents are at most n of those with a number above after, by number.
	NextEvents(after int64, n int) ([]Event, error)
	// TakeEvent removes an event.
	TakeEvent(number int64) (found bool, err error)
}

// Executor does what commands ask for. Its methods are called by many tasks at once, for each key by one at a time.
type Executor[T Tx] interface {
	// Execute carries out a command, outside of any transaction. A command is executed again after an error that is temporary (see
	// protocol.Classify) and after a crash, also if all of its effects were there already: it must then use the same keys, and
	// have no effect twice (property Q7). Any other error is its answer. ctx ends when the queue is closed.
	Execute(ctx context.Context, c Command) (Outcome[T], error)
}

// Outcome is what came of a command.
type Outcome[T Tx] struct {
	// Kind and Body are those of the event that answers the command; Kind 0: it ends without one.
	Kind EventKind
	Body []byte
	// Commit, if not nil, writes down what has changed, in the transaction that ends the command. Its error, as every other of the transaction, is
	// one of the store: the command is executed again.
	Commit func(*Change[T]) error
	// Moved, if not nil, is the key under which the command is to be executed anew. There is no event then.
	Moved *Key
}

// Change is what is done in one transaction. It is good until the function that was given it has returned.
type Change[T Tx] struct {
	Tx    T
	added []Key    // that have a new command
	told  bool     // of something new
	after []func() // see After
}

// After lets f run once what is done here is stored, in the task that did it; never, if it is not, or the process dies before. f may use primitives of
// package sched and begin another transaction.
func (c *Change[T]) After(f func()) { c.after = append(c.after, f) }

// Add adds a command.
func (c *Change[T]) Add(command Command) error {
	if err := command.validate(); err != nil {
		return fmt.Errorf("add the command %s, %s: %w", command.Correlation, command.Kind, err)
	}
	if _, err := c.Tx.AddCommand(command); err != nil {
		return fmt.Errorf("add the command %s, %s of %s: %w", command.Correlation, command.Kind, command.Key, err)
	}
	c.added = append(c.added, command.Key)
	return nil
}

// validate says what cannot be stored so that it is read back.
func (c Command) validate() error {
	if c.Correlation == "" {
		return errors.New("it has no correlation id")
	}
	return c.Key.validate()
}

func (k Key) validate() error {
	if k.Connection == "" {
		return errors.New("it names no connection")
	}
	if k.Router == (protocol.Router{}) {
		return nil
	}
	if r, err := protocol.ParseRouter(k.Router.String()); err != nil {
		return err
	} else if r != k.Router {
		return fmt.Errorf("the router %q would be read back as %+v", k.Router, r)
	}
	return nil
}

// Tell stores an event, which is handed on as all are. With the correlation of a command that is stored, or of an event, it answers ErrCorrelation.
func (c *Change[T]) Tell(e Event) error {
	_, err := c.Tx.AddEvent(e)
	c.told = true
	return err
}

// Cancel ends all commands of a connection that is deleted, but for those that delete it, each with an error as its answer (property Q14). One that is
// being executed comes to its end, and what comes of it is dropped.
func (c *Change[T]) Cancel(connection Connection, why string) error {
	commands, err := c.Tx.CommandsOf(connection)
	for _, command := range commands {
		if err == nil && command.Kind != Delete {
			_, err = c.answer(command, Error, []byte(why))
		}
	}
	return err
}

// answer ends a command with an event, or without one if its kind is 0; found is false if it has ended already.
func (c *Change[T]) answer(command Command, kind EventKind, body []byte) (found bool, err error) {
	if found, err = c.Tx.EndCommand(command.Number); !found || err != nil || kind == 0 {
		return found, err
	}
	return true, c.Tell(Event{
		Correlation: command.Correlation, Connection: command.Key.Connection, Command: command.Kind, Kind: kind, Body: body,
	})
}
