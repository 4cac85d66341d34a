package retry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/retry"
)

func TestS17TheSleepsAreThoseOfTheReference(t *testing.T) {
	schedule := retry.Start(retry.Interval{Initial: time.Second, GrowAfter: 10 * time.Second, Max: 10 * time.Second})
	want := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10, 10, 10}
	for i, seconds := range want {
		require.Equal(t, time.Duration(seconds*float64(time.Second)), schedule.Next(), "sleep %d", i+1)
	}
}
