package group

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
)

// Environment is the world that an agent lives in. Small is the small agent, as for package connection. The observers may be nil.
type Environment struct {
	Scheduler   sched.Scheduler
	Clock       clock.Clock
	Small       *agent.Agent
	Observer    Observer
	Connections connection.Observer
	Commands    command.Observer
}

// Config is what can be set on an agent.
type Config struct {
	Connections connection.Config
	// Timeout is after which time a member that is not connected is told to be late (property G1).
	Timeout time.Duration
}

// Agent is a member of any number of groups. Its methods may be called from any task; those with a Change within its transaction only.
type Agent[T Tx] struct {
	env         Environment
	config      Config
	store       command.Store[T]
	connections *connection.Agent[T]
	tasks       sched.WaitGroup
	ctx         context.Context // ends with Close
	end         context.CancelFunc
	sooner      *sched.Chan[struct{}] // sent to when another deadline is the first

	mu        sched.Mutex
	deadlines deadlines
}

// membersAtOnce bounds the members that are in memory while an agent starts.
const membersAtOnce = 256

// Start makes an agent and goes on from what is stored: connections are subscribed, and what was to be done, is.
func Start[T Tx](env Environment, config Config, store command.Store[T]) (*Agent[T], error) {
	if config.Timeout <= 0 {
		return nil, fmt.Errorf("group: Timeout is %v; want more than 0", config.Timeout)
	}
	connections, err := connection.Start(connection.Environment{
		Scheduler: env.Scheduler, Clock: env.Clock, Small: env.Small, Observer: env.Connections, Commands: env.Commands,
	}, config.Connections, store)
	if err != nil {
		return nil, err
	}
	s := env.Scheduler
	g := &Agent[T]{
		env: env, config: config, store: store, connections: connections, tasks: sched.NewWaitGroup(s), mu: sched.NewMutex(s),
		sooner: sched.NewChan[struct{}](s, 1),
	}
	g.ctx, g.end = sched.WithCancel(s, context.Background())
	g.spawn("events", g.takeAll)
	g.spawn("deadlines", g.watch)
	if err := g.resume(); err != nil {
		g.Close()
		return nil, fmt.Errorf("group: go on from what is stored: %w", err)
	}
	return g, nil
}

// Close ends the agent, and answers when all its tasks have ended; the small agent is to be closed before.
func (g *Agent[T]) Close() {
	g.end()
	g.connections.Queue().Close() // after which there are no events
	g.tasks.Wait()
	g.connections.Close()
}

func (g *Agent[T]) spawn(name string, f func()) {
	g.tasks.Add(1)
	g.env.Scheduler.Go(name, func() {
		defer g.tasks.Done()
		f()
	})
}

// Update runs f in a transaction; what it asks for is done once it is stored.
func (g *Agent[T]) Update(f func(*command.Change[T]) error) error {
	return g.connections.Queue().Update(f)
}

// Found makes a group, with me as its host.
func (g *Agent[T]) Found(c *command.Change[T], id ID, me MemberID) error {
	if _, known, err := c.Tx.Group(id); err != nil || known {
		return cmp.Or(err, fmt.Errorf("found the group %s: %w", id, ErrKnown))
	}
	return c.Tx.PutGroup(Group{ID: id, Me: me, Host: me, Status: Connected})
}

// Invite creates a link for a new member of a group that is hosted here. It is there some time later: see InvitationFor.
func (g *Agent[T]) Invite(c *command.Change[T], id ID, member MemberID) error {
	x, err := g.hosted(c, id)
	if err != nil {
		return fmt.Errorf("invite %s: %w", member, err)
	}
	if _, known, err := c.Tx.Member(id, member); err != nil || known || member == x.Me {
		return cmp.Or(err, fmt.Errorf("invite %s to the group %s: %w", member, id, ErrKnown))
	}
	if err := g.add(c, Member{Group: id, ID: member, Status: Invited}); err != nil {
		return err
	}
	k := Continuation{Connection: ConnectionOf(id, member, InGroup), Expects: command.Invitation, Kind: OfferLink, Group: id, Member: member}
	return g.await(c, k, func(correlation command.Correlation) error {
		_, err := g.connections.Create(c, k.Connection, correlation)
		return err
	})
}

