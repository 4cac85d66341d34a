package pool

import (
	"context"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// Conn is a connection of a pool. It is for one task at a time.
type Conn struct {
	scheduler sched.Scheduler
	conn      net.Conn[string, string]
	broken    bool // an answer is missing: what comes next would be the answer to another question
}

// Query asks, and waits for the answer. A connection that has failed, or whose answer the context has not waited for, is of no
// use any more.
func (c *Conn) Query(ctx context.Context, question string) (answer string, err error) {
	interrupt := sched.AfterFunc(c.scheduler, ctx, func() { _ = c.conn.Close() })
	defer func() {
		if !interrupt() {
			c.broken = true // it is being closed, even if the answer has come
		}
	}()
	if err = c.conn.Send(ctx, question); err == nil {
		answer, err = c.conn.Receive()
	}
	if err != nil {
		c.broken = true
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}
	return answer, err
}
