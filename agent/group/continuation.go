package group

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/command"
)

// What is to be done when a command is answered.

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
	if !k.isAnswered(e) {
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
	switch k.Kind { // what is done after an error too
	case PartFrom:
		return g.part(c, m, "")
	case ExpelNext:
		return g.expelNext(c, m, k.After)
	case DissolveNext:
		return g.dissolveNext(c, k.Group, k.After)
	}
	if e.Kind == command.Error {
		return g.failed(c, k, string(e.Body))
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

// isAnswered says whether the event is one that the continuation waits for: of its own connection, and as it expects, or an error (property Q15).
func (k Continuation) isAnswered(e command.Event) bool {
	return e.Connection == k.Connection && (e.Kind == k.Expects || e.Kind == command.Error)
}

// failed records with the member of its connection that a continuation cannot be run.
func (g *Agent[T]) failed(c *command.Change[T], k Continuation, why string) error {
	_, member, _, err := memberOf(k.Connection)
	if err != nil {
		return err
	}
	m, found, err := c.Tx.Member(k.Group, member)
	if err != nil || !found {
		return err
	}
	return g.fail(c, m, why)
}

// giveUp drops the continuation of an event that was refused: no other comes for it.
func (g *Agent[T]) giveUp(c *command.Change[T], e command.Event, why string) error {
	if e.Correlation == "" {
		return nil
	}
	k, found, err := c.Tx.Continuation(e.Correlation)
	if err != nil || !found || !k.isAnswered(e) {
		return err
	}
	if err := c.Tx.DropContinuation(k.Correlation); err != nil {
		return err
	}
	return g.failed(c, k, why)
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
