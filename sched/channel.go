package sched

import "github.com/heddle-go/heddle/internal/kernel"

// Chan is a Go channel. A nil *Chan in a Case is, as in Go, never ready. (A plain operation on a nil *Chan, which in Go blocks
// for ever, panics: there is no Scheduler to block on.)
type Chan[T any] struct {
	send      chan<- T
	recv      <-chan T
	simulated *simulatedChan[T]
	recvOnly  bool // and looks unbuffered
}

// simulatedChan are the values of a simulated channel; the kernel's object counts them.
type simulatedChan[T any] struct {
	object kernel.Object
	buffer []T // a ring
	head   int
	slots  []T     // unbuffered: the values of those that wait
	free   []int32 // slots not in use
}

// NewChan makes a channel of that capacity.
func NewChan[T any](s Scheduler, capacity int) *Chan[T] {
	if k := s.Kernel(); k != nil {
		if capacity < 0 {
			panic("makechan: size out of range")
		}
		c := &simulatedChan[T]{}
		k.InitChan(&c.object, capacity, "")
		c.object.SetName(nameIn(s))
		if capacity > 0 {
			c.buffer = make([]T, min(capacity, 16))
		}
		if k.Inspected() {
			k.Keep(&c.object, c.contents)
		}
		return &Chan[T]{simulated: c}
	}
	native := make(chan T, capacity)
	return &Chan[T]{send: native, recv: native}
}

// RecvOnly is the receiving end of c. That of a simulated channel looks as that of a context or a timer does: as of Go 1.23, unbuffered.
func (c *Chan[T]) RecvOnly() *Chan[T] {
	return &Chan[T]{recv: c.recv, simulated: c.simulated, recvOnly: true}
}

// FromNative wraps a channel of Go, for use with Goroutines only: a simulation that waits for one panics.
func FromNative[T any](c <-chan T) *Chan[T] { return &Chan[T]{recv: c} }

// Send sends v, waiting until that is possible. It panics if the channel is closed.
func (c *Chan[T]) Send(v T) {
	if c == nil || c.send == nil {
		c.simulateSend(v)
		return
	}
	c.send <- v
}

//go:noinline
func (c *Chan[T]) simulateSend(v T) {
	send := Case[T]{c: c, Value: v, sending: true}
	select1(&send, false)
}

// Recv receives a value, waiting for one; ok is false if the channel is closed and drained.
func (c *Chan[T]) Recv() (v T, ok bool) {
	if c == nil || c.recv == nil {
		return c.simulateRecv()
	}
	v, ok = <-c.recv
	return v, ok
}

//go:noinline
func (c *Chan[T]) simulateRecv() (T, bool) {
	recv := Case[T]{c: c}
	select1(&recv, false)
	return recv.Value, recv.OK
}

// TrySend sends v if that is possible at once and says whether it did: a select with a default.
func (c *Chan[T]) TrySend(v T) bool {
	if c != nil && c.send != nil {
		select {
		case c.send <- v:
			return true
		default:
			return false
		}
	}
	send := Case[T]{c: c, Value: v, sending: true}
	return select1(&send, true) == 0
}

// TryRecv receives if that is possible at once: received says whether it did, ok is as for Recv.
func (c *Chan[T]) TryRecv() (v T, ok, received bool) {
	if c != nil && c.recv != nil {
		select {
		case v, ok = <-c.recv:
			return v, ok, true
		default:
			return v, false, false
		}
	}
	recv := Case[T]{c: c}
	received = select1(&recv, true) == 0
	return recv.Value, recv.OK, received
}

// Close closes the channel. It panics if that is nil or closed.
func (c *Chan[T]) Close() {
	switch {
	case c == nil:
		panic("close of nil channel")
	case c.send != nil:
		close(c.send)
	default:
		c.mustSend("close")
		c.simulated.object.CloseChan()
	}
}

// Len is the number of values in the buffer; 0 for a nil channel.
func (c *Chan[T]) Len() int {
	switch {
	case c == nil:
		return 0
	case c.recv != nil:
		return len(c.recv)
	default:
		o := &c.mustBeMade().object
		if c.recvOnly {
			o.Kernel().Yield()
			return 0
		}
		return o.LenChan()
	}
}

// Cap is the capacity of the buffer; 0 for a nil channel.
func (c *Chan[T]) Cap() int {
	switch {
	case c == nil:
		return 0
	case c.recv != nil:
		return cap(c.recv)
	default:
		n := c.mustBeMade().object.Capacity()
		if c.recvOnly {
			return 0
		}
		return n
	}
}

func (c *Chan[T]) mustBeMade() *simulatedChan[T] {
	if c.simulated == nil {
		panic("sched: use of a Chan that was not made with NewChan")
	}
	return c.simulated
}

// mustSend panics if the channel only receives.
func (c *Chan[T]) mustSend(what string) {
	if c.recv != nil || c.recvOnly {
		panic("sched: " + what + " of a receive-only Chan")
	}
	c.mustBeMade()
}

// Object is what operations on a simulated channel touch. For package sim.
func (c *Chan[T]) Object() *kernel.Object { return &c.simulated.object }

// push adds a value to the ring, which grows up to the capacity. The kernel has counted it already.
//
//go:norace
func (c *simulatedChan[T]) push(v T) {
	n := c.object.Count() - 1
	if n == len(c.buffer) {
		grown := make([]T, max(2*n, 8))
		for i := range n {
			grown[i] = c.buffer[(c.head+i)%n]
		}
		c.buffer, c.head = grown, 0
	}
	at := c.head + n
	if at >= len(c.buffer) {
		at -= len(c.buffer)
	}
	c.buffer[at] = v
}

//go:norace
func (c *simulatedChan[T]) pop() T {
	v := c.buffer[c.head]
	var zero T
	c.buffer[c.head] = zero
	if c.head++; c.head == len(c.buffer) {
		c.head = 0
	}
	return v
}

// contents are the first values in the buffer, for the state of a run.
//
//go:norace
func (c *simulatedChan[T]) contents(most int) (texts []string) {
	if c.object.Capacity() == 0 {
		return nil
	}
	for i := range min(c.object.Count(), most) {
		texts = append(texts, kernel.ValueText(c.buffer[(c.head+i)%len(c.buffer)]))
	}
	return texts
}