// InvitationFor is what a member that was invited is to be given, once it is there.
func InvitationFor[T Tx](tx T, id ID, member MemberID) (i Invitation, found bool, err error) {
	x, found, err := tx.Group(id)
	if err != nil || !found {
		return i, false, err
	}
	m, found, err := tx.Member(id, member)
	if err != nil || !found || m.Links[InGroup] == "" || m.Status.Ended() || x.Me != x.Host {
		return i, false, err
	}
	link, err := protocol.ParseLink(m.Links[InGroup])
	return Invitation{Group: id, Host: x.Me, Member: member, Link: link}, err == nil, err
}

// Accept joins a group.
func (g *Agent[T]) Accept(c *command.Change[T], i Invitation) error {
	if _, known, err := c.Tx.Group(i.Group); err != nil || known {
		return cmp.Or(err, fmt.Errorf("join the group %s: %w", i.Group, ErrKnown))
	}
	if err := c.Tx.PutGroup(Group{ID: i.Group, Me: i.Member, Host: i.Host, Status: Connected}); err != nil {
		return err
	}
	if err := g.add(c, Member{Group: i.Group, ID: i.Host, Status: Accepted, Deadline: g.deadline()}); err != nil {
		return err
	}
	return g.join(c, i.Group, i.Host, InGroup, i.Link, message{Kind: accept, Member: i.Member})
}

// Remove removes a member from a group that is hosted here.
func (g *Agent[T]) Remove(c *command.Change[T], id ID, member MemberID) error {
	if _, err := g.hosted(c, id); err != nil {
		return fmt.Errorf("remove %s: %w", member, err)
	}
	m, found, err := c.Tx.Member(id, member)
	if err != nil || !found || m.Status.Ended() {
		return cmp.Or(err, fmt.Errorf("remove %s from the group %s: %w", member, id, ErrUnknownMember))
	}
	was := m.Status
	if err := g.advance(c, &m, Removed); err != nil {
		return err
	}
	if was < Connected {
		err = g.part(c, m, "")
	} else {
		err = g.tell(c, m, message{Kind: expel, Member: m.ID}, Continuation{Kind: PartFrom, Group: id, Member: m.ID})
	}
	if err != nil {
		return err
	}
	return g.expelNext(c, m, 0)
}

// Leave leaves a group that somebody else hosts. All that is here of it is deleted, one member after the other.
func (g *Agent[T]) Leave(c *command.Change[T], id ID) error {
	x, err := g.here(c, id)
	switch {
	case err != nil:
		return err
	case x.Me == x.Host:
		return fmt.Errorf("leave the group %s: it is hosted here: remove its members", id)
	}
	x.Status = Left
	if err := c.Tx.PutGroup(x); err != nil {
		return err
	}
	host, _, err := c.Tx.Member(id, x.Host)
	if err != nil {
		return err
	}
	if host.Status != Connected {
		return g.dissolveNext(c, id, 0)
	}
	return g.tell(c, host, message{Kind: leave}, Continuation{Kind: DissolveNext, Group: id, Member: host.ID})
}

// here is a group that has not ended.
func (g *Agent[T]) here(c *command.Change[T], id ID) (x Group, err error) {
	x, found, err := c.Tx.Group(id)
	if err == nil && (!found || x.Status.Ended()) {
		err = fmt.Errorf("the group %s: %w", id, ErrUnknownGroup)
	}
	return x, err
}

func (g *Agent[T]) hosted(c *command.Change[T], id ID) (x Group, err error) {
	x, err = g.here(c, id)
	if err == nil && x.Me != x.Host {
		err = fmt.Errorf("the group %s: %w", id, ErrHost)
	}
	return x, err
}

// resume goes on from what is stored.
func (g *Agent[T]) resume() error {
	for last := int64(0); ; {
		var members []Member
		if err := g.store.View(func(tx T) (err error) {
			members, err = tx.NextMembers(last, membersAtOnce)
			return err
		}); err != nil || len(members) == 0 {
			return err
		}
		var ids []command.Connection
		for _, m := range members {
			last = m.Row
			if m.Status.Ended() {
				continue
			}
			ids = append(ids, ConnectionOf(m.Group, m.ID, InGroup), ConnectionOf(m.Group, m.ID, Direct))
			if m.Deadline != 0 {
				g.remind(deadline{m.Deadline, m.Group, m.ID})
			}
		}
		connections, err := g.connections.Subscribe(ids...)
		if err != nil {
			return err
		}
		if err := g.Update(func(c *command.Change[T]) error { return g.catchUp(c, connections) }); err != nil {
			return err
		}
	}
}

