package connection

import (
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/sched"
)

// receiveAll takes messages, one after the other, each in a transaction. One that is lost in a crash comes again, since it is acknowledged later.
func (a *Agent[T]) receiveAll() {
	messages := a.env.Small.Messages()
	for {
		message, closing := sched.Recv(messages), sched.Recv(sched.Done(a.ctx))
		if sched.Select2(&message, &closing) == 1 || !message.OK {
			return
		}
		if m := message.Value; m.Response.Kind == protocol.MSG {
			a.update(func(c *command.Change[T]) error { return a.receive(c, m.Router, m.Response) })
		}
	}
}

// update makes a change, again and again while the store fails.
func (a *Agent[T]) update(f func(*command.Change[T]) error) {
	schedule := retry.Start(a.config.Commands.Retry)
	for a.queue.Update(f) != nil && a.ctx.Err() == nil {
		_ = a.env.Clock.Sleep(a.ctx, schedule.Next()) // its error is that of an agent which is closed
	}
}

// receive takes a message, or refuses it. Either way it is acknowledged, but for one of the application's, which does so itself.
func (a *Agent[T]) receive(c *command.Change[T], r protocol.Router, p protocol.Response) error {
	x, found, err := c.Tx.ConnectionAt(r, p.Queue)
	if err != nil || !found || x.Status == Deleted {
		return err
	}
	id, bytes, err := protocol.DecodeMessage(p.Body)
	if err != nil {
		a.observe(c, Refused{x.ID, id, err.Error()})
		return nil
	}
	m, err := decode(bytes)
	switch {
	case err != nil:
	case m.Number <= x.Received:
		if x.Unacknowledged == id {
			return nil // the application has it
		}
		a.observe(c, Repeated{x.ID, m.Number})
		a.acknowledge(c, x, id)
		return nil
	default:
		var stored error
		if stored, err = a.take(c, x, id, m); stored != nil {
			return stored
		}
	}
	if err != nil {
		a.observe(c, Refused{x.ID, id, err.Error()})
	} else if m.Kind == application {
		return nil
	}
	a.acknowledge(c, x, id)
	return nil
}

// take does what a message asks for. The error refused says why it is not taken, and stored is one of the store.
func (a *Agent[T]) take(c *command.Change[T], x Connection, id protocol.MessageID, m content) (stored, refused error) {
	x.Received = m.Number
	switch {
	case m.Kind == confirmation && !x.Joins && x.Status == Created && m.Reply != nil:
		x.Peer, x.PeerKey = *m.Reply, m.Key
		if err := a.advance(c, x, Confirmed); err != nil {
			return err, nil
		}
		return c.Tell(command.Event{Connection: x.ID, Kind: command.Confirmation, Body: m.Body}), nil
	case m.Kind == confirmation && x.Joins && x.Status == Joined:
		x.PeerKey, x.Status = m.Key, Secured
		a.observe(c, Advanced{x.ID, Secured})
		if err := a.send(c, x, "", command.Greet, content{Kind: hello}); err != nil {
			return err, nil
		}
		return c.Tell(command.Event{Connection: x.ID, Kind: command.Info, Body: m.Body}), nil
	case m.Kind == hello && x.Joins && x.Status == Secured:
		if err := a.advance(c, x, Active); err != nil {
			return err, nil
		}
		return c.Tell(command.Event{Connection: x.ID, Kind: command.Connected}), nil
	case m.Kind == hello && !x.Joins && x.Status == Allowed:
		x.Status = Active
		a.observe(c, Advanced{x.ID, Active})
		if err := a.send(c, x, "", command.Greet, content{Kind: hello}); err != nil {
			return err, nil
		}
		return c.Tell(command.Event{Connection: x.ID, Kind: command.Connected}), nil
	case m.Kind == application && x.Status == Active:
		x.Unacknowledged = id
		if err := c.Tx.PutConnection(x); err != nil {
			return err, nil
		}
		return c.Tell(command.Event{Connection: x.ID, Kind: command.Message, Body: m.Body}), nil
	}
	return nil, fmt.Errorf("a %s does not fit a connection that is %s", m.Kind, x.Status)
}

// endAll takes the small agent's events: of these the ends of subscriptions matter.
func (a *Agent[T]) endAll() {
	events := a.env.Small.Events()
	for {
		event, closing := sched.Recv(events), sched.Recv(sched.Done(a.ctx))
		if sched.Select2(&event, &closing) == 1 || !event.OK {
			return
		}
		switch e := event.Value; {
		case e.Kind == agent.SubError:
			for _, q := range e.Errors {
				a.ended(e.Router, q.Queue, q.Err)
			}
		case e.Kind == agent.Ended && e.Reason == protocol.DELD:
			for _, q := range e.Queues {
				a.ended(e.Router, q, errDeleted)
			}
		case e.Kind == agent.Ended: // by an earlier process of ours, which nobody reads any more: nobody else has the keys
			for _, q := range e.Queues {
				a.subscribeAgain(e.Router, q)
			}
		}
	}
}

var errDeleted = errors.New("the router has deleted its queue")

// ended tells that no messages come any more.
func (a *Agent[T]) ended(r protocol.Router, q protocol.QueueID, why error) {
	a.update(func(c *command.Change[T]) error {
		x, found, err := c.Tx.ConnectionAt(r, q)
		if err != nil || !found || x.Status == Deleted {
			return err
		}
		return c.Tell(command.Event{Connection: x.ID, Kind: command.Ended, Body: []byte(why.Error())})
	})
}

func (a *Agent[T]) subscribeAgain(r protocol.Router, q protocol.QueueID) {
	a.update(func(c *command.Change[T]) error {
		x, found, err := c.Tx.ConnectionAt(r, q)
		if err == nil && found && x.Status != Deleted {
			c.After(func() { a.spawn("subscribe", func() { a.subscribe(r, agent.QueueSub{Queue: q, Key: x.Key}) }) })
		}
		return err
	})
}

// is says whether a router has answered with that code.
func is(err error, code string) bool {
	var e *protocol.Error
	return errors.As(err, &e) && e.Kind == protocol.Protocol && e.Code == code
}
