package agent

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

func TestABadConfigurationIsOneClearLine(t *testing.T) {
	env := Environment{Scheduler: sched.Goroutines(), Clock: clock.Wall(), Dialer: &fakeRouter{}}
	for want, change := range map[string]func(*Config){
		"EventQueue is 0; want 1 or more":              func(c *Config) { c.EventQueue = 0 },
		"BatchSize is -1; want 1 or more":              func(c *Config) { c.BatchSize = -1 },
		"RPCTimeout is 0s; want more than 0":           func(c *Config) { c.RPCTimeout = 0 },
		"PersistError is -1ns; want 0 or more":         func(c *Config) { c.PersistError = -1 },
		"no such party":                                func(c *Config) { c.Party = 0 },
		"role messaging has no certificate hash":       func(c *Config) { c.Credential.Role = protocol.Messaging },
		"longest interval 1ms is below":                func(c *Config) { c.Reconnect.Max = time.Millisecond },
		`OwnDomains has "."; want a domain`:            func(c *Config) { c.OwnDomains = []string{"."} },
		"the initial interval is 0s; want more than 0": func(c *Config) { c.Reconnect.Initial = 0 },
	} {
		config := DefaultConfig(protocol.NotifierService)
		require.NoError(t, config.Validate())
		change(&config)
		_, err := New(env, config)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err := New(Environment{}, DefaultConfig(protocol.NotifierService))
	require.ErrorContains(t, err, "Scheduler")
}

func TestTheDefaultsAreThoseOfTheReference(t *testing.T) {
	want := Config{
		Party:          protocol.RecipientService,
		Reconnect:      retry.Interval{Initial: time.Second, GrowAfter: 10 * time.Second, Max: 10 * time.Second},
		PersistError:   30 * time.Second,
		MessageQueue:   2048,
		EventQueue:     2048,
		MessageBacklog: 65536, // of this package
		BatchSize:      1360,
		BlockSize:      136,
		SendQueue:      64,
		ConnectTimeout: 45 * time.Second,
		RPCTimeout:     30 * time.Second,
		PingInterval:   10 * time.Minute,
		PingTimeouts:   3,
		Silence:        15 * time.Minute,
	}
	require.Equal(t, want, DefaultConfig(protocol.RecipientService))
	// A notification server.
	want.Party, want.PersistError, want.PingInterval = protocol.NotifierService, 0, time.Minute
	require.Equal(t, want, DefaultConfig(protocol.NotifierService))
}

func TestTheBoundsAreThoseOfTheProperties(t *testing.T) {
	c := DefaultConfig(protocol.RecipientService)
	require.Equal(t, 600*time.Second+3*630*time.Second, c.DeadPeerBound())
	c.PingInterval = 60 * time.Second
	require.Equal(t, 60*time.Second+10*90*time.Second, c.DeadPeerBound())
	require.Equal(t, c.DeadPeerBound()+30*time.Second+45*time.Second+10*time.Second+(2+2*10)*30*time.Second, c.SubscribeBound(2000))
}

func TestAWorkerRetriesUntilNothingIsPending(t *testing.T) {
	w := newWorld(t, quick())
	w.router.dial = func(_ context.Context, n int) error {
		if n <= 3 {
			return net.ErrRefused
		}
		return nil
	}
	require.ErrorIs(t, w.subscribe(subs(1)...), ErrPending)
	w.event(Connected)
	w.event(Subscribed)
	w.await("idle", func(s RouterSnapshot) bool { return s.Worker == NoWorker })
	require.Len(t, of[WorkerPut](w.observer), 1)
	require.Equal(t, []WorkerRemoved{{testRouter, 1, true}}, of[WorkerRemoved](w.observer))
	require.Equal(t, len(of[WorkerAttempt](w.observer)), len(of[WorkerSleep](w.observer)))
	require.Equal(t, 4, w.router.dialed())
}

func TestNoWorkerWithoutAnythingPending(t *testing.T) {
	w := newWorld(t, quick())
	w.client()
	w.router.last().Close()
	w.event(Connected)
	require.Empty(t, w.event(Disconnected).Queues)
	w.agent.Close()
	require.Empty(t, of[WorkerPut](w.observer))
}

func TestL6TheConsumerOfEventsMaySubscribe(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.EventQueue = 1 }))
	require.NoError(t, w.subscribe(subs(1)...))
	next := 2
	for next < 20 {
		if e, _ := w.agent.Events().Recv(); e.Kind == Subscribed {
			require.NoError(t, w.subscribe(QueueSub{queueN(next), "key"}))
			next++
		}
	}
}

