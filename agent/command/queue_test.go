package command_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
)

func TestEachCommandIsAnsweredOnceAcrossACrashAtAnyStep(t *testing.T) {
	repeated := 0
	simulated(t, 1000, func(t *testing.T, w *world) func() {
		o, a := newOutside(w.World), newApplication()
		o.failures["1"], o.times["1"] = temporary, 2
		o.failures["4"], o.times["4"] = permanent, 1000
		one, other := command.Key{Connection: "one", Router: routerA}, command.Key{Connection: "other", Router: routerA}
		n := w.process("first")
		accepted := 0
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			for i := range 6 {
				add(t, q, join(fmt.Sprint(i), []command.Key{one, other}[i%2]))
				w.Inline(func() { accepted++ })
			}
		})
		for range w.Value("until the crash", 150) {
			sched.Yield(w.Host())
		}
		if w.Value("later", 3) == 0 {
			rest(w, 1500*time.Millisecond)
		}
		n.Crash()
		w.Inline(func() { clear(o.inKey) })
		again := w.process("again")
		again.Go("main", func() { a.run(t, again, o, nil) })
		rest(w, time.Minute)

		return func() {
			stored := len(o.attempts)
			require.GreaterOrEqual(t, stored, accepted, "Q1: what was accepted is stored")
			require.False(t, o.overlap, "Q3: one at a time for each key")
			for _, key := range []command.Key{one, other} {
				require.True(t, slices.IsSorted(o.order[key]), "Q3: %v", o.order[key])
			}
			for id, kinds := range a.dealt {
				require.Len(t, kinds, 1, "Q2: %s", id)
				require.Equal(t, id == "4", kinds[0] == command.Error, "Q13: %s", id)
				require.Equal(t, id != "4", o.commits[id] == 1, "what has changed is stored with the event: %s", id)
			}
			require.Len(t, a.dealt, stored, "Q2, Q10")
			for id, times := range o.effects {
				require.Equal(t, 1, times, "Q7: %s", id)
			}
			for connection, ids := range a.order {
				require.True(t, slices.IsSorted(ids), "Q16: %s %v", connection, ids)
			}
			for id, times := range o.attempts {
				if times > 1 && id != "1" {
					repeated++
				}
			}
		}
	})
	require.Greater(t, repeated, 20, "crashes between an effect and its commit")
}

func TestABlockedKeyDelaysNoOther(t *testing.T) {
	simulated(t, 200, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		o.failures["never"], o.times["never"] = temporary, 1000
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			add(t, q, join("never", command.Key{Connection: "one", Router: routerA}), join("after it", command.Key{Connection: "one", Router: routerA}),
				join("beside", command.Key{Connection: "one", Router: routerB}))
		})
		rest(w, 500*time.Millisecond)
		return func() {
			require.Len(t, a.dealt["beside"], 1, "Q5")
			require.Empty(t, a.dealt["after it"], "Q3")
			require.Zero(t, o.attempts["after it"])
		}
	})
}

func TestACommandThatMovesKeepsItsPlace(t *testing.T) {
	simulated(t, 200, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		from, to := command.Key{Connection: "one", Router: routerA}, command.Key{Connection: "one", Router: routerB}
		o.moves["moved"] = to
		o.failures["before"], o.times["before"] = temporary, 3 // so that the others wait
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			add(t, q, join("before", to), join("moved", from), join("behind", to))
		})
		rest(w, time.Minute)
		return func() {
			require.Equal(t, []command.Correlation{"before", "moved", "behind"}, o.order[to], "Q9")
			require.Equal(t, []command.EventKind{command.Joined}, a.dealt["moved"], "a move is no event")
		}
	})
}

func TestACommandThatMovesWakesWhoIsThere(t *testing.T) {
	simulated(t, 100, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		from, to := command.Key{Connection: "one", Router: routerA}, command.Key{Connection: "one", Router: routerB}
		o.moves["moved"] = to
		n.Go("main", func() { add(t, a.run(t, n, o, nil), join("moved", from)) })
		rest(w, time.Minute)
		return func() {
			require.Len(t, a.dealt["moved"], 1, "Q9, Q6")
		}
	})
}

func TestACommandThatIsAddedWhileTheWorkerEndsIsExecuted(t *testing.T) {
	simulated(t, 1000, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		key := command.Key{Connection: "one", Router: routerA}
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			for i := range 4 {
				add(t, q, join(fmt.Sprint(i), key))
				for range w.Value("between", 30) {
					sched.Yield(n)
				}
			}
		})
		rest(w, time.Minute)
		return func() {
			require.Len(t, a.dealt, 4, "Q6")
		}
	})
}

