package command

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
)

// worker executes the commands of one key. It is there while there may be some.
type worker struct {
	key Key
	// more is set when a command is added, and cleared before the store is read: what is added after that read is read again (property Q6).
	more bool
	// Of the command that is executed now, or was: where it is in its sleeps.
	number   int64
	schedule retry.Schedule
	panics   []time.Time // of the last minute
}

// ensure makes a worker for a key that has a command, or tells the one that is there.
func (q *Queue[T]) ensure(key Key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.suspended {
		return
	}
	if w := q.workers[key]; w != nil {
		w.more = true
		return
	}
	w := &worker{key: key, schedule: retry.Start(q.config.Retry)}
	q.workers[key] = w
	q.spawn("worker", func() {
		for q.guarded(w) {
		}
	})
}

// guarded lets the worker work, and says whether it is to go on after a panic: it does so some times a minute (property Q12).
func (q *Queue[T]) guarded(w *worker) (again bool) {
	ended := false
	defer func() {
		if ended {
			return
		}
		cause := recover()
		again = q.panicked(w, cause)
	}()
	for q.round(w) {
	}
	ended = true
	return false
}

// panicked gives up a worker that does so too often. Its commands stay: they are executed when another one is added, or the queue is resumed or made anew.
func (q *Queue[T]) panicked(w *worker, cause any) (again bool) {
	now := q.env.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(w.panics) > 0 && now.Sub(w.panics[0]) >= time.Minute {
		w.panics = w.panics[1:]
	}
	w.panics = append(w.panics, now)
	again = len(w.panics) <= q.config.Restarts
	if !again {
		delete(q.workers, w.key)
	}
	q.observe(WorkerPanicked{Key: w.key, Cause: cause, Critical: !again})
	return again
}

// round executes the first command of the worker's key once, and says whether there may be more to do.
func (q *Queue[T]) round(w *worker) (goesOn bool) {
	if !q.begin(w) {
		return false
	}
	executing := true
	defer func() {
		if executing { // it has panicked
			q.ended()
		}
	}()
	var c Command
	found := false
	err := q.store.View(func(tx T) (err error) {
		c, found, err = tx.FirstCommand(w.key)
		return err
	})
	if err == nil && found {
		err = q.execute(w, c)
	}
	q.ended()
	executing = false
	switch {
	case err != nil:
		q.pause(w, c, err)
		return true
	case !found:
		return !q.endIdle(w)
	}
	return true
}

// begin begins a round, or ends the worker if none is to begin.
func (q *Queue[T]) begin(w *worker) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.suspended {
		delete(q.workers, w.key)
		return false
	}
	w.more = false
	q.executing++
	return true
}

// ended ends what begin has begun.
func (q *Queue[T]) ended() {
	q.mu.Lock()
	q.executing--
	quiet := q.quiet
	if q.executing > 0 || !q.suspended {
		quiet = nil
	} else {
		q.quiet = nil
	}
	q.mu.Unlock()
	if quiet != nil {
		quiet.Close()
	}
}

// endIdle ends the worker if nothing was added since it read that there is nothing.
func (q *Queue[T]) endIdle(w *worker) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.more {
		return false
	}
	delete(q.workers, w.key)
	return true
}

// execute executes a command and stores what came of it. Its error is one after which that is to be done again.
func (q *Queue[T]) execute(w *worker, c Command) error {
	if w.number != c.Number {
		w.number, w.schedule = c.Number, retry.Start(q.config.Retry)
	}
	q.observe(Executing{Command: c})
	outcome, err := q.executor.Execute(q.ctx, c)
	switch {
	case err == nil:
	case q.ctx.Err() != nil, protocol.Classify(err) == protocol.Temporary:
		return err
	default:
		outcome = Outcome[T]{Kind: Error, Body: []byte(err.Error())}
	}
	if outcome.Moved != nil {
		if err := outcome.Moved.validate(); err != nil {
			outcome = Outcome[T]{Kind: Error, Body: fmt.Appendf(nil, "move the command: %v", err)}
		}
	}
	var change *Change[T]
	err = q.store.Update(func(tx T) error {
		change = &Change[T]{Tx: tx}
		return change.conclude(c, outcome)
	})
	if err != nil {
		return err
	}
	q.committed(change)
	return nil
}

// conclude stores what came of a command, unless it was cancelled meanwhile.
func (c *Change[T]) conclude(command Command, o Outcome[T]) error {
	if o.Moved != nil {
		found, err := c.Tx.MoveCommand(command.Number, *o.Moved)
		if !found || err != nil {
			return err
		}
		c.added = append(c.added, *o.Moved)
	} else if found, err := c.answer(command, o.Kind, o.Body); !found || err != nil {
		return err
	}
	if o.Commit == nil {
		return nil
	}
	return o.Commit(c)
}

// pause sleeps after an error.
func (q *Queue[T]) pause(w *worker, c Command, err error) {
	delay := w.schedule.Next()
	q.observe(Paused{Key: w.key, Command: c, Err: err, Delay: delay})
	_ = q.env.Clock.Sleep(q.ctx, delay) // its error is that of a queue which is closed, as the next round finds
}
