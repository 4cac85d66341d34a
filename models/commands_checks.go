package models

import (
	"slices"

	"github.com/heddle-go/heddle/agent/command"
)

// What a transaction has changed, held against what it was to change.

// ends judges the end of a stored command: with the one event that its execution, or who cancelled it, wants (Q2, Q4, Q9, Q13, Q14).
func (m *Commands) ends(a *ask, d *difference) {
	var answer *command.Event
	if at := slices.IndexFunc(d.told, func(e command.Event) bool { return e.Correlation == a.Correlation }); at >= 0 {
		answer = &d.told[at]
	}
	x := a.last
	for _, c := range m.doing.cancels {
		if c.connection == a.Key.Connection {
			m.q14Ends(a, answer, c.why)
			m.answered(a, answer)
			return
		}
	}
	want := command.Event{Correlation: a.Correlation, Connection: a.Key.Connection, Command: a.Kind, Kind: command.Error}
	property := "Q2"
	switch {
	case x == nil:
		m.fail("Q2", "%s has ended, and it was neither executed nor cancelled", a.Correlation)
		m.answered(a, answer)
		return
	}
	m.concluded(a.Key, x)
	switch {
	case x.class == retries:
		m.fail("Q13", "%s has ended after a temporary error: %v", a.Correlation, x.err)
	case x.class == moves:
		m.fail("Q9", "%s has ended, and it was to move to %s", a.Correlation, x.to)
	case x.class == panics, x.class == runs:
		m.fail("Q12", "%s has ended, and its execution has not returned", a.Correlation)
	case x.class == answers && x.kind == 0:
		m.World.Sometimes("ended-silently")
		if answer != nil {
			m.fail("Q2", "%s is answered by %v, and it was to end without an event", a.Correlation, answer.Kind)
		}
		m.answered(a, answer)
		return
	case x.class == answers:
		want.Kind, want.Body = x.kind, x.body
	default:
		property = x.class.property()
	}
	if x.queue.suspended && x.queue == m.queue {
		m.fail("Q10", "what came of %s is stored while the queue is suspended", a.Correlation)
	}
	switch {
	case answer == nil:
		m.fail(property, "%s has ended, and no event is stored that answers it: want %v", a.Correlation, want.Kind)
	case property != "Q2" && x.err != nil:
		want.Body = []byte(x.err.Error())
		fallthrough
	case property == "Q2":
		want.Number = answer.Number
		if !sameEvent(want, *answer) {
			m.fail(property, "%s is answered by %v %q of %s; want %v %q", a.Correlation, answer.Kind, answer.Body, answer.Connection, want.Kind, want.Body)
		}
	case answer.Kind != command.Error:
		m.fail(property, "%s cannot be run and is answered by %v", a.Correlation, answer.Kind)
	}
	m.answered(a, answer)
}

// concluded is told that what came of the last execution of a key is stored.
func (m *Commands) concluded(key command.Key, x *execution) {
	if m.queue != nil && x.queue == m.queue {
		if k := m.queue.key(key); k.last == x {
			k.last = nil
		}
	}
}

// answered notes, for the history of its correlation id, that a command has ended.
func (m *Commands) answered(a *ask, e *command.Event) {
	c := CorrelationCall{Op: CorrelationEnd, Known: true, Yes: true}
	if e != nil {
		c.Op, c.Number = CorrelationAnswer, e.Number
	}
	m.correlations.Point(m.correlations.Key(string(a.Correlation)), 0, m.World.Step(), c)
}

// q14Ends judges the end of a command in the transaction that has cancelled its connection.
func (m *Commands) q14Ends(a *ask, answer *command.Event, why string) {
	a.cancelled = true
	switch {
	case a.Kind == command.Delete:
		m.fail("Q14", "%s has been cancelled, and it is what deletes %s", a.Correlation, a.Key.Connection)
	case answer == nil:
		m.fail("Q14", "%s has been cancelled, and no event says so", a.Correlation)
	case answer.Kind != command.Error || string(answer.Body) != why || answer.Command != a.Kind || answer.Connection != a.Key.Connection:
		m.fail("Q14", "%s has been cancelled, and is answered by %v %q of %s", a.Correlation, answer.Kind, answer.Body, answer.Connection)
	}
}

// q14Dropped reads whose answers were stored. Those of commands that had been cancelled must not be. And where a connection was cancelled, none of its
// commands is left but those that delete it.
func (m *Commands) q14Dropped(d *difference) {
	for _, x := range m.doing.concludes {
		moved := slices.ContainsFunc(d.moved, func(v move) bool { return v.ask == x.ask })
		if !moved && !slices.Contains(d.ended, x.ask) && !(x.class == moves && x.to == x.Key) {
			m.fail("Q14", "what came of %s is stored, and it had ended before", x.Correlation)
		}
	}
	for _, c := range m.doing.cancels {
		for _, a := range m.stored {
			if a.Key.Connection == c.connection && a.Kind != command.Delete && !slices.Contains(d.ended, a) {
				m.fail("Q14", "%s is still there, and its connection was cancelled", a.Correlation)
			}
		}
	}
	for _, a := range d.ended {
		if a.cancelled && m.queue != nil && m.queue.key(a.Key).running != nil && m.queue.key(a.Key).running.ask == a {
			m.World.Sometimes("answer-dropped")
		}
	}
}

