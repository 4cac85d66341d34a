// Package pool is a pool of connections with health checks, and an example of a program that Heddle tests: it runs on goroutines, the
// wall clock and a real network as well as in a simulation, and knows nothing of either.
package pool

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// ErrClosed is what a pool answers that has been closed.
var ErrClosed = errors.New("pool: closed")

// Config is how a pool is to behave.
type Config struct {
	Address net.Address
	Size    int           // most connections that are open at a time
	Check   time.Duration // how often idle connections are checked
	Timeout time.Duration // of dialling, and of a check
}

// Pool lends connections. Its methods may be called by any task.
type Pool struct {
	scheduler sched.Scheduler
	clock     clock.Clock
	dialer    net.Dialer[string, string]
	config    Config
	stop      context.CancelFunc // of the health checks
	stopped   sched.WaitGroup

	mu      sched.Mutex
	open    int                  // idle, lent, being checked or being dialled
	idle    []*Conn              // the one that was used last is last
	waiters []*sched.Chan[*Conn] // who came first is first; nil says that there is room to dial
	closed  bool
}

// Open makes a pool and starts its health checks. It dials when somebody asks for a connection.
func Open(s sched.Scheduler, c clock.Clock, d net.Dialer[string, string], config Config) *Pool {
	p := &Pool{
		scheduler: s, clock: c, dialer: d, config: config,
		mu: sched.NewMutex(sched.Named(s, "pool")), stopped: sched.NewWaitGroup(s),
	}
	ctx, stop := sched.WithCancel(s, context.Background())
	p.stop = stop
	p.stopped.Add(1)
	s.Go("check", func() {
		defer p.stopped.Done()
		p.check(ctx)
	})
	return p
}

// Get lends a connection: an idle one, else a new one if there is room, else the next that is given back. Whoever has it gives it back
// with Put. The error is the context's, that of dialling, or ErrClosed.
func (p *Pool) Get(ctx context.Context) (*Conn, error) {
	p.mu.Lock()
	switch last := len(p.idle) - 1; {
	case p.closed:
		p.mu.Unlock()
		return nil, ErrClosed
	case last >= 0:
		c := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return c, nil
	case p.open < p.config.Size:
		p.open++
		p.mu.Unlock()
		return p.dial(ctx)
	}
	w := sched.NewChan[*Conn](p.scheduler, 1)
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()

	given, cancelled := sched.Recv(w), sched.Recv(sched.Done(ctx))
	switch {
	case sched.Select2(&given, &cancelled) == 1:
		p.giveUp(w)
		return nil, ctx.Err()
	case !given.OK:
		return nil, ErrClosed
	case given.Value == nil:
		return p.dial(ctx)
	}
	return given.Value, nil
}

// dial opens a connection, for which the caller has counted.
func (p *Pool) dial(ctx context.Context) (*Conn, error) {
	ctx, cancel := clock.WithTimeout(p.clock, p.scheduler, ctx, p.config.Timeout)
	defer cancel()
	conn, err := p.dialer.Dial(ctx, p.config.Address, "")
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.makeRoom()
		return nil, err
	}
	return &Conn{scheduler: p.scheduler, conn: conn}, nil
}

// giveUp is for who waits no more. What was given in that moment goes to the next.
func (p *Pool) giveUp(w *sched.Chan[*Conn]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		return
	}
	switch c, ok, _ := w.TryRecv(); {
	case c != nil:
		p.give(c)
	case ok:
		p.makeRoom()
	}
}

// Put gives a connection back. One that has failed is closed, and makes room for another.
func (p *Pool) Put(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.broken || p.closed {
		_ = c.conn.Close()
		p.makeRoom()
		return
	}
	p.give(c)
}

// give hands a connection to who waits first, if anybody does. The pool is locked.
func (p *Pool) give(c *Conn) {
	if w := p.first(); w != nil {
		w.Send(c)
		return
	}
	p.idle = append(p.idle, c)
}

// makeRoom says that a connection is open no more: who waits first may dial another. The pool is locked.
func (p *Pool) makeRoom() {
	if w := p.first(); w != nil {
		w.Send(nil)
		return
	}
	p.open--
}

// first takes out who waits first; nil if nobody does. The pool is locked.
func (p *Pool) first() *sched.Chan[*Conn] {
	if len(p.waiters) == 0 {
		return nil
	}
	w := p.waiters[0]
	p.waiters = p.waiters[1:]
	return w
}

// check asks each idle connection for a sign of life, again and again. Nobody is lent one meanwhile.
func (p *Pool) check(ctx context.Context) {
	for p.clock.Sleep(ctx, p.config.Check) == nil {
		for range p.Stats().Idle {
			c := p.leastUsed()
			if c == nil {
				break
			}
			p.ping(ctx, c)
			p.Put(c)
		}
	}
}

// leastUsed takes out the idle connection that has not been used for longest; nil if there is none.
func (p *Pool) leastUsed() *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[0]
	p.idle = slices.Delete(p.idle, 0, 1)
	return c
}

// ping asks a connection for a sign of life. One that gives none is broken.
func (p *Pool) ping(ctx context.Context, c *Conn) {
	ctx, cancel := clock.WithTimeout(p.clock, p.scheduler, ctx, p.config.Timeout)
	defer cancel()
	_, _ = c.Query(ctx, "ping")
}

// Stats are figures of a pool at one moment.
type Stats struct{ Open, Idle, Waiting int }

// Stats answers the figures of now.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Open: p.open, Idle: len(p.idle), Waiting: len(p.waiters)}
}

// Close closes the idle connections and turns away who waits. Those that are lent are closed when they are given back.
func (p *Pool) Close() {
	p.mu.Lock()
	for _, c := range p.idle {
		_ = c.conn.Close()
	}
	for _, w := range p.waiters {
		w.Close()
	}
	p.open -= len(p.idle)
	p.idle, p.waiters, p.closed = nil, nil, true
	p.mu.Unlock()
	p.stop()
	p.stopped.Wait()
}
