package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// always is what is owed for ever.
func always() string { return "a letter" }

// ticking starts a task that wakes again and again; tick, which runs where models do, says whether it goes on.
func ticking(w *sim.World, name string, period time.Duration, tick func() bool) {
	w.Host().Go(name, func() {
		for {
			_ = w.Host().Clock().Sleep(context.Background(), period)
			var on bool
			w.Inline(func() { on = tick() })
			if !on {
				return
			}
		}
	})
}

func forever() bool { return true }

func TestALoopWithSomethingOwedIsALivelock(t *testing.T) {
	for seed := range uint64(20) {
		result := resultOf(t, seed, func(w *sim.World) {
			ticking(w, "slow", 3*time.Second, forever)
			ticking(w, "quick", 2*time.Second, forever)
			w.Heal()
			w.Owes(always)
			sched.NewChan[int](w.Host(), 0).Recv()
		})
		require.NotNil(t, result.Failure)
		require.Equal(t, sim.Livelock, result.Failure.Property)
		require.Contains(t, result.Failure.Message, "a letter, and will be: the world was in the same state 4 times, every 6s and ")
		require.Regexp(t, `\n    \d+s main/slow: select main/slow:chan`, result.Failure.Message)
		require.Regexp(t, `\n    \d+s main/quick: select main/quick:chan`, result.Failure.Message)
		require.LessOrEqual(t, result.Elapsed, 20*time.Second, "three rounds of 6 s, and where it began")
	}
}

func TestWhatIsNoLivelock(t *testing.T) {
	for name, main := range map[string]func(w *sim.World){
		"nothing is owed": func(w *sim.World) {
			w.Heal()
			w.Owes(func() string { return "" })
		},
		"faults may strike": func(w *sim.World) { w.Owes(always) },
		"what is owed comes now and then": func(w *sim.World) {
			w.Heal()
			w.Owes(func() string {
				if w.Elapsed()%(3*time.Second) == 0 {
					return ""
				}
				return "a letter"
			})
		},
		"a model moves": func(w *sim.World) {
			w.Heal()
			done := 0
			ticking(w, "worker", time.Second, func() bool { done++; return done < 60 })
			w.OnFingerprint(func(f *sim.Fingerprint) { f.Int(done) })
			w.Owes(always)
		},
		"a timer comes nearer": func(w *sim.World) {
			w.Heal()
			w.After(time.Minute, func() {})
			w.Owes(always)
		},
	} {
		result := resultOf(t, 1, func(w *sim.World) {
			stop := false
			ticking(w, "ticker", time.Second, func() bool { return !stop })
			main(w)
			sleep(w, 59*time.Second)
			w.Inline(func() { stop = true })
		})
		require.Nil(t, result.Failure, name)
	}
}

func TestALoopIsReportedAfterThreeRoundsAndNotBefore(t *testing.T) {
	for wakes, found := range map[int]bool{3: false, 4: true} { // at the last of which the ticker ends
		n := 0
		result := resultOf(t, 1, func(w *sim.World) {
			w.Heal()
			w.Owes(always)
			ticking(w, "ticker", time.Second, func() bool { n++; return n < wakes })
			sleep(w, time.Minute)
		})
		require.Equal(t, found, result.Failure != nil, "%d wakes", wakes)
	}
}

func TestWhoLooksOnIsNoPartOfTheLoop(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		ticking(w, "ticker", 10*time.Second, forever)
		w.Heal()
		w.Owes(always)
		for pause := time.Millisecond; ; pause = pause * 3 / 2 {
			sleep(w, pause)
		}
	})
	require.NotNil(t, result.Failure)
	require.Equal(t, sim.Livelock, result.Failure.Property)
	require.Contains(t, result.Failure.Message, "every 10s and ")
	require.NotContains(t, result.Failure.Message, "main:", "the task that looks on")
}

// TestAStarvedTaskIsNoLivelock: time advances only when nothing can move, so a strategy that starves a task for as long as it may
// still lets it move before the state is looked at again.
func TestAStarvedTaskIsNoLivelock(t *testing.T) {
	pct, err := strategy.Parse("pct:5")
	require.NoError(t, err)
	source := pct.Source()
	sc := &sim.Scenario{Name: "starved", Setup: func(w *sim.World) func() {
		return func() {
			ended := false
			for range 3 {
				w.Host().Go("impatient", func() {
					for over := false; !over; w.Inline(func() { over = ended }) {
						_ = w.Host().Clock().Sleep(context.Background(), time.Second)
						for range 20 {
							sched.Yield(w.Host())
						}
					}
				})
			}
			w.Host().Go("starved", func() {
				for range 50 {
					sched.Yield(w.Host())
				}
				w.Inline(func() { ended = true })
			})
			w.Heal()
			w.Owes(func() string {
				if ended {
					return ""
				}
				return "the end"
			})
			sleep(w, time.Minute)
		}
	}}
	runner := sim.NewRunner()
	for seed := range uint64(200) {
		source.Begin(seed, 300)
		result, err := runner.Run(sc, sim.RunConfig{Source: source, DataSeed: seed})
		require.NoError(t, err)
		require.Nil(t, result.Failure)
	}
}

// parting is an acceptor that says goodbye to everybody at once.
type parting struct{ *echo }

func (p parting) Receive(id net.SessionID, _ string) { p.peers[id].Close() }

func TestALoopOfNewSessionsIsALoop(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		w.Heal()
		n := sim.NewNetwork[string, string](w)
		require.NoError(t, n.Listen("router", parting{newEcho()}))
		client := w.Node("client")
		d := n.Dialer(client)
		client.Go("client", func() {
			for {
				c, err := d.Dial(context.Background(), "router", "me")
				require.NoError(t, err)
				require.NoError(t, c.Send(context.Background(), "hello"))
				_, err = c.Receive()
				require.ErrorIs(t, err, net.ErrClosed)
				_ = client.Clock().Sleep(context.Background(), time.Second)
			}
		})
		w.Owes(always)
		sleep(w, time.Hour)
	})
	require.NotNil(t, result.Failure)
	require.Equal(t, sim.Livelock, result.Failure.Property)
	require.Less(t, result.Elapsed, 10*time.Second)
}

func TestTheCheckLeavesTheHashAsItIs(t *testing.T) {
	hash := func(owes bool) uint64 {
		return resultOf(t, 1, func(w *sim.World) {
			n := 0
			ticking(w, "ticker", time.Second, func() bool { n++; return n < 9 })
			w.OnFingerprint(func(f *sim.Fingerprint) { f.Int(n / 2) })
			w.Heal()
			if owes {
				w.Owes(always)
			}
			sleep(w, time.Minute)
		}).Hash
	}
	require.Equal(t, hash(false), hash(true))
}

func TestALivelockThatIsNotJudgedIsNone(t *testing.T) {
	sc := &sim.Scenario{Name: "loop", Setup: func(w *sim.World) func() {
		return func() {
			n := 0
			ticking(w, "ticker", time.Second, func() bool { n++; return n < 20 })
			w.Heal()
			w.Owes(always)
			sleep(w, time.Minute)
		}
	}}
	for only, failed := range map[string]bool{"": true, sim.Livelock: true, sim.Deadlock: false} {
		result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: seeded(1), Options: sim.Options{Only: only}})
		require.NoError(t, err)
		require.Equal(t, failed, result.Failure != nil, "only %q", only)
	}
}
