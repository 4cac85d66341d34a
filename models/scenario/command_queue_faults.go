package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// The store and the executor of the command queue, with what strikes them.

var errStore = errors.New("the disk is full")

func isStoreError(err error) bool { return errors.Is(err, errStore) }

// commandStore is the store of a process. What is stored is the world's, as its disk is: all that a transaction does there, and its undoing, is one step. It
// fails before a transaction, or at its end, which undoes it.
type commandStore struct {
	*commandProcess
	mu *sched.Mutex
}

func (p *commandProcess) open() command.Store[commandTx] {
	mu := sched.NewMutex(sched.Named(p.node, "store"))
	return commandStore{p, &mu}
}

// strikes decides whether a fault strikes here, once in so many times.
func (s *commandQueue) strikes(fault string, oneIn int) (strikes bool) {
	s.part.Inline(func() {
		if strikes = s.world.Swarm(fault) && s.world.Chance(fault, oneIn); strikes {
			s.world.Struck(fault)
		}
	})
	return strikes
}

// Update implements command.Store.
func (s commandStore) Update(f func(commandTx) error) (err error) {
	if s.strikes("store-error", storeOdds) {
		return errStore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.part.Inline(func() {
		err = s.disk.Update(func(tx commandTx) error {
			err := f(tx)
			if err == nil && s.strikes("commit-error", storeOdds) {
				return errStore
			}
			return err
		})
	})
	return err
}

// View implements command.Store.
func (s commandStore) View(f func(commandTx) error) (err error) {
	if s.strikes("store-error", storeOdds) {
		return errStore
	}
	s.mu.Lock()
	s.part.Inline(func() { err = s.disk.View(f) })
	s.mu.Unlock()
	sched.Yield(s.node) // what was read may not be so any more
	return err
}

// commandExecutor is the executor of one queue. What it makes outside, the judge knows: it outlives the process.
type commandExecutor struct {
	*commandProcess
	judged *models.Queue
}

// fate is what happens to one execution.
type fate struct {
	slow      time.Duration
	deaf      bool // to the end of its context
	breaks    bool
	fails     error
	failsLate error // when the effect is there
}

var (
	errTemporary = &protocol.Error{Kind: protocol.Network}
	errPermanent = &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}
	errGarbled   = &protocol.Error{Kind: protocol.Parse, Detail: "no such command"}
)

// fateOf decides what happens to an execution.
func (s *commandQueue) fateOf(c command.Command) (f fate) {
	if s.strikes("executor-slow", executorOdds) {
		f.slow, f.deaf = slowTimes[s.world.Value("slow", len(slowTimes))], s.world.Value("deaf", 2) == 1
	}
	switch {
	case s.poisoned(c):
		f.breaks = true
	case s.strikes("executor-panic", 2*executorOdds):
		f.breaks = true
		s.part.Inline(func() { s.poisons = append(s.poisons, poisoning{c.Number, s.world.Value("poison", poisonMost)}) })
	case s.strikes("executor-temporary", executorOdds):
		f.fails = errTemporary
	case s.strikes("executor-temporary-late", executorOdds):
		f.failsLate = errTemporary
	case s.strikes("executor-permanent", executorOdds):
		f.fails = errPermanent
		s.world.Sometimes("failed-for-good")
	}
	return f
}

// poisoned says whether the command panics again.
func (s *commandQueue) poisoned(c command.Command) (yes bool) {
	s.part.Inline(func() {
		for i := range s.poisons {
			if p := &s.poisons[i]; p.command == c.Number && p.left > 0 {
				p.left--
				yes = true
				return
			}
		}
	})
	return yes
}

// Execute implements command.Executor.
func (e commandExecutor) Execute(ctx context.Context, c command.Command) (o command.Outcome[commandTx], err error) {
	f := e.fateOf(c)
	if f.slow > 0 {
		if f.deaf {
			ctx = context.Background()
		}
		if err := e.node.Clock().Sleep(ctx, f.slow); err != nil {
			return o, err
		}
		e.part.Inline(func() {
			if e.world.Healed() {
				f = fate{} // what it was to come to has ended meanwhile
			}
		})
	}
	sched.Yield(e.node)
	does, to := behaviour(c.Body[0]), e.load.keys[c.Body[1]]
	switch {
	case f.breaks:
		panic("the executor is broken")
	case f.fails != nil:
		return o, f.fails
	case does == garbled:
		e.world.Sometimes("not-decoded")
		return o, errGarbled
	case does == astray:
		e.world.Sometimes("moved-to-nowhere")
		return command.Outcome[commandTx]{Moved: &command.Key{}}, nil
	case does == moving && c.Key != to:
		return command.Outcome[commandTx]{Moved: &to}, nil
	}
	e.judged.Effect(c, string(c.Correlation)+string(c.Body))
	sched.Yield(e.node)
	if f.failsLate != nil {
		return o, f.failsLate
	}
	return e.outcome(c, does, to), nil
}

// outcome is what comes of a command that was carried out.
func (e commandExecutor) outcome(c command.Command, does behaviour, to command.Key) command.Outcome[commandTx] {
	o := command.Outcome[commandTx]{Kind: command.Joined, Body: c.Body}
	switch does {
	case silent:
		o.Kind, o.Body = 0, nil
	case adding:
		o.Commit = func(change *command.Change[commandTx]) error {
			if err := change.Tell(command.Event{Connection: c.Key.Connection, Kind: command.Connected}); err != nil {
				return err
			}
			e.judged.Tells()
			next := command.Command{Correlation: c.Correlation + "+", Key: to, Kind: command.Greet, Body: []byte{byte(plain), 0}}
			if err := change.Add(next); errors.Is(err, command.ErrCorrelation) {
				return nil // of an earlier one under the same id
			} else if err != nil {
				return err
			}
			e.judged.Adds(next)
			e.world.Sometimes("added-by-a-command")
			return nil
		}
	}
	return o
}

// toldQueue is the observer of a queue: its judge, and a trace.
type toldQueue struct {
	judged *models.Queue
	world  *sim.World
}

// Observe implements command.Observer.
func (q toldQueue) Observe(t command.Transition) {
	q.judged.Observe(t)
	if !q.world.Tracing() {
		return
	}
	switch t := t.(type) {
	case command.Executing:
		q.world.Logf("executes %s, command %d of %v", t.Command.Correlation, t.Command.Number, t.Command.Key)
	case command.Paused:
		q.world.Logf("the worker of %v sleeps for %v: %v", t.Key, t.Delay, t.Err)
	case command.WorkerPanicked:
		q.world.Logf("the worker of %v has panicked, and has ended: %v", t.Key, t.Critical)
	}
}
