package agent

import "github.com/heddle-go/heddle/sched"

// outbox is a queue without a bound in front of a channel with one: who appends
// never waits for who consumes (property L6). One task, drain, hands on.
type outbox[T any] struct {
	mu    sched.Mutex
	items []T
	// unsent counts the items that drain has taken and not yet handed on.
	unsent int
	wake   *sched.Chan[struct{}]
	out    *sched.Chan[T]
}

func newOutbox[T any](s sched.Scheduler, capacity int) *outbox[T] {
	return &outbox[T]{mu: sched.NewMutex(s), wake: sched.NewChan[struct{}](s, 1), out: sched.NewChan[T](s, capacity)}
}

// lock begins a critical section in which put may be called. It is the innermost
// lock of the agent.
func (o *outbox[T]) lock() { o.mu.Lock() }

func (o *outbox[T]) put(items ...T) { o.items = append(o.items, items...) }

// unlock ends the critical section, and wakes drain if there is anything to do.
func (o *outbox[T]) unlock() {
	some := len(o.items) > 0
	o.mu.Unlock()
	if some {
		o.wake.TrySend(struct{}{})
	}
}

// add is put in a critical section of its own. It returns how many items wait.
func (o *outbox[T]) add(items ...T) int {
	o.lock()
	o.put(items...)
	n := len(o.items) + o.unsent
	o.unlock()
	return n
}

// queued is the number of items that are not yet in the channel.
func (o *outbox[T]) queued() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items) + o.unsent
}

// drain hands items on in the order of put, until stop is closed; then it closes
// the channel. delivered is called, if not nil, after each.
func (o *outbox[T]) drain(stop *sched.Chan[struct{}], delivered func(T)) {
	defer o.out.Close()
	var batch []T
	for {
		clear(batch)
		o.mu.Lock()
		batch, o.items = o.items, batch[:0]
		o.unsent = len(batch)
		o.mu.Unlock()
		if len(batch) == 0 {
			woken, stopped := sched.Recv(o.wake), sched.Recv(stop)
			if sched.Select2(&woken, &stopped) == 1 {
				return
			}
			continue
		}
		for _, item := range batch {
			sent, stopped := sched.Send(o.out, item), sched.Recv(stop)
			if sched.Select2(&sent, &stopped) == 1 {
				return
			}
			o.mu.Lock()
			o.unsent--
			if delivered != nil {
				delivered(item)
			}
			o.mu.Unlock()
		}
	}
}
