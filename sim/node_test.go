package sim_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

func sleep(w *sim.World, d time.Duration) { _ = w.Host().Clock().Sleep(context.Background(), d) }

func TestACrashedNodeCannotTouchTheWorld(t *testing.T) {
	for seed := uint64(1); seed < 50; seed++ {
		var crashed, touched atomic.Bool // the world's, not the program's
		runSeed(t, seed, func(w *sim.World) {
			n := w.Node("victim")
			m, c := sched.NewMutex(n), sched.NewChan[int](n, 100)
			touch := func() {
				c.TrySend(1) // a point: after the crash nothing behind it happens
				if crashed.Load() {
					touched.Store(true)
				}
			}
			for range 3 {
				n.Go("worker", func() {
					defer touch()
					for {
						func() {
							defer func() { _ = recover(); touch() }()
							m.Lock()
							defer m.Unlock()
							touch()
							sched.Yield(n)
						}()
					}
				})
			}
			n.Clock().AfterFunc(time.Second, func() { touched.Store(true) })
			for range 20 {
				sched.Yield(w.Host())
			}
			n.Crash()
			crashed.Store(true)
			n.Go("stillborn", touch)
			sleep(w, time.Minute)
		})
		require.False(t, touched.Load(), "seed %d", seed)
	}
}

func TestATaskThatWillNotEndIsAbandonedAndCounted(t *testing.T) {
	result := resultOf(t, 1, func(w *sim.World) {
		n := w.Node("victim")
		c := sched.NewChan[int](n, 0)
		n.Go("stubborn", func() {
			for {
				func() {
					defer func() { _ = recover() }()
					c.Recv()
				}()
			}
		})
		sleep(w, time.Second)
		n.Crash()
		sleep(w, time.Second)
	})
	require.Nil(t, result.Failure)
	require.Equal(t, 1, result.Abandoned)
}

func TestANodeMayCrashItself(t *testing.T) {
	run(t, func(w *sim.World) {
		n := w.Node("victim")
		n.Go("suicide", func() {
			n.Crash()
			sched.Yield(n)
			panic("still alive")
		})
		sleep(w, time.Second)
	})
}

func TestAStalledNodeMovesNotUntilItsTimeIsUp(t *testing.T) {
	run(t, func(w *sim.World) {
		n := w.Node("slow")
		var at atomic.Int64
		n.Stall(5 * time.Second)
		n.Go("task", func() { at.Store(int64(w.Elapsed())) })
		sleep(w, time.Minute)
		require.EqualValues(t, 5*time.Second, at.Load())
	})
}

func TestClocksOfNodesMayDiffer(t *testing.T) {
	run(t, func(w *sim.World) {
		a, b := w.Node("a"), w.Node("b")
		b.Jump(-time.Hour)
		require.Equal(t, time.Hour, a.Clock().Now().Sub(b.Clock().Now()))
		before := b.Clock().Now()
		sleep(w, time.Minute)
		require.Equal(t, time.Minute, b.Clock().Now().Sub(before))
	})
}

func TestTimePassesOnlyWhenNothingElseCanMove(t *testing.T) {
	for seed := uint64(1); seed < 50; seed++ {
		runSeed(t, seed, func(w *sim.World) {
			s := w.Host().Scheduler()
			tasks := sched.NewWaitGroup(s)
			tasks.Add(1)
			s.Go("busy", func() {
				for range 10 {
					sched.Yield(s)
				}
				require.Zero(t, w.Elapsed())
				tasks.Done()
			})
			sleep(w, time.Nanosecond)
			require.Equal(t, time.Nanosecond, w.Elapsed())
			tasks.Wait()
		})
	}
}

func TestRandomBytesAreAFunctionOfDataSeedTaskAndCounter(t *testing.T) {
	draw := func(dataSeed, schedule uint64) (bytes [2][16]byte) {
		sc := &sim.Scenario{Name: "random", Setup: func(w *sim.World) func() {
			return func() {
				s := w.Host().Scheduler()
				for i := range bytes {
					s.Go("task", func() { s.Read(bytes[i][:8]); sched.Yield(s); s.Read(bytes[i][8:]) })
				}
			}
		}}
		_, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: seeded(schedule), DataSeed: dataSeed})
		require.NoError(t, err)
		return bytes
	}
	require.Equal(t, draw(7, 1), draw(7, 2), "whatever the schedule")
	require.NotEqual(t, draw(7, 1), draw(8, 1))
	drawn := draw(7, 1)
	require.NotEqual(t, drawn[0], drawn[1])
	require.NotEqual(t, drawn[0][:8], drawn[0][8:])
}

// TestEveryStallHoldsUpATask lets each of the stalls strike as often as it can at a task that reads the clock twice: under the
// stall the readings differ in some run, though nothing lies between them; without, and once the world is healed, in none.
func TestEveryStallHoldsUpATask(t *testing.T) {
	for _, fault := range append(sim.StallFaults(), "no fault at all") {
		t.Run(fault, func(t *testing.T) {
			heldUp, effects := 0, int64(0)
			for seed := uint64(1); seed <= 20; seed++ {
				sc := &sim.Scenario{Name: "stalls", Setup: func(w *sim.World) func() {
					n := w.Node("node")
					n.Stalls(2)
					twice := func() bool {
						before := n.Clock().Now()
						return n.Clock().Now().After(before)
					}
					return func() {
						done := sched.NewChan[struct{}](n, 0)
						n.Go("reader", func() {
							for range 20 {
								if twice() {
									heldUp++
								}
							}
							w.Heal()
							sleep(w, 2*time.Minute) // in which the last stall ends
							require.False(t, twice(), "seed %d: held up though the world is healed", seed)
							done.Close()
						})
						done.Recv()
					}
				}}
				result, err := sim.NewRunner().Run(sc, sim.RunConfig{Source: only{seeded(seed), fault}, DataSeed: seed})
				require.NoError(t, err)
				require.Nil(t, result.Failure, "seed %d", seed)
				for _, f := range result.Faults {
					require.Equal(t, f.Effect > 0, f.Fault == fault && f.Fired > 0, f.Fault)
					effects += f.Effect
				}
			}
			require.Equal(t, fault != "no fault at all", heldUp > 0)
			require.Equal(t, heldUp > 0, effects > 0)
		})
	}
}
