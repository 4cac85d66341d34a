package agent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// BenchmarkResubscribe loses the session of a router with so many queues, and
// subscribes them all again; ns/queue must not grow with their number.
func BenchmarkResubscribe(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			router := &benchRouter{}
			env := Environment{Scheduler: sched.Goroutines(), Clock: clock.Wall(), Dialer: router}
			config := DefaultConfig(protocol.NotifierService)
			config.Reconnect = retry.Interval{Initial: time.Hour, Max: time.Hour}
			a, err := New(env, config)
			require.NoError(b, err)
			defer a.Close()
			require.NoError(b, a.SubscribeQueues(context.Background(), testRouter, subs(n)))
			r := a.knownRouter(testRouter)
			awaitSubscribed(a, n)
			b.ReportAllocs()
			for b.Loop() {
				c := r.current()
				_ = c.conn.Close() // the handler demotes all; the worker subscribes them
				awaitSubscribed(a, n)
				b.StopTimer()
				endWorker(r)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/queue")
		})
	}
}

// BenchmarkDemote is the disconnect handler alone.
func BenchmarkDemote(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var r register
			for _, sub := range subs(n) {
				r.want(sub.Queue, sub.Key)
			}
			for b.Loop() {
				b.StopTimer()
				for _, q := range r.pending(&Client{}) {
					r.move(q, queueActive, "s", 1)
				}
				b.StartTimer()
				require.Len(b, r.demote("s"), n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/queue")
		})
	}
}

// endWorker takes the sleeping worker out, so that the next loss starts one anew
// and the benchmark does not measure its sleep.
func endWorker(r *routerState) {
	for {
		r.mu.Lock()
		v := r.workers.Get()
		if v != nil && r.sleeping {
			r.workers.Remove(v)
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
	}
}

// awaitSubscribed takes events until n queues were subscribed.
func awaitSubscribed(a *Agent, n int) {
	for n > 0 {
		if e, _ := a.Events().Recv(); e.Kind == Subscribed {
			n -= len(e.Queues)
		}
	}
}

// benchRouter answers every block at once.
type benchRouter struct{ dials int }

func (r *benchRouter) Dial(context.Context, net.Address, string) (protocol.Conn, error) {
	r.dials++
	return &benchConn{
		session: net.Session{ID: net.SessionID(fmt.Sprint(r.dials))},
		in:      make(chan []protocol.Response, 64), closed: make(chan struct{}),
	}, nil
}

type benchConn struct {
	session net.Session
	in      chan []protocol.Response
	closed  chan struct{}
}

func (c *benchConn) Session() net.Session { return c.session }

func (c *benchConn) Send(_ context.Context, block []protocol.Request) error {
	out := make([]protocol.Response, len(block))
	for i, r := range block {
		out[i] = confirm(r)
	}
	c.in <- out
	return nil
}

func (c *benchConn) Receive() ([]protocol.Response, error) {
	select {
	case block := <-c.in:
		return block, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *benchConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}