func TestS12AfterCloseNothingIsLeft(t *testing.T) {
	for name, arrange := range map[string]func(*world){
		"idle":      func(*world) {},
		"connected": func(w *world) { _ = w.subscribe(subs(3)...) },
		"connecting": func(w *world) {
			w.router.dial = func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
			go func() { _ = w.subscribe(subs(3)...) }()
			w.await("connecting", func(s RouterSnapshot) bool { return s.Client == ClientConnecting })
		},
		"a late dial": func(w *world) {
			w.router.dial = func(ctx context.Context, _ int) error { <-ctx.Done(); return nil }
			go func() { _ = w.subscribe(subs(3)...) }()
			w.await("connecting", func(s RouterSnapshot) bool { return s.Client == ClientConnecting })
		},
		"in an RPC": func(w *world) {
			w.router.answer = func(*fakeSession, protocol.Request) []protocol.Response { return nil }
			go func() { _ = w.subscribe(subs(3)...) }()
			w.await("sent", func(s RouterSnapshot) bool { return s.RPCs == 1 })
		},
		"in a backoff": func(w *world) {
			w.router.dial = func(context.Context, int) error { return net.ErrRefused }
			_ = w.subscribe(subs(3)...)
			w.await("asleep", func(s RouterSnapshot) bool { return s.Worker == WorkerSleeping })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, quick(func(c *Config) {
				c.EventQueue = 1
				c.Reconnect = retry.Interval{Initial: time.Minute, Max: time.Minute}
			}))
			arrange(w)
			w.agent.Close()
			w.agent.Close()

			require.ErrorIs(t, w.subscribe(subs(1)...), ErrClosed)
			require.ErrorIs(t, w.subscribeService(handed), ErrClosed)
			_, err := w.agent.Client(context.Background(), testRouter)
			require.ErrorIs(t, err, ErrClosed)
			for _, s := range w.router.sessions {
				<-s.closed
			}
			for _, r := range w.agent.Snapshot().Routers {
				require.Equal(t, NoWorker, r.Worker)
				require.Empty(t, r.Sessions)
				require.NotEqual(t, ClientConnected, r.Client)
			}
			for {
				if _, ok := w.agent.Events().Recv(); !ok {
					break
				}
			}
			returned := false
			for _, transition := range of[Transition](w.observer) {
				if _, late := transition.(WaitEnded); returned && !late { // of calls under way
					require.Fail(t, "after close", "%T", transition)
				}
				returned = returned || transition == CloseReturned{}
			}
			require.True(t, returned)
		})
	}
}

// TestNothingIsLostInTheStorm is a few hundred milliseconds of everything at once
// on real goroutines: the simulator's work, in small, for the race detector.
func TestNothingIsLostInTheStorm(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) {
		c.EventQueue, c.MessageQueue = 1, 1
		c.RPCTimeout = 3 * time.Millisecond
		c.BatchSize, c.BlockSize, c.SendQueue = 8, 3, 1
		c.PersistError = time.Millisecond
	}))
	var mu sync.Mutex
	storm, rng := true, rand.New(rand.NewSource(1))
	chance := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return storm && rng.Intn(n) == 0
	}
	w.router.grant = protocol.EncodeGrant(&serviceA)
	w.router.dial = func(context.Context, int) error {
		if chance(3) {
			return net.ErrReset
		}
		return nil
	}
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		switch {
		case chance(40):
			s.Close()
			return nil
		case chance(10):
			return nil
		case chance(10):
			return []protocol.Response{refuse(r, busy)}
		case chance(10):
			return []protocol.Response{confirm(r), push(protocol.END, r.Queue)}
		}
		return []protocol.Response{confirm(r)}
	}
	var consumers, callers sync.WaitGroup
	consumers.Go(func() {
		for {
			if _, ok := w.agent.Events().Recv(); !ok {
				return
			}
		}
	})
	for i := range 4 {
		callers.Go(func() {
			for n := range 60 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n%7)*time.Millisecond)
				queue := QueueSub{queueN(i*10 + n%10), protocol.AuthKey(fmt.Sprint(n))}
				_ = w.agent.SubscribeQueues(ctx, testRouter, []QueueSub{queue, {queueN(90), "shared"}})
				if n%5 == 0 {
					_ = w.agent.RemoveQueues(testRouter, []protocol.QueueID{queueN(i*10 + (n+3)%10)})
				}
				if n%11 == 0 {
					_ = w.subscribeService(handed)
				}
				w.agent.Snapshot()
				cancel()
			}
		})
	}
	callers.Wait()
	mu.Lock()
	storm = false
	mu.Unlock()
	_ = w.subscribe(subs(40)...) // perhaps answered by the last error of the storm
	s := w.await("settled", func(s RouterSnapshot) bool {
		return len(s.Pending) == 0 && s.PendingService == nil && s.Calls+s.RPCs == 0 && s.Worker == NoWorker && len(s.Active) >= 40
	})
	for _, q := range s.Active {
		require.Equal(t, s.Session, q.Session)
	}
	require.Len(t, s.Sessions, 1)
	w.agent.Close()
	consumers.Wait()
	connected := map[net.SessionID]int{}
	for _, queued := range of[EventQueued](w.observer) {
		switch e := queued.Event; e.Kind {
		case Connected:
			require.Zero(t, connected[e.Session])
			connected[e.Session] = 1
		case Disconnected:
			require.Equal(t, 1, connected[e.Session], "S10: after its Connected, once")
			connected[e.Session] = 2
		default:
			require.Equal(t, 1, connected[e.Session], "S10: between the two: %+v", e)
		}
	}
}
