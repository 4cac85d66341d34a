package scenario

import (
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// Litmus programs whose bug is that tasks wait for ever.

// account is a bank account with its own lock. Accounts are locked in the order of their numbers, or should be.
type account struct {
	mu      sched.Mutex
	number  int
	balance int
}

func (from *account) pay(to *account, amount int, ordered bool) {
	first, second := from, to
	if ordered && to.number < from.number {
		first, second = to, from
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	second.mu.Lock()
	defer second.mu.Unlock()
	from.balance -= amount
	to.balance += amount
}

func abBaDeadlock(w *sim.World, fixed bool) func() {
	const entries = 4 // the payroll books them before it pays
	s := w.Host().Scheduler()
	done := sched.NewWaitGroup(s)
	firm := &account{mu: sched.NewMutex(sched.Named(s, "account of the firm")), number: 1}
	clerk := &account{mu: sched.NewMutex(sched.Named(s, "account of the clerk")), number: 2}
	var journal struct {
		mu      sched.Mutex
		entries int
	}
	journal.mu = sched.NewMutex(sched.Named(s, "journal"))
	return func() {
		done.Add(2)
		s.Go("refund", func() {
			defer done.Done()
			clerk.pay(firm, 20, fixed)
		})
		s.Go("payroll", func() {
			defer done.Done()
			for range entries {
				journal.mu.Lock()
				journal.entries++
				journal.mu.Unlock()
			}
			firm.pay(clerk, 100, fixed)
		})
		done.Wait()
	}
}

func lostWakeUp(w *sim.World, fixed bool) func() {
	const files = 8 // that the loader reads
	capacity := 0   // a signal that nobody waits for is gone
	if fixed {
		capacity = 1
	}
	s := w.Host().Scheduler()
	mu, done := sched.NewMutex(sched.Named(s, "loaded")), sched.NewWaitGroup(s)
	read := sched.NewAtomicInt64(sched.Named(s, "files read"), 0)
	loaded, wake := false, sched.NewChan[struct{}](sched.Named(s, "signal"), capacity)
	return func() {
		done.Add(2)
		s.Go("loader", func() {
			defer done.Done()
			for range files {
				read.Add(1)
			}
			mu.Lock()
			loaded = true
			w.Logf("has loaded all files")
			mu.Unlock()
			if !wake.TrySend(struct{}{}) {
				w.Logf("signals, and nobody waits for it")
			}
		})
		s.Go("reader", func() {
			defer done.Done()
			mu.Lock()
			sleep := !loaded
			if sleep {
				w.Logf("sees that the files are not loaded, and will wait for the signal")
			}
			mu.Unlock()
			if sleep {
				wake.Recv()
			}
		})
		done.Wait()
	}
}

func fullQueueDeadlock(w *sim.World, fixed bool) func() {
	const jobs = 3
	s := w.Host().Scheduler()
	queue, done := sched.NewChan[int](sched.Named(s, "queue of jobs"), 1), sched.NewWaitGroup(s)
	return func() {
		done.Add(2)
		s.Go("producer", func() {
			defer done.Done()
			for job := range jobs {
				queue.Send(job)
			}
		})
		s.Go("consumer", func() {
			defer done.Done()
			var retry []int // the mended consumer keeps what failed
			tried := [jobs]bool{}
			for finished := 0; finished < jobs; {
				var job int
				if n := len(retry); n > 0 {
					job, retry = retry[n-1], retry[:n-1]
				} else {
					job, _ = queue.Recv()
				}
				switch {
				case tried[job]:
					finished++
				case fixed:
					retry = append(retry, job)
				default:
					queue.Send(job)
				}
				tried[job] = true
			}
		})
		done.Wait()
	}
}

func diningPhilosophers(w *sim.World, fixed bool) func() {
	const seats = 3
	s := w.Host().Scheduler()
	done := sched.NewWaitGroup(s)
	var forks [seats]sched.Mutex
	for i := range forks {
		forks[i] = sched.NewMutex(sched.Named(s, fmt.Sprintf("fork %d", i)))
	}
	return func() {
		done.Add(seats)
		for seat := range seats {
			first, second := seat, (seat+1)%seats
			if fixed && second < first {
				first, second = second, first
			}
			s.Go("philosopher", func() {
				defer done.Done()
				forks[first].Lock()
				forks[second].Lock()
				forks[second].Unlock()
				forks[first].Unlock()
			})
		}
		done.Wait()
	}
}
