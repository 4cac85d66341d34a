package agent_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

const (
	stormRouters = 3
	stormQueues  = 60
)

func stormName(i int) protocol.Router {
	return protocol.Router{KeyHash: "key", Hosts: fmt.Sprintf("smp%d.example.org", i), Port: "5223"}
}

func stormQueue(i int) protocol.QueueID { return protocol.QueueID{'q', byte(i)} }

// storm is an agent and its routers on an in-process network, all on goroutines.
type storm struct {
	network *net.Local[[]protocol.Request, []protocol.Response]
	routers [stormRouters]*router.Router
	agent   *agent.Agent
	party   protocol.Party
	service [stormRouters]protocol.ServiceSub
}

func newStorm(t *testing.T, party protocol.Party) *storm {
	s := &storm{network: net.NewLocal[[]protocol.Request, []protocol.Response](sched.Goroutines()), party: party}
	credential := protocol.Credential{Role: party.Role(), CertificateHash: "certificate"}
	for i := range s.routers {
		at := stormName(i).Address()
		s.routers[i] = router.New(router.Options{Name: string(at), Env: router.LocalEnv(s.network, at, clock.Wall())})
		for q := range 2 * stormQueues {
			s.routers[i].NewQueue(party, stormQueue(q), "key", "new key")
		}
		for q := range stormQueues {
			s.routers[i].Associate(party, stormQueue(stormQueues+q), credential)
		}
		s.service[i], _ = s.routers[i].Service(credential)
		require.NoError(t, s.network.Listen(at, s.routers[i]))
	}
	c := agent.DefaultConfig(party)
	c.Credential = credential
	c.Reconnect = retry.Interval{Initial: time.Millisecond, GrowAfter: 10 * time.Millisecond, Max: 5 * time.Millisecond}
	c.PersistError = time.Millisecond
	c.EventQueue, c.MessageQueue, c.SendQueue = 2, 2, 2
	c.BatchSize, c.BlockSize = 16, 5
	c.PingInterval = time.Millisecond
	a, err := agent.New(agent.Environment{Scheduler: sched.Goroutines(), Clock: clock.Wall(), Dialer: s.network}, c)
	require.NoError(t, err)
	s.agent = a
	return s
}

// at runs f as an event of a router.
func (s *storm) at(i int, f func(*router.Router)) {
	s.network.Do(stormName(i).Address(), func() { f(s.routers[i]) })
}

// call makes one call after the other until stop is closed.
func (s *storm) call(seed int64, stop <-chan struct{}) {
	rng := rand.New(rand.NewSource(seed))
	for {
		select {
		case <-stop:
			return
		default:
		}
		i := rng.Intn(stormRouters)
		queues := make([]agent.QueueSub, 1+rng.Intn(30))
		ids := make([]protocol.QueueID, len(queues))
		for j := range queues {
			ids[j] = stormQueue(rng.Intn(stormQueues))
			queues[j] = agent.QueueSub{Queue: ids[j], Key: [...]protocol.AuthKey{"key", "new key"}[rng.Intn(2)]}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.Intn(3000))*time.Microsecond)
		switch rng.Intn(8) {
		case 0:
			_ = s.agent.RemoveQueues(stormName(i), ids)
		case 1:
			_ = s.agent.SubscribeService(ctx, stormName(i), s.service[i])
		case 2:
			if c, err := s.agent.Client(ctx, stormName(i)); err == nil {
				_, _ = c.Exchange(ctx, []protocol.Request{{Command: "ACK"}, {Command: "ACK"}})
			}
		case 3:
			if c, _ := s.agent.ConnectedClient(stormName(i)); c != nil {
				s.agent.ClientBySession(c.Session())
			}
		default:
			_ = s.agent.SubscribeQueues(ctx, stormName(i), queues)
		}
		cancel()
	}
}

// disturb restarts routers, upgrades and downgrades them, takes queues from the
// agent and sends messages to it.
func (s *storm) disturb(seed int64, stop <-chan struct{}) {
	rng := rand.New(rand.NewSource(seed))
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.Intn(1000)) * time.Microsecond):
		}
		queue, kind := stormQueue(rng.Intn(2*stormQueues)), rng.Intn(12)
		s.at(rng.Intn(stormRouters), func(r *router.Router) {
			switch kind {
			case 0:
				r.Restart()
			case 1:
				r.Downgrade()
				r.Upgrade()
			case 2:
				r.DisplaceService(protocol.Credential{Role: s.party.Role(), CertificateHash: "certificate"})
			case 3, 4, 5:
				r.Displace(s.party, queue)
			default:
				r.Deliver(s.party, queue)
			}
		})
	}
}

