package payment

import (
	"context"
	"errors"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

// Order is what the provider is asked to do. It pays once for each key, and then answers as it did the first time.
type Order struct {
	Key     string
	Account string
	Cents   int64
}

// Receipt is the provider's answer.
type Receipt struct{ Key string }

// Worker makes the payments of a store, one after the other.
type Worker struct {
	Scheduler sched.Scheduler
	Clock     clock.Clock
	Store     *Store
	Provider  net.Dialer[Order, Receipt]
	Address   net.Address   // of the provider
	Timeout   time.Duration // of an order
	Pause     time.Duration // before the next try, and before it looks for payments again
}

// Run makes payments until the context is done. The error is the context's or the store's; after one of the store the process is to
// be started again.
func (w *Worker) Run(ctx context.Context) error {
	for {
		switch p, found, err := w.Store.Next(); {
		case err != nil:
			return err
		case found:
			if err := w.pay(ctx, p); err != nil {
				return err
			}
		default:
			if err := w.Clock.Sleep(ctx, w.Pause); err != nil {
				return err
			}
		}
	}
}

// pay asks the provider until it has answered, and then makes a note of that.
func (w *Worker) pay(ctx context.Context, p Payment) error {
	order := Order{Key: p.Key, Account: p.Account, Cents: p.Cents}
	for w.order(ctx, order) != nil {
		if err := w.Clock.Sleep(ctx, w.Pause); err != nil {
			return err
		}
	}
	return w.Store.Done(p.ID)
}

// errAnother is for a provider that answers what nobody has asked.
var errAnother = errors.New("payment: the receipt is for another order")

// order asks the provider once. After an error it may have paid or not.
func (w *Worker) order(ctx context.Context, o Order) error {
	ctx, cancel := clock.WithTimeout(w.Clock, w.Scheduler, ctx, w.Timeout)
	defer cancel()
	conn, err := w.Provider.Dial(ctx, w.Address, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	interrupt := sched.AfterFunc(w.Scheduler, ctx, func() { _ = conn.Close() })
	defer interrupt()
	if err := conn.Send(ctx, o); err != nil {
		return err
	}
	receipt, err := conn.Receive()
	if err == nil && receipt.Key != o.Key {
		err = errAnother
	}
	return err
}
