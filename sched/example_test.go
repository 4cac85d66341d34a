package sched_test

import (
	"context"
	"fmt"

	"github.com/heddle-go/heddle/sched"
)

// A program is given its Scheduler instead of using go, sync and chan. In production that is Goroutines.
func Example() {
	squares := func(s sched.Scheduler, n int) int {
		results := sched.NewChan[int](s, n)
		for i := range n {
			s.Go("square", func() { results.Send(i * i) })
		}
		sum := 0
		for range n {
			square, _ := results.Recv()
			sum += square
		}
		return sum
	}
	fmt.Println(squares(sched.Goroutines(), 4))
	// Output: 14
}

// Primitives are made from the Scheduler, also those that are part of a struct.
func ExampleMutex() {
	type account struct {
		mu      sched.Mutex
		balance int
	}
	s := sched.Goroutines()
	a := &account{mu: sched.NewMutex(s)}
	done := sched.NewWaitGroup(s)
	done.Add(2)
	for range 2 {
		s.Go("deposit", func() {
			defer done.Done()
			a.mu.Lock()
			defer a.mu.Unlock()
			a.balance += 10
		})
	}
	done.Wait()
	fmt.Println(a.balance)
	// Output: 20
}

// The cases of a select are variables: the one that went holds what it received.
func ExampleSelect2() {
	s := sched.Goroutines()
	ctx, cancel := sched.WithCancel(s, context.Background())
	answers := sched.NewChan[string](s, 1)

	wait := func() {
		answer, cancelled := sched.Recv(answers), sched.Recv(sched.Done(ctx))
		switch sched.Select2(&answer, &cancelled) {
		case 0:
			fmt.Println("answer:", answer.Value)
		case 1:
			fmt.Println("cancelled:", ctx.Err())
		}
	}
	answers.Send("42")
	wait()
	cancel()
	wait()
	// Output:
	// answer: 42
	// cancelled: context canceled
}

// TrySelect2 is a select with a default. A nil channel is never ready, in a case as in Go.
func ExampleTrySelect2() {
	s := sched.Goroutines()
	queue := sched.NewChan[int](s, 1)
	queue.Send(1)
	add, never := sched.Send(queue, 2), sched.Recv[int](nil)
	if sched.TrySelect2(&add, &never) == -1 {
		fmt.Println("the queue is full")
	}
	// Output: the queue is full
}
