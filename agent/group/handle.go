package group

import (
	"fmt"

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

// fromHost is what the host says to members.
func (g *Agent[T]) fromHost(c *command.Change[T], x Group, p message) error {
	m, found, err := c.Tx.Member(x.ID, p.Member)
	if err != nil {
		return err
	}
	switch p.Kind {
	case intro, announce:
		switch {
		case found || p.Member == x.Me || p.Member == "":
			return refuse("the host says %s of %s, who is known", p.Kind, p.Member)
		case p.Kind == announce:
			_, err := g.add(c, Member{Group: x.ID, ID: p.Member, Status: Announced, Deadline: g.deadline()})
			return err
		}
		if _, err := g.add(c, Member{Group: x.ID, ID: p.Member, Status: Introduced, Deadline: g.deadline()}); err != nil {
			return err
		}
		for _, which := range []Which{InGroup, Direct} {
			k := Continuation{
				Connection: connectionOf(x.ID, p.Member, which), Expects: command.Invitation, Kind: SendLinks, Group: x.ID, Member: p.Member, Which: which,
			}
			if err := g.await(c, k, func(correlation command.Correlation) error {
				_, err := g.connections.Create(c, k.Connection, correlation)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	case forward:
		if !found || m.Status != Announced {
			return refuse("the host forwards links of %s, who is %s", p.Member, described(m, found))
		}
		for which, link := range p.Links {
			if err := g.join(c, x.ID, m.ID, Which(which), link, message{Kind: info, Member: x.Me}); err != nil {
				return err
			}
		}
		return nil
	case expel:
		if p.Member == x.Me {
			x.Status = Removed
			if err := c.Tx.PutGroup(x); err != nil {
				return err
			}
			return g.dissolveNext(c, x.ID, 0)
		}
		if !found || m.Status.Ended() || p.Member == x.Host {
			return refuse("the host removes %s, who is %s", p.Member, described(m, found))
		}
		if err := g.advance(c, &m, Removed); err != nil {
			return err
		}
		return g.part(c, m, "")
	}
	return refuse("the host says %s", p.Kind)
}

func described(m Member, found bool) string {
	if !found {
		return "unknown"
	}
	return m.Status.String()
}

// toHost is what members say to the host.
func (g *Agent[T]) toHost(c *command.Change[T], x Group, m Member, p message) error {
	if p.Kind == leave {
		if err := g.advance(c, &m, Left); err != nil {
			return err
		}
		if err := g.part(c, m, ""); err != nil {
			return err
		}
		return g.expelNext(c, m, 0)
	}
	other, found, err := c.Tx.Member(x.ID, p.Member)
	switch {
	case err != nil:
		return err
	case !found || other.Status.Ended():
		return refuse("%s says %s of %s, who is %s", m.ID, p.Kind, p.Member, described(other, found))
	case p.Kind == invite:
		return g.invited(c, m, other, p)
	case p.Kind == met:
		return g.met(c, m, other)
	}
	return refuse("%s says %s", m.ID, p.Kind)
}

// invited forwards a newcomer's links, on its own word and once (property G6).
func (g *Agent[T]) invited(c *command.Change[T], m, other Member, p message) error {
	i, found, err := c.Tx.Introduction(m.Group, m.ID, other.ID)
	if err != nil {
		return err
	}
	if !found || i.Status >= IntroductionReceived {
		return refuse("%s sends links for %s, to whom it was not introduced, or once more", m.ID, other.ID)
	}
	i.Status = IntroductionReceived
	if err := c.Tx.PutIntroduction(i); err != nil {
		return err
	}
	k := Continuation{Kind: NoteForwarded, Group: m.Group, Member: m.ID, Peer: other.ID}
	return g.tell(c, other, message{Kind: forward, Member: m.ID, Links: p.Links}, k)
}

// met notes that one of two members that were introduced has said that they are connected.
func (g *Agent[T]) met(c *command.Change[T], m, other Member) error {
	newcomer, existing := m, other
	if newcomer.Number < existing.Number {
		newcomer, existing = other, m
	}
	i, found, err := c.Tx.Introduction(m.Group, newcomer.ID, existing.ID)
	switch {
	case err != nil:
		return err
	case !found || i.Status < IntroductionReceived || i.Status == BothConnected || i.Status == OneConnected && i.By == m.ID:
		return refuse("%s says once more that it is connected with %s, or to whom it was not introduced", m.ID, other.ID)
	case i.Status < OneConnected:
		i.Status, i.By = OneConnected, m.ID
		return c.Tx.PutIntroduction(i)
	}
	i.Status = BothConnected
	if err := c.Tx.PutIntroduction(i); err != nil {
		return err
	}
	newcomer.Met++
	return g.complete(c, newcomer)
}

// complete stores a newcomer, who is complete when it is connected with all to whom it was introduced.
func (g *Agent[T]) complete(c *command.Change[T], m Member) error {
	status := m.Status
	if m.All && m.Met == m.Introduced {
		status = Complete
	}
	return g.advance(c, &m, status)
}

// introduceNext introduces a newcomer to the next member that was there before it. The one after that follows when the message has been sent, so that it is
// one step for each, whatever the size of the group.
func (g *Agent[T]) introduceNext(c *command.Change[T], newcomer Member, after int64) error {
	if newcomer.Status.Ended() {
		return nil
	}
	for {
		m, found, err := c.Tx.NextMember(newcomer.Group, after)
		if err != nil {
			return err
		}
		if !found {
			newcomer.All = true
			return g.complete(c, newcomer)
		}
		after = m.Row
		if m.Status.Ended() || m.Number == 0 || m.Number >= newcomer.Number {
			continue // the last will be introduced to the newcomer
		}
		if err := c.Tx.PutIntroduction(Introduction{Group: m.Group, Newcomer: newcomer.ID, Existing: m.ID, Status: IntroductionNew}); err != nil {
			return err
		}
		newcomer.Introduced++
		if _, err := c.Tx.PutMember(newcomer); err != nil {
			return err
		}
		if err := g.tell(c, m, message{Kind: announce, Member: newcomer.ID}, Continuation{}); err != nil {
			return err
		}
		k := Continuation{Kind: IntroduceNext, Group: m.Group, Member: newcomer.ID, Peer: m.ID, After: after}
		return g.tell(c, newcomer, message{Kind: intro, Member: m.ID}, k)
	}
}

// expelNext tells the next member that somebody is gone, if they were to know each other.
func (g *Agent[T]) expelNext(c *command.Change[T], gone Member, after int64) error {
	for {
		m, found, err := c.Tx.NextMember(gone.Group, after)
		if err != nil || !found {
			return err
		}
		after = m.Row
		if m.ID == gone.ID || m.Status.Ended() || m.Number == 0 {
			continue
		}
		newcomer, existing := gone.ID, m.ID
		if gone.Number < m.Number {
			newcomer, existing = m.ID, gone.ID
		}
		if _, known, err := c.Tx.Introduction(gone.Group, newcomer, existing); err != nil {
			return err
		} else if !known {
			continue
		}
		k := Continuation{Kind: ExpelNext, Group: gone.Group, Member: gone.ID, Peer: m.ID, After: after}
		return g.tell(c, m, message{Kind: expel, Member: gone.ID}, k)
	}
}

// dissolveNext deletes the connections with the next member of a group that has ended here.
func (g *Agent[T]) dissolveNext(c *command.Change[T], id ID, after int64) error {
	m, found, err := c.Tx.NextMember(id, after)
	if err != nil {
		return err
	}
	if !found {
		x, _, err := c.Tx.Group(id)
		if err != nil {
			return err
		}
		x.Status = Gone
		return c.Tx.PutGroup(x)
	}
	if err := g.advance(c, &m, Gone); err != nil {
		return err
	}
	k := Continuation{Connection: connectionOf(id, m.ID, InGroup), Expects: command.OK, Kind: DissolveNext, Group: id, Member: m.ID, After: m.Row}
	return g.await(c, k, func(correlation command.Correlation) error { return g.part(c, m, correlation) })
}

// part deletes the connections with a member. The deletion of the one of the group is answered under the correlation, if that is not empty.
func (g *Agent[T]) part(c *command.Change[T], m Member, correlation command.Correlation) error {
	err := g.connections.Delete(c, connectionOf(m.Group, m.ID, Direct), "")
	if err != nil && !refused(err) {
		return err
	}
	err = g.connections.Delete(c, connectionOf(m.Group, m.ID, InGroup), correlation)
	if refused(err) { // it is not there
		err = nil
		if correlation != "" {
			err = c.Tell(command.Event{Correlation: correlation, Connection: connectionOf(m.Group, m.ID, InGroup), Command: command.Delete, Kind: command.OK})
		}
	}
	return err
}

// join joins a connection with a member by a link.
func (g *Agent[T]) join(c *command.Change[T], id ID, member MemberID, which Which, link protocol.Link, p message) error {
	k := Continuation{Connection: connectionOf(id, member, which), Expects: command.Joined, Kind: Nothing, Group: id, Member: member}
	return g.await(c, k, func(correlation command.Correlation) error {
		_, err := g.connections.Join(c, k.Connection, correlation, link, p.encode())
		return err
	})
}

// tell sends a message to a member. If the continuation has a kind, it is run when the router has the message.
func (g *Agent[T]) tell(c *command.Change[T], m Member, p message, k Continuation) error {
	to := connectionOf(m.Group, m.ID, InGroup)
	if k.Kind == 0 {
		return g.connections.Send(c, to, "", p.encode())
	}
	k.Connection, k.Expects = to, command.OK
	return g.await(c, k, func(correlation command.Correlation) error { return g.connections.Send(c, to, correlation, p.encode()) })
}

func (g *Agent[T]) tellHost(c *command.Change[T], x Group, p message) error {
	return g.tell(c, Member{Group: x.ID, ID: x.Host}, p, Continuation{})
}

// await stores a continuation, and then asks for what it waits for, in the same transaction.
func (g *Agent[T]) await(c *command.Change[T], k Continuation, ask func(command.Correlation) error) error {
	var id [16]byte
	g.env.Scheduler.Read(id[:])
	k.Correlation = command.Correlation(fmt.Sprintf("%x", id))
	if err := c.Tx.AddContinuation(k); err != nil {
		return err
	}
	return ask(k.Correlation)
}

// proceed runs a continuation, once: it is dropped in the transaction with all that it does.
func (g *Agent[T]) proceed(c *command.Change[T], k Continuation, e command.Event) error {
	if e.Connection != k.Connection || e.Kind != k.Expects && e.Kind != command.Error { // property Q15
		return refuse("%s of %s answers who waits for %s of %s", e.Kind, e.Connection, k.Expects, k.Connection)
	}
	if err := c.Tx.DropContinuation(k.Correlation); err != nil {
		return err
	}
	g.observe(c, Continued{k, e})
	m, found, err := c.Tx.Member(k.Group, k.Member)
	if err != nil || !found {
		return err
	}
	failed := e.Kind == command.Error
	switch k.Kind { // what is done after an error too
	case PartFrom:
		return g.part(c, m, "")
	case ExpelNext:
		return g.expelNext(c, m, k.After)
	case DissolveNext:
		return g.dissolveNext(c, k.Group, k.After)
	}
	if failed {
		_, member, _, err := memberOf(k.Connection)
		if err != nil {
			return err
		}
		m, _, err := c.Tx.Member(k.Group, member)
		if err != nil {
			return err
		}
		return g.fail(c, m, string(e.Body))
	}
	switch k.Kind {
	case OfferLink:
		m.Links[InGroup] = string(e.Body)
		_, err := c.Tx.PutMember(m)
		return err
	case SendLinks:
		return g.sendLinks(c, m, k.Which, string(e.Body))
	case IntroduceNext:
		if err := g.introduction(c, k, IntroductionSent); err != nil {
			return err
		}
		return g.introduceNext(c, m, k.After)
	case NoteForwarded:
		return g.introduction(c, k, IntroductionForwarded)
	}
	return nil
}

// introduction notes how far an introduction has come.
func (g *Agent[T]) introduction(c *command.Change[T], k Continuation, status IntroductionStatus) error {
	i, found, err := c.Tx.Introduction(k.Group, k.Member, k.Peer)
	if err != nil || !found || i.Status >= status {
		return err
	}
	i.Status = status
	return c.Tx.PutIntroduction(i)
}

// sendLinks sends the links for a member to the host, once there are both.
func (g *Agent[T]) sendLinks(c *command.Change[T], m Member, which Which, link string) error {
	if m.Status != Introduced {
		return nil // it is gone
	}
	m.Links[which] = link
	if m.Links[InGroup] == "" || m.Links[Direct] == "" {
		_, err := c.Tx.PutMember(m)
		return err
	}
	x, found, err := c.Tx.Group(m.Group)
	if err != nil || !found || x.Status.Ended() {
		return err
	}
	if err := g.advance(c, &m, IntroInvited); err != nil {
		return err
	}
	var links [2]protocol.Link
	for i, text := range m.Links {
		if links[i], err = protocol.ParseLink(text); err != nil {
			return refuse("the link of a connection with %s: %v", m.ID, err)
		}
	}
	return g.tellHost(c, x, message{Kind: invite, Member: m.ID, Links: &links})
}
