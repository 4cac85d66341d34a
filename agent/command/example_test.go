package command_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
)

// links is an executor. A temporary error is not for the application: the command is executed again.
type links struct{}

func (links) Execute(_ context.Context, c command.Command) (command.Outcome[*store.MemoryTx], error) {
	if c.Kind != command.Create {
		return command.Outcome[*store.MemoryTx]{}, &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}
	}
	return command.Outcome[*store.MemoryTx]{Kind: command.Invitation, Body: []byte("link of " + c.Key.Connection)}, nil
}

// begin is a process of the application: it goes on from what is stored.
func begin(data *store.Data) (*command.Queue[*store.MemoryTx], error) {
	s := sched.Goroutines()
	return command.New(command.Environment{Scheduler: s, Clock: clock.Wall()}, command.DefaultConfig(),
		store.OpenMemory(s, data), command.Executor[*store.MemoryTx](links{}))
}

// An application asks, goes on, and is answered under the correlation id that it gave; it deals with each answer in the transaction that
// takes the event.
func ExampleQueue_Update() {
	q, err := begin(store.NewData())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer q.Close()
	for _, kind := range []command.Kind{command.Create, command.Join} { // of one key, so they are executed in this order
		err := q.Update(func(c *command.Change[*store.MemoryTx]) error {
			return c.Add(command.Command{Correlation: command.Correlation("my " + kind.String()), Key: command.Key{Connection: "ada"}, Kind: kind})
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	for range 2 {
		event, _ := q.Events().Recv()
		err := q.Update(func(c *command.Change[*store.MemoryTx]) error {
			if found, err := c.Tx.TakeEvent(event.Number); !found {
				return err // it was dealt with before
			}
			fmt.Printf("%s: %s %s\n", event.Correlation, event.Kind, event.Body)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// my create: invitation link of ada
	// my join: error protocol error AUTH
}

// An event that was not taken is handed on again by the next process; until it is, its correlation id is in use.
func ExampleQueue_Events() {
	data := store.NewData()
	for _, taken := range []bool{false, true, true} {
		q, err := begin(data)
		if err != nil {
			fmt.Println(err)
			return
		}
		err = q.Update(func(c *command.Change[*store.MemoryTx]) error {
			return c.Add(command.Command{Correlation: "once", Key: command.Key{Connection: "ada"}, Kind: command.Create})
		})
		fmt.Println("asked before:", errors.Is(err, command.ErrCorrelation))
		event, _ := q.Events().Recv()
		fmt.Printf("told: %d %s\n", event.Number, event.Body)
		if taken {
			err = q.Update(func(c *command.Change[*store.MemoryTx]) error {
				_, err := c.Tx.TakeEvent(event.Number)
				return err
			})
			if err != nil {
				fmt.Println(err)
			}
		}
		q.Close()
	}
	// Output:
	// asked before: false
	// told: 1 link of ada
	// asked before: true
	// told: 1 link of ada
	// asked before: false
	// told: 2 link of ada
}
