package agent

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
)

func (w *world) client() *Client {
	w.t.Helper()
	c, err := w.agent.Client(context.Background(), testRouter)
	require.NoError(w.t, err)
	return c
}

func commands(n int) []protocol.Request {
	requests := make([]protocol.Request, n)
	for i := range requests {
		requests[i] = protocol.Request{Command: "ACK", Queue: queueN(i + 1)}
	}
	return requests
}

func TestABatchIsCutInBlocks(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.BlockSize = 2 }))
	answers, err := w.client().Exchange(context.Background(), commands(5))
	require.NoError(t, err)
	require.Equal(t, []int{2, 2, 1}, w.router.last().sizes())
	seen := map[protocol.CorrelationID]bool{}
	for i, r := range w.router.last().sent() {
		require.Equal(t, queueN(i+1), answers[i].Response.Queue)
		require.Equal(t, r.Correlation, answers[i].Response.Correlation)
		require.False(t, r.Correlation.IsZero() || seen[r.Correlation])
		seen[r.Correlation] = true
	}
}

func TestAShortListTimesOutOnlyWhatIsMissing(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.RPCTimeout = 20 * time.Millisecond }))
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		if r.Queue == queueN(2) {
			return nil
		}
		return []protocol.Response{confirm(r)}
	}
	answers, err := w.client().Exchange(context.Background(), commands(3))
	require.NoError(t, err)
	require.NoError(t, answers[0].Err)
	require.ErrorContains(t, answers[1].Err, "timeout")
	require.NoError(t, answers[2].Err)

	s := w.await("late", func(s RouterSnapshot) bool { return s.Sessions[0].Late == 1 })
	require.Zero(t, s.Sessions[0].Waiting)
	request := w.router.last().sent()[1]
	w.router.last().push(confirm(request), confirm(request))
	late, _ := w.agent.Messages().Recv()
	require.Equal(t, Late, late.Kind)
	require.Equal(t, request, late.Request)
	stray, _ := w.agent.Messages().Recv()
	require.Equal(t, Stray, stray.Kind, "it is answered already")
}

func TestARefusalIsTheErrorOfItsAnswer(t *testing.T) {
	w := newWorld(t, quick())
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		if r.Queue == queueN(1) {
			return []protocol.Response{refuse(r, auth)}
		}
		response := confirm(r)
		response.Kind = protocol.ERR // and does not say why
		return []protocol.Response{response}
	}
	answers, err := w.client().Exchange(context.Background(), commands(2))
	require.NoError(t, err)
	require.Equal(t, error(&auth), answers[0].Err)
	require.ErrorContains(t, answers[1].Err, "ERR without an error")
}

func TestFlightsAreTakenOutInAnyOrder(t *testing.T) {
	var l flightList
	f := [5]*flight{}
	for i := range f {
		f[i] = &flight{left: i}
		l.push(f[i])
	}
	for _, i := range []int{2, 0, 4, 2} { // the middle, the first, the last; one that is gone
		l.remove(f[i])
	}
	require.Equal(t, []*flight{f[1], f[3]}, l.takeAll())
	require.Equal(t, flightList{}, l)
	l.remove(f[1])
	l.push(f[0])
	require.Equal(t, []*flight{f[0]}, l.takeAll())
}

func TestL8LateRequestsAreBounded(t *testing.T) {
	late := newLateRequests(3)
	for i := range 10 {
		late.add(protocol.Request{Correlation: protocol.CorrelationID{byte(i + 1)}})
	}
	require.Equal(t, 3, late.len())
	_, found := late.take(protocol.CorrelationID{10})
	require.True(t, found)
	_, found = late.take(protocol.CorrelationID{1})
	require.False(t, found)
	require.False(t, late.forgotService)
}

func TestLateRequestsKnowThatTheyForgotAService(t *testing.T) {
	late := newLateRequests(1)
	late.add(protocol.Request{Correlation: protocol.CorrelationID{1}, Command: protocol.SUBS})
	late.take(protocol.CorrelationID{1})
	late.add(protocol.Request{Correlation: protocol.CorrelationID{2}, Command: protocol.NSUBS})
	require.False(t, late.forgotService, "it was answered")
	late.add(protocol.Request{Correlation: protocol.CorrelationID{3}})
	require.True(t, late.forgotService)
}

func TestL4ALostConnectionAnswersAllWhoWait(t *testing.T) {
	w := newWorld(t, quick())
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response { s.Close(); return nil }
	c := w.client()
	answers, err := c.Exchange(context.Background(), commands(200))
	require.NoError(t, err)
	for _, a := range answers {
		require.ErrorContains(t, a.Err, "connection lost")
	}
	answers, _ = c.Exchange(context.Background(), commands(1))
	require.ErrorContains(t, answers[0].Err, "connection lost")
	w.event(Connected)
	w.event(Disconnected)
	require.Len(t, of[SessionEnded](w.observer), 1)
	require.Nil(t, w.agent.ClientBySession(c.Session()))
}

func TestSubscriptionsAreNotForExchange(t *testing.T) {
	w := newWorld(t, quick())
	_, err := w.client().Exchange(context.Background(), []protocol.Request{{Command: protocol.SUB}})
	require.ErrorContains(t, err, "SubscribeQueues")
}

func TestL7ASilentPeerIsPingedAndDropped(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) {
		c.PingInterval, c.RPCTimeout = 5*time.Millisecond, 300*time.Millisecond
		c.PingTimeouts, c.Silence = 2, 10*time.Millisecond
		c.Reconnect = retry.Interval{Initial: time.Minute, Max: time.Minute}
	}))
	mute := func(s *fakeSession, r protocol.Request) []protocol.Response { return nil }
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.set(func() { w.router.answer = mute })
	w.event(Connected)
	w.event(Subscribed)
	require.Len(t, w.event(Disconnected).Queues, 1)
	require.ErrorContains(t, of[SessionLost](w.observer)[0].Err, "silent")
	sent := w.router.session(1).sent()
	require.Equal(t, protocol.PING, sent[len(sent)-1].Command)
}

func TestL7NothingIsPingedThatNobodyNeeds(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.PingInterval = time.Millisecond }))
	w.client()
	time.Sleep(20 * time.Millisecond)
	require.Empty(t, w.router.last().sent())
}

func TestAFloodOfMessagesDropsTheSessionNotTheAgent(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.MessageQueue, c.MessageBacklog = 1, 10 }))
	w.client()
	flood := make([]protocol.Response, 20)
	for i := range flood {
		flood[i] = push(protocol.NMSG, queueN(i))
	}
	w.router.last().push(flood...)
	w.event(Connected)
	w.event(Disconnected)
	for i := range flood {
		message, _ := w.agent.Messages().Recv()
		require.Equal(t, queueN(i), message.Response.Queue)
	}
}
