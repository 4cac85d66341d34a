package net_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
)

// TestManySessionsAtOnce is where calls of a handler could overlap, and sessions mix.
func TestManySessionsAtOnce(t *testing.T) {
	const sessions, senders, count = 3, 2, 5
	onEach(t, func(n *network) {
		n.receive = echo
		for i := range sessions {
			n.Go(func() {
				name := fmt.Sprint("n", i)
				c, err := n.Dial(context.Background(), here, name)
				require.NoError(n, err)
				tasks := sched.NewWaitGroup(n.Scheduler)
				for s := range senders {
					tasks.Add(1)
					n.Go(func() {
						defer tasks.Done()
						for k := range count {
							require.NoError(n, c.Send(context.Background(), fmt.Sprint(name, " ", s, " ", k)))
						}
					})
				}
				var next [senders]int // of each sender
				for range senders * count {
					in, err := c.Receive()
					require.NoError(n, err)
					var who string
					var s, k int
					_, err = fmt.Sscanf(in, "echo %s %d %d", &who, &s, &k)
					require.NoError(n, err)
					require.Equal(n, name, who)
					require.Equal(n, next[s], k, "sender %d", s)
					next[s]++
				}
				tasks.Wait()
				require.NoError(n, c.Close())
			})
		}
		n.Join()
		n.settle()
		require.Len(n, n.rest(), sessions*(2+senders*count))
		for _, s := range n.sessions {
			require.True(n, s.closed)
		}
	})
}

// TestEverythingAtOnce lets everybody do everything, and leaves the judgement to the host.
func TestEverythingAtOnce(t *testing.T) {
	onEach(t, func(n *network) {
		n.receive = echo
		for i := range 3 {
			n.Go(func() {
				name := fmt.Sprint("n", i)
				ctx, cancel := sched.WithCancel(n.Scheduler, context.Background())
				n.Go(cancel)
				c, err := n.Dial(ctx, here, name)
				if err != nil {
					return
				}
				n.Go(func() {
					for _, what := range []string{"1", "2", "bye", "3"} {
						if c.Send(context.Background(), what) != nil {
							return
						}
					}
				})
				n.Go(func() {
					for {
						if _, err := c.Receive(); err != nil {
							return
						}
					}
				})
				n.Go(func() { _ = c.Close() })
				n.inside(func() { n.sessions[c.Session().ID].peer.Close() })
			})
		}
		n.Join()
		n.settle()
		accepted, closed := 0, 0
		for _, what := range n.rest() {
			if strings.HasPrefix(what, "accept") {
				accepted++
			}
			if strings.HasSuffix(what, "closed") {
				closed++
			}
		}
		require.Equal(n, accepted, closed)
	})
}
