package sim_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// The race detector must see the races between simulated tasks although one goroutine at a time runs, and none where the
// primitives order the tasks. A report fails the process, so the deliberate race runs in a child.

const raceChild = "HEDDLE_RACE_CHILD"

func TestRaceDetectorSeesARaceBetweenTasks(t *testing.T) {
	if !raceDetector {
		t.Skip("only in a build with -race")
	}
	if os.Getenv(raceChild) != "" {
		run(t, func(w *sim.World) {
			s := w.Host().Scheduler()
			shared, tasks := 0, sched.NewWaitGroup(s)
			tasks.Add(2)
			for range 2 {
				s.Go("racer", func() { sched.Yield(s); shared++; tasks.Done() })
			}
			tasks.Wait()
		})
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), raceChild+"=1")
	output, err := child.CombinedOutput()
	require.Error(t, err, "the child must fail")
	require.Contains(t, string(output), "DATA RACE")
	require.GreaterOrEqual(t, strings.Count(string(output), "TestRaceDetectorSeesARaceBetweenTasks.func"), 2, "both sides are the tasks' own code")
}

func TestRaceDetectorSeesTheEdgesOfEveryPrimitive(t *testing.T) {
	for seed := uint64(1); seed <= 100; seed++ {
		shared := make([]int, 8)
		runSeed(t, seed, func(w *sim.World) {
			s := w.Host().Scheduler()
			mutex, rw, tasks, once := sched.NewMutex(s), sched.NewRWMutex(s), sched.NewWaitGroup(s), sched.NewOnce(s)
			unbuffered, buffered := sched.NewChan[int](s, 0), sched.NewChan[int](s, 2)
			flag := sched.NewAtomicBool(s, false)
			body := func(sender bool) func() {
				return func() {
					mutex.Lock()
					shared[0]++
					mutex.Unlock()
					rw.Lock()
					shared[1]++
					rw.Unlock()
					rw.RLock()
					_ = shared[1]
					rw.RUnlock()
					once.Do(func() { shared[2]++ })
					_ = shared[2]
					if sender {
						shared[3]++
						unbuffered.Send(1)
						shared[4]++
						buffered.Send(1)
						shared[5]++
						flag.Store(true)
					} else {
						unbuffered.Recv()
						shared[3]++
						buffered.Recv()
						shared[4]++
						if flag.Load() {
							shared[5]++
						}
					}
					tasks.Done()
				}
			}
			tasks.Add(2)
			s.Go("sender", body(true))
			s.Go("receiver", body(false))
			tasks.Wait()
			shared[0]++
			w.Inline(func() { shared[6]++ })
			shared[6]++
			w.Host().Clock().AfterFunc(1, func() { shared[7]++; unbuffered.Close() })
			unbuffered.Recv()
			shared[7]++
		})
		require.Equal(t, 3, shared[0])
		require.Equal(t, 2, shared[7])
	}
}
