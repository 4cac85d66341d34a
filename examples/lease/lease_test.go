package lease_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/examples/lease"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// These are the ordinary tests: goroutines, the wall clock, and a network in the process. They pass with the bug of testdata/bug.patch
// in the storage, under the race detector too.

func TestOneCandidateHasTheLease(t *testing.T) {
	l := lease.NewLessor(clock.Wall(), 20*time.Millisecond)
	first := l.Answer(lease.Ask{Candidate: "ann"})
	require.Equal(t, int64(1), first.Token)
	require.Equal(t, lease.Grant{}, l.Answer(lease.Ask{Candidate: "bob"}))
	require.Eventually(t, func() bool { return l.Answer(lease.Ask{Candidate: "bob"}).Token == 2 }, 5*time.Second, time.Millisecond)
}

func TestTheHolderGetsMoreTime(t *testing.T) {
	l := lease.NewLessor(clock.Wall(), time.Hour)
	first := l.Answer(lease.Ask{Candidate: "ann"})
	time.Sleep(time.Millisecond)
	more := l.Answer(lease.Ask{Candidate: "ann", Token: first.Token})
	require.Equal(t, first.Token, more.Token)
	require.True(t, more.Until.After(first.Until))
	require.Equal(t, first.Token+1, l.Answer(lease.Ask{Candidate: "ann"}).Token)
}

func TestTheStorageRefusesAnOlderLeader(t *testing.T) {
	var s lease.Storage
	require.Equal(t, lease.Result{Value: 1}, s.Answer(lease.Access{Token: 1, Write: true, Value: 1}))
	require.Equal(t, lease.Result{Value: 2}, s.Answer(lease.Access{Token: 2, Write: true, Value: 2}))
	require.Equal(t, lease.Result{Refused: true}, s.Answer(lease.Access{Token: 1, Write: true, Value: 2}))
	require.Equal(t, lease.Result{Refused: true}, s.Answer(lease.Access{Token: 1}))
	require.Equal(t, int64(2), s.Value())
}

// TestAnotherTakesOver: two candidates, and who leads is stopped.
func TestAnotherTakesOver(t *testing.T) {
	s, storage := sched.Goroutines(), &lease.Storage{}
	lessors, storages := net.NewLocal[lease.Ask, lease.Grant](s), net.NewLocal[lease.Access, lease.Result](s)
	lessor := lease.NewLessor(clock.Wall(), 100*time.Millisecond)
	require.NoError(t, lessors.Listen(lease.LessorAddress, lease.Serve(lessor.Answer)))
	require.NoError(t, storages.Listen(lease.StorageAddress, lease.Serve(storage.Answer)))

	candidate := func(name string) *lease.Candidate {
		return lease.NewCandidate(
			lease.Environment{Scheduler: s, Clock: clock.Wall(), Lessor: lessors, Storage: storages},
			lease.Config{Name: name, Pause: time.Millisecond, Renew: 50 * time.Millisecond, Timeout: 5 * time.Second},
		)
	}
	ann, bob := candidate("ann"), candidate("bob")
	var running sync.WaitGroup
	run := func(c *lease.Candidate) context.CancelFunc {
		ctx, cancel := context.WithCancel(t.Context())
		running.Go(func() { c.Run(ctx) })
		return cancel
	}
	stopAnn := run(ann)
	leads := func(c *lease.Candidate) func() bool { return func() bool { return c.Increments() > 5 } }
	require.Eventually(t, leads(ann), 10*time.Second, time.Millisecond)
	stopBob := run(bob)
	stopAnn()
	require.Eventually(t, leads(bob), 10*time.Second, time.Millisecond)
	stopBob()
	running.Wait()
	lessors.Close()
	storages.Close()
	require.GreaterOrEqual(t, storage.Value(), ann.Increments()+bob.Increments())
}
