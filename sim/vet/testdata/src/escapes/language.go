// Package escapes holds one of each escape.
package escapes

import "context"

func goroutines() {
	go func() {}() // want `a go statement starts what no simulation schedules: use Go of the sched.Scheduler`
	go named()     // want `a go statement`
}

func named() {}

type mailbox struct {
	letters chan string // want `a native channel type .*: use \*sched.Chan`
}

func channels(
	in <-chan int, // want `a native channel type`
	m mailbox,
) {
	c := make(chan int, 1) // want `make\(chan\) makes a channel .*: make it with sched.NewChan`
	c <- 1                 // want `a send on a native channel .*: use Send`
	<-c                    // want `a receive from a native channel .*: use Recv of a sched.Chan`
	v, ok := <-in          // want `a receive from a native channel`
	_, _ = v, ok
	for range in { // want `a range over a native channel .*: loop over Recv`
	}
	for letter := range m.letters { // want `a range over a native channel`
		_ = letter
	}
	close(c) // want `closing a native channel .*: use Close`
}

func selects(a, b mailbox) {
	select { // want `a select statement lets the runtime draw the case: use sched.Select2`
	case <-a.letters:
	case l := <-b.letters:
		_ = l
	case a.letters <- "x":
	}
	select {} // want `a select statement`
}

func contexts(ctx context.Context) {
	<-ctx.Done() // want `a receive .*: use Recv of sched.Done\(ctx\)`
}

type bell chan struct{} // want `a native channel type`

func namedChannel() {
	c := make(bell) // want `make\(chan\)`
	close(c)        // want `closing a native channel`
}

func generic[C ~chan int](c C) { // want `a native channel type`
	for range c { // want `a range over a native channel`
	}
}
