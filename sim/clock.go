package sim

import (
	"context"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sched"
)

// epoch is when every run begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// nodeClock is the clock of a node.
type nodeClock struct{ node *Node }

func (c nodeClock) Now() time.Time {
	now := epoch.Add(c.node.node.ReadClock())
	if c.node.staleClock {
		c.node.world.Inline(c.node.outdate)
	}
	return now
}

func (c nodeClock) NewTimer(d time.Duration) *clock.Timer {
	t := c.channelTimer("timer")
	t.timer.Arm(d)
	return clock.MakeTimer(t.c.RecvOnly(), t)
}

func (c nodeClock) NewTicker(d time.Duration) *clock.Ticker {
	clock.CheckInterval(d)
	t := ticker{c.channelTimer("ticker")}
	t.Reset(d)
	return clock.MakeTicker(t.c.RecvOnly(), t)
}

func (c nodeClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	n := c.node
	t := funcTimer{n.world.kernel.NewTimer(n.node, "timer", nil, func() { n.Go("timer", f) })}
	t.timer.Arm(d)
	return clock.MakeTimer(nil, t)
}

func (c nodeClock) Sleep(ctx context.Context, d time.Duration) error { return clock.Sleep(c, ctx, d) }

// channelTimer is a timer with a channel: what it has sent but nobody received is taken back by Stop and Reset, which then
// count the timer as active, as Go does since 1.23.
type channelTimer struct {
	timer *kernel.Timer
	c     *sched.Chan[time.Time]
}

func (t *channelTimer) Stop() bool { return t.timer.Stop() || t.drain() }

func (t *channelTimer) Reset(d time.Duration) bool {
	drained := false
	active := t.timer.ArmAfter(d, func() { drained = t.drain() })
	return active || drained
}

// channelTimer makes a timer that is not armed.
func (c nodeClock) channelTimer(name string) *channelTimer {
	n, k := c.node, c.node.world.kernel
	t := &channelTimer{c: sched.NewChan[time.Time](n, 1)}
	t.timer = k.NewTimer(n.node, name, t.c.Object(), func() { t.c.TrySend(epoch.Add(k.Now() + n.node.Offset)) })
	return t
}

// drain takes the value back in the step that the timer's operation is in.
func (t *channelTimer) drain() (drained bool) {
	t.timer.Object().Kernel().Covered(func() { _, _, drained = t.c.TryRecv() })
	return drained
}

// ticker is a timer that goes on.
type ticker struct{ *channelTimer }

func (t ticker) Stop() {
	t.timer.Stop()
	t.drain()
}

func (t ticker) Reset(d time.Duration) { t.timer.Repeat(d, func() { t.drain() }) }

type funcTimer struct{ timer *kernel.Timer }

func (t funcTimer) Stop() bool                 { return t.timer.Stop() }
func (t funcTimer) Reset(d time.Duration) bool { return t.timer.Arm(d) }
