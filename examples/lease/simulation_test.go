package lease_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/heddle-go/heddle/examples/lease"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/simtest"
)

// TestSimulatedLease searches for an interleaving, a fault of the network, or clocks that differ, that break the property.
func TestSimulatedLease(t *testing.T) { simtest.Run(t, candidates) }

const noLostIncrement = "no-lost-increment"

// term is for how long a lease is good, and skews are how far the clock of a candidate is from the lessor's.
const term = 4 * time.Second

var skews = [...]time.Duration{0, -2 * time.Second, 2 * time.Second, -term, -10 * time.Second}

// candidates is a world of two candidates whose clocks differ from the lessor's, on networks with all their faults.
var candidates = &sim.Scenario{
	Name:       "lease",
	Summary:    "two candidates increment a counter, one at a time by a lease",
	Properties: []sim.Property{{ID: noLostIncrement, Statement: "no increment is lost: what is written is one more than what was there"}},
	Setup: func(w *sim.World) func() {
		lessors, storages := sim.NewNetwork[lease.Ask, lease.Grant](w), sim.NewNetwork[lease.Access, lease.Result](w)
		storage, lessor := &lease.Storage{}, lease.NewLessor(w.Node("lessor").Clock(), term)
		err := lessors.Listen(lease.LessorAddress, lease.Serve(func(a lease.Ask) lease.Grant {
			g := lessor.Answer(a)
			w.Logf("the lessor answers %s: token %d", a.Candidate, g.Token)
			return g
		}))
		if err != nil {
			panic(err)
		}
		err = storages.Listen(lease.StorageAddress, lease.Serve(func(a lease.Access) lease.Result {
			before := storage.Value()
			r := storage.Answer(a)
			w.Logf("the storage: %s", told(a, r))
			if a.Write && !r.Refused && a.Value != before+1 {
				w.Fail(noLostIncrement, "the leader of token %d writes %d, and the counter was %d", a.Token, a.Value, before)
			}
			return r
		}))
		if err != nil {
			panic(err)
		}
		var list []*lease.Candidate
		var nodes []*sim.Node
		for _, name := range []string{"ann", "bob"} {
			n := w.Node(name)
			n.Jump(skews[w.Value("skew", len(skews))])
			n.Stalls(1)
			nodes = append(nodes, n)
			list = append(list, lease.NewCandidate(
				lease.Environment{Scheduler: n.Scheduler(), Clock: n.Clock(), Lessor: lessors.Dialer(n), Storage: storages.Dialer(n)},
				lease.Config{Name: name, Pause: time.Second, Renew: term / 2, Timeout: 2 * time.Second},
			))
		}
		return func() {
			ctx, cancel := sched.WithCancel(w.Host(), context.Background())
			done := sched.NewWaitGroup(w.Host())
			done.Add(len(list))
			for i, c := range list {
				nodes[i].Go("candidate", func() {
					defer done.Done()
					c.Run(ctx)
				})
			}
			_ = w.Host().Clock().Sleep(ctx, 10*time.Second)
			w.Heal() // no more faults from here on; what is on its way still arrives
			_ = w.Host().Clock().Sleep(ctx, 10*time.Second)
			cancel()
			done.Wait()
		}
	},
}

// told is an access to the storage in words.
func told(a lease.Access, r lease.Result) string {
	switch {
	case r.Refused:
		return fmt.Sprintf("token %d is refused", a.Token)
	case a.Write:
		return fmt.Sprintf("token %d writes %d", a.Token, r.Value)
	default:
		return fmt.Sprintf("token %d reads %d", a.Token, r.Value)
	}
}
