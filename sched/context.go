package sched

import (
	"context"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// contextKey finds a context of this package through Value, below any number of context.WithValue.
type contextKey struct{}

// WithCancel is context.WithCancel. In production it is the standard one.
func WithCancel(s Scheduler, parent context.Context) (context.Context, context.CancelFunc) {
	if s.Kernel() == nil {
		ctx, cancel := context.WithCancel(parent)
		return wrap(ctx), cancel
	}
	c := derive(s, parent)
	return c, func() { c.cancel(context.Canceled, nil) }
}

// WithCancelCause is context.WithCancelCause; context.Cause finds the cause in production only, Cause always.
func WithCancelCause(s Scheduler, parent context.Context) (context.Context, context.CancelCauseFunc) {
	if s.Kernel() == nil {
		ctx, cancel := context.WithCancelCause(parent)
		return wrap(ctx), cancel
	}
	c := derive(s, parent)
	return c, func(cause error) { c.cancel(context.Canceled, cause) }
}

// WithAlarm derives a simulated context that expires when alarm calls the function it is given; alarm answers how to call it
// off. It is what package clock builds WithTimeout and WithDeadline from; programs call those.
func WithAlarm(s Scheduler, parent context.Context, deadline time.Time, alarm func(expire func()) (stop func() bool)) (context.Context, context.CancelFunc) {
	c := derive(s, parent)
	if earlier, ok := parent.Deadline(); !ok || deadline.Before(earlier) {
		c.deadline = deadline
	}
	if c.err == nil {
		c.stop = alarm(func() { c.cancel(context.DeadlineExceeded, nil) })
		if c.err != nil { // meanwhile
			c.scheduler.Kernel().ObserveCovered(c.callOff)
		}
	}
	return c, func() { c.cancel(context.Canceled, nil) }
}

// Cause is context.Cause for contexts of this package as well.
//
//go:norace
func Cause(ctx context.Context) error {
	if c := simulatedContextOf(ctx); c != nil {
		if ctx.Err() == nil {
			return nil
		}
		return c.cause
	}
	return context.Cause(ctx)
}

// Done is ctx.Done() as a case of a select needs it: nil, which is never ready, if the context cannot be cancelled. Of a
// context that was derived with package context from one of a simulation it panics.
func Done(ctx context.Context) *Chan[struct{}] {
	if c := simulatedContextOf(ctx); c != nil {
		return c.done
	}
	done := ctx.Done()
	if done == nil {
		return nil
	}
	if c, ok := ctx.Value(contextKey{}).(*nativeContext); ok && c.Done() == done {
		return c.done
	}
	return FromNative(done)
}

// AfterFunc is context.AfterFunc: f runs as a task of its own once ctx is done. stop calls that off and says whether it did.
//
//go:norace
func AfterFunc(s Scheduler, ctx context.Context, f func()) (stop func() bool) {
	c := simulatedContextOf(ctx)
	if c == nil {
		return context.AfterFunc(ctx, f)
	}
	after := &afterFunc{scheduler: s, f: f}
	c.object.AtomicAt(kernel.OpStore, kernel.OpDeliver, c.chain) // their order is the order in which they start
	if c.err != nil {
		after.run()
	} else {
		c.afters = append(c.afters, after)
	}
	return func() bool {
		c.object.AtomicAt(kernel.OpStore, kernel.OpDeliver, c.chain)
		stopped := !after.over
		after.over = true
		return stopped
	}
}

type afterFunc struct {
	scheduler Scheduler
	f         func()
	over      bool
}

//go:norace
func (a *afterFunc) run() {
	if !a.over {
		a.over = true
		a.scheduler.Kernel().ObserveCovered(func() { a.scheduler.Go("after", a.f) })
	}
}

// nativeContext keeps the Chan of a standard context.
type nativeContext struct {
	context.Context
	done *Chan[struct{}]
}

func wrap(ctx context.Context) *nativeContext {
	return &nativeContext{Context: ctx, done: FromNative(ctx.Done())}
}

func (c *nativeContext) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return c
	}
	return c.Context.Value(key)
}

// simulatedContext is a context whose operations are points of a simulation. Cancelling, with all that derives from it, is
// one step.
type simulatedContext struct {
	scheduler Scheduler
	parent    context.Context
	object    *kernel.Object // of the whole tree that the context is of: cancelling reaches all below
	done      *Chan[struct{}]
	closing   *Chan[struct{}]  // the same, to close it
	chain     []*kernel.Object // its channel and those of the contexts that it derives from: what its state can be known by
	native    chan struct{}
	deadline  time.Time
	err       error
	cause     error
	stop      func() bool
	children  []*simulatedContext
	afters    []*afterFunc
}

