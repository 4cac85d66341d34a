package agent

import (
	"fmt"
	"time"
)

// RetryInterval says how long a worker sleeps between its attempts: Initial each
// time until GrowAfter has passed in sleeps, then half as long again each time,
// at most Max. There is no jitter, and success does not reset it.
type RetryInterval struct {
	Initial, GrowAfter, Max time.Duration
}

// Validate says in one line what is wrong with r, if anything.
func (r RetryInterval) Validate() error {
	switch {
	case r.Initial <= 0:
		return fmt.Errorf("the initial interval is %v; want more than 0", r.Initial)
	case r.Max < r.Initial:
		return fmt.Errorf("the longest interval %v is below the initial one, %v", r.Max, r.Initial)
	case r.GrowAfter < 0:
		return fmt.Errorf("the interval grows after %v; want 0 or more", r.GrowAfter)
	}
	return nil
}

// retrySchedule is where one worker is in its sleeps (property S17). The first
// attempt is made at once; before each of the others the worker sleeps for next.
type retrySchedule struct {
	interval RetryInterval
	delay    time.Duration
	elapsed  time.Duration
}

func newRetrySchedule(r RetryInterval) retrySchedule {
	return retrySchedule{interval: r, delay: r.Initial}
}

// next is the sleep to make now.
func (s *retrySchedule) next() time.Duration {
	sleep := s.delay
	s.elapsed += sleep
	if s.elapsed >= s.interval.GrowAfter && s.delay != s.interval.Max {
		s.delay = min(s.delay+s.delay/2, s.interval.Max)
	}
	return sleep
}
