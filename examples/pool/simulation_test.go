package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/examples/pool"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/simtest"
)

// TestSimulatedPool searches for an interleaving, or a fault of the network, that breaks a property.
func TestSimulatedPool(t *testing.T) { simtest.Run(t, callers) }

const (
	noIdleWait = "no-idle-wait"
	oneCaller  = "one-caller"
	noneClosed = "none-closed"
)

// callers is a world of a server, a network with all its faults, and three callers that share a pool of one or two connections.
var callers = &sim.Scenario{
	Name:    "pool",
	Summary: "callers share a pool of connections, which break",
	Properties: []sim.Property{
		{ID: noIdleWait, Statement: "nobody waits for a connection while the pool has an idle one, or room for another"},
		{ID: oneCaller, Statement: "a connection is lent to one caller at a time"},
		{ID: noneClosed, Statement: "the pool asks nothing on a connection that it has closed itself"},
	},
	Setup: func(w *sim.World) func() {
		network := sim.NewNetwork[string, string](w)
		if err := network.Listen(address, newEcho()); err != nil {
			panic(err)
		}
		node := w.Node("program")
		s, c := node.Scheduler(), node.Clock()
		config := pool.Config{Address: address, Size: 1 + w.Value("size", 2), Check: time.Second, Timeout: time.Second}
		return func() {
			p := pool.Open(s, c, watched{network.Dialer(node), w}, config)
			lent, done := map[*pool.Conn]bool{}, sched.NewWaitGroup(w.Host())
			done.Add(3)
			for range 3 {
				s.Go("caller", func() {
					defer done.Done()
					for range 1 + w.Value("calls", 3) {
						_ = c.Sleep(context.Background(), time.Duration(w.Value("pause", 4))*500*time.Millisecond)
						call(w, s, c, p, lent)
						if now := p.Stats(); now.Waiting > 0 && (now.Idle > 0 || now.Open < config.Size) {
							w.Fail(noIdleWait, "%d wait, though %d of %d connections are open, and %d idle", now.Waiting, now.Open, config.Size, now.Idle)
						}
					}
				})
			}
			done.Wait()
			p.Close()
		}
	},
}

// call borrows a connection, asks a question, and gives it back.
func call(w *sim.World, s sched.Scheduler, c clock.Clock, p *pool.Pool, lent map[*pool.Conn]bool) {
	ctx, cancel := clock.WithTimeout(c, s, context.Background(), 10*time.Second)
	defer cancel()
	conn, err := p.Get(ctx)
	if err != nil {
		return
	}
	w.Inline(func() {
		if lent[conn] {
			w.Fail(oneCaller, "two callers have one connection")
		}
		lent[conn] = true
	})
	asking, cancel := clock.WithTimeout(c, s, ctx, time.Second)
	defer cancel()
	_, _ = conn.Query(asking, "how much?")
	w.Inline(func() { delete(lent, conn) })
	p.Put(conn)
}

// watched is a dialer that knows of each connection whether the pool has closed it.
type watched struct {
	net.Dialer[string, string]
	world *sim.World
}

func (d watched) Dial(ctx context.Context, address net.Address, credential string) (net.Conn[string, string], error) {
	conn, err := d.Dialer.Dial(ctx, address, credential)
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, world: d.world}, nil
}

type watchedConn struct {
	net.Conn[string, string]
	world  *sim.World
	closed bool
}

func (c *watchedConn) Close() error {
	c.world.Inline(func() { c.closed = true })
	return c.Conn.Close()
}

func (c *watchedConn) Send(ctx context.Context, question string) error {
	closed := false
	c.world.Inline(func() { closed = c.closed })
	if closed && ctx.Err() == nil { // so it was not closed for this question
		c.world.Fail(noneClosed, "%q is asked on a connection that is closed", question)
	}
	return c.Conn.Send(ctx, question)
}