// derive makes a child of parent, which must be of the same simulation or impossible to cancel.
//
//go:norace
func derive(s Scheduler, parent context.Context) *simulatedContext {
	c := &simulatedContext{
		scheduler: s, parent: parent, closing: NewChan[struct{}](s, 0), native: make(chan struct{}),
	}
	c.closing.Object().OnlyClosed()
	c.done = c.closing.RecvOnly()
	c.chain = []*kernel.Object{c.closing.Object()}
	p := simulatedContextOf(parent)
	if p == nil {
		if parent.Done() != nil {
			panic("sched: a simulated context cannot derive from one of the real world that may be cancelled")
		}
		c.object = object(s, kernel.ContextObject)
		return c
	}
	c.object, c.chain = p.object, append(c.chain, p.chain...)
	p.object.AtomicAt(kernel.OpStore, kernel.OpSelect, p.chain) // it matters whether that is closed
	if p.err != nil {
		s.Kernel().ObserveCovered(func() { c.commit(p.err, p.cause) })
	} else {
		p.children = append(p.children, c)
	}
	return c
}

// simulatedContextOf finds the simulated context that ctx is, apart from values; nil if there is none or ctx is never done.
// It panics if ctx is done at other times than that.
//
//go:norace
func simulatedContextOf(ctx context.Context) *simulatedContext {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	c, _ := ctx.Value(contextKey{}).(*simulatedContext)
	if c != nil && c.native != done {
		panic("sched: a context of a simulated task was derived with package context; derive it with packages sched and clock")
	}
	return c
}

// accesses are all that cancelling the context touches: the tree that it is of, and the channels of those that end with it.
//
//go:norace
func (c *simulatedContext) accesses(list []*kernel.Object) []*kernel.Object {
	list = append(list, c.done.Object())
	for _, child := range c.children {
		list = child.accesses(list)
	}
	return list
}

//go:norace
func (c *simulatedContext) cancel(err, cause error) {
	c.object.Cancel(c.accesses(nil), c.chain[1:])
	c.scheduler.Kernel().ObserveCovered(func() { c.commit(err, cause) })
	if p := simulatedContextOf(c.parent); p != nil {
		p.forget(c)
	}
}

//go:norace
func (c *simulatedContext) commit(err, cause error) {
	if c.err != nil {
		return
	}
	if cause == nil {
		cause = err
	}
	c.err, c.cause = err, cause
	close(c.native)
	c.closing.Close()
	c.callOff()
	for _, child := range c.children {
		child.commit(err, cause)
	}
	for _, after := range c.afters {
		after.run()
	}
	c.children, c.afters = nil, nil
}

// callOff stops the alarm, if there is one.
//
//go:norace
func (c *simulatedContext) callOff() {
	if c.stop != nil {
		c.stop()
	}
}

// forget drops a child that is done, so that a long-lived parent does not collect them.
//
//go:norace
func (c *simulatedContext) forget(child *simulatedContext) {
	kept := 0
	for _, other := range c.children { // by hand: a copy of pointers is one that the race detector sees
		if other != child {
			c.children[kept] = other
			kept++
		}
	}
	c.children = c.children[:kept]
}

// Deadline is the earliest deadline of the context and those it derives from.
//
//go:norace
func (c *simulatedContext) Deadline() (time.Time, bool) {
	if !c.deadline.IsZero() {
		return c.deadline, true
	}
	return c.parent.Deadline()
}

// Done is closed with the context; a simulated task waits for package sched's Done instead.
//
//go:norace
func (c *simulatedContext) Done() <-chan struct{} { return c.native }

// Err is a point of the simulation.
//
//go:norace
func (c *simulatedContext) Err() error {
	c.object.AtomicAt(kernel.OpLoad, kernel.OpSelect, c.chain)
	return c.err
}

// Value finds the context itself, for Done and AfterFunc, and else asks the parent.
//
//go:norace
func (c *simulatedContext) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return c
	}
	return c.parent.Value(key)
}

// AfterFunc lets package context derive from a simulated context without a goroutine.
//
//go:norace
func (c *simulatedContext) AfterFunc(f func()) (stop func() bool) {
	return AfterFunc(c.scheduler, c, f)
}
