package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// commandTx is a transaction of the store of the scenario.
type commandTx = *store.MemoryTx

// commandProcess is a process of the application, from its start to its crash, or to the end of the run.
type commandProcess struct {
	*commandQueue
	node   *sim.Node
	store  command.Store[commandTx]
	mu     sched.RWMutex // of queue and judged, in a run that closes the queue: whoever uses them has it
	queue  *command.Queue[commandTx]
	judged *models.Queue
}

// run is the main task of the process.
func (p *commandProcess) run() {
	p.newQueue()
	tasks := sched.NewWaitGroup(p.node)
	for i := range p.load.tasks {
		tasks.Add(1)
		p.node.Go("app", func() {
			defer tasks.Done()
			for op, ok := p.op(i); ok; op, ok = p.op(i) {
				p.do(op)
				p.part.Inline(func() { p.next[i]++ })
			}
		})
	}
	tasks.Wait()
	p.down.TrySend(struct{}{})
}

// op is what a task does next. What a crash has cut off is done again: nobody knows whether it was done.
func (p *commandProcess) op(task int) (op commandOp, ok bool) {
	p.part.Inline(func() {
		if ops := p.load.tasks[task]; p.next[task] < len(ops) {
			op, ok = ops[p.next[task]], true
		}
	})
	return op, ok
}

// shortly is how long the application waits before it does again what the store has refused.
const shortly = 10 * time.Millisecond

func (p *commandProcess) wait(d time.Duration) {
	if d > 0 {
		_ = p.node.Clock().Sleep(context.Background(), d)
	}
}

// newQueue makes a queue of what is stored, and lets its events be dealt with.
func (p *commandProcess) newQueue() {
	for {
		judged := p.judge.Queue()
		p.part.Inline(func() { p.judged = judged })
		queue, err := command.New(command.Environment{Scheduler: p.node, Clock: p.node.Clock(), Observer: toldQueue{judged, p.world}}, p.load.config,
			models.WatchStore(judged, p.store), models.WatchExecutor(judged, command.Executor[commandTx](commandExecutor{p, judged})))
		if err == nil {
			judged.Opened()
			p.queue = queue
			p.node.Go("consumer", func() { p.consume(queue, judged) })
			return
		}
		p.wait(shortly)
	}
}

// with lets f use the queue, which is not replaced meanwhile.
func (p *commandProcess) with(f func(queue *command.Queue[commandTx], judged *models.Queue)) {
	if p.load.reopens {
		p.mu.RLock()
		defer p.mu.RUnlock()
	}
	f(p.queue, p.judged)
}

// errAborted ends a transaction that the application gives up.
var errAborted = errors.New("the application thinks better of it")

// do carries out an operation.
func (p *commandProcess) do(op commandOp) {
	p.wait(op.pause)
	p.world.Logf("application: %v", op)
	switch op.kind {
	case suspendQueue:
		p.with(func(queue *command.Queue[commandTx], judged *models.Queue) { p.suspend(queue, judged, op.patience) })
		if op.lasts == Never {
			return
		}
		p.wait(op.lasts)
		p.resumes()
	case resumeQueue:
		p.resumes()
	case closeAndReopen:
		p.reopen()
	default:
		p.update(op)
	}
}

// update makes a transaction, again and again while the store fails.
func (p *commandProcess) update(op commandOp) {
	ids := make([]command.Correlation, len(op.commands))
	for i, c := range op.commands {
		ids[i] = c.correlation
	}
	for {
		var err error
		buffer := make([]byte, 0, 2*len(op.commands))
		p.with(func(queue *command.Queue[commandTx], judged *models.Queue) {
			call := judged.Update(ids...)
			err = queue.Update(func(c *command.Change[commandTx]) error { return p.change(c, op, buffer, judged, call) })
			clear(buffer[:cap(buffer)]) // it is the application's
			call.Return(err)
		})
		if !isStoreError(err) {
			return
		}
		p.wait(shortly)
	}
}

