package sched

import "github.com/heddle-go/heddle/internal/kernel"

// Case is one case of a select, made by Recv or Send. When it is the one that went, a receiving case holds the value in
// Value and, in OK, whether it was sent rather than the zero value of a closed channel.
type Case[T any] struct {
	Value   T
	c       *Chan[T]
	OK      bool
	sending bool // beside OK: four words with a string, which the compiler keeps in registers
}

// Recv is the case that receives from c.
func Recv[T any](c *Chan[T]) Case[T] { return Case[T]{c: c} }

// Send is the case that sends v to c.
func Send[T any](c *Chan[T], v T) Case[T] { return Case[T]{c: c, Value: v, sending: true} }

// chans are the native channels of the case: at most one of them is not nil, and a nil one is never ready.
func (a *Case[T]) chans() (recv <-chan T, send chan<- T) {
	switch {
	case a.c == nil:
		return nil, nil
	case a.sending:
		return nil, a.c.send
	default:
		return a.c.recv, nil
	}
}

// receives is the native channel of a case that receives from one; else nil. Where all cases of a select do, or all but the
// first, which is what selects mostly are, nothing else needs to be asked.
func (a *Case[T]) receives() <-chan T {
	if a.c == nil || a.sending {
		return nil
	}
	return a.c.recv
}

// sends is the native channel of a case that sends to one; else nil.
func (a *Case[T]) sends() chan<- T {
	if a.c == nil || !a.sending {
		return nil
	}
	return a.c.send
}

func (a *Case[T]) kernel() *kernel.Kernel {
	if a.c == nil || a.c.simulated == nil {
		return nil
	}
	return a.c.simulated.object.Kernel()
}

// native says that the case does not stand in the way of a native select.
func (a *Case[T]) native() bool { return a.c == nil || a.c.simulated == nil }

// made says that the case has a channel, and panics if no Scheduler made that, or if the case cannot be of it.
func (a *Case[T]) made() bool {
	if a.c == nil {
		return false
	}
	if a.c.recv == nil && a.c.send == nil {
		a.c.mustBeMade()
	}
	if a.sending && a.c.send == nil && (a.c.recv != nil || a.c.recvOnly) {
		a.c.mustSend("send")
	}
	return true
}

// arm announces the case to the simulator.
//
//go:norace
func (a *Case[T]) arm() kernel.Arm {
	if !a.made() {
		return kernel.Arm{Send: a.sending}
	}
	c := a.c.simulated
	if c == nil {
		panic("sched: a select of a simulated task waits for a native channel (a context of the standard library? derive it with package sched)")
	}
	arm := kernel.Arm{Object: &c.object, Send: a.sending}
	if c.object.Capacity() == 0 {
		if n := len(c.free); n > 0 {
			arm.Slot = c.free[n-1]
			c.free = c.free[:n-1]
		} else {
			var zero T
			arm.Slot = int32(len(c.slots))
			c.slots = append(c.slots, zero)
		}
		if a.sending {
			c.slots[arm.Slot] = a.Value
		}
	}
	return arm
}

// settle moves the value if the case is the one that went, and gives back its slot.
//
//go:norace
func (a *Case[T]) settle(arm kernel.Arm, chosen bool, how kernel.Exchange, peer int32) {
	if a.c == nil {
		return
	}
	c := a.c.simulated
	if chosen {
		switch {
		case how == kernel.Closed && a.sending:
			panic("send on closed channel")
		case how == kernel.Closed:
			var zero T
			a.Value, a.OK = zero, false
		case a.sending && how == kernel.Buffered:
			c.push(a.Value)
		case a.sending && how == kernel.Direct:
			c.slots[peer] = a.Value
		case how == kernel.Buffered:
			a.Value, a.OK = c.pop(), true
		case how == kernel.Direct:
			a.Value, a.OK = c.slots[peer], true
		case !a.sending:
			a.Value, a.OK = c.slots[arm.Slot], true
		}
	}
	if c.object.Capacity() == 0 {
		var zero T
		c.slots[arm.Slot] = zero
		c.free = append(c.free, arm.Slot)
	}
}

func select1[A any](a *Case[A], nonblocking bool) int {
	if !a.made() {
		if nonblocking {
			return -1
		}
		panic("sched: operation on a nil Chan, which would block for ever")
	}
	arms := [1]kernel.Arm{a.arm()}
	chosen, how, peer := a.kernel().Select(arms[:], nonblocking)
	a.settle(arms[0], chosen == 0, how, peer)
	return chosen
}

