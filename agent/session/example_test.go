package session_test

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/sched"
)

// sessions is a state with a slot: its lock guards the slot, and is never held while a session is made or waited for.
type sessions struct {
	scheduler sched.Scheduler
	mu        sched.Mutex
	slot      session.Slot[string]
}

// get answers the session. Whoever comes first makes it; all others wait for that.
func (s *sessions) get(connect func() string) string {
	s.mu.Lock()
	v, created := s.slot.GetOrCreate(s.scheduler)
	s.mu.Unlock()
	if created {
		value := connect()
		s.mu.Lock()
		defer s.mu.Unlock()
		v.Fill(value)
		return value
	}
	v.Ready().Recv()
	s.mu.Lock()
	defer s.mu.Unlock()
	value, _ := v.Read()
	return value
}

// However many tasks want a session, one connects.
func Example() {
	s := sched.Goroutines()
	router := &sessions{scheduler: s, mu: sched.NewMutex(s)}
	attempts := sched.NewAtomicInt64(s, 0)
	answers := sched.NewChan[string](s, 3)
	for range 3 {
		s.Go("caller", func() {
			answers.Send(router.get(func() string { return fmt.Sprint("session ", attempts.Add(1)) }))
		})
	}
	for range 3 {
		answer, _ := answers.Recv()
		fmt.Println(answer)
	}
	// Output:
	// session 1
	// session 1
	// session 1
}

// Who learns late that a session was lost removes that one, and not the newer one that has taken its place.
func ExampleSlot_Remove() {
	var slot session.Slot[string]
	s := sched.Goroutines()
	lost, _ := slot.GetOrCreate(s)
	fmt.Println(slot.Remove(lost))
	newer, _ := slot.GetOrCreate(s)
	newer.Fill("session 2")
	fmt.Println(slot.Remove(lost))
	fmt.Println(slot.Get().Read())
	// Output:
	// true
	// false
	// session 2 true
}