func TestWhileSuspendedNothingBegins(t *testing.T) {
	simulated(t, 300, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		o.failures["2"], o.times["2"] = temporary, 1
		key := func(i int) command.Key {
			return command.Key{Connection: command.Connection(fmt.Sprint(i % 3)), Router: routerA}
		}
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			for i := range 4 {
				add(t, q, join(fmt.Sprint(i), key(i)))
			}
			require.NoError(t, q.Suspend(context.Background()))
			begun, executing := o.counts()
			require.Zero(t, executing, "Q10: those that had begun have ended")
			add(t, q, join("5", key(5)))
			_ = n.Clock().Sleep(context.Background(), time.Minute)
			now, _ := o.counts()
			require.Equal(t, begun, now, "Q10: none begins")
			require.NoError(t, q.Resume())
		})
		rest(w, 3*time.Minute)
		return func() { require.Len(t, a.dealt, 5, "Q10: all are executed in the end") }
	})
}

func TestWhoWaitsForASuspensionIsToldThatItWasGivenUpOrResumed(t *testing.T) {
	simulated(t, 100, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		o.lasts["1"] = 10 * time.Second
		var given, resumed error
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			add(t, q, join("1", command.Key{Connection: "one"}))
			_ = n.Clock().Sleep(context.Background(), time.Second)
			ctx, cancel := sched.WithCancel(n, context.Background())
			n.Go("gives up", func() {
				err := q.Suspend(ctx)
				w.Inline(func() { given = err })
			})
			n.Go("waits", func() {
				err := q.Suspend(context.Background())
				w.Inline(func() { resumed = err })
			})
			_ = n.Clock().Sleep(context.Background(), time.Second)
			cancel()
			_ = n.Clock().Sleep(context.Background(), time.Second)
			add(t, q, join("2", command.Key{Connection: "two"}))
			_ = n.Clock().Sleep(context.Background(), time.Second)
			begun, executing := o.counts()
			require.Equal(t, [2]int{1, 1}, [2]int{begun, executing}, "Q10: it is suspended, whoever has given up")
			require.NoError(t, q.Resume())
		})
		rest(w, time.Minute)
		return func() {
			require.ErrorIs(t, given, context.Canceled)
			require.ErrorIs(t, resumed, command.ErrResumed)
			require.Len(t, a.dealt, 2)
		}
	})
}

func TestWhoWaitsForASuspensionIsNotAnsweredByAnotherOne(t *testing.T) {
	simulated(t, 200, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		o.lasts["1"] = 10 * time.Second
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			add(t, q, join("1", command.Key{Connection: "one"}))
			_ = n.Clock().Sleep(context.Background(), time.Second)
			for _, d := range []time.Duration{time.Second, 2 * time.Second} {
				n.Go("suspends", func() {
					_ = n.Clock().Sleep(context.Background(), d)
					if err := q.Suspend(context.Background()); err == nil {
						_, executing := o.counts()
						require.Zero(t, executing, "Q10: those that had begun have ended")
					}
				})
			}
			_ = n.Clock().Sleep(context.Background(), 2*time.Second)
			require.NoError(t, q.Resume())
		})
		rest(w, time.Minute)
		return func() {}
	})
}

func TestWhatIsNotStoredIsNotExecuted(t *testing.T) {
	simulated(t, 20, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		refused := errors.New("the application thinks better of it")
		o.lasts["3"] = time.Second
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			require.ErrorIs(t, q.Update(func(c *command.Change[tx]) error {
				require.NoError(t, c.Add(join("1", command.Key{Connection: "one"})))
				return refused
			}), refused)
			require.ErrorContains(t, q.Update(func(c *command.Change[tx]) error { return c.Add(join("2", command.Key{})) }), "names no connection")
			add(t, q, join("3", command.Key{Connection: "one"}))
			require.ErrorIs(t, q.Update(func(c *command.Change[tx]) error { return c.Add(join("3", command.Key{Connection: "two"})) }), command.ErrCorrelation)
		})
		rest(w, time.Minute)
		return func() {
			require.Equal(t, map[command.Correlation]int{"3": 1}, o.attempts)
			require.Len(t, a.dealt, 1)
		}
	})
}

func TestACommandIsTriedAgainBySchedule(t *testing.T) {
	simulated(t, 10, func(t *testing.T, w *world) func() {
		o, a, n, seen := newOutside(w.World), newApplication(), w.process("app"), &observed{w: w.World}
		o.failures["1"], o.times["1"] = temporary, 7
		o.failures["2"], o.times["2"] = temporary, 2
		key := command.Key{Connection: "one", Router: routerA}
		n.Go("main", func() { add(t, a.run(t, n, o, seen), join("1", key), join("2", key)) })
		rest(w, time.Minute)
		return func() {
			var delays []float64
			for _, transition := range seen.all {
				if p, ok := transition.(command.Paused); ok {
					require.ErrorIs(t, p.Err, temporary)
					delays = append(delays, p.Delay.Seconds())
				}
			}
			require.Equal(t, []float64{1, 1, 1, 1.5, 2.25, 3.375, 4, 1, 1}, delays, "the next command begins anew")
		}
	})
}

