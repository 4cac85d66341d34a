package models

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// What is executed, how it ends, and what its worker does about that.

// WatchExecutor is the executor for a queue that q judges.
func WatchExecutor[T command.Tx](q *Queue, inner command.Executor[T]) command.Executor[T] {
	return watchedExecutor[T]{inner, q}
}

type watchedExecutor[T command.Tx] struct {
	inner command.Executor[T]
	queue *Queue
}

// Execute implements command.Executor.
func (e watchedExecutor[T]) Execute(ctx context.Context, c command.Command) (command.Outcome[T], error) {
	q := e.queue
	m, returned := q.commands, false
	var x *execution
	m.World.Inline(func() { x = q.begins(c) })
	defer func() {
		if !returned {
			m.World.Inline(func() { q.ends(x, panics) })
		}
	}()
	o, err := e.inner.Execute(ctx, c)
	returned = true
	m.World.Inline(func() {
		x.kind, x.body, x.err = o.Kind, slices.Clone(o.Body), err
		if o.Moved != nil {
			x.moves, x.to = true, *o.Moved
		}
		q.ends(x, classOf(err, x))
	})
	commit := o.Commit
	o.Commit = func(change *command.Change[T]) error {
		m.World.Inline(func() { m.doing.concludes = append(m.doing.concludes, x) })
		if commit == nil {
			return nil
		}
		return commit(change)
	}
	return o, err
}

// execution is a command that is being executed, or was last.
type execution struct {
	*ask
	queue *Queue
	class ending
	kind  command.EventKind
	body  []byte
	err   error
	moves bool
	to    command.Key
}

// ending is how an execution ends.
type ending uint8

const (
	runs    ending = iota // it has not
	answers               // with an event, or silently
	moves                 // to another key
	fails                 // for good
	unable                // for good: the command cannot be decoded, or not go where it should
	retries               // a temporary error
	panics
)

func classOf(err error, x *execution) ending {
	if x.moves && err == nil {
		if _, bad := protocol.ParseRouter(x.to.Router.String()); x.to.Connection == "" || bad != nil && x.to.Router != (protocol.Router{}) {
			return unable
		}
		return moves
	}
	var e *protocol.Error
	switch {
	case err == nil:
		return answers
	case protocol.Classify(err) == protocol.Temporary:
		return retries
	case errors.As(err, &e) && e.Kind == protocol.Parse:
		return unable
	}
	return fails
}

// property is the one that says how an execution of that ending goes on.
func (e ending) property() string {
	return [...]string{runs: "Q2", answers: "Q2", moves: "Q9", fails: "Q13", unable: "Q4", retries: "Q13", panics: "Q12"}[e]
}

// begins is told that a command is executed: one that is stored (Q1), as it is stored (Q7, Q9), the first of its key (Q3), and nothing stands in its way.
func (q *Queue) begins(c command.Command) *execution {
	m := q.commands
	m.time++
	k, now := q.key(c.Key), m.World.Elapsed()
	a := m.numbered(c.Number)
	switch {
	case a != nil:
		m.q7Same(a, c)
		if a.Key != c.Key {
			m.fail("Q9", "command %d, %s, is executed for %s; it has moved to %s", c.Number, c.Correlation, c.Key, a.Key)
		}
	default:
		a = m.q1Was(c)
	}
	x := &execution{ask: a, queue: q}
	switch {
	case q.over:
		m.fail("Q3", "%s is executed after its queue was closed", c.Correlation)
	case q.suspended:
		m.fail("Q10", "%s is executed while the queue is suspended", c.Correlation)
	case k.running != nil:
		m.fail("Q3", "%s is executed while %s, of the same key, is being executed", c.Correlation, k.running.Correlation)
	case k.until > now:
		m.fail("Q13", "%s is executed %v before the end of its pause", c.Correlation, k.until-now)
	}
	q.q3First(k, a)
	k.q13GoesOn(m, a)
	for _, o := range q.keys {
		if o != k && (o.running != nil && o.began < now || o.until > now) {
			m.World.Sometimes("key-ran-beside-a-blocked-one")
		}
	}
	if len(a.effect) > 0 {
		m.World.Sometimes("effect-found-again")
	}
	for i := range k.schedules {
		if k.schedules[i].number != a.Number {
			k.schedules[i] = schedule{number: a.Number}
		}
	}
	k.schedules = slices.Compact(k.schedules)
	k.running, k.last, k.began, a.last, k.critical = x, nil, now, nil, 0
	q.running++
	return x
}

// q1Was is a command that is executed although it is not stored. One that was cancelled behind the back of its worker is, once.
func (m *Commands) q1Was(c command.Command) *ask {
	a := m.was(c.Number)
	switch {
	case a == nil:
		m.fail("Q1", "%s is executed, and was never stored", c.Correlation)
		return &ask{Command: c}
	case !a.cancelled || a.late:
		m.fail("Q2", "%s is executed again after it has ended", c.Correlation)
	default:
		a.late = true
		m.World.Sometimes("executed-after-its-end")
	}
	return a
}

