// Package retry is the schedule by which what failed is tried again (reference.md, "Retry schedule").
package retry

import (
	"fmt"
	"time"
)

// Interval says how long a worker sleeps between its attempts: Initial each
// time until GrowAfter has passed in sleeps, then half as long again each time,
// at most Max. There is no jitter, and success does not reset it.
type Interval struct {
	Initial, GrowAfter, Max time.Duration
}

// Validate says in one line what is wrong with r, if anything.
func (r Interval) Validate() error {
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

// Schedule is where one worker is in its sleeps (property S17). The first
// attempt is made at once; before each of the others the worker sleeps for Next.
type Schedule struct {
	interval Interval
	delay    time.Duration
	elapsed  time.Duration
}

// Start is a schedule at its beginning.
func Start(r Interval) Schedule { return Schedule{interval: r, delay: r.Initial} }

// Next is the sleep to make now.
func (s *Schedule) Next() time.Duration {
	sleep := s.delay
	s.elapsed += sleep
	if s.elapsed >= s.interval.GrowAfter && s.delay != s.interval.Max {
		s.delay = min(s.delay+s.delay/2, s.interval.Max)
	}
	return sleep
}
