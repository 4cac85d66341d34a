package agent

import (
	"context"
	"fmt"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
)

// BenchmarkCrowd has so many calls for one queue each wait on one session, which
// then answers them all; ns/call must not grow with their number.
func BenchmarkCrowd(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := sched.Goroutines()
			a, err := New(Environment{Scheduler: s, Clock: clock.Wall(), Dialer: &benchRouter{}}, DefaultConfig(protocol.NotifierService))
			require.NoError(b, err)
			defer a.Close()
			c, err := a.Client(context.Background(), testRouter)
			require.NoError(b, err)
			for b.Loop() {
				b.StopTimer()
				flights := make([]*flight, n)
				for i := range flights {
					requests := []protocol.Request{{Command: "ACK"}}
					flights[i] = &flight{requests: requests, answers: make([]Answer, 1), left: 1, done: sched.NewChan[struct{}](s, 1)}
					require.NoError(b, c.register(flights[i]))
				}
				rand.New(rand.NewSource(1)).Shuffle(n, func(i, j int) { flights[i], flights[j] = flights[j], flights[i] })
				b.StartTimer()
				for _, f := range flights {
					c.dispatch([]protocol.Response{confirm(f.requests[0])})
					_ = c.finish(f, nil, true)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/call")
		})
	}
}
