package group

import (
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// What a member does because of its host, and for its own part.

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
			return g.add(c, Member{Group: x.ID, ID: p.Member, Status: Announced, Deadline: g.deadline()})
		}
		if err := g.add(c, Member{Group: x.ID, ID: p.Member, Status: Introduced, Deadline: g.deadline()}); err != nil {
			return err
		}
		for _, which := range []Which{InGroup, Direct} {
			k := Continuation{
				Connection: ConnectionOf(x.ID, p.Member, which), Expects: command.Invitation, Kind: SendLinks, Group: x.ID, Member: p.Member, Which: which,
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
	k := Continuation{Connection: ConnectionOf(id, m.ID, InGroup), Expects: command.OK, Kind: DissolveNext, Group: id, Member: m.ID, After: m.Row}
	return g.await(c, k, func(correlation command.Correlation) error { return g.part(c, m, correlation) })
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