// q9Moves judges a command that has another key now.
func (m *Commands) q9Moves(v move) {
	x := v.last
	if x == nil || x.class != moves || x.to != v.to {
		property := "Q9"
		if x != nil && x.class == unable {
			property = "Q4"
		}
		m.fail(property, "%s has moved to %s, and its execution has not said so", v.Correlation, v.to)
		return
	}
	m.concluded(v.Key, x)
	v.last = nil
}

// added compares what is stored anew with what was added (Q1), in that order and behind all that ever was (Q3), under correlation ids that were free (Q2).
func (m *Commands) added(d *difference) {
	last := m.lastCommand
	for i := range d.added {
		c := &d.added[i]
		at := slices.IndexFunc(m.doing.adds, func(o command.Command) bool { return o.Correlation == c.Correlation })
		if at < 0 {
			m.fail("Q1", "command %d, %s, is stored, and nobody has added it", c.Number, c.Correlation)
			continue
		}
		o := m.doing.adds[at]
		if o.Number = c.Number; !sameCommand(o, *c) {
			m.fail("Q1", "%s was added as %s of %s, and is stored as %s of %s", c.Correlation, o.Kind, o.Key, c.Kind, c.Key)
		}
		if c.Number <= last {
			m.fail("Q3", "%s has number %d; there was a command with number %d", c.Correlation, c.Number, last)
		}
		last = c.Number
		m.q2Free(c, d)
		if !m.isAdding(c.Correlation) {
			m.correlations.Point(m.correlations.Key(string(c.Correlation)), 0, m.World.Step(), CorrelationCall{Op: CorrelationAdd, Known: true, Yes: true})
		}
	}
	for _, o := range m.doing.adds {
		if !slices.ContainsFunc(d.added, func(c command.Command) bool { return c.Correlation == o.Correlation }) {
			m.fail("Q1", "%s was accepted, and is not stored", o.Correlation)
		}
	}
}

// q2Free says that a correlation id was not in use.
func (m *Commands) q2Free(c *command.Command, d *difference) {
	for _, a := range m.stored {
		if a.Correlation == c.Correlation && !slices.Contains(d.ended, a) {
			m.fail("Q2", "%s was accepted, and is the correlation id of command %d", c.Correlation, a.Number)
		}
	}
	for _, e := range m.events {
		if e.Correlation == c.Correlation && !e.taken && !slices.Contains(d.taken, e) {
			m.fail("Q2", "%s was accepted, and is the correlation id of event %d", c.Correlation, e.Number)
		}
	}
	if slices.ContainsFunc(m.ended, func(a *ask) bool { return a.Correlation == c.Correlation }) {
		m.World.Sometimes("correlation-used-again")
	}
}

// isAdding says whether a call of the application adds a command under this id.
func (m *Commands) isAdding(id command.Correlation) bool {
	return m.queue != nil && slices.ContainsFunc(m.queue.calls, func(c *QueueCall) bool { return slices.Contains(c.ids, id) })
}

// tellings compares the new events with what was to be told: each answers a command that ends with it, or was told by somebody (Q2, Q16).
func (m *Commands) tellings(d *difference) {
	last, tells := m.lastEvent, 0
	for i := range d.told {
		e := &d.told[i]
		if e.Number <= last {
			m.fail("Q16", "the %v of %s is event %d; there was an event %d", e.Kind, e.Connection, e.Number, last)
		}
		last = e.Number
		if e.Correlation != "" && slices.ContainsFunc(d.ended, func(a *ask) bool { return a.Correlation == e.Correlation }) {
			continue
		}
		tells++
		if e.Correlation != "" {
			id := m.correlations.Key(string(e.Correlation))
			m.correlations.Point(id, 0, m.World.Step(), CorrelationCall{Op: CorrelationAdd, Known: true, Yes: true})
			m.correlations.Point(id, 0, m.World.Step(), CorrelationCall{Op: CorrelationAnswer, Number: e.Number, Known: true, Yes: true})
		}
	}
	if tells != m.doing.tells {
		m.fail("Q2", "%d events are stored that answer no command which ends with them; %d were told", tells, m.doing.tells)
	}
}

// takings compares the events that are gone with those that the application has taken: its continuation is run with that, once (Q2).
func (m *Commands) takings(d *difference) {
	for _, e := range d.taken {
		if !slices.Contains(m.doing.takes, e.Number) {
			m.fail("Q2", "event %d, the %v of %q, is gone, and the application has not taken it", e.Number, e.Kind, e.Correlation)
		}
	}
	for _, n := range m.doing.takes {
		if !slices.ContainsFunc(d.taken, func(e *told) bool { return e.Number == n }) {
			m.fail("Q2", "the continuation of event %d is run, and the event was taken before, or is still there", n)
		}
	}
}

// reached tells guided searches what there is: how much is stored and executed, and in which state the queue is.
func (m *Commands) reached() {
	var s bits
	commands, events := m.Stored()
	s.add(2, few(commands))
	s.add(2, few(events))
	q := m.queue
	if q == nil {
		m.World.Reached("commands", uint64(s))
		return
	}
	s.add(2, few(q.running))
	s.flag(q.halted)
	s.flag(q.suspended)
	s.flag(q.closing)
	s.flag(q.awaiting)
	for _, k := range q.keys {
		s.flag(k.running != nil)
		s.flag(k.until > m.World.Elapsed())
		s.flag(k.critical > 0)
		s.flag(k.stale)
	}
	m.World.Reached("commands", uint64(s))
}
