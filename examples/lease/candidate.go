package lease

import (
	"context"
	"errors"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// Where the servers are.
const (
	LessorAddress  net.Address = "lessor"
	StorageAddress net.Address = "storage"
)

// ErrRefused is what a candidate is answered that leads no more.
var ErrRefused = errors.New("lease: there is a newer leader")

// Environment is what a candidate runs in.
type Environment struct {
	Scheduler sched.Scheduler
	Clock     clock.Clock
	Lessor    net.Dialer[Ask, Grant]
	Storage   net.Dialer[Access, Result]
}

// Config is how a candidate is to behave.
type Config struct {
	Name    string
	Pause   time.Duration // between two increments, and before it asks for the lease again
	Renew   time.Duration // it asks for more time when less than this is left of the lease
	Timeout time.Duration // of a call
}

// Candidate is a process that leads while it holds the lease.
type Candidate struct {
	Environment
	Config
	increments *sched.AtomicInt64
}

// NewCandidate makes a candidate.
func NewCandidate(e Environment, c Config) *Candidate {
	return &Candidate{Environment: e, Config: c, increments: sched.NewAtomicInt64(sched.Named(e.Scheduler, "increments"), 0)}
}

// Increments is how many increments the storage has acknowledged to this candidate.
func (c *Candidate) Increments() int64 { return c.increments.Load() }

// Run asks for the lease and increments the counter while it has it, until the context is done.
func (c *Candidate) Run(ctx context.Context) {
	for {
		if grant, err := call(ctx, c, c.Lessor, LessorAddress, Ask{Candidate: c.Name}); err == nil && grant.Token != 0 {
			c.lead(ctx, grant)
		}
		if c.Clock.Sleep(ctx, c.Pause) != nil {
			return
		}
	}
}

// lead increments the counter until the lease is over or something fails.
func (c *Candidate) lead(ctx context.Context, grant Grant) {
	for left := grant.Until.Sub(c.Clock.Now()); left > 0; left = grant.Until.Sub(c.Clock.Now()) {
		if left < c.Renew {
			more, err := call(ctx, c, c.Lessor, LessorAddress, Ask{c.Name, grant.Token})
			if err != nil || more.Token != grant.Token {
				return
			}
			grant = more
		}
		if err := c.increment(ctx, grant.Token); err != nil {
			return
		}
		if c.Clock.Sleep(ctx, c.Pause) != nil {
			return
		}
	}
}

// increment adds one to the counter.
func (c *Candidate) increment(ctx context.Context, token int64) error {
	read, err := call(ctx, c, c.Storage, StorageAddress, Access{Token: token})
	if err != nil {
		return err
	}
	written := Result{Refused: true}
	if !read.Refused {
		written, err = call(ctx, c, c.Storage, StorageAddress, Access{Token: token, Write: true, Value: read.Value + 1})
	}
	switch {
	case err != nil:
		return err
	case written.Refused:
		return ErrRefused
	}
	c.increments.Add(1)
	return nil
}

// call asks a server one question on a connection of its own.
func call[Question, Answer any](
	ctx context.Context, c *Candidate, d net.Dialer[Question, Answer], to net.Address, q Question,
) (answer Answer, err error) {
	ctx, cancel := clock.WithTimeout(c.Clock, c.Scheduler, ctx, c.Timeout)
	defer cancel()
	conn, err := d.Dial(ctx, to, "")
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	interrupt := sched.AfterFunc(c.Scheduler, ctx, func() { _ = conn.Close() })
	defer interrupt()
	if err := conn.Send(ctx, q); err != nil {
		return answer, err
	}
	return conn.Receive()
}
