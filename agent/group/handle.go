package group

import (
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// handle deals with an event. What is refused is so by an error, after which nothing of it has happened.
func (g *Agent[T]) handle(c *command.Change[T], e command.Event) error {
	if e.Correlation != "" {
		k, found, err := c.Tx.Continuation(e.Correlation)
		if err != nil {
			return err
		}
		if found {
			return g.proceed(c, k, e)
		}
	}
	group, member, which, err := memberOf(e.Connection)
	if err != nil {
		return err
	}
	m, found, err := c.Tx.Member(group, member)
	switch {
	case err != nil:
		return err
	case !found:
		return refuse("%s of the group %s is unknown", member, group)
	case e.Kind == command.Error || e.Kind == command.Ended:
		return g.fail(c, m, string(e.Body))
	case m.Status.Ended():
		return refuse("%s of the group %s is %s", member, group, m.Status)
	}
	x, err := g.here(c, group)
	if err != nil {
		return err
	}
	switch e.Kind {
	case command.Confirmation:
		return g.confirmed(c, x, m, which, e)
	case command.Info:
		return g.informed(c, x, m, which, e)
	case command.Connected:
		return g.connected(c, x, m, which)
	case command.Message:
		p, err := decode(e.Body)
		if err != nil {
			return err
		}
		switch {
		case which != InGroup:
		case m.ID == x.Host:
			return g.fromHost(c, x, p)
		case x.Me == x.Host:
			return g.toHost(c, x, m, p)
		}
		return refuse("%s says %s over the %s connection", m.ID, p.Kind, which)
	}
	return refuse("nobody waits for %s of %s", e.Kind, e.Connection)
}

// confirmed is CONF: whoever was given the link wants to connect.
func (g *Agent[T]) confirmed(c *command.Change[T], x Group, m Member, which Which, e command.Event) error {
	p, err := decode(e.Body)
	answer, wanted := message{Kind: okay}, info
	switch {
	case err != nil:
	case x.Me == x.Host && m.Status == Invited:
		wanted = accept
	case x.Me != x.Host && m.Status == IntroInvited:
		if which == InGroup {
			answer = message{Kind: info, Member: x.Me}
		}
	default:
		err = refuse("%s confirms a connection, but is %s", m.ID, m.Status)
	}
	if err == nil && (p.Kind != wanted || p.Member != m.ID) { // property G7
		err = refuse("who confirms the connection with %s says %s %s", m.ID, p.Kind, p.Member)
	}
	if err != nil {
		return g.reject(c, m, e, err)
	}
	if x.Me == x.Host {
		m.Deadline = g.deadline()
		g.reminded(c, m)
		if err := g.advance(c, &m, Accepted); err != nil {
			return err
		}
	}
	k := Continuation{Connection: e.Connection, Expects: command.OK, Kind: Nothing, Group: x.ID, Member: m.ID}
	return g.await(c, k, func(correlation command.Correlation) error {
		return g.connections.Allow(c, e.Connection, correlation, answer.encode())
	})
}

// informed is INFO: who has given the link has allowed the connection.
func (g *Agent[T]) informed(c *command.Change[T], x Group, m Member, which Which, e command.Event) error {
	p, err := decode(e.Body)
	wanted := message{Kind: okay}
	if which == InGroup && m.ID != x.Host {
		wanted = message{Kind: info, Member: m.ID}
	}
	if err == nil && (p.Kind != wanted.Kind || p.Member != wanted.Member) { // property G7
		err = refuse("who allows the connection with %s says %s %s", m.ID, p.Kind, p.Member)
	}
	if err != nil {
		return g.reject(c, m, e, err)
	}
	return nil
}

// reject ends a connection with somebody else than was meant.
func (g *Agent[T]) reject(c *command.Change[T], m Member, e command.Event, why error) error {
	if !refused(why) {
		return why
	}
	g.observe(c, Refused{e, why.Error()})
	if err := g.connections.Delete(c, e.Connection, ""); err != nil {
		return err
	}
	return g.fail(c, m, why.Error())
}

// connected is CON. With the host there is one connection, with others there are two.
func (g *Agent[T]) connected(c *command.Change[T], x Group, m Member, which Which) error {
	m.Connected[which] = true
	all := m.ID == x.Host || x.Me == x.Host || m.Connected[InGroup] && m.Connected[Direct]
	if !all {
		_, err := c.Tx.PutMember(m)
		return err
	}
	m.Deadline, m.Error = 0, ""
	if x.Me == x.Host {
		x.Numbers++
		m.Number = x.Numbers
		if err := c.Tx.PutGroup(x); err != nil {
			return err
		}
	}
	if err := g.advance(c, &m, Connected); err != nil {
		return err
	}
	switch {
	case x.Me == x.Host:
		return g.introduceNext(c, m, 0)
	case m.ID == x.Host:
		return nil
	}
	return g.tellHost(c, x, message{Kind: met, Member: m.ID})
}

// part deletes the connections with a member. The deletion of the one of the group is answered under the correlation, if that is not empty.
func (g *Agent[T]) part(c *command.Change[T], m Member, correlation command.Correlation) error {
	err := g.connections.Delete(c, ConnectionOf(m.Group, m.ID, Direct), "")
	if err != nil && !refused(err) {
		return err
	}
	err = g.connections.Delete(c, ConnectionOf(m.Group, m.ID, InGroup), correlation)
	if refused(err) { // it is not there
		err = nil
		if correlation != "" {
			err = c.Tell(command.Event{Correlation: correlation, Connection: ConnectionOf(m.Group, m.ID, InGroup), Command: command.Delete, Kind: command.OK})
		}
	}
	return err
}

// join joins a connection with a member by a link.
func (g *Agent[T]) join(c *command.Change[T], id ID, member MemberID, which Which, link protocol.Link, p message) error {
	k := Continuation{Connection: ConnectionOf(id, member, which), Expects: command.Joined, Kind: Nothing, Group: id, Member: member}
	return g.await(c, k, func(correlation command.Correlation) error {
		_, err := g.connections.Join(c, k.Connection, correlation, link, p.encode())
		return err
	})
}

// tell sends a message to a member. If the continuation has a kind, it is run when the router has the message.
func (g *Agent[T]) tell(c *command.Change[T], m Member, p message, k Continuation) error {
	to := ConnectionOf(m.Group, m.ID, InGroup)
	if k.Kind == 0 {
		return g.connections.Send(c, to, "", p.encode())
	}
	k.Connection, k.Expects = to, command.OK
	return g.await(c, k, func(correlation command.Correlation) error { return g.connections.Send(c, to, correlation, p.encode()) })
}

func (g *Agent[T]) tellHost(c *command.Change[T], x Group, p message) error {
	return g.tell(c, Member{Group: x.ID, ID: x.Host}, p, Continuation{})
}
