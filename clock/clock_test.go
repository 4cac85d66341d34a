package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
)

// soon is when a timer of these tests fires, later is surely after that; never is not within a test.
const (
	soon  = time.Millisecond
	later = 10 * time.Millisecond
	never = time.Hour
)

func sleep(e *conformance.Side, d time.Duration) {
	require.NoError(e, e.Clock.Sleep(context.Background(), d))
}

// received says whether a receive, without waiting, gets something.
func received(c *sched.Chan[time.Time]) bool {
	_, _, received := c.TryRecv()
	return received
}

func TestTimerFiresOnceAndNotBefore(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		begin := e.Clock.Now()
		timer := e.Clock.NewTimer(soon)
		at, ok := timer.C.Recv()
		require.True(e, ok)
		require.False(e, at.Before(begin.Add(soon)))
		require.False(e, e.Clock.Now().Before(at))
		sleep(e, later)
		require.False(e, received(timer.C))
	})
}

func TestTimerOfNoDurationFires(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		for _, d := range []time.Duration{0, -time.Second} {
			_, ok := e.Clock.NewTimer(d).C.Recv()
			require.True(e, ok)
		}
	})
}

func TestTimersFireInOrder(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		second, first := e.Clock.NewTimer(50*time.Millisecond), e.Clock.NewTimer(soon)
		a, b := sched.Recv(second.C), sched.Recv(first.C)
		require.Equal(e, 1, sched.Select2(&a, &b))
		require.Equal(e, 0, sched.Select2(&a, &b))
		require.True(e, b.Value.Before(a.Value))
	})
}

func TestStopAndResetOfAChannelTimer(t *testing.T) {
	const (
		stop = iota
		reset
	)
	tests := map[string]struct {
		d         time.Duration
		wait      bool // until it has surely expired
		receive   bool // what it has sent
		stopFirst bool
		active    bool // what Stop and Reset answer, as time.Timer does since Go 1.23
	}{
		"armed":                 {d: never, active: true},
		"expired, not received": {d: soon, wait: true, active: true},
		"expired and received":  {d: soon, receive: true, active: false},
		"stopped":               {d: never, stopFirst: true, active: false},
		"expired and stopped":   {d: soon, wait: true, stopFirst: true, active: false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, operation := range []int{stop, reset} {
				conformance.Run(t, func(e *conformance.Side) {
					timer := e.Clock.NewTimer(test.d)
					if test.wait {
						sleep(e, later)
					}
					if test.receive {
						timer.C.Recv()
					}
					if test.stopFirst {
						timer.Stop()
					}
					if operation == stop {
						require.Equal(e, test.active, timer.Stop())
						require.False(e, timer.Stop())
						require.False(e, received(timer.C), "something stale was received after Stop")
						return
					}
					require.Equal(e, test.active, timer.Reset(never))
					require.False(e, received(timer.C), "something stale was received after Reset")
					require.True(e, timer.Reset(soon))
					_, ok := timer.C.Recv()
					require.True(e, ok)
					require.False(e, timer.Stop())
				})
			}
		})
	}
}

func TestChannelOfATimerLooksUnbuffered(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		timer := e.Clock.NewTimer(soon)
		require.Zero(e, timer.C.Cap())
		require.Zero(e, timer.C.Len())
		sleep(e, later)
		require.Zero(e, timer.C.Len(), "as of Go 1.23")
		require.True(e, received(timer.C))
	})
}

func TestChannelOfATimerIsReceiveOnly(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		timer := e.Clock.NewTimer(never)
		require.NotEmpty(e, conformance.Panic(func() { timer.C.Send(time.Time{}) }))
		require.NotEmpty(e, conformance.Panic(timer.C.Close))
		require.True(e, timer.Stop())
	})
}

func TestAfterFunc(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ran := sched.NewChan[time.Time](e.Scheduler, 2)
		begin := e.Clock.Now()
		timer := e.Clock.AfterFunc(soon, func() { ran.Send(e.Clock.Now()) })
		require.Nil(e, timer.C)
		at, _ := ran.Recv()
		require.False(e, at.Before(begin.Add(soon)))
		require.False(e, timer.Stop(), "f has run")
		require.False(e, timer.Reset(soon), "f has run, and will again")
		ran.Recv()
		require.False(e, timer.Reset(never))
		require.True(e, timer.Reset(never))
		require.True(e, timer.Stop())
		require.False(e, timer.Stop())
		require.Zero(e, ran.Len())
	})
}

