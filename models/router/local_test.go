package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

func TestARouterOnTheInProcessNetwork(t *testing.T) {
	s := sched.Goroutines()
	n := net.NewLocal[[]protocol.Request, []protocol.Response](s)
	defer n.Close()
	r := router.New(router.Options{Name: "r", Env: router.LocalEnv(n, "r", clock.Wall())})
	r.NewQueue(protocol.RecipientService, queue(1), "key")
	require.NoError(t, n.Listen("r", r))
	dial := func() protocol.Conn {
		c, err := n.Dial(context.Background(), "r", messaging.Encode())
		require.NoError(t, err)
		return c
	}
	subscribe := func(c protocol.Conn) {
		require.NoError(t, c.Send(context.Background(), []protocol.Request{sub(1)}))
		block, err := c.Receive()
		require.NoError(t, err)
		require.Equal(t, []protocol.Kind{protocol.SOK}, kinds(block))
	}
	first, second := dial(), dial()
	subscribe(first)

	subscribe(second)

	block, err := first.Receive()
	require.NoError(t, err)
	require.Equal(t, []protocol.Kind{protocol.END}, kinds(block))
}
