package group

import (
	"github.com/heddle-go/heddle/agent/command"
)

// What the host does with its members.

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