func TestAfterFuncRunsAsATaskOfItsOwn(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu, ran := sched.NewMutex(e.Scheduler), sched.NewChan[struct{}](e.Scheduler, 0)
		for range 2 { // they may wait for each other and for the task that armed them
			e.Clock.AfterFunc(soon, func() {
				mu.Lock()
				defer mu.Unlock()
				sleep(e, soon)
				ran.Send(struct{}{})
			})
		}
		ran.Recv()
		ran.Recv()
	})
}

func TestSleep(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		begin := e.Clock.Now()
		sleep(e, soon)
		require.False(e, e.Clock.Now().Before(begin.Add(soon)))
		sleep(e, 0)
		sleep(e, -time.Second)
	})
}

func TestSleepIsCutShort(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ctx, cancel := sched.WithCancel(e.Scheduler, context.Background())
		e.Go(func() { require.Equal(e, context.Canceled, e.Clock.Sleep(ctx, never)) })
		cancel()
		e.Join()
		for _, d := range []time.Duration{never, 0} {
			require.Equal(e, context.Canceled, e.Clock.Sleep(ctx, d), "it was cancelled before")
		}
	})
}

func TestVirtualTimeIsExact(t *testing.T) {
	conformance.Simulated(t, func(e *conformance.Side) {
		begin := e.Clock.Now()
		timer := e.Clock.NewTimer(3 * time.Hour)
		sleep(e, 2*time.Hour)
		require.Equal(e, begin.Add(2*time.Hour), e.Clock.Now())
		at, _ := timer.C.Recv()
		require.Equal(e, begin.Add(3*time.Hour), at)
		require.Equal(e, at, e.Clock.Now())
	})
}

// TestTimeStandsStillWhileATaskCanMove is what lets a search reach every order of what is due at one time.
func TestTimeStandsStillWhileATaskCanMove(t *testing.T) {
	conformance.Simulated(t, func(e *conformance.Side) {
		timer := e.Clock.NewTimer(1)
		for range 50 {
			require.False(e, received(timer.C))
		}
		timer.C.Recv()
	})
}

func TestTickerTicksUntilItIsStopped(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		begin := e.Clock.Now()
		ticker := e.Clock.NewTicker(soon)
		last := begin
		for i := range 5 {
			at, ok := ticker.C.Recv()
			require.True(e, ok)
			require.False(e, at.Before(begin.Add(time.Duration(i+1)*soon)))
			require.True(e, at.After(last))
			last = at
		}
		ticker.Stop()
		ticker.Stop()
		sleep(e, later)
		require.False(e, received(ticker.C))
		ticker.Reset(soon)
		_, ok := ticker.C.Recv()
		require.True(e, ok, "it ticks again")
		ticker.Stop()
	})
}

func TestTicksAreDroppedForWhoIsSlow(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		ticker := e.Clock.NewTicker(soon)
		sleep(e, later)
		require.True(e, received(ticker.C))
		ticker.Reset(never)
		require.False(e, received(ticker.C), "one tick waits, and no more")
		ticker.Reset(soon)
		sleep(e, later)
		ticker.Stop()
		require.False(e, received(ticker.C), "something stale was received after Stop")
		ticker.Reset(soon)
		sleep(e, later)
		ticker.Reset(never)
		require.False(e, received(ticker.C), "something stale was received after Reset")
		ticker.Stop()
	})
}

func TestATickerHasAPositiveInterval(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		const want = "clock: the interval of a ticker must be positive, and 0s is not"
		require.Equal(e, want, conformance.Panic(func() { e.Clock.NewTicker(0) }))
		ticker := e.Clock.NewTicker(never)
		require.Equal(e, want, conformance.Panic(func() { ticker.Reset(0) }))
		require.NotEmpty(e, conformance.Panic(func() { ticker.C.Send(time.Time{}) }), "its channel is for receiving")
		ticker.Stop()
	})
}

func TestVirtualTicksDoNotDrift(t *testing.T) {
	conformance.Simulated(t, func(e *conformance.Side) {
		begin := e.Clock.Now()
		ticker := e.Clock.NewTicker(10 * time.Second)
		for i := range 20 {
			sleep(e, 7*time.Second) // late for none
			at, _ := ticker.C.Recv()
			require.Equal(e, begin.Add(time.Duration(i+1)*10*time.Second), at)
		}
		sleep(e, 35*time.Second) // late for two
		at, _ := ticker.C.Recv()
		require.Equal(e, begin.Add(210*time.Second), at, "the first that nobody took")
		at, _ = ticker.C.Recv()
		require.Equal(e, begin.Add(240*time.Second), at)
		ticker.Stop()
	})
}