func TestAWorkerThatPanicsGoesOnFiveTimesAMinute(t *testing.T) {
	for panics, critical := range map[int]bool{5: false, 6: true} {
		simulated(t, 20, func(t *testing.T, w *world) func() {
			o, a, n, seen := newOutside(w.World), newApplication(), w.process("app"), &observed{w: w.World}
			o.panics["1"] = panics
			var then int
			n.Go("main", func() {
				q := a.run(t, n, o, seen)
				add(t, q, join("1", command.Key{Connection: "one", Router: routerA}))
				_ = n.Clock().Sleep(context.Background(), time.Minute)
				w.Inline(func() { then = len(a.dealt) })
				require.NoError(t, q.Suspend(context.Background()))
				require.NoError(t, q.Resume())
			})
			rest(w, 2*time.Minute)
			return func() {
				ended := slices.ContainsFunc(seen.all, func(t command.Transition) bool {
					p, ok := t.(command.WorkerPanicked)
					return ok && p.Critical
				})
				require.Equal(t, critical, ended, "Q12")
				require.Equal(t, critical, then == 0)
				require.Len(t, a.dealt["1"], 1, "Q12: its commands stay")
			}
		})
	}
}

func TestTheCommandsOfADeletedConnectionEnd(t *testing.T) {
	cut := 0
	simulated(t, 300, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		o.failures["1"], o.times["1"] = temporary, 1000
		one, other := command.Key{Connection: "one", Router: routerA}, command.Key{Connection: "other", Router: routerA}
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			add(t, q, join("0", one), join("1", one), join("2", one), join("3", other))
			require.NoError(t, q.Update(func(c *command.Change[tx]) error {
				if err := c.Cancel("one", "the connection is deleted"); err != nil {
					return err
				}
				return c.Add(command.Command{Correlation: "delete", Key: one, Kind: command.Delete})
			}))
		})
		rest(w, time.Minute)
		return func() {
			require.Len(t, a.dealt, 5, "Q14: all are told")
			require.Equal(t, []command.EventKind{command.Error}, a.dealt["1"])
			require.Equal(t, []command.EventKind{command.Error}, a.dealt["2"])
			require.Equal(t, []command.EventKind{command.Joined}, a.dealt["3"], "that of another connection is not touched")
			require.Equal(t, []command.EventKind{command.Joined}, a.dealt["delete"])
			if o.effects["0"] == 1 && a.dealt["0"][0] == command.Error {
				cut++ // it was being executed
				require.Zero(t, o.commits["0"], "Q14: what comes of it is dropped")
			}
		}
	})
	require.NotZero(t, cut)
}

func TestCloseEndsAndKeepsWhatIsStored(t *testing.T) {
	simulated(t, 200, func(t *testing.T, w *world) func() {
		o, a, n := newOutside(w.World), newApplication(), w.process("app")
		o.failures["1"], o.times["1"] = temporary, 1
		n.Go("main", func() {
			q := a.run(t, n, o, nil)
			add(t, q, join("0", command.Key{Connection: "one"}), join("1", command.Key{Connection: "two"}))
			q.Close()
			q.Close()
			require.ErrorIs(t, q.Suspend(context.Background()), command.ErrClosed)
			require.ErrorIs(t, q.Resume(), command.ErrClosed)
			a.run(t, n, o, nil)
		})
		rest(w, time.Minute)
		return func() {
			require.Len(t, a.dealt, 2)
		}
	})
}

func TestAnErrorOfTheStoreIsTriedAgain(t *testing.T) {
	simulated(t, 100, func(t *testing.T, w *world) func() {
		o, n, answered := newOutside(w.World), w.process("app"), false
		s := failing{models.Outliving[tx](w.World, store.OpenMemory(n, store.NewData())), sched.NewAtomicInt64(n, 0)}
		n.Go("main", func() {
			q, err := command.New(environment(n, nil), config(), command.Store[tx](s), command.Executor[tx](executor{o, n}))
			require.NoError(t, err)
			s.left.Store(4)
			for q.Update(func(c *command.Change[tx]) error { return c.Add(join("1", command.Key{Connection: "one"})) }) != nil {
			}
			s.left.Store(4)
			r, ok := q.Events().Recv()
			require.True(t, ok)
			require.Equal(t, command.Correlation("1"), r.Correlation)
			answered = true
		})
		rest(w, time.Minute)
		return func() {
			require.True(t, answered)
			require.Equal(t, 1, o.effects["1"])
		}
	})
}

func TestWhatIsWrongWithAQueueIsOneLine(t *testing.T) {
	s := sched.Goroutines()
	data := store.OpenMemory(s, store.NewData())
	_, err := command.New(command.Environment{}, config(), command.Store[tx](data), command.Executor[tx](nil))
	require.ErrorContains(t, err, "Scheduler")
	for _, c := range []command.Config{{}, {Retry: config().Retry, Events: -1}, {Retry: config().Retry, Restarts: -1}} {
		_, err := command.New(command.Environment{Scheduler: s, Clock: clock.Wall()}, c, command.Store[tx](data), command.Executor[tx](nil))
		require.ErrorContains(t, err, "want")
		require.NotContains(t, err.Error(), "\n")
	}
}
