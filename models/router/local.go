package router

import (
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
)

// LocalEnv is the Env of a router at an address of an in-process network: what it puts off runs between the network's calls of the
// router, and every decision is the simplest.
func LocalEnv(n *net.Local[[]protocol.Request, []protocol.Response], at net.Address, c clock.Clock) Env {
	return localEnv{n, at, c}
}

type localEnv struct {
	network *net.Local[[]protocol.Request, []protocol.Response]
	at      net.Address
	clock   clock.Clock
}

func (e localEnv) After(d time.Duration, f func()) {
	e.clock.AfterFunc(d, func() { e.network.Do(e.at, f) })
}

func (e localEnv) Value(string, int) int { return 0 }
