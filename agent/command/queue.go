package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
)

// ErrClosed answers calls of a queue that was closed. What is stored stays stored.
var ErrClosed = errors.New("command: the queue is closed")

// ErrResumed answers who waited for the queue to be suspended while another one has resumed it.
var ErrResumed = errors.New("command: the queue was resumed")

// Environment is the world that a queue lives in. Scheduler and Clock are needed and belong together. Observer may be nil.
type Environment struct {
	Scheduler sched.Scheduler
	Clock     clock.Clock
	Observer  Observer
}

// Config is what can be set on a queue. DefaultConfig has the usual values.
type Config struct {
	// Retry is the schedule by which a command is executed again after a temporary error, or one of the store.
	Retry retry.Interval
	// Events is the capacity of the channel of events, from 0.
	Events int
	// Restarts is how many times a minute a worker that has panicked goes on with its commands.
	Restarts int
}

// DefaultConfig is the configuration of the reference.
func DefaultConfig() Config {
	return Config{Retry: retry.Interval{Initial: 2 * time.Second, GrowAfter: 10 * time.Second, Max: 2 * time.Minute}, Events: 2048, Restarts: 5}
}

func (c Config) validate() error {
	switch err := c.Retry.Validate(); {
	case err != nil:
		return fmt.Errorf("command: Retry: %w", err)
	case c.Events < 0:
		return fmt.Errorf("command: Events is %d; want 0 or more", c.Events)
	case c.Restarts < 0:
		return fmt.Errorf("command: Restarts is %d; want 0 or more", c.Restarts)
	}
	return nil
}

// Queue executes commands. Its methods may be called from any task at any time, but not within a transaction.
//
// Its lock is held for a few instructions only: never while anything is stored, executed, handed on or waited for (property Q8).
type Queue[T Tx] struct {
	env      Environment
	config   Config
	store    Store[T]
	executor Executor[T]
	events   *sched.Chan[Event]
	stored   *sched.Chan[struct{}] // that there may be new events
	tasks    sched.WaitGroup
	ctx      context.Context // ends with Close
	end      context.CancelFunc

	mu        sched.Mutex
	workers   map[Key]*worker
	closed    bool
	suspended bool
	resumed   int // so many times
	executing int
	quiet     *sched.Chan[struct{}] // closed when nothing is executed while the queue is suspended, or it is resumed; nil: nobody waits
}

// New makes a queue and starts it with what is stored: events that were not taken are handed on first, in their order, and every command is
// executed in the end (property Q10).
func New[T Tx](env Environment, config Config, store Store[T], executor Executor[T]) (*Queue[T], error) {
	if env.Scheduler == nil || env.Clock == nil {
		return nil, errors.New("command: a queue needs a Scheduler and a Clock")
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	s := env.Scheduler
	q := &Queue[T]{
		env: env, config: config, store: store, executor: executor, tasks: sched.NewWaitGroup(s), mu: sched.NewMutex(s), workers: map[Key]*worker{},
		events: sched.NewChan[Event](s, config.Events), stored: sched.NewChan[struct{}](s, 1),
	}
	q.ctx, q.end = sched.WithCancel(s, context.Background())
	if err := q.start(); err != nil {
		q.end()
		return nil, fmt.Errorf("command: read what is stored: %w", err)
	}
	q.spawn("events", q.handOn)
	return q, nil
}

// Events are the answers to commands, and what else is told of connections, in the order in which they came about. One that is not taken from the store (Tx.TakeEvent) comes again after a
// restart. The channel is closed by Close.
func (q *Queue[T]) Events() *sched.Chan[Event] { return q.events.RecvOnly() }

// Update runs f in a transaction of the store. Commands that it adds are executed from then on (property Q6).
func (q *Queue[T]) Update(f func(*Change[T]) error) error {
	var c *Change[T]
	if err := q.store.Update(func(tx T) error {
		c = &Change[T]{Tx: tx}
		return f(c)
	}); err != nil {
		return err
	}
	q.committed(c)
	return nil
}

// committed tells who must know of a change that is stored.
func (q *Queue[T]) committed(c *Change[T]) {
	for _, key := range c.added {
		q.ensure(key)
	}
	if c.told {
		q.stored.TrySend(struct{}{})
	}
	for _, f := range c.after {
		f()
	}
}

// Suspend lets no command begin to be executed, and answers nil once those that had begun have ended (property Q10). It can be given up by ctx; the
// queue is suspended all the same.
func (q *Queue[T]) Suspend(ctx context.Context) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.suspended = true
	if q.executing > 0 && q.quiet == nil {
		q.quiet = sched.NewChan[struct{}](q.env.Scheduler, 0)
	}
	quiet, resumed := q.quiet, q.resumed
	q.mu.Unlock()
	if quiet == nil {
		return nil
	}
	isQuiet, given := sched.Recv(quiet), sched.Recv(sched.Done(ctx))
	if sched.Select2(&isQuiet, &given) == 1 {
		return ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.resumed != resumed {
		return ErrResumed // also if it is suspended again: who did that may still have to wait
	}
	return nil
}

// Resume executes commands again after Suspend. One that was to be tried again waits for the rest of its time.
func (q *Queue[T]) Resume() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	quiet := q.quiet
	q.suspended, q.quiet = false, nil
	q.resumed++
	q.mu.Unlock()
	if quiet != nil {
		quiet.Close()
	}
	return q.start()
}

// Close ends the queue, and answers when all its tasks have ended. What is being executed is told so by its context. All that is stored is there for the
// next queue.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.end()
	q.tasks.Wait()
}

// start makes a worker for each key that has commands.
func (q *Queue[T]) start() error {
	var keys []Key
	err := q.store.View(func(tx T) (err error) {
		keys, err = tx.Keys()
		return err
	})
	for _, key := range keys {
		q.ensure(key)
	}
	return err
}

func (q *Queue[T]) spawn(name string, f func()) {
	q.tasks.Add(1)
	q.env.Scheduler.Go(name, func() {
		defer q.tasks.Done()
		f()
	})
}

// eventsAtOnce bounds the events that are in memory on their way to the channel.
const eventsAtOnce = 64

// handOn hands on events as they are stored, so that each connection has its own in order, also when the channel was full (property Q16).
func (q *Queue[T]) handOn() {
	defer q.events.Close()
	schedule, last := retry.Start(q.config.Retry), int64(0)
	for q.ctx.Err() == nil {
		var next []Event
		err := q.store.View(func(tx T) (err error) {
			next, err = tx.NextEvents(last, eventsAtOnce)
			return err
		})
		switch {
		case err != nil:
			_ = q.env.Clock.Sleep(q.ctx, schedule.Next()) // its error is that of a closed queue
			continue
		case len(next) == 0:
			some, closing := sched.Recv(q.stored), sched.Recv(sched.Done(q.ctx))
			sched.Select2(&some, &closing)
			continue
		}
		schedule = retry.Start(q.config.Retry)
		for _, e := range next {
			send, closing := sched.Send(q.events, e), sched.Recv(sched.Done(q.ctx))
			if sched.Select2(&send, &closing) == 1 {
				return
			}
			last = e.Number
		}
	}
}
