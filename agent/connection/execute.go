package connection

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// Execute implements command.Executor. Whatever it does can be done again: a queue is made and secured by keys that are stored, and messages have
// numbers (property Q7).
func (a *Agent[T]) Execute(ctx context.Context, c command.Command) (command.Outcome[T], error) {
	var x Connection
	found := false
	err := a.store.View(func(tx T) (err error) {
		x, found, err = tx.Connection(c.Key.Connection)
		return err
	})
	switch {
	case err != nil:
		return command.Outcome[T]{}, err
	case !found:
		return command.Outcome[T]{}, &protocol.Error{Kind: protocol.Unexpected, Detail: ErrUnknown.Error()}
	}
	o := command.Outcome[T]{Kind: command.OK}
	switch c.Kind {
	case command.Create:
		if err = a.create(ctx, &x); err == nil {
			o.Kind, o.Body, o.Commit = command.Invitation, []byte(x.Link().String()), a.created(x, Created)
		}
	case command.Join:
		if err = a.create(ctx, &x); err == nil {
			link := x.Link()
			err = a.deposit(ctx, x, content{Number: 1, Kind: confirmation, Key: x.SendKey, Reply: &link, Body: c.Body}.encode())
			o.Kind, o.Commit = command.Joined, a.created(x, Joined)
		}
	case command.Allow:
		if err = a.secure(ctx, x); err == nil {
			err = a.deposit(ctx, x, content{Number: 1, Kind: confirmation, Key: x.SendKey, Body: c.Body}.encode())
		}
	case command.Greet:
		if x.Joins {
			err = a.secure(ctx, x)
		}
		if err == nil {
			err = a.deposit(ctx, x, c.Body)
		}
	case command.Send:
		err = a.deposit(ctx, x, c.Body)
	case command.Acknowledge:
		if len(c.Body) != len(protocol.MessageID{}) {
			err = &protocol.Error{Kind: protocol.Parse, Detail: fmt.Sprintf("the id of a message has %d bytes", len(c.Body))}
			break
		}
		err = a.acknowledged(ctx, x, protocol.MessageID(c.Body))
	case command.Delete:
		err = a.remove(ctx, x)
		o.Commit = func(c *command.Change[T]) error { return c.Tx.DropConnection(x.ID) }
	default:
		err = &protocol.Error{Kind: protocol.Unexpected, Detail: "no such command: " + c.Kind.String()}
	}
	if isOwn(c.Correlation) {
		o.Kind, o.Body = 0, nil
	}
	return o, err
}

// create makes the connection's queue, or finds the one that was made before.
func (a *Agent[T]) create(ctx context.Context, x *Connection) error {
	if x.Recipient != (protocol.QueueID{}) {
		return nil
	}
	response, err := a.exchange(ctx, x.Router, protocol.Request{Command: protocol.NEW, Key: x.Key})
	if err != nil {
		return err
	}
	if response.Kind != protocol.IDS {
		return &protocol.Error{Kind: protocol.Unexpected, Detail: string(response.Kind) + " answers NEW"}
	}
	if x.Recipient, x.Sender, err = protocol.DecodeIDs(response.Body); err != nil {
		return &protocol.Error{Kind: protocol.Parse, Detail: err.Error()}
	}
	return nil
}

// created stores the queue of a connection, and subscribes it then.
func (a *Agent[T]) created(made Connection, status Status) func(*command.Change[T]) error {
	return func(c *command.Change[T]) error {
		x, err := a.known(c, made.ID)
		if err != nil {
			return err
		}
		x.Recipient, x.Sender = made.Recipient, made.Sender
		if err := a.advance(c, x, status); err != nil {
			return err
		}
		c.After(func() { a.subscribe(x.Router, agent.QueueSub{Queue: x.Recipient, Key: x.Key}) })
		return nil
	}
}

// secure lets nobody but the other side send to the connection's queue.
func (a *Agent[T]) secure(ctx context.Context, x Connection) error {
	_, err := a.exchange(ctx, x.Router, protocol.Request{Command: protocol.KEY, Queue: x.Recipient, Key: x.Key, Body: []byte(x.PeerKey)})
	return err
}

// deposit sends a message to the other side's queue.
func (a *Agent[T]) deposit(ctx context.Context, x Connection, message []byte) error {
	_, err := a.exchange(ctx, x.Peer.Router, protocol.Request{Command: protocol.SEND, Queue: x.Peer.Sender, Key: x.SendKey, Body: message})
	return err
}

// acknowledged lets the router send the next message. One that it does not wait for was acknowledged before, or comes again.
func (a *Agent[T]) acknowledged(ctx context.Context, x Connection, message protocol.MessageID) error {
	_, err := a.exchange(ctx, x.Router, protocol.Request{Command: protocol.ACK, Queue: x.Recipient, Key: x.Key, Body: message[:]})
	if is(err, protocol.CodeNoMessage) {
		return nil
	}
	return err
}

// remove deletes the connection's queue, also one that was made and not stored.
func (a *Agent[T]) remove(ctx context.Context, x Connection) error {
	err := a.create(ctx, &x)
	if err == nil {
		_, err = a.exchange(ctx, x.Router, protocol.Request{Command: protocol.DEL, Queue: x.Recipient, Key: x.Key})
	}
	if is(err, protocol.CodeAuth) { // it is gone
		return nil
	}
	return err
}

// exchange asks a router for one thing.
func (a *Agent[T]) exchange(ctx context.Context, r protocol.Router, request protocol.Request) (protocol.Response, error) {
	client, err := a.env.Small.Client(ctx, r)
	if err != nil {
		return protocol.Response{}, err
	}
	answers, err := client.Exchange(ctx, []protocol.Request{request})
	if err != nil {
		return protocol.Response{}, err
	}
	return answers[0].Response, answers[0].Err
}