// Select2 waits until one of the cases can go, lets it, and answers which: 0 or 1. If several can, which does is a decision
// in a simulation and pseudo-random in production.
func Select2[A, B any](a *Case[A], b *Case[B]) int {
	if x, y := a.receives(), b.receives(); x != nil && y != nil {
		select {
		case a.Value, a.OK = <-x:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		}
	}
	if x, y := a.sends(), b.receives(); x != nil && y != nil {
		select {
		case x <- a.Value:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		}
	}
	if x, y := a.receives(), b.sends(); x != nil && y != nil {
		select {
		case a.Value, a.OK = <-x:
			return 0
		case y <- b.Value:
			return 1
		}
	}
	if a.native() && b.native() {
		return native2(a, b)
	}
	return simulated2(a, b, false)
}

// TrySelect2 is Select2 with a default: it answers -1 if no case can go at once.
func TrySelect2[A, B any](a *Case[A], b *Case[B]) int {
	if x, y := a.receives(), b.receives(); x != nil && y != nil {
		select {
		case a.Value, a.OK = <-x:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		default:
			return -1
		}
	}
	if x, y := a.sends(), b.receives(); x != nil && y != nil {
		select {
		case x <- a.Value:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		default:
			return -1
		}
	}
	if a.native() && b.native() {
		return tryNative2(a, b)
	}
	return simulated2(a, b, true)
}

func native2[A, B any](a *Case[A], b *Case[B]) int {
	if a, b := a.made(), b.made(); !a && !b {
		panic("sched: select of nil channels only, which would block for ever")
	}
	recvA, sendA := a.chans()
	recvB, sendB := b.chans()
	select {
	case a.Value, a.OK = <-recvA:
		return 0
	case sendA <- a.Value:
		return 0
	case b.Value, b.OK = <-recvB:
		return 1
	case sendB <- b.Value:
		return 1
	}
}

func tryNative2[A, B any](a *Case[A], b *Case[B]) int {
	_, _ = a.made(), b.made()
	recvA, sendA := a.chans()
	recvB, sendB := b.chans()
	select {
	case a.Value, a.OK = <-recvA:
		return 0
	case sendA <- a.Value:
		return 0
	case b.Value, b.OK = <-recvB:
		return 1
	case sendB <- b.Value:
		return 1
	default:
		return -1
	}
}

func simulated2[A, B any](a *Case[A], b *Case[B], nonblocking bool) int {
	arms := [2]kernel.Arm{a.arm(), b.arm()}
	k := kernelOf(a.kernel(), b.kernel())
	chosen, how, peer := k.Select(arms[:], nonblocking)
	a.settle(arms[0], chosen == 0, how, peer)
	b.settle(arms[1], chosen == 1, how, peer)
	return chosen
}

// Select3 is Select2 with three cases.
func Select3[A, B, C any](a *Case[A], b *Case[B], c *Case[C]) int {
	if x, y, z := a.receives(), b.receives(), c.receives(); x != nil && y != nil && z != nil {
		select {
		case a.Value, a.OK = <-x:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		case c.Value, c.OK = <-z:
			return 2
		}
	}
	if x, y, z := a.sends(), b.receives(), c.receives(); x != nil && y != nil && z != nil {
		select {
		case x <- a.Value:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		case c.Value, c.OK = <-z:
			return 2
		}
	}
	if a.native() && b.native() && c.native() {
		return native3(a, b, c)
	}
	return simulated3(a, b, c, false)
}

// TrySelect3 is TrySelect2 with three cases.
func TrySelect3[A, B, C any](a *Case[A], b *Case[B], c *Case[C]) int {
	if x, y, z := a.receives(), b.receives(), c.receives(); x != nil && y != nil && z != nil {
		select {
		case a.Value, a.OK = <-x:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		case c.Value, c.OK = <-z:
			return 2
		default:
			return -1
		}
	}
	if x, y, z := a.sends(), b.receives(), c.receives(); x != nil && y != nil && z != nil {
		select {
		case x <- a.Value:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		case c.Value, c.OK = <-z:
			return 2
		default:
			return -1
		}
	}
	if a.native() && b.native() && c.native() {
		_, _, _ = a.made(), b.made(), c.made()
		recvA, sendA := a.chans()
		recvB, sendB := b.chans()
		recvC, sendC := c.chans()
		select {
		case a.Value, a.OK = <-recvA:
			return 0
		case sendA <- a.Value:
			return 0
		case b.Value, b.OK = <-recvB:
			return 1
		case sendB <- b.Value:
			return 1
		case c.Value, c.OK = <-recvC:
			return 2
		case sendC <- c.Value:
			return 2
		default:
			return -1
		}
	}
	return simulated3(a, b, c, true)
}