// TestAStormOnTheInProcessNetwork: routers restart and are upgraded while calls of
// all kinds run; then every queue gets subscribed, at the agent and at its router.
// Close, by several tasks and while calls and routers go on, returns, ends both
// channels, and leaves no goroutine behind.
func TestAStormOnTheInProcessNetwork(t *testing.T) {
	before := goroutinesOfAgent()
	for _, party := range []protocol.Party{protocol.RecipientService, protocol.NotifierService} {
		for round, calm := range []bool{true, false} {
			t.Run(fmt.Sprint(party, " ", calm), func(t *testing.T) {
				s := newStorm(t, party)
				var consumers, calls, disturbers sync.WaitGroup
				consumers.Go(func() {
					for n := 1; ; n++ {
						e, ok := s.agent.Events().Recv()
						if !ok {
							return
						}
						if n%17 == 0 && len(e.Queues) > 0 { // a consumer may call
							_ = s.agent.RemoveQueues(e.Router, e.Queues[:1])
						}
					}
				})
				consumers.Go(func() {
					for ok := true; ok; _, ok = s.agent.Messages().Recv() {
					}
				})
				stop, still := make(chan struct{}), make(chan struct{})
				for i := range 4 {
					calls.Go(func() { s.call(int64(10*round+i), stop) })
				}
				for i := range 2 {
					disturbers.Go(func() { s.disturb(int64(10*round+i), still) })
				}
				time.Sleep(300 * time.Millisecond)
				if calm {
					close(stop)
					calls.Wait()
					close(still)
					disturbers.Wait()
					s.settle(t)
				}
				var closers sync.WaitGroup
				for range 3 {
					closers.Go(s.agent.Close)
				}
				closers.Wait()
				consumers.Wait()
				require.ErrorIs(t, s.agent.SubscribeQueues(context.Background(), stormName(0), []agent.QueueSub{{}}), agent.ErrClosed)
				if !calm {
					close(stop)
					calls.Wait()
					close(still)
					disturbers.Wait()
				}
				for i := range s.routers {
					sessions := make(chan int)
					require.Eventually(t, func() bool {
						s.at(i, func(r *router.Router) { sessions <- len(r.Sessions()) })
						return <-sessions == 0
					}, 5*time.Second, time.Millisecond, "router %d has sessions left", i)
				}
				s.network.Close()
			})
		}
	}
	require.Eventually(t, func() bool { return goroutinesOfAgent() <= before }, 5*time.Second, 5*time.Millisecond, "goroutines are left")
}

// settle subscribes everything once more and waits until agent and routers agree.
func (s *storm) settle(t *testing.T) {
	queues := make([]agent.QueueSub, stormQueues)
	for q := range queues {
		queues[q] = agent.QueueSub{Queue: stormQueue(q), Key: "key"}
	}
	var last string
	for range 2000 {
		for i := range s.routers {
			if err := s.agent.SubscribeQueues(context.Background(), stormName(i), queues); !errors.Is(err, agent.ErrPending) {
				require.NoError(t, err)
			}
		}
		time.Sleep(time.Millisecond)
		if last = s.disagreement(); last == "" {
			return
		}
	}
	require.Fail(t, "never settled", last)
}

// disagreement says what is not settled, or seen otherwise by a router.
func (s *storm) disagreement() string {
	for i, r := range s.agent.Snapshot().Routers {
		if len(r.Pending) > 0 || r.PendingService != nil || r.Calls+r.RPCs > 0 {
			return fmt.Sprintf("router %d: %d pending, %d calls", i, len(r.Pending), r.Calls)
		}
		wrong := make(chan string, 1)
		s.at(i, func(m *router.Router) {
			for _, q := range append(append(r.Active, r.Counted...), r.Covered...) {
				if owner := m.Owner(s.party, q.Queue); owner != r.Session {
					wrong <- fmt.Sprintf("router %d: queue %v is that of %q, not of %q", i, q.Queue, owner, r.Session)
					return
				}
			}
			wrong <- ""
		})
		if w := <-wrong; w != "" {
			return w
		}
		if n := len(r.Active) + len(r.Counted) + len(r.Covered); n < stormQueues-stormQueues/4 { // its consumer removes some
			return fmt.Sprintf("router %d: %d queues are subscribed", i, n)
		}
	}
	return ""
}

// goroutinesOfAgent is how many goroutines run code of this module, the tests'
// own apart.
func goroutinesOfAgent() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, g := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(g, "heddle/agent.") || strings.Contains(g, "heddle/net.") {
			n++
		}
	}
	return n
}
