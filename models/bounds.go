package models

import (
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent"
)

// bounds are the times within which things must happen, computed from the configuration by the sums that properties L1, L4, L5 and L7
// state, not by the agent.
type bounds struct {
	config   agent.Config
	connect  time.Duration // L5, and L4 for a wait
	request  time.Duration // L4 for one block
	deadPeer time.Duration // L7
}

// newBounds computes the bounds of a configuration. A peer that went silent is noticed (L7) by pings, one in each interval of silence:
// at most one interval until the first, then interval and timeout for each, until there are both as many timeouts and as much silence
// as it takes.
func newBounds(c agent.Config) bounds {
	round := c.PingInterval + c.RPCTimeout
	rounds := max(int64(c.PingTimeouts), int64((c.Silence+round-1)/round))
	return bounds{config: c, connect: c.ConnectTimeout, request: c.RPCTimeout, deadPeer: c.PingInterval + time.Duration(rounds)*round}
}

// subscribe is L1's bound with n queues of the router wanted: dead peer + stored error + connect + longest sleep + blocks x timeout,
// where the service's subscription is a block of its own.
func (b *bounds) subscribe(n int) time.Duration {
	c := &b.config
	return b.deadPeer + c.PersistError + c.ConnectTimeout + c.Reconnect.Max + time.Duration(1+b.blocks(n))*c.RPCTimeout
}

// blocks is in how many blocks n queues are sent: batches first, then blocks.
func (b *bounds) blocks(n int) int {
	size := b.config.BatchSize
	full, rest := n/size, n%size
	per := func(n int) int { return (n + b.config.BlockSize - 1) / b.config.BlockSize }
	return full*per(size) + per(rest)
}

// call is L4's bound for a call of the application: connecting, or waiting for who connects, and then its blocks.
func (b *bounds) call(c *Call) time.Duration {
	switch c.kind {
	case callQueues:
		return b.connect + time.Duration(b.blocks(len(c.queues)))*b.request
	case callService:
		return b.connect + b.request
	case callClose:
		return b.connect
	}
	return 0 // a remove waits for nobody
}

// sum says how L1's bound comes about, for failures.
func (b *bounds) sum(n int) string {
	c := &b.config
	return fmt.Sprintf("%v = dead peer %v + stored error %v + connect %v + longest sleep %v + %d blocks x %v",
		b.subscribe(n), b.deadPeer, c.PersistError, c.ConnectTimeout, c.Reconnect.Max, 1+b.blocks(n), c.RPCTimeout)
}
