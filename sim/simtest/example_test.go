package simtest_test

import (
	"testing"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/simtest"
)

// account is the program under test: it knows nothing of the simulator.
type account struct {
	mu      sched.Mutex
	balance int
}

func (a *account) withdraw(amount int) {
	a.mu.Lock()
	enough := a.balance >= amount
	a.mu.Unlock() // too early: another withdrawal may come in here
	if enough {
		a.mu.Lock()
		a.balance -= amount
		a.mu.Unlock()
	}
}

// twoWithdrawals is the world that it is tried in: who does what, and what must hold.
var twoWithdrawals = &sim.Scenario{
	Name:       "two-withdrawals",
	Properties: []sim.Property{{ID: "no-overdraft", Statement: "no account is overdrawn"}},
	Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		a, done := &account{mu: sched.NewMutex(s), balance: 100}, sched.NewWaitGroup(s)
		return func() {
			done.Add(2)
			for range 2 {
				s.Go("withdrawal", func() {
					defer done.Done()
					a.withdraw(80)
				})
			}
			done.Wait()
			if a.balance < 0 {
				w.Fail("no-overdraft", "the balance is %d", a.balance)
			}
		}
	},
}

// A program, the world that it is tried in, and a test of it. The test fails with
//
//	two-withdrawals violates no-overdraft: the balance is -60
//	  must hold: no account is overdrawn
//	  ...
//	  kept in testdata/heddle/TestTwoWithdrawals/two-withdrawals-no-overdraft-....json
//	  go test example.com/bank -run '^TestTwoWithdrawals$' -v -heddle.replay=heddle1_...
func Example() {
	var t *testing.T // of func TestTwoWithdrawals(t *testing.T)
	simtest.Run(t, twoWithdrawals)
}