// q7Same compares a command with what was added.
func (m *Commands) q7Same(a *ask, c command.Command) {
	if a.Correlation != c.Correlation || a.Kind != c.Kind || !bytes.Equal(a.Body, c.Body) {
		m.fail("Q7", "command %d was added as %s, %s %x, and is %s, %s %x now", a.Number, a.Correlation, a.Kind, a.Body, c.Correlation, c.Kind, c.Body)
	}
}

// q3First compares with what else is stored for the key. One that was read before another moved ahead of it may begin.
func (q *Queue) q3First(k *keyState, a *ask) {
	m := q.commands
	first := m.first(k.key)
	switch {
	case first == nil || first.Number >= a.Number:
		return
	case k.stale:
		k.stale = false
		m.World.Sometimes("overtaken-by-a-move")
		return
	}
	if first.moved {
		m.fail("Q9", "%s is executed before %s, which has moved to %s and has a lower number", a.Correlation, first.Correlation, k.key)
	}
	m.fail("Q3", "%s is executed before %s, which was added earlier for %s", a.Correlation, first.Correlation, k.key)
}

// ends is told that an execution has ended.
func (q *Queue) ends(x *execution, e ending) {
	m := q.commands
	m.time++
	x.class = e
	k := q.keyOf(x)
	if k == nil {
		return
	}
	now := m.World.Elapsed()
	k.running, k.last, x.ask.last = nil, x, x
	k.ready(now, e.property())
	if x.cancelled {
		k.ready(now, "Q14")
	}
	if q.running--; q.running == 0 {
		q.idleAt, q.idle = m.time, now
	}
}

// keyOf is the key that an execution is running for.
func (q *Queue) keyOf(x *execution) *keyState {
	for _, k := range q.keys {
		if k.running == x {
			return k
		}
	}
	return nil
}

// Effect is told that the command makes something outside, and says whether it is there already. It is the same thing each time (Q7), and the command is
// stored (Q1).
func (q *Queue) Effect(c command.Command, what string) (found bool) {
	m := q.commands
	m.World.Inline(func() {
		a := m.numbered(c.Number)
		if a == nil {
			a = m.was(c.Number)
		}
		switch {
		case a == nil:
			m.fail("Q1", "%s makes %q, and was never stored", c.Correlation, what)
		case a.effect == "":
			a.effect = what
		case a.effect != what:
			m.fail("Q7", "%s has made %q, and makes %q beside it", c.Correlation, a.effect, what)
		default:
			found = true
		}
	})
	return found
}

// Observe implements command.Observer.
func (q *Queue) Observe(t command.Transition) {
	m := q.commands
	switch t := t.(type) {
	case command.Paused:
		m.World.Observe(func() { q.paused(&t) })
	case command.WorkerPanicked:
		m.World.Observe(func() { q.panicked(&t) })
	}
}

// paused is told that a worker sleeps: after an error that is temporary, or one of the store, for as long as the schedule says (Q13).
func (q *Queue) paused(t *command.Paused) {
	m := q.commands
	m.time++
	k := q.key(t.Key)
	if x := k.last; x != nil && x.Number == t.Command.Number && !q.closing {
		switch {
		case x.class == fails && errors.Is(t.Err, x.err), x.class == unable && errors.Is(t.Err, x.err):
			m.fail(x.class.property(), "%s has failed for good (%v), and is to be tried again", x.Correlation, x.err)
		case x.class != retries:
			m.World.Sometimes("store-failed-at-conclusion")
		}
	}
	k.last, k.critical = nil, 0
	if q.halted {
		k.fresh()
	}
	m.q13Schedule(k, t)
	if q.halted {
		k.fresh()
	}
	now := m.World.Elapsed()
	k.until = now + t.Delay
	k.ready(k.until, "Q13")
}

// panicked is told that a worker has panicked, and whether it goes on (Q12).
func (q *Queue) panicked(t *command.WorkerPanicked) {
	m := q.commands
	m.time++
	k, now := q.key(t.Key), m.World.Elapsed()
	if k.last == nil || k.last.class != panics {
		m.fail("Q12", "the worker of %s is said to have panicked, and its executor has not", t.Key)
	}
	k.last = nil
	k.panics = slices.DeleteFunc(k.panics, func(p panicked) bool { return now-p.at >= time.Minute })
	k.panics = append(k.panics, panicked{at: now, certain: !q.halted}) // while it is being resumed, another worker may be there by the next one
	certain := 0
	for _, p := range k.panics {
		if p.certain {
			certain++
		}
	}
	switch most := m.Config.Restarts; {
	case t.Critical && len(k.panics) <= most:
		m.fail("Q12", "the worker of %s is given up after %d panics within a minute; it is to go on after %d", t.Key, len(k.panics), most)
	case !t.Critical && certain > most:
		m.fail("Q12", "the worker of %s goes on after %d panics within a minute; %d are the most", t.Key, certain, most)
	case t.Critical:
		m.World.Sometimes("critical")
	default:
		m.World.Sometimes("panicked-and-went-on")
	}
	k.ready(now, "Q12")
	if k.critical = 0; t.Critical {
		k.critical, k.panics = m.time, k.panics[:0]
		k.fresh()
	}
}
