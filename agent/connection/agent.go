package connection

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
)

// Environment is the world that an agent lives in. Small is the small agent that subscribes its queues; it belongs to this agent, which takes its
// events and messages, and is closed by who made it. Observer and Commands, which watches the queue of commands, may be nil.
type Environment struct {
	Scheduler sched.Scheduler
	Clock     clock.Clock
	Small     *agent.Agent
	Observer  Observer
	Commands  command.Observer
}

// Config is what can be set on an agent.
type Config struct {
	Commands command.Config
	// Routers are those on which queues are made: each connection has one of them, by its id.
	Routers []protocol.Router
}

// Agent makes connections and keeps them. Its methods may be called from any task; those with a Change within its transaction only.
type Agent[T Tx] struct {
	env    Environment
	config Config
	store  command.Store[T]
	queue  *command.Queue[T]
	tasks  sched.WaitGroup
	ctx    context.Context // ends with Close
	end    context.CancelFunc
}

// Start makes an agent and starts it with what is stored. No message arrives before its connection is subscribed: see Subscribe.
func Start[T Tx](env Environment, config Config, store command.Store[T]) (*Agent[T], error) {
	if env.Small == nil {
		return nil, errors.New("connection: an agent needs a small agent")
	}
	if len(config.Routers) == 0 {
		return nil, errors.New("connection: Routers is empty; want one or more")
	}
	config.Routers = slices.Clone(config.Routers)
	a := &Agent[T]{env: env, config: config, store: store, tasks: sched.NewWaitGroup(env.Scheduler)}
	a.ctx, a.end = sched.WithCancel(env.Scheduler, context.Background())
	// Commands that are stored are carried out from here on: all that this needs is there.
	queue, err := command.New(command.Environment{Scheduler: env.Scheduler, Clock: env.Clock, Observer: env.Commands}, config.Commands, store, command.Executor[T](a))
	if err != nil {
		a.end()
		return nil, err
	}
	a.queue = queue
	a.spawn("messages", a.receiveAll)
	a.spawn("endings", a.endAll)
	return a, nil
}

// Queue is the queue of its commands: the application's transactions are made there, and its events arrive there.
func (a *Agent[T]) Queue() *command.Queue[T] { return a.queue }

// Close ends the agent, and answers when all its tasks have ended; the small agent is to be closed before.
func (a *Agent[T]) Close() {
	a.end()
	a.queue.Close()
	a.tasks.Wait()
}

