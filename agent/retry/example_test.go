package retry_test

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent/retry"
)

// A worker attempts at once, and sleeps for Next before each further attempt: evenly at first, then longer and longer.
func Example() {
	interval := retry.Interval{Initial: 2 * time.Second, GrowAfter: 6 * time.Second, Max: 5 * time.Second}
	if err := interval.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	schedule := retry.Start(interval)
	for range 7 {
		fmt.Println(schedule.Next())
	}
	// Output:
	// 2s
	// 2s
	// 2s
	// 3s
	// 4.5s
	// 5s
	// 5s
}
