package harmless

import (
	"testing"
	"time"
)

// Tests are for the real world.
func TestWallClock(t *testing.T) {
	done := make(chan bool)
	go func() { done <- true }()
	<-done
	time.Sleep(time.Millisecond)
}
