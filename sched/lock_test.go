package sched_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
)

func TestMutexExcludes(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu, inside := sched.NewMutex(e.Scheduler), sched.NewAtomicInt64(e.Scheduler, 0)
		for range 3 {
			e.Go(func() {
				for range 4 {
					mu.Lock()
					require.Equal(e, int64(1), inside.Add(1))
					require.Zero(e, inside.Add(-1))
					mu.Unlock()
				}
			})
		}
		e.Join()
	})
}

func TestMutexTryLock(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu := sched.NewMutex(e.Scheduler)
		require.True(e, mu.TryLock())
		require.False(e, mu.TryLock())
		mu.Unlock()
		mu.Lock()
		require.False(e, mu.TryLock())
		mu.Unlock()
		require.True(e, mu.TryLock())
		mu.Unlock()
	})
}

func TestMutexUnlockedByAnotherTask(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu := sched.NewMutex(e.Scheduler)
		mu.Lock()
		e.Go(mu.Unlock)
		mu.Lock()
		mu.Unlock()
		e.Join()
	})
}

// misuses are unlocks of what is not locked: fatal errors of Go, which end the process.
var misuses = map[string]struct {
	text string
	f    func(s sched.Scheduler)
}{
	"unlock": {"sync: unlock of unlocked mutex", func(s sched.Scheduler) {
		mu := sched.NewMutex(s)
		mu.Unlock()
	}},
	"unlock twice": {"sync: unlock of unlocked mutex", func(s sched.Scheduler) {
		mu := sched.NewMutex(s)
		mu.Lock()
		mu.Unlock()
		mu.Unlock()
	}},
	"write unlock": {"sync: Unlock of unlocked RWMutex", func(s sched.Scheduler) {
		mu := sched.NewRWMutex(s)
		mu.Unlock()
	}},
	"write unlock under a reader": {"sync: Unlock of unlocked RWMutex", func(s sched.Scheduler) {
		mu := sched.NewRWMutex(s)
		mu.RLock()
		mu.Unlock()
	}},
	"read unlock": {"sync: RUnlock of unlocked RWMutex", func(s sched.Scheduler) {
		mu := sched.NewRWMutex(s)
		mu.RUnlock()
	}},
	"read unlock under a writer": {"sync: RUnlock of unlocked RWMutex", func(s sched.Scheduler) {
		mu := sched.NewRWMutex(s)
		mu.Lock()
		mu.RUnlock()
	}},
}

// misuseVariable names the misuse that a child process of the test is to commit.
const misuseVariable = "HEDDLE_TEST_MISUSE"

func TestUnlockOfUnlocked(t *testing.T) {
	if name := os.Getenv(misuseVariable); name != "" {
		misuses[name].f(sched.Goroutines())
		return
	}
	for name, misuse := range misuses {
		t.Run("native "+name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestUnlockOfUnlocked$")
			child.Env = append(os.Environ(), misuseVariable+"="+name)
			output, err := child.CombinedOutput()
			require.Error(t, err, "the child lived: %s", output)
			require.Contains(t, string(output), "fatal error: "+misuse.text)
		})
		t.Run("simulated "+name, func(t *testing.T) {
			conformance.Simulated(t, func(e *conformance.Side) {
				require.Equal(e, misuse.text, conformance.Panic(func() { misuse.f(e.Scheduler) }))
			})
		})
	}
}

func TestRWMutexReadersShare(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu, inside := sched.NewRWMutex(e.Scheduler), sched.NewAtomicInt64(e.Scheduler, 0)
		for range 2 {
			e.Go(func() {
				mu.RLock()
				inside.Add(1)
				e.Until(func() bool { return inside.Load() == 2 }) // both are inside at once
				mu.RUnlock()
			})
		}
		e.Join()
	})
}

func TestRWMutexWriterExcludes(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu, readers, writers := sched.NewRWMutex(e.Scheduler), sched.NewAtomicInt64(e.Scheduler, 0), sched.NewAtomicInt64(e.Scheduler, 0)
		for range 2 {
			e.Go(func() {
				for range 3 {
					mu.Lock()
					require.Equal(e, int64(1), writers.Add(1))
					require.Zero(e, readers.Load())
					writers.Add(-1)
					mu.Unlock()
				}
			})
			e.Go(func() {
				for range 3 {
					mu.RLock()
					readers.Add(1)
					require.Zero(e, writers.Load())
					readers.Add(-1)
					mu.RUnlock()
				}
			})
		}
		e.Join()
	})
}

func TestRWMutexTry(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu := sched.NewRWMutex(e.Scheduler)
		require.True(e, mu.TryRLock())
		require.True(e, mu.TryRLock())
		require.False(e, mu.TryLock(), "readers are inside")
		mu.RUnlock()
		require.False(e, mu.TryLock(), "a reader is inside")
		mu.RUnlock()
		require.True(e, mu.TryLock())
		require.False(e, mu.TryLock(), "a writer is inside")
		require.False(e, mu.TryRLock(), "a writer is inside")
		mu.Unlock()
		require.True(e, mu.TryRLock())
		mu.RUnlock()
	})
}