func native3[A, B, C any](a *Case[A], b *Case[B], c *Case[C]) int {
	if a, b, c := a.made(), b.made(), c.made(); !a && !b && !c {
		panic("sched: select of nil channels only, which would block for ever")
	}
	recvA, sendA := a.chans()
	recvB, sendB := b.chans()
	recvC, sendC := c.chans()
	select {
	case a.Value, a.OK = <-recvA:
		return 0
	case sendA <- a.Value:
		return 0
	case b.Value, b.OK = <-recvB:
		return 1
	case sendB <- b.Value:
		return 1
	case c.Value, c.OK = <-recvC:
		return 2
	case sendC <- c.Value:
		return 2
	}
}

func simulated3[A, B, C any](a *Case[A], b *Case[B], c *Case[C], nonblocking bool) int {
	arms := [3]kernel.Arm{a.arm(), b.arm(), c.arm()}
	k := kernelOf(a.kernel(), b.kernel(), c.kernel())
	chosen, how, peer := k.Select(arms[:], nonblocking)
	a.settle(arms[0], chosen == 0, how, peer)
	b.settle(arms[1], chosen == 1, how, peer)
	c.settle(arms[2], chosen == 2, how, peer)
	return chosen
}

// Select4 is Select2 with four cases.
func Select4[A, B, C, D any](a *Case[A], b *Case[B], c *Case[C], d *Case[D]) int {
	if x, y, z, w := a.receives(), b.receives(), c.receives(), d.receives(); x != nil && y != nil && z != nil && w != nil {
		select {
		case a.Value, a.OK = <-x:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		case c.Value, c.OK = <-z:
			return 2
		case d.Value, d.OK = <-w:
			return 3
		}
	}
	if x, y, z, w := a.sends(), b.receives(), c.receives(), d.receives(); x != nil && y != nil && z != nil && w != nil {
		select {
		case x <- a.Value:
			return 0
		case b.Value, b.OK = <-y:
			return 1
		case c.Value, c.OK = <-z:
			return 2
		case d.Value, d.OK = <-w:
			return 3
		}
	}
	if a.native() && b.native() && c.native() && d.native() {
		if a, b, c, d := a.made(), b.made(), c.made(), d.made(); !a && !b && !c && !d {
			panic("sched: select of nil channels only, which would block for ever")
		}
		recvA, sendA := a.chans()
		recvB, sendB := b.chans()
		recvC, sendC := c.chans()
		recvD, sendD := d.chans()
		select {
		case a.Value, a.OK = <-recvA:
			return 0
		case sendA <- a.Value:
			return 0
		case b.Value, b.OK = <-recvB:
			return 1
		case sendB <- b.Value:
			return 1
		case c.Value, c.OK = <-recvC:
			return 2
		case sendC <- c.Value:
			return 2
		case d.Value, d.OK = <-recvD:
			return 3
		case sendD <- d.Value:
			return 3
		}
	}
	arms := [4]kernel.Arm{a.arm(), b.arm(), c.arm(), d.arm()}
	k := kernelOf(a.kernel(), b.kernel(), c.kernel(), d.kernel())
	chosen, how, peer := k.Select(arms[:], false)
	a.settle(arms[0], chosen == 0, how, peer)
	b.settle(arms[1], chosen == 1, how, peer)
	c.settle(arms[2], chosen == 2, how, peer)
	d.settle(arms[3], chosen == 3, how, peer)
	return chosen
}

// kernelOf is the first kernel that is not nil.
func kernelOf(kernels ...*kernel.Kernel) *kernel.Kernel {
	for _, k := range kernels {
		if k != nil {
			return k
		}
	}
	panic("sched: select of nil channels only, which would block for ever")
}
