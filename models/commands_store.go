package models

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/command"
)

// What is stored, as it is read in each transaction, and how one transaction differs from the one before.

// WatchStore is the store for a queue that q judges.
func WatchStore[T command.Tx](q *Queue, inner command.Store[T]) command.Store[T] {
	return watchedStore[T]{inner, q, q.commands}
}

type watchedStore[T command.Tx] struct {
	inner    command.Store[T]
	queue    *Queue
	commands *Commands
}

// Update implements command.Store.
func (s watchedStore[T]) Update(f func(T) error) (err error) {
	ran, returned := false, false
	defer func() {
		if ran && !returned { // f has panicked
			s.commands.World.Inline(s.commands.undone)
		}
	}()
	err = s.inner.Update(func(tx T) error {
		ran = true
		if err := s.settle(tx); err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return err
		}
		if err := s.commands.scratch.read(tx); err != nil {
			return err
		}
		s.commands.World.Inline(s.commands.propose)
		return nil
	})
	returned = true
	switch {
	case ran && err != nil:
		s.commands.World.Inline(s.commands.undone)
	case ran:
		s.commands.World.Inline(func() { s.commands.commit(s.commands.proposed) })
	}
	return err
}

// View implements command.Store.
func (s watchedStore[T]) View(f func(T) error) error {
	err := s.inner.View(func(tx T) error {
		if err := s.settle(tx); err != nil {
			return err
		}
		return f(tx)
	})
	if err != nil {
		s.commands.World.Inline(func() { s.queue.viewFailed = s.commands.World.Elapsed() })
	}
	return err
}

// settle begins a transaction, and finds out what has become of one whose end nobody was told.
func (s watchedStore[T]) settle(tx T) (err error) {
	m := s.commands
	unsure := false
	m.World.Inline(func() { unsure = m.unsure })
	if unsure {
		if err := m.scratch.read(tx); err != nil {
			return err
		}
		m.World.Inline(m.q1AllOrNothing)
	}
	m.World.Inline(func() {
		m.doing.reset()
		m.proposed = nil
	})
	return nil
}

// contents are all that is stored, by number.
type contents struct {
	connections []command.Connection
	commands    []command.Command
	events      []command.Event
}

func (c *contents) read(tx command.Tx) error {
	c.connections, c.commands = c.connections[:0], c.commands[:0]
	keys, err := tx.Keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if slices.Contains(c.connections, key.Connection) {
			continue
		}
		c.connections = append(c.connections, key.Connection)
		list, err := tx.CommandsOf(key.Connection)
		if err != nil {
			return err
		}
		c.commands = append(c.commands, list...)
	}
	if len(c.connections) > 1 {
		slices.SortFunc(c.commands, func(a, b command.Command) int { return int(a.Number - b.Number) })
	}
	c.events, err = tx.NextEvents(0, math.MaxInt)
	return err
}

// difference is what a transaction changes.
type difference struct {
	added []command.Command
	moved []move
	ended []*ask
	told  []command.Event
	taken []*told
}

type move struct {
	*ask
	to command.Key
}

func (d *difference) empty() bool {
	return len(d.added)+len(d.moved)+len(d.ended)+len(d.told)+len(d.taken) == 0
}

// same says whether both change the same.
func (d *difference) same(o *difference) bool {
	return slices.EqualFunc(d.added, o.added, sameCommand) && slices.Equal(d.moved, o.moved) && slices.Equal(d.ended, o.ended) &&
		slices.EqualFunc(d.told, o.told, sameEvent) && slices.Equal(d.taken, o.taken)
}

func sameCommand(a, b command.Command) bool {
	return a.Number == b.Number && a.Correlation == b.Correlation && a.Key == b.Key && a.Kind == b.Kind && bytes.Equal(a.Body, b.Body)
}

func sameEvent(a, b command.Event) bool {
	return a.Number == b.Number && a.Correlation == b.Correlation && a.Connection == b.Connection && a.Command == b.Command && a.Kind == b.Kind &&
		bytes.Equal(a.Body, b.Body)
}

// differs is how what was read differs from what was stored.
func (m *Commands) differs() *difference {
	d := &difference{}
	now := m.scratch.commands
	for _, a := range m.stored {
		at, found := slices.BinarySearchFunc(now, a.Number, func(c command.Command, n int64) int { return int(c.Number - n) })
		if !found {
			d.ended = append(d.ended, a)
			continue
		}
		m.q7Same(a, now[at])
		if now[at].Key != a.Key {
			d.moved = append(d.moved, move{a, now[at].Key})
		}
	}
	for _, c := range now {
		if m.numbered(c.Number) == nil {
			c.Body = slices.Clone(c.Body)
			d.added = append(d.added, c)
		}
	}
	for _, e := range m.events {
		if e.taken {
			continue
		}
		at, found := slices.BinarySearchFunc(m.scratch.events, e.Number, func(o command.Event, n int64) int { return int(o.Number - n) })
		if !found {
			d.taken = append(d.taken, e)
		} else if o := m.scratch.events[at]; !sameEvent(e.Event, o) {
			m.fail("Q2", "event %d, the %v of %q, is stored as %+v", e.Number, e.Kind, e.Correlation, o)
		}
	}
	for _, e := range m.scratch.events {
		if o := m.event(e.Number); o == nil || o.taken {
			e.Body = slices.Clone(e.Body)
			d.told = append(d.told, e)
		}
	}
	return d
}