func TestRWMutexWaitingWriterKeepsNewReadersOut(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		mu, written := sched.NewRWMutex(e.Scheduler), sched.NewAtomicBool(e.Scheduler, false)
		mu.RLock()
		e.Go(func() {
			mu.Lock()
			written.Store(true)
			mu.Unlock()
		})
		e.Until(func() bool {
			entered := mu.TryRLock()
			if entered {
				mu.RUnlock()
			}
			return !entered
		})
		require.False(e, written.Load())
		e.Go(func() {
			mu.RLock()
			require.True(e, written.Load(), "a reader overtook a waiting writer")
			mu.RUnlock()
		})
		mu.RUnlock()
		e.Join()
	})
}

func TestRecursiveReadLockAroundAWriterIsADeadlock(t *testing.T) {
	conformance.Violates(t, "deadlock", func(e *conformance.Side) {
		mu := sched.NewRWMutex(e.Scheduler)
		mu.RLock()
		e.Go(func() {
			mu.Lock()
			mu.Unlock()
		})
		e.Until(func() bool {
			entered := mu.TryRLock()
			if entered {
				mu.RUnlock()
			}
			return !entered
		})
		mu.RLock()
		mu.RUnlock()
		mu.RUnlock()
		e.Join()
	})
}

func TestSelfDeadlocks(t *testing.T) {
	tests := map[string]func(e *conformance.Side){
		"lock twice": func(e *conformance.Side) {
			mu := sched.NewMutex(e.Scheduler)
			mu.Lock()
			mu.Lock()
		},
		"write lock twice": func(e *conformance.Side) {
			mu := sched.NewRWMutex(e.Scheduler)
			mu.Lock()
			mu.Lock()
		},
		"write lock under read lock": func(e *conformance.Side) {
			mu := sched.NewRWMutex(e.Scheduler)
			mu.RLock()
			mu.Lock()
		},
		"once within once": func(e *conformance.Side) {
			once := sched.NewOnce(e.Scheduler)
			once.Do(func() { once.Do(func() {}) })
		},
		"wait for nobody": func(e *conformance.Side) {
			group := sched.NewWaitGroup(e.Scheduler)
			group.Add(1)
			group.Wait()
		},
		"receive": func(e *conformance.Side) { sched.NewChan[int](e.Scheduler, 1).Recv() },
		"send":    func(e *conformance.Side) { sched.NewChan[int](e.Scheduler, 0).Send(1) },
		"send to oneself": func(e *conformance.Side) {
			c := sched.NewChan[int](e.Scheduler, 0)
			send, recv := sched.Send(c, 1), sched.Recv(c)
			sched.Select2(&send, &recv)
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) { conformance.Violates(t, "deadlock", f) })
	}
}

func TestWaitGroup(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		group, done := sched.NewWaitGroup(e.Scheduler), sched.NewAtomicInt64(e.Scheduler, 0)
		group.Wait()                                 // nothing to wait for
		for round := int64(1); round <= 3; round++ { // it can be used again
			group.Add(2)
			for range 2 {
				e.Go(func() {
					done.Add(1)
					group.Done()
				})
			}
			group.Wait()
			require.Equal(e, 2*round, done.Load())
		}
		e.Join()
	})
}

func TestWaitGroupReleasesAllWaiters(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		group, done := sched.NewWaitGroup(e.Scheduler), sched.NewAtomicBool(e.Scheduler, false)
		group.Add(1)
		for range 3 {
			e.Go(func() {
				group.Wait()
				require.True(e, done.Load())
			})
		}
		done.Store(true)
		group.Done()
		e.Join()
	})
}

func TestWaitGroupBelowZeroPanics(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		done, add := sched.NewWaitGroup(e.Scheduler), sched.NewWaitGroup(e.Scheduler)
		require.Equal(e, "sync: negative WaitGroup counter", conformance.Panic(done.Done))
		add.Add(1)
		require.Equal(e, "sync: negative WaitGroup counter", conformance.Panic(func() { add.Add(-2) }))
	})
}

func TestOnceRunsOnceAndEverybodyWaits(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		once, calls, ended := sched.NewOnce(e.Scheduler), sched.NewAtomicInt64(e.Scheduler, 0), sched.NewAtomicBool(e.Scheduler, false)
		for range 3 {
			e.Go(func() {
				once.Do(func() {
					calls.Add(1)
					ended.Store(true)
				})
				require.True(e, ended.Load(), "Do returned before the first call of f had")
			})
		}
		e.Join()
		require.Equal(e, int64(1), calls.Load())
	})
}

func TestOnceCountsAPanicAsRun(t *testing.T) {
	conformance.Run(t, func(e *conformance.Side) {
		once := sched.NewOnce(e.Scheduler)
		require.Equal(e, "boom", conformance.Panic(func() { once.Do(func() { panic("boom") }) }))
		once.Do(func() { e.Errorf("f ran again") })
	})
}
