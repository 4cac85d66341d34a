package models

import (
	"errors"
	"time"

	"github.com/heddle-go/heddle/agent/command"
)

// Queue is one command.Queue as a Commands sees it, from its making until it is closed or its process crashes. It implements command.Observer.
type Queue struct {
	commands *Commands
	number   int
	keys     []*keyState
	running  int
	idleAt   int64 // the time of the Commands at which running became 0
	idle     time.Duration

	opened, closing, over bool
	since                 time.Duration // it was opened

	halted    bool // suspended, or being suspended or resumed
	suspended bool // as Suspend has said, and nobody has begun to resume it
	suspends  int64
	resumes   int64 // the times of the Commands at which the last of them began or returned
	calls     []*QueueCall

	awaiting   bool // somebody wants an event
	awaitsAt   time.Duration
	toldAt     time.Duration
	viewFailed time.Duration // negative: no
	handed     int64         // the last event that was handed on
}

// Queue is told that a queue is about to be made.
func (m *Commands) Queue() (q *Queue) {
	m.World.Inline(func() {
		m.queues++
		q = &Queue{commands: m, number: m.queues, viewFailed: -1}
		m.queue = q
	})
	return q
}

// Opened is told that the queue was made: whatever is stored goes on (Q10).
func (q *Queue) Opened() {
	m := q.commands
	m.World.Inline(func() {
		q.opened, q.since = true, m.World.Elapsed()
		for _, a := range m.stored {
			if k := q.key(a.Key); k.why == "" {
				k.ready(q.since, "Q10")
			}
		}
	})
}

// Crashed is told that the process of the queue crashes. It is no part of a task.
func (q *Queue) Crashed() {
	m := q.commands
	m.time++
	q.over = true
	m.unsure = true
	if q.running > 0 {
		m.World.Sometimes("crashed-while-executing")
	}
	m.queue = nil
}

// key finds or makes the state of a key.
func (q *Queue) key(key command.Key) *keyState {
	for _, k := range q.keys {
		if k.key == key {
			return k
		}
	}
	k := &keyState{key: key, schedules: []schedule{{}}, emptied: -1}
	q.keys = append(q.keys, k)
	return k
}

// QueueCall is a call of a queue that has not returned.
type QueueCall struct {
	queue *Queue
	kind  callOfQueue
	since time.Duration
	begun int64
	idle  bool // nothing was executed then
	ids   []command.Correlation
	adds  []CallID
	event command.Event
	taken bool
	// Refused is the correlation id that was refused with command.ErrCorrelation, if one was.
	Refused command.Correlation
}

type callOfQueue uint8

const (
	callUpdate callOfQueue = iota
	callTake
	callSuspend
	callResume
	callCloseQueue
)

func (k callOfQueue) String() string {
	return [...]string{"an Update", "an Update that takes an event", "a Suspend", "a Resume", "a Close"}[k]
}

func (q *Queue) call(kind callOfQueue) *QueueCall {
	m := q.commands
	m.time++
	c := &QueueCall{queue: q, kind: kind, since: m.World.Elapsed(), begun: m.time, idle: q.running == 0}
	q.calls = append(q.calls, c)
	return c
}

// Update is told that the application begins a transaction in which it may add commands under these correlation ids.
func (q *Queue) Update(ids ...command.Correlation) (c *QueueCall) {
	m := q.commands
	m.World.Inline(func() {
		c = q.call(callUpdate)
		c.ids = ids
		m.processes++
		for _, id := range ids {
			c.adds = append(c.adds, m.correlations.Call(m.correlations.Key(string(id)), m.processes, m.World.Step(), CorrelationCall{Op: CorrelationAdd}))
		}
	})
	return c
}

// Take is told that the application begins a transaction in which it may take an event.
func (q *Queue) Take(e command.Event) (c *QueueCall) {
	m := q.commands
	m.World.Inline(func() {
		c = q.call(callTake)
		c.event = e
		if e.Correlation != "" {
			m.processes++
			c.adds = append(c.adds, m.correlations.Call(m.correlations.Key(string(e.Correlation)), m.processes, m.World.Step(),
				CorrelationCall{Op: CorrelationTake, Number: e.Number}))
		}
	})
	return c
}

// Suspend is told that the application suspends the queue.
func (q *Queue) Suspend() (c *QueueCall) {
	m := q.commands
	m.World.Inline(func() {
		c = q.call(callSuspend)
		q.halted, q.suspends = true, m.time
		if q.running > 0 {
			m.World.Sometimes("suspended-while-executing")
		}
	})
	return c
}

// Resume is told that the application resumes the queue.
func (q *Queue) Resume() (c *QueueCall) {
	m := q.commands
	m.World.Inline(func() {
		c = q.call(callResume)
		q.suspended, q.resumes = false, m.time
		for _, k := range q.keys {
			k.fresh()
		}
	})
	return c
}

// Close is told that the application closes the queue.
func (q *Queue) Close() (c *QueueCall) {
	m := q.commands
	m.World.Inline(func() {
		c = q.call(callCloseQueue)
		q.closing = true
		if q.running > 0 {
			m.World.Sometimes("closed-while-executing")
		}
		for _, k := range q.keys {
			if k.until > m.World.Elapsed() && k.running == nil {
				m.World.Sometimes("closed-during-pause")
			}
		}
	})
	return c
}

