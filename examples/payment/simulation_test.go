package payment_test

import (
	"context"
	"testing"
	"time"

	"github.com/heddle-go/heddle/examples/payment"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/disk"
	"github.com/heddle-go/heddle/sim/simtest"
)

// TestSimulatedPayments searches for a crash, a loss of power, or a fault of the disk or the network, that breaks a property.
func TestSimulatedPayments(t *testing.T) { simtest.Run(t, crashes) }

const (
	paidOnce = "paid-once"
	paidAll  = "paid-all"
)

// customers are those to whom something is to be paid.
var customers = [...]string{"ann", "bob"}

// crashes is a world of a provider, and of a machine whose process is killed twice, at any step, and whose power may go with it.
var crashes = &sim.Scenario{
	Name:    "payment",
	Summary: "a process that makes payments is killed, and started again",
	Properties: []sim.Property{
		{ID: paidOnce, Statement: "no payment is made twice"},
		{ID: paidAll, Statement: "a payment that was taken on is made once all faults are over"},
	},
	Setup: func(w *sim.World) func() {
		paid := map[string]int{}
		network := sim.NewNetwork[payment.Order, payment.Receipt](w)
		err := network.Listen(address, newProvider(func(o payment.Order) {
			w.Logf("the provider pays %d cents to %s", o.Cents, o.Account)
			if paid[o.Account]++; paid[o.Account] > 1 {
				w.Fail(paidOnce, "the payment to %s is made twice", o.Account)
			}
		}))
		if err != nil {
			panic(err)
		}
		d := disk.New(w, "disk")
		taken := map[string]bool{} // of what the customers have been told
		return func() {
			for range 2 {
				p := start(w, network, d, taken)
				for range w.Value("crash-at", 300) {
					sched.Yield(w.Host())
				}
				if w.Chance("crash-later", 3) {
					_ = w.Host().Clock().Sleep(context.Background(), 10*time.Second)
				}
				p.node.Crash()
			}
			w.Heal()
			p := start(w, network, d, taken)
			_ = w.Host().Clock().Sleep(context.Background(), 10*time.Second)
			p.stop()
			p.ended.Recv()
			w.Inline(func() {
				for _, customer := range customers {
					if taken[customer] && paid[customer] == 0 {
						w.Fail(paidAll, "the payment to %s is not made", customer)
					}
				}
			})
		}
	},
}

// life is one life of the process.
type life struct {
	node  *sim.Node
	stop  context.CancelFunc
	ended *sched.Chan[struct{}]
}

// start starts the process on a machine with that disk. It submits a payment for each customer, and makes those that it finds.
func start(w *sim.World, network *sim.Network[payment.Order, payment.Receipt], d *disk.Disk, taken map[string]bool) life {
	n := w.Node("machine")
	ctx, stop := sched.WithCancel(w.Host(), context.Background())
	p := life{node: n, stop: stop, ended: sched.NewChan[struct{}](w.Host(), 0)}
	vfs := d.Mount(n)
	n.Go("process", func() {
		defer p.ended.Close()
		store, err := payment.Open(n.Scheduler(), "payments.db", vfs)
		if err != nil {
			w.Logf("the process ends: %v", err)
			return
		}
		defer store.Close()
		submitted := sched.NewWaitGroup(n.Scheduler())
		submitted.Add(1)
		n.Go("submit", func() {
			defer submitted.Done()
			for _, customer := range customers {
				if store.Submit("for "+customer, customer, 500) == nil {
					w.Inline(func() { taken[customer] = true })
				}
			}
		})
		defer submitted.Wait()
		worker := &payment.Worker{
			Scheduler: n.Scheduler(), Clock: n.Clock(), Store: store, Provider: network.Dialer(n), Address: address,
			Timeout: 2 * time.Second, Pause: time.Second,
		}
		w.Logf("the process ends: %v", worker.Run(ctx))
	})
	return p
}