// propose is the end of a transaction: what it has come to is stored unless it fails.
func (m *Commands) propose() { m.proposed = m.differs() }

// undone is told that a transaction has failed.
func (m *Commands) undone() {
	m.unsure, m.proposed = true, nil
}

// q1AllOrNothing reads what is stored after a transaction that has failed, or whose end a crash has hidden.
func (m *Commands) q1AllOrNothing() {
	m.unsure = false
	d, proposed := m.differs(), m.proposed
	m.proposed = nil
	switch {
	case d.empty():
	case proposed != nil && d.same(proposed):
		m.World.Sometimes("crashed-before-a-commit-was-told")
		m.commit(proposed)
	default:
		m.fail("Q1", "after a transaction that failed or was cut off %d commands and %d events are stored that were not, and %d and %d are gone",
			len(d.added), len(d.told), len(d.ended), len(d.taken))
		m.adopt(d)
	}
}

// commit is told that what a transaction has come to is stored.
func (m *Commands) commit(d *difference) {
	m.proposed = nil
	if d == nil || d.empty() && len(m.doing.adds)+len(m.doing.takes)+len(m.doing.concludes) == 0 {
		return
	}
	m.time++
	for _, a := range d.ended {
		m.ends(a, d)
	}
	for _, v := range d.moved {
		m.q9Moves(v)
	}
	m.added(d)
	m.q14Dropped(d)
	m.tellings(d)
	m.takings(d)
	m.adopt(d)
	m.reached()
}

// adopt takes the difference for what is stored.
func (m *Commands) adopt(d *difference) {
	now := m.World.Elapsed()
	for _, a := range d.ended {
		m.stored = slices.DeleteFunc(m.stored, func(o *ask) bool { return o == a })
		m.ended = append(m.ended, a)
		m.left(a.Key, a, now)
	}
	for _, v := range d.moved {
		from := v.Key
		v.ask.Key, v.ask.moved = v.to, true
		m.left(from, v.ask, now)
		m.came(v.ask, "Q9", now)
	}
	for _, c := range d.added {
		a := &ask{Command: c, queue: m.queues}
		m.stored = append(m.stored, a)
		m.lastCommand = max(m.lastCommand, c.Number)
		m.came(a, "Q6", now)
	}
	for _, e := range d.told {
		m.events = append(m.events, &told{Event: e, queue: m.queues})
		m.lastEvent = max(m.lastEvent, e.Number)
	}
	if len(d.told) > 0 && m.queue != nil {
		m.queue.toldAt = now
	}
	for _, e := range d.taken {
		e.taken = true
	}
}

// left is told that a command is no longer in a key.
func (m *Commands) left(key command.Key, a *ask, now time.Duration) {
	if m.queue == nil {
		return
	}
	k := m.queue.key(key)
	if m.first(key) == nil {
		k.fresh() // its worker may end
		k.emptied = now
	}
	switch {
	case a.cancelled && k.running == nil && k.until > now:
		k.why = "Q14" // in its pause
	case a.cancelled && k.running != nil:
	case a.last != nil && a.last.class >= fails:
		k.ready(now, "Q4")
	default:
		k.ready(now, "Q3")
	}
}

// came is told that a command is in a key now, for a reason that a property guards.
func (m *Commands) came(a *ask, why string, now time.Duration) {
	q := m.queue
	if q == nil {
		return
	}
	k := q.key(a.Key)
	if q.halted {
		m.World.Sometimes("added-while-suspended")
	}
	first := m.first(a.Key)
	if first == a {
		k.fresh() // its worker may have ended
	}
	switch {
	case k.critical > 0:
		k.critical = 0
		k.ready(now, "Q12")
	case first == a && k.running == nil && k.until <= now:
		if k.emptied == now {
			m.World.Sometimes("added-while-its-worker-may-end")
		}
		k.ready(now, why)
	}
	if !a.moved {
		return
	}
	for _, o := range m.stored {
		if o.Key == a.Key && o.Number > a.Number {
			k.stale = k.running == nil
			m.World.Sometimes("moved-ahead")
			return
		}
	}
}
