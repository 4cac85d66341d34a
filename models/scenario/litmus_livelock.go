package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// The litmus program whose bug is that tasks move for ever and come nowhere.

// diner eats with the one spoon of the house, but gives way to a hungry spouse (Goetz et al., "Java Concurrency in Practice",
// 10.3.3: two polite people in a corridor; the spoon is that of Oracle's tutorial).
type diner struct {
	hungry *sched.AtomicBool
	spoon  *sched.Chan[struct{}] // holds it while it is this diner's turn
	ate    bool
}

// courtesy is how long it takes to offer the spoon.
const courtesy = time.Second

// dine returns when the diner has eaten and passed the spoon on. Who is patient offers it for ever; else once.
func (d *diner) dine(w *sim.World, spouse *diner, patient bool) {
	d.hungry.Store(true)
	for offered := false; ; offered = true {
		d.spoon.Recv()
		if !spouse.hungry.Load() || offered && !patient {
			break
		}
		if err := w.Host().Clock().Sleep(context.Background(), courtesy); err != nil {
			return
		}
		spouse.spoon.Send(struct{}{})
	}
	w.Inline(func() { d.ate = true })
	d.hungry.Store(false)
	spouse.spoon.Send(struct{}{})
}

func livelock(w *sim.World, fixed bool) func() {
	s := w.Host().Scheduler()
	done := sched.NewWaitGroup(s)
	seat := func() *diner {
		return &diner{hungry: sched.NewAtomicBool(s, false), spoon: sched.NewChan[struct{}](s, 1)}
	}
	one, other := seat(), seat()
	one.spoon.Send(struct{}{}) // whose turn it is first
	return func() {
		done.Add(2)
		s.Go("diner", func() {
			defer done.Done()
			one.dine(w, other, !fixed)
		})
		s.Go("diner", func() {
			defer done.Done()
			other.dine(w, one, !fixed)
		})
		w.Heal()
		w.Owes(func() string {
			if one.ate && other.ate {
				return ""
			}
			return fmt.Sprintf("somebody is hungry (one ate: %v, the other: %v)", one.ate, other.ate)
		})
		done.Wait()
	}
}