// catchUp tells again what a connection's status says has happened, where a continuation still waits for it and nothing that is stored will tell it:
// seed 000, "On subscription check whether connection's status has changed, if yes, run respective continuation - same as on success event".
func (g *Agent[T]) catchUp(c *command.Change[T], connections []connection.Connection) error {
	for _, x := range connections {
		waiting, err := c.Tx.ContinuationsOf(x.ID)
		if err != nil {
			return err
		}
		for _, k := range waiting {
			e := command.Event{Correlation: k.Correlation, Connection: x.ID, Kind: k.Expects}
			switch {
			case k.Expects == command.Invitation && x.Status >= connection.Created:
				e.Command, e.Body = command.Create, []byte(x.Link().String())
			case k.Expects == command.Joined && x.Status >= connection.Joined:
				e.Command = command.Join
			default:
				continue
			}
			if err := c.Tell(e); err != nil && !errors.Is(err, command.ErrCorrelation) {
				return err
			}
		}
	}
	return nil
}

// takeAll takes events, one after the other, each in a transaction.
func (g *Agent[T]) takeAll() {
	events := g.connections.Queue().Events()
	for {
		e, open := events.Recv()
		if !open {
			return
		}
		g.take(e)
	}
}

// take deals with an event, again and again while the store fails. One that cannot be dealt with changes nothing, but that it was taken.
func (g *Agent[T]) take(e command.Event) {
	schedule := retry.Start(g.config.Connections.Commands.Retry)
	for g.ctx.Err() == nil {
		err := g.Update(func(c *command.Change[T]) error {
			if found, err := c.Tx.TakeEvent(e.Number); !found || err != nil {
				return err
			}
			if e.Kind == command.Message {
				if err := g.connections.Acknowledge(c, e.Connection, ""); err != nil {
					return err
				}
			}
			return g.handle(c, e)
		})
		if refused(err) {
			why := err.Error()
			err = g.Update(func(c *command.Change[T]) error { return g.refuse(c, e, why) })
		}
		if err == nil {
			return
		}
		_ = g.env.Clock.Sleep(g.ctx, schedule.Next()) // its error is that of an agent which is closed
	}
}

// refused says whether an error is about what was asked, and not one of the store.
func refused(err error) bool {
	var r refusal
	return errors.As(err, &r) || errors.Is(err, connection.ErrUnknown) || errors.Is(err, connection.ErrStatus) || errors.Is(err, connection.ErrKnown) ||
		errors.Is(err, command.ErrCorrelation) || errors.Is(err, ErrUnknownGroup)
}

// refuse takes an event for nothing.
func (g *Agent[T]) refuse(c *command.Change[T], e command.Event, why string) error {
	found, err := c.Tx.TakeEvent(e.Number)
	if !found || err != nil {
		return err
	}
	if e.Kind == command.Message {
		if err := g.connections.Acknowledge(c, e.Connection, ""); err != nil && !refused(err) {
			return err
		}
	}
	g.observe(c, Refused{e, why})
	return g.giveUp(c, e, why)
}

// observe tells the observer once the change is stored.
func (g *Agent[T]) observe(c *command.Change[T], t Transition) {
	if o := g.env.Observer; o != nil {
		c.After(func() { o.Observe(t) })
	}
}

// add stores a new member.
func (g *Agent[T]) add(c *command.Change[T], m Member) error {
	g.observe(c, Advanced{m.Group, m.ID, m.Status})
	g.reminded(c, m)
	_, err := c.Tx.PutMember(m)
	return err
}

// advance stores a member, with a status if that is a later one.
func (g *Agent[T]) advance(c *command.Change[T], m *Member, status Status) error {
	if status > m.Status {
		m.Status = status
		g.observe(c, Advanced{m.Group, m.ID, status})
	}
	_, err := c.Tx.PutMember(*m)
	return err
}

// fail records what is wrong with a member.
func (g *Agent[T]) fail(c *command.Change[T], m Member, why string) error {
	if m.Status.Ended() {
		return nil
	}
	m.Error, m.Deadline = why, 0
	g.observe(c, Failed{m.Group, m.ID, why})
	_, err := c.Tx.PutMember(m)
	return err
}
