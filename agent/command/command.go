// Package command is a durable queue of commands (seed 000, "Proposal 2"): an application asks for something that takes a network, goes on
// at once, and is answered later, under the correlation id that it gave, whatever happens in between.
//
//	q, err := command.New(env, config, store, executor)
//	err = q.Update(func(c *command.Change[Tx]) error {
//		... what the application writes down, with what it will do when the answer comes
//		return c.Add(command.Command{Correlation: id, Key: key, Kind: command.Join, Body: link})
//	})
//	response, ok := q.Responses().Recv()
//	err = q.Update(func(c *command.Change[Tx]) error {
//		if _, found, err := c.Tx.TakeResponse(response.Correlation); !found {
//			return err // it was dealt with before
//		}
//		... what the application does about it
//	})
//
// What the application writes down and its commands are stored in one transaction (property Q1), and so are a response, what it has changed,
// and the end of its command. A response stays stored, and is handed on again after a restart, until the application takes it, in the
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

// Correlation is how an application finds again what it wanted to do when it is answered. It is unique among the commands and responses that are
// stored.
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
)

var kindNames = [...]string{Create: "create", Join: "join", Allow: "allow", Acknowledge: "acknowledge", Delete: "delete"}

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

// ResponseKind is how a command went. They are stored by their values.
type ResponseKind uint8

// The responses of the reference.
const (
	Invitation ResponseKind = iota + 1 // INV
	Joined                             // JOINED
	OK                                 // OK
	Error                              // ERR: the body says in one line what is wrong
)

var responseNames = [...]string{Invitation: "invitation", Joined: "joined", OK: "ok", Error: "error"}

// String is the kind's name.
func (k ResponseKind) String() string {
	if k > 0 && int(k) < len(responseNames) {
		return responseNames[k]
	}
	return fmt.Sprintf("response(%d)", uint8(k))
}

// Response is the one answer to a command.
type Response struct {
	Number      int64 // in the order in which they came about, from 1; the store gives it
	Correlation Correlation
	Connection  Connection
	Command     Kind
	Kind        ResponseKind
	Body        []byte
}

// ErrCorrelation answers who adds a command under a correlation id that is stored with another one, or with a response.
var ErrCorrelation = errors.New("command: the correlation id is in use")

// Store is where commands and responses are kept, with whatever else belongs in a transaction with them.
type Store[T Tx] interface {
	// Update runs f in a transaction, alone, and makes what it did durable; nothing of it if f or Update answers an error. It
	// must not be called from within f, and what f does is done by the methods of the transaction only.
	Update(f func(T) error) error
	// View runs f in a transaction in which nothing is changed.
	View(f func(T) error) error
}

// Tx is a transaction of a Store, as far as this package needs it. Its methods are called by one task; none of them costs more with the number
// of commands and responses that are stored than a search does.
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
	// AddResponse stores a response and answers its number, which is above that of every response that was ever stored; or ErrCorrelation.
	AddResponse(Response) (number int64, err error)
	// NextResponses are at most n of those with a number above after, by number.
	NextResponses(after int64, n int) ([]Response, error)
	// TakeResponse removes a response.
	TakeResponse(Correlation) (r Response, found bool, err error)
}

// Executor does what commands ask for. Its methods are called by many tasks at once, for each key by one at a time.
type Executor[T Tx] interface {
	// Execute carries out a command, outside of any transaction. A command is executed again after an error that is temporary (see
	// protocol.Classify) and after a crash, also if all of its effects were there already: it must then use the same keys, and
	// have no effect twice (property Q7). Any other error is the response. ctx ends when the queue is closed.
	Execute(ctx context.Context, c Command) (Outcome[T], error)
}

// Outcome is what came of a command.
type Outcome[T Tx] struct {
	Kind ResponseKind
	Body []byte
	// Commit, if not nil, writes down what has changed, in the transaction that ends the command. Its error, as every other of the transaction, is
	// one of the store: the command is executed again.
	Commit func(*Change[T]) error
	// Moved, if not nil, is the key under which the command is to be executed anew. There is no response then.
	Moved *Key
}

// Change is what is done in one transaction. It is good until the function that was given it has returned.
type Change[T Tx] struct {
	Tx        T
	added     []Key // that have a new command
	responded bool
}

// Add adds a command.
func (c *Change[T]) Add(command Command) error {
	if command.Key.Connection == "" {
		return fmt.Errorf("add the command %s, %s: it names no connection", command.Correlation, command.Kind)
	}
	if _, err := c.Tx.AddCommand(command); err != nil {
		return fmt.Errorf("add the command %s, %s of %s: %w", command.Correlation, command.Kind, command.Key, err)
	}
	c.added = append(c.added, command.Key)
	return nil
}

// Cancel ends all commands of a connection that is deleted, but for those that delete it, each with an error as its response (property Q14). One that is
// being executed comes to its end, and what comes of it is dropped.
func (c *Change[T]) Cancel(connection Connection, why string) error {
	commands, err := c.Tx.CommandsOf(connection)
	for _, command := range commands {
		if err == nil && command.Kind != Delete {
			_, err = c.respond(command, Error, []byte(why))
		}
	}
	return err
}

// respond ends a command with a response; found is false if it has ended already.
func (c *Change[T]) respond(command Command, kind ResponseKind, body []byte) (found bool, err error) {
	if found, err = c.Tx.EndCommand(command.Number); !found || err != nil {
		return found, err
	}
	c.responded = true
	_, err = c.Tx.AddResponse(Response{
		Correlation: command.Correlation, Connection: command.Key.Connection, Command: command.Kind, Kind: kind, Body: body,
	})
	return true, err
}
