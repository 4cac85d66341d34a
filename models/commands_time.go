package models

import (
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/command"
)

// What a queue has to do, since when, and what must not last.

// keyState is what a queue has to do with a key.
type keyState struct {
	key       command.Key
	running   *execution
	last      *execution // which has returned or panicked, and nothing has come of it yet
	began     time.Duration
	since     time.Duration // it can go on
	why       string        // the property that says so; empty: it is not known to have anything to do
	until     time.Duration // the end of its pause
	critical  int64         // when its worker was given up, by the time of the Commands; 0: it was not
	stale     bool          // its worker may have read another command before one moved ahead of it
	emptied   time.Duration // when its last command has left it; negative: never
	schedules []schedule
	panics    []panicked
}

// schedule is where a worker may be in its sleeps. There are several while nobody knows whether it is the same worker that goes on.
type schedule struct {
	number int64 // of the command
	slept  time.Duration
	delay  time.Duration // 0: the first
}

type panicked struct {
	at      time.Duration
	certain bool // of the worker that is there
}

// ready is told that the key can go on from then, as the property says.
func (k *keyState) ready(at time.Duration, why string) { k.since, k.why = at, why }

// fresh is told that the key may have another worker from now on.
func (k *keyState) fresh() {
	if !slices.Contains(k.schedules, schedule{}) {
		k.schedules = append(k.schedules, schedule{})
	}
	for i := range k.panics {
		k.panics[i].certain = false
	}
}

// q13GoesOn reads what has come of the last execution of the key, when the next begins.
func (k *keyState) q13GoesOn(m *Commands, a *ask) {
	x := k.last
	switch {
	case x == nil || x.cancelled:
	case x.class == panics:
		m.fail("Q12", "%s is executed, and nobody was told that the worker of its key has panicked", a.Correlation)
	case x.class == retries:
		m.fail("Q13", "%s is executed without a pause after the temporary error of %s: %v", a.Correlation, x.Correlation, x.err)
	default:
		m.fail(x.class.property(), "%s is executed, and what came of %s was not stored", a.Correlation, x.Correlation)
	}
}

// q13Schedule compares a pause with the schedule: Initial each time until GrowAfter has passed in sleeps, then half as long again each time, at most Max.
func (m *Commands) q13Schedule(k *keyState, t *command.Paused) {
	r := m.Config.Retry
	left := k.schedules[:0]
	for _, s := range k.schedules {
		s.delay = max(s.delay, r.Initial)
		if s.delay != t.Delay {
			continue
		}
		if s.slept += s.delay; s.slept >= r.GrowAfter {
			s.delay = min(s.delay*3/2, r.Max)
			m.World.Sometimes("schedule-grew")
		}
		left = append(left, s)
	}
	if len(left) == 0 {
		m.fail("Q13", "the worker of %s sleeps for %v, which is not what its schedule says", t.Key, t.Delay)
		left = append(left, schedule{})
	}
	k.schedules = left
}

// Tick judges what must not last. It is to run after each advance of virtual time, before anything else does; at other times it does nothing.
func (m *Commands) Tick() {
	before, now := m.elapsed, m.World.Elapsed()
	if now == before {
		return
	}
	m.elapsed = now
	q := m.queue
	if q == nil || q.over || !q.opened {
		return
	}
	lasts := func(since time.Duration) bool { return since <= before && now > since }
	q.q8Returns(lasts)
	if q.closing {
		return
	}
	q.q2HandedOn(lasts)
	if q.halted {
		return
	}
	for _, k := range q.keys {
		if k.running == nil && k.critical == 0 && lasts(k.since) {
			if a := m.first(k.key); a != nil {
				q.stuck(k, a, before)
			}
		}
	}
}

// stuck says that a key could have gone on, and time has passed instead: if another one was blocked all the while, it was held up by that (Q5).
func (q *Queue) stuck(k *keyState, a *ask, before time.Duration) {
	m := q.commands
	for _, o := range q.keys {
		if o != k && o.began <= k.since && (o.running != nil || o.until > before && m.first(o.key) != nil) {
			m.fail("Q5", "%s is the first of %s and could have been executed %v ago; %s is blocked", a.Correlation, k.key, m.elapsed-k.since, o.key)
		}
	}
	m.fail(k.why, "%s is the first of %s and could have been executed %v ago", a.Correlation, k.key, m.elapsed-k.since)
}

// q8Returns reads the calls under way. None waits for a backoff, or for who takes events; Suspend and Close wait for what is being executed, and
// when that has ended they say so (Q10).
func (q *Queue) q8Returns(lasts func(since time.Duration) bool) {
	for _, c := range q.calls {
		switch {
		case c.kind == callSuspend && (q.running > 0 || !lasts(max(c.since, q.idle))):
		case c.kind == callSuspend:
			q.commands.fail("Q10", "Suspend has not answered, and nothing is being executed")
		case c.kind == callCloseQueue && (q.running > 0 || !lasts(max(c.since, q.idle))):
		case lasts(c.since):
			q.commands.fail("Q8", "%s has not returned for %v", c.kind, q.commands.elapsed-c.since)
		}
	}
}

// q2HandedOn reads which events are stored and not handed on, while the application wants one. Who hands them on sleeps after an error of the store, by the
// schedule.
func (q *Queue) q2HandedOn(lasts func(since time.Duration) bool) {
	m := q.commands
	since := max(q.awaitsAt, q.toldAt, q.since)
	if q.viewFailed >= 0 {
		since = max(since, q.viewFailed+m.Config.Retry.Max)
	}
	if !q.awaiting {
		q.full()
		return
	}
	if !lasts(since) {
		return
	}
	for _, e := range m.events {
		if e.taken || e.Number <= q.handed {
			continue
		}
		property := "Q2"
		if e.Correlation == "" {
			property = "Q16"
		}
		m.fail(property, "event %d, the %v of %q, is stored and was not handed on, and the application waits for it", e.Number, e.Kind, e.Correlation)
	}
}

// full looks whether events wait for room in the channel.
func (q *Queue) full() {
	m, waiting := q.commands, 0
	for _, e := range m.events {
		if !e.taken && e.Number > q.handed {
			waiting++
		}
	}
	if waiting > m.Config.Events {
		m.World.Sometimes("event-queue-full")
	}
}
