package heddle

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// account has two tasks that add to a balance; locked says whether they hold the lock from the read to the write.
func account(locked bool) func(w *sim.World) func() {
	return func(w *sim.World) func() {
		s := w.Host().Scheduler()
		mutex, done := sched.NewMutex(s), sched.NewWaitGroup(s)
		balance := sched.NewAtomicInt64(s, 0)
		return func() {
			done.Add(2)
			for range 2 {
				w.Host().Go("depositor", func() {
					if locked {
						mutex.Lock()
						defer mutex.Unlock()
					}
					before := balance.Load()
					w.Logf("balance was %d", before)
					balance.Store(before + 1)
					done.Done()
				})
			}
			done.Wait()
			if got := balance.Load(); got != 2 {
				w.Fail("all-counted", "balance is %d after two deposits of 1", got)
			}
		}
	}
}

// serve is a program that is given a logger.
func serve(s sched.Scheduler, log *slog.Logger) {
	done := sched.NewChan[int](s, 0)
	s.Go("customer", func() {
		log.WithGroup("order").Info("sold", "item", "a lamp", "pieces", 2)
		done.Send(2)
	})
	pieces, _ := done.Recv()
	log.Debug("wrapped up", "pieces", pieces)
}

func testScenarios() []*sim.Scenario {
	counted := []sim.Property{{ID: "all-counted", Statement: "Every deposit is in the balance."}}
	return []*sim.Scenario{
		{Name: "account", Summary: "two deposits without a lock", Properties: counted, Fails: "all-counted", Depth: 2, Share: 0.31, Setup: account(false)},
		{Name: "account-fixed", Summary: "two deposits under a lock", Properties: counted, Setup: account(true)},
		{Name: "two-faced", Summary: "fails in two ways, the second hidden by the first", Fails: "never", Properties: counted, Setup: func(w *sim.World) func() {
			return func() {
				if w.Value("coin", 2) == 1 {
					w.Fail("never", "tails")
					w.Fail("all-counted", "tails, too")
				}
			}
		}},
		{Name: "stuck-forks", Summary: "two tasks lock in opposite order", Fails: sim.Deadlock, Setup: func(w *sim.World) func() {
			left, right := sched.NewMutex(w.Host().Scheduler()), sched.NewMutex(w.Host().Scheduler())
			return func() {
				w.Host().Go("left-handed", func() { left.Lock(); right.Lock(); right.Unlock(); left.Unlock() })
				right.Lock()
				left.Lock()
				left.Unlock()
				right.Unlock()
			}
		}},
		{Name: "broken", Summary: "panics in its set-up now and then", Fails: sim.Panic, Setup: func(w *sim.World) func() {
			if w.Value("when", 40) == 7 {
				panic("no configuration")
			}
			return func() {}
		}},
		{Name: "long", Summary: "fails after many decisions", Fails: "never", Setup: func(w *sim.World) func() {
			s := w.Host().Scheduler()
			return func() {
				done := sched.NewWaitGroup(s)
				done.Add(4)
				for range 4 {
					w.Host().Go("counter", func() {
						n := sched.NewAtomicInt64(s, 0)
						for range 200 {
							n.Add(1)
						}
						done.Done()
					})
				}
				done.Wait()
				w.Fail("never", "as always")
			}
		}},
		{Name: "shop", Summary: "a program that logs", Fails: "never", Setup: func(w *sim.World) func() {
			return func() {
				serve(w.Node("counter").Scheduler(), w.Node("counter").Logger().With("shop", "corner"))
				w.Fail("never", "as always")
			}
		}},
		{Name: "talkative", Summary: "tells megabytes", Fails: "never", Setup: func(w *sim.World) func() {
			return func() {
				for range 100 {
					w.Logf("%s", strings.Repeat("blah ", 200_000))
					sched.Yield(w.Host())
				}
				w.Fail("never", "as always")
			}
		}},
		{Name: "faulty", Summary: "a fault may strike", Fails: "never", Sometimes: []string{"struck", "impossible"}, Setup: func(w *sim.World) func() {
			w.Rule("lightning", 2, func() bool {
				w.Effect("lightning")
				w.Sometimes("struck")
				return true
			})
			w.Swarm("flood")
			s := w.Host().Scheduler()
			return func() {
				n := sched.NewAtomicInt64(s, 0)
				for range 20 {
					n.Add(1)
				}
			}
		}},
	}
}

// ours is the program whose mutants the tests build.
var ours = program{"github.com/heddle-go/heddle", "./cmd/heddle"}

// nothing is the world of a scenario that is not run.
func nothing(*sim.World) func() { return func() {} }

// heddle runs the command line and answers what it printed and its exit status.
func heddle(t *testing.T, args ...string) (out, errOut string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = ours.execute(context.Background(), testScenarios(), args, &stdout, &stderr)
	return stdout.String(), stderr.String(), status
}

// found is heddle for a command that must end with status 1 and say nothing on standard error.
func found(t *testing.T, args ...string) string {
	t.Helper()
	out, errOut, status := heddle(t, args...)
	require.Empty(t, errOut)
	require.Equal(t, statusFound, status)
	return out
}

// clean is heddle for a command that must end with status 0 and say nothing on standard error.
func clean(t *testing.T, args ...string) string {
	t.Helper()
	out, errOut, status := heddle(t, args...)
	require.Empty(t, errOut)
	require.Equal(t, statusClean, status)
	return out
}