// change is what is done in a transaction. The bodies of commands are in a buffer that is used again for something else.
func (p *commandProcess) change(c *command.Change[commandTx], op commandOp, buffer []byte, judged *models.Queue, call *models.QueueCall) error {
	kind := command.Join
	if op.kind == deleteTheirs {
		kind = command.Delete
		connection := p.load.keys[op.commands[0].key].Connection
		if err := c.Cancel(connection, deleted); err != nil {
			return err
		}
		judged.Cancels(connection, deleted)
	}
	for _, planned := range op.commands {
		at := len(buffer)
		buffer = append(buffer, byte(planned.behaviour), byte(planned.to))
		add := command.Command{Correlation: planned.correlation, Key: p.load.keys[planned.key], Kind: kind, Body: buffer[at:]}
		if err := c.Add(add); err != nil {
			if errors.Is(err, command.ErrCorrelation) {
				call.Refused = planned.correlation
			}
			return err
		}
		judged.Adds(add)
	}
	if op.kind == addAndAbort {
		return errAborted
	}
	return nil
}

// deleted is why the commands of a connection are cancelled.
const deleted = "the connection is deleted"

// suspend suspends the queue, for as long as its patience lasts.
func (p *commandProcess) suspend(queue *command.Queue[commandTx], judged *models.Queue, patience time.Duration) {
	ctx := context.Background()
	if patience != Never {
		var cancel context.CancelFunc
		ctx, cancel = clock.WithTimeout(p.node.Clock(), p.node, ctx, patience)
		defer cancel()
	}
	call := judged.Suspend()
	call.Return(queue.Suspend(ctx))
}

// resumes resumes the queue, again and again while the store fails.
func (p *commandProcess) resumes() {
	for {
		var err error
		p.with(func(queue *command.Queue[commandTx], judged *models.Queue) {
			call := judged.Resume()
			err = queue.Resume()
			call.Return(err)
		})
		if err == nil || errors.Is(err, command.ErrClosed) {
			return
		}
		p.wait(shortly)
	}
}

// reopen closes the queue, while others may use it, and makes a new one, while nobody does.
func (p *commandProcess) reopen() {
	var closed *command.Queue[commandTx]
	p.with(func(queue *command.Queue[commandTx], judged *models.Queue) {
		closed = queue
		call := judged.Close()
		queue.Close()
		call.Return(nil)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue != closed {
		return
	}
	p.newQueue()
	p.world.Sometimes("new-queue-in-the-process")
}

// closes is the end of the process.
func (p *commandProcess) closes() {
	call := p.judged.Close()
	p.queue.Close()
	call.Return(nil)
	p.down.TrySend(struct{}{})
}

// consume deals with the events of a queue until it is closed.
func (p *commandProcess) consume(queue *command.Queue[commandTx], judged *models.Queue) {
	for {
		p.hold()
		judged.Awaits()
		e, ok := queue.Events().Recv()
		judged.Received(e, ok)
		if !ok {
			return
		}
		for p.dealWith(e) != nil {
			p.wait(shortly)
		}
	}
}

// dealWith takes an event, and runs its continuation, in one transaction.
func (p *commandProcess) dealWith(e command.Event) (err error) {
	p.with(func(queue *command.Queue[commandTx], judged *models.Queue) {
		call := judged.Take(e)
		err = queue.Update(func(c *command.Change[commandTx]) error {
			if found, err := c.Tx.TakeEvent(e.Number); !found {
				return err
			}
			call.Takes()
			if len(e.Body) != 2 || behaviour(e.Body[0]) != replied {
				return nil
			}
			next := command.Command{Correlation: e.Correlation + "'", Key: p.load.keys[e.Body[1]], Kind: command.Send, Body: []byte{byte(plain), 0}}
			if err := c.Add(next); errors.Is(err, command.ErrCorrelation) {
				return nil // of an earlier one under the same id
			} else if err != nil {
				return err
			}
			judged.Adds(next)
			p.world.Sometimes("added-by-a-continuation")
			return nil
		})
		call.Return(err)
	})
	return err
}

// hold is how a consumer that is slow or has stopped spends its time, until faults end.
func (p *commandProcess) hold() {
	healed := false
	p.part.Inline(func() { healed = p.world.Healed() })
	switch {
	case healed || p.load.consumer == Prompt:
	case p.load.consumer == Slow:
		p.wait(slowConsumer)
	default:
		p.resume.Recv()
	}
}