// Subscribe lets messages of connections come, now and whenever a session was lost, and answers where each connection is, as far as it is there: what has
// become of it before can be told from that (seed 000, "Return connection status on subscriptions"). It waits for no network.
func (a *Agent[T]) Subscribe(ids ...command.Connection) (connections []Connection, err error) {
	err = a.store.View(func(tx T) error {
		connections = connections[:0]
		for _, id := range ids {
			c, found, err := tx.Connection(id)
			if err != nil {
				return err
			}
			if found {
				connections = append(connections, c)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var routers []protocol.Router
	queues := map[protocol.Router][]agent.QueueSub{}
	for _, c := range connections {
		if c.Recipient == (protocol.QueueID{}) || c.Status == Deleted {
			continue
		}
		if queues[c.Router] == nil {
			routers = append(routers, c.Router)
		}
		queues[c.Router] = append(queues[c.Router], agent.QueueSub{Queue: c.Recipient, Key: c.Key})
	}
	for _, r := range routers {
		a.spawn("subscribe", func() { a.subscribe(r, queues[r]...) })
	}
	return connections, nil
}

// subscribe subscribes queues. Whatever its outcome, they are wanted from now on.
func (a *Agent[T]) subscribe(r protocol.Router, queues ...agent.QueueSub) {
	_ = a.env.Small.SubscribeQueues(a.ctx, r, queues)
}

// Create makes a connection, whose command is answered by Invitation with a link.
func (a *Agent[T]) Create(c *command.Change[T], id command.Connection, correlation command.Correlation) (Status, error) {
	x, err := a.make(c, id)
	if err != nil {
		return 0, err
	}
	if err := c.Tx.PutConnection(x); err != nil {
		return 0, err
	}
	return x.Status, c.Add(command.Command{Correlation: correlation, Key: x.at(), Kind: command.Create})
}

// Join makes a connection with who has given the link. The info reaches him with Confirmation. The command is answered by Joined.
func (a *Agent[T]) Join(c *command.Change[T], id command.Connection, correlation command.Correlation, link protocol.Link, info []byte) (Status, error) {
	x, err := a.make(c, id)
	if err != nil {
		return 0, err
	}
	x.Joins, x.Peer, x.Sent = true, link, 1
	if err := c.Tx.PutConnection(x); err != nil {
		return 0, err
	}
	return x.Status, c.Add(command.Command{Correlation: correlation, Key: x.at(), Kind: command.Join, Body: info})
}

// make is a new connection with its keys.
func (a *Agent[T]) make(c *command.Change[T], id command.Connection) (x Connection, err error) {
	switch _, known, err := c.Tx.Connection(id); {
	case err != nil:
		return x, err
	case known:
		return x, fmt.Errorf("%s: %w", id, ErrKnown)
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // it never fails
	router := a.config.Routers[int(hash.Sum32()%uint32(len(a.config.Routers)))]
	return Connection{ID: id, Status: New, Router: router, Key: a.key(), SendKey: a.key()}, nil
}

// key is a new key. It is text, since it travels in messages.
func (a *Agent[T]) key() protocol.AuthKey {
	var bytes [32]byte
	a.env.Scheduler.Read(bytes[:])
	return protocol.AuthKey(fmt.Sprintf("%x", bytes))
}

// Allow lets who has confirmed the connection have it. The info reaches him with Info. The command is answered by OK.
func (a *Agent[T]) Allow(c *command.Change[T], id command.Connection, correlation command.Correlation, info []byte) error {
	x, err := a.known(c, id)
	if err != nil {
		return err
	}
	if x.Status != Confirmed {
		return fmt.Errorf("allow %s, which is %s: %w", id, x.Status, ErrStatus)
	}
	x.Sent = 1
	if err := a.advance(c, x, Allowed); err != nil {
		return err
	}
	return c.Add(command.Command{Correlation: correlation, Key: x.at(), Kind: command.Allow, Body: info})
}

// Send sends a message over a connection that is active. With a correlation the command is answered by OK when the router has it; without one only an
// error is told.
func (a *Agent[T]) Send(c *command.Change[T], id command.Connection, correlation command.Correlation, body []byte) error {
	x, err := a.known(c, id)
	if err != nil {
		return err
	}
	if x.Status != Active {
		return fmt.Errorf("send over %s, which is %s: %w", id, x.Status, ErrStatus)
	}
	return a.send(c, x, correlation, command.Send, content{Kind: application, Body: body})
}

// send gives a message its number, and makes it a command.
func (a *Agent[T]) send(c *command.Change[T], x Connection, correlation command.Correlation, kind command.Kind, m content) error {
	x.Sent++
	m.Number = x.Sent
	if err := c.Tx.PutConnection(x); err != nil {
		return err
	}
	if correlation == "" {
		correlation = own(kind, x.ID, m.Number)
	}
	return c.Add(command.Command{Correlation: correlation, Key: x.towards(), Kind: kind, Body: m.encode()})
}

// Acknowledge says that the application has taken the last Message of a connection: only then comes the next one. With a correlation it is a command, answered
// by OK. Without one it is not stored: if it is lost in a crash, or with its session, the message comes again and is acknowledged again.
func (a *Agent[T]) Acknowledge(c *command.Change[T], id command.Connection, correlation command.Correlation) error {
	x, err := a.known(c, id)
	if err != nil {
		return err
	}
	message := x.Unacknowledged
	if message == (protocol.MessageID{}) {
		return fmt.Errorf("acknowledge a message of %s, where none waits for it: %w", id, ErrStatus)
	}
	x.Unacknowledged = protocol.MessageID{}
	if err := c.Tx.PutConnection(x); err != nil {
		return err
	}
	if correlation == "" {
		a.acknowledge(c, x, message)
		return nil
	}
	return c.Add(command.Command{Correlation: correlation, Key: x.at(), Kind: command.Acknowledge, Body: message[:]})
}

// acknowledge acknowledges a message once the change is stored: it is one whose effects are there.
func (a *Agent[T]) acknowledge(c *command.Change[T], x Connection, message protocol.MessageID) {
	c.After(func() {
		a.spawn("acknowledge", func() {
			for schedule := retry.Start(a.config.Commands.Retry); ; {
				err := a.acknowledged(a.ctx, x, message)
				switch {
				case err == nil || a.ctx.Err() != nil:
					return
				case protocol.Classify(err) != protocol.Temporary:
					a.ended(x.Router, x.Recipient, err)
					return
				}
				_ = a.env.Clock.Sleep(a.ctx, schedule.Next()) // its error is that of an agent which is closed
			}
		})
	})
}

// Delete deletes a connection and its queue. All its other commands end, each with an error (property Q14). With a correlation the command is answered by OK.
func (a *Agent[T]) Delete(c *command.Change[T], id command.Connection, correlation command.Correlation) error {
	x, err := a.known(c, id)
	if err != nil {
		return err
	}
	if err := c.Cancel(id, "the connection is deleted"); err != nil {
		return err
	}
	if err := a.advance(c, x, Deleted); err != nil {
		return err
	}
	if x.Recipient != (protocol.QueueID{}) {
		c.After(func() { _ = a.env.Small.RemoveQueues(x.Router, []protocol.QueueID{x.Recipient}) }) // it fails if the small agent is closed
	}
	if correlation == "" {
		correlation = own(command.Delete, id, "")
	}
	return c.Add(command.Command{Correlation: correlation, Key: x.at(), Kind: command.Delete})
}

// known is a connection that is there and not being deleted.
func (a *Agent[T]) known(c *command.Change[T], id command.Connection) (Connection, error) {
	x, found, err := c.Tx.Connection(id)
	if err == nil && (!found || x.Status == Deleted) {
		err = fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	return x, err
}

// advance stores a connection with a later status.
func (a *Agent[T]) advance(c *command.Change[T], x Connection, status Status) error {
	if x.Status >= status {
		return c.Tx.PutConnection(x)
	}
	x.Status = status
	a.observe(c, Advanced{x.ID, status})
	return c.Tx.PutConnection(x)
}

// observe tells the observer once the change is stored.
func (a *Agent[T]) observe(c *command.Change[T], t Transition) {
	if o := a.env.Observer; o != nil {
		c.After(func() { o.Observe(t) })
	}
}

func (a *Agent[T]) spawn(name string, f func()) {
	a.tasks.Add(1)
	a.env.Scheduler.Go(name, func() {
		defer a.tasks.Done()
		f()
	})
}

// own is the correlation of a command that nobody but this package asks for: no event answers it, but an error.
func own(kind command.Kind, id command.Connection, what any) command.Correlation {
	return command.Correlation(fmt.Sprintf("~%v %s %v", kind, id, what))
}

func isOwn(c command.Correlation) bool { return strings.HasPrefix(string(c), "~") }