// Return is told what the call has answered.
func (c *QueueCall) Return(err error) {
	m := c.queue.commands
	m.World.Inline(func() {
		m.time++
		q := c.queue
		for i, o := range q.calls {
			if o == c {
				q.calls = append(q.calls[:i], q.calls[i+1:]...)
				break
			}
		}
		switch c.kind {
		case callUpdate, callTake:
			c.stored(err)
		case callSuspend:
			q.q10Suspended(c, err)
		case callResume:
			q.resumed(c, err)
		case callCloseQueue:
			if q.running > 0 {
				m.fail("Q3", "Close has returned while %d commands are being executed: the next queue would execute others beside them", q.running)
			}
			q.over = true
		}
	})
}

// stored ends the intervals of what the application has added or taken.
func (c *QueueCall) stored(err error) {
	m := c.queue.commands
	for i, id := range c.adds {
		call := CorrelationCall{Op: CorrelationAdd, Known: true, Yes: err == nil}
		if c.kind == callTake {
			call = CorrelationCall{Op: CorrelationTake, Number: c.event.Number, Known: true, Yes: c.taken, Failed: err != nil}
		} else if err != nil {
			call.Failed = !errors.Is(err, command.ErrCorrelation) || c.ids[i] != c.Refused
			if !call.Failed {
				m.World.Sometimes("correlation-refused")
			}
		}
		m.correlations.Return(id, m.World.Step(), call)
	}
	if c.kind == callTake && err == nil && !c.taken {
		m.World.Sometimes("taken-before")
	}
}

func (q *Queue) resumed(c *QueueCall, err error) {
	m := q.commands
	q.resumes = m.time
	if err != nil || q.suspends > c.begun {
		return
	}
	for _, o := range q.calls {
		if o.kind == callSuspend {
			return // the two are made in some order
		}
	}
	q.halted = false
	now := m.World.Elapsed()
	for _, k := range q.keys {
		if k.critical < c.begun {
			k.critical = 0
		}
		k.fresh()
		if k.running == nil && k.until <= now {
			k.ready(now, "Q10")
		}
	}
}

// q10Suspended is told that Suspend has answered. If that is nil there was a moment within the call at which nothing was executed; and nothing is
// from then on.
func (q *Queue) q10Suspended(c *QueueCall, err error) {
	m := q.commands
	q.suspends = m.time
	switch {
	case errors.Is(err, command.ErrResumed):
		m.World.Sometimes("suspension-overtaken")
	case err != nil && !errors.Is(err, command.ErrClosed):
		m.World.Sometimes("suspension-given-up")
	}
	if err != nil {
		return
	}
	if q.running > 0 && !c.idle && q.idleAt < c.begun {
		m.fail("Q10", "Suspend says that the queue is suspended, and all the while commands were being executed; %d are", q.running)
	}
	for _, o := range q.calls {
		if o.kind == callResume {
			return
		}
	}
	if q.resumes > c.begun {
		return
	}
	q.suspended = true
	if q.running > 0 {
		m.fail("Q10", "Suspend says that the queue is suspended, and %d commands are being executed", q.running)
	}
}

// Adds is told, in a transaction, that a command was added.
func (q *Queue) Adds(c command.Command) {
	c.Body = append([]byte(nil), c.Body...)
	q.commands.World.Inline(func() { q.commands.doing.adds = append(q.commands.doing.adds, c) })
}

// Cancels is told, in a transaction, that the commands of a connection were cancelled.
func (q *Queue) Cancels(connection command.Connection, why string) {
	q.commands.World.Inline(func() {
		q.commands.doing.cancels = append(q.commands.doing.cancels, cancel{connection, why})
	})
}

// Tells is told, in a transaction, that an event was stored which answers no command that is stored.
func (q *Queue) Tells() { q.commands.World.Inline(func() { q.commands.doing.tells++ }) }

// Takes is told, in the transaction of the call, that its event was found and taken, and that its continuation is run there.
func (c *QueueCall) Takes() {
	m := c.queue.commands
	m.World.Inline(func() {
		c.taken = true
		m.doing.takes = append(m.doing.takes, c.event.Number)
	})
}

// Awaits is told that the application is ready for an event.
func (q *Queue) Awaits() {
	q.commands.World.Inline(func() { q.awaiting, q.awaitsAt = true, q.commands.World.Elapsed() })
}

// Received is told what the application was handed: an event, or the end of them.
func (q *Queue) Received(e command.Event, ok bool) {
	q.commands.World.Inline(func() {
		q.awaiting = false
		switch {
		case ok:
			q.received(e)
		case !q.closing:
			q.commands.fail("Q2", "the channel of events was closed, and the queue was not")
		}
	})
}

// received reads what is stored, and what this queue has handed on (Q2, Q16).
func (q *Queue) received(e command.Event) {
	m := q.commands
	m.time++
	is := m.event(e.Number)
	switch {
	case is == nil, is.taken && (is.handedBy == 0 || is.handedBy == q.number):
		m.fail("Q2", "event %d, the %v of %q, was handed on, and is not stored", e.Number, e.Kind, e.Correlation)
		return
	case !sameEvent(is.Event, e):
		m.fail("Q2", "event %d was handed on as %+v, and is stored as %+v", e.Number, e, is.Event)
	case e.Number <= q.handed:
		m.fail("Q16", "event %d was handed on after event %d", e.Number, q.handed)
	}
	for _, o := range m.events {
		if o.Number > q.handed && o.Number < e.Number && !o.taken {
			m.fail("Q16", "event %d was handed on before event %d, the %v of %s", e.Number, o.Number, o.Kind, o.Connection)
		}
	}
	if is.handedBy > 0 && is.handedBy != q.number {
		m.World.Sometimes("handed-on-again")
	}
	is.handedBy = q.number
	q.handed = max(q.handed, e.Number)
}
