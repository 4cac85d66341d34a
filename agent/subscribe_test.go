package agent

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
)

var auth = protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}
var busy = protocol.Error{Kind: protocol.Network, Detail: "busy"}

func TestSubscribedQueuesAreActiveUnderTheSession(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(subs(2)...))

	connected := w.event(Connected)
	subscribed := w.event(Subscribed)
	require.Equal(t, connected.Session, subscribed.Session)
	require.Equal(t, []protocol.QueueID{queueN(1), queueN(2)}, subscribed.Queues)
	s := w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 2 })
	require.Empty(t, s.Pending)
	require.Equal(t, NoWorker, s.Worker)
	require.Equal(t, protocol.SUB, w.router.last().sent()[0].Command)
	require.Equal(t, protocol.AuthKey("key"), w.router.last().sent()[0].Key)
}

func TestANotifierServiceSubscribesNotifications(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) {
		c.Party, c.Credential.Role = protocol.NotifierService, protocol.Notifier
	}))
	w.router.grant = protocol.EncodeGrant(&serviceA)
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	w.event(Connected)
	w.event(ServiceSubscribed)
	w.event(Subscribed)
	sent := w.router.last().sent()
	require.Equal(t, []protocol.Command{protocol.NSUBS, protocol.NSUB}, []protocol.Command{sent[0].Command, sent[1].Command})

	w.router.last().push(push(protocol.NMSG, queueN(1)))
	message, _ := w.agent.Messages().Recv()
	require.Equal(t, protocol.NMSG, message.Response.Kind)

	// A message is no answer to NSUB.
	w.router.set(func() {
		w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
			response := confirm(r)
			response.Kind = protocol.MSG
			return []protocol.Response{response}
		}
	})
	require.NoError(t, w.subscribe(QueueSub{queueN(2), "key"}))
	require.Equal(t, protocol.Unexpected, w.event(SubError).Errors[0].Err.Kind)
}

// The certificate of one role does not subscribe the service of another.
func TestAServiceOfAnotherRoleIsUnavailable(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.Credential.Role = protocol.Proxy }))
	w.router.grant = protocol.EncodeGrant(&serviceA)
	require.NoError(t, w.subscribeService(handed))
	w.event(Connected)
	require.Equal(t, handed, w.event(ServiceUnavailable).Wanted)
	require.Empty(t, w.router.last().sent(), "the router is not asked")
}

func TestS11AnswersBelongToTheirQueuesInAnyOrder(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.BlockSize = 3 }))
	var held []protocol.Response
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		response := confirm(r)
		if r.Queue == queueN(2) {
			response = refuse(r, auth)
		}
		if held = append([]protocol.Response{response}, held...); len(held) < 3 {
			return nil
		}
		return append(held, held[0]) // reversed, and one of them twice
	}
	require.NoError(t, w.subscribe(subs(3)...))
	w.event(Connected)
	require.Equal(t, []protocol.QueueID{queueN(1), queueN(3)}, w.event(Subscribed).Queues)
	require.Equal(t, []QueueError{{queueN(2), &auth}}, w.event(SubError).Errors)
	message, _ := w.agent.Messages().Recv()
	require.Equal(t, Stray, message.Kind)
}

func TestS9TemporaryErrorsStayPendingAndOneWorkerRetries(t *testing.T) {
	w := newWorld(t, quick())
	refusals := 3
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		if refusals > 0 {
			refusals--
			return []protocol.Response{refuse(r, busy)}
		}
		return []protocol.Response{confirm(r)}
	}
	err := w.subscribe(subs(3)...)
	require.ErrorIs(t, err, ErrPending)
	require.ErrorContains(t, err, "busy")
	w.event(Connected)
	require.Len(t, w.event(Subscribed).Queues, 3)
	require.Len(t, of[WorkerPut](w.observer), 1)
}

func TestAQueueAnsweredByAMessageIsSubscribedAndTheMessageIsHandedOn(t *testing.T) {
	w := newWorld(t, quick())
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		return []protocol.Response{{Correlation: r.Correlation, Queue: r.Queue, Kind: protocol.MSG, Body: []byte("hello")}}
	}
	require.NoError(t, w.subscribe(subs(1)...))
	w.event(Connected)
	w.event(Subscribed)
	message, _ := w.agent.Messages().Recv()
	require.Equal(t, "hello", string(message.Response.Body))
	require.Equal(t, Pushed, message.Kind)
}

func TestAnAnswerAboutAnotherQueueIsAPermanentError(t *testing.T) {
	w := newWorld(t, quick())
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		response := confirm(r)
		response.Queue = queueN(99)
		return []protocol.Response{response}
	}
	require.NoError(t, w.subscribe(subs(1)...))
	w.event(Connected)
	require.Equal(t, protocol.Unexpected, w.event(SubError).Errors[0].Err.Kind)
}

// holdFirst holds back the answers to requests of the first session that ask for
// queue 1 until release is called with them.
func holdFirst(w *world) (requests chan protocol.Request) {
	requests = make(chan protocol.Request, 10)
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		if s.n == 1 && r.Queue == queueN(1) {
			requests <- r
			return nil
		}
		return []protocol.Response{confirm(r)}
	}
	return requests
}

func TestS14AQueueRemovedDuringTheRPCIsNotRecorded(t *testing.T) {
	w := newWorld(t, quick())
	held := holdFirst(w)
	done := make(chan error)
	go func() { done <- w.subscribe(subs(1)...) }()
	r := <-held
	require.NoError(t, w.agent.RemoveQueues(testRouter, []protocol.QueueID{r.Queue}))
	w.router.last().push(confirm(r))
	require.NoError(t, <-done)

	s := w.await("settled", func(s RouterSnapshot) bool { return s.Calls == 0 })
	require.Empty(t, s.Active)
	require.Empty(t, s.Pending)
	committed := of[ResultsCommitted](w.observer)
	require.Equal(t, SubNotPending, committed[0].Results[0].Outcome)
}

func TestS15AnAnswerForAnOldKeyDoesNotCount(t *testing.T) {
	for name, first := range map[string]func(protocol.Request) protocol.Response{
		"confirmed": confirm,
		"refused":   func(r protocol.Request) protocol.Response { return refuse(r, auth) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, quick())
			held := holdFirst(w)
			done := make(chan error, 2)
			go func() { done <- w.subscribe(QueueSub{queueN(1), "old"}) }()
			old := <-held
			go func() { done <- w.subscribe(QueueSub{queueN(1), "new"}) }()
			newer := <-held
			w.router.last().push(first(old))
			require.NoError(t, <-done)
			s := w.await("one call left", func(s RouterSnapshot) bool { return s.Calls == 1 })
			require.Equal(t, []QueueSub{{queueN(1), "new"}}, s.Pending)

			w.router.last().push(confirm(newer))
			require.NoError(t, <-done)
			s = w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 1 })
			require.Equal(t, protocol.AuthKey("new"), s.Active[0].Key)
		})
	}
}

func TestS15TheLastKeyInOneCallWins(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(QueueSub{queueN(1), "old"}, QueueSub{queueN(1), "new"}))
	s := w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 1 })
	require.Equal(t, protocol.AuthKey("new"), s.Active[0].Key)
	require.Len(t, w.router.last().sent(), 1)
}

func TestS1AnAnswerOfAReplacedSessionIsRefused(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(QueueSub{queueN(2), "key"}))
	old, err := w.agent.Client(context.Background(), testRouter)
	require.NoError(t, err)
	w.router.last().Close()
	w.await("resubscribed on a second session", func(s RouterSnapshot) bool { return s.Session == "s2" && len(s.Active) == 1 })

	requests := []protocol.Request{{Queue: queueN(2), Key: "key", Command: protocol.SUB}}
	answers := []Answer{{Response: protocol.Response{Queue: queueN(2), Kind: protocol.OK}, at: 1}}
	err = old.state.commit(old, question{requests: requests, wishes: []uint64{1}}, answers)
	require.ErrorIs(t, err, errNotCurrent)
	require.Len(t, of[ResultsRefused](w.observer), 1)
}

func TestCancelledSubscribeLeavesItsQueuesToAWorker(t *testing.T) {
	w := newWorld(t, quick())
	held := holdFirst(w)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.agent.SubscribeQueues(ctx, testRouter, subs(1)) }()
	<-held
	cancel()
	err := <-done
	require.ErrorIs(t, err, ErrPending)
	require.ErrorIs(t, err, context.Canceled)

	r := <-held // the worker's
	w.router.last().push(confirm(r))
	w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 1 })
}

func TestALateAnswerToASubscriptionCounts(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) {
		c.RPCTimeout = 20 * time.Millisecond
		c.Reconnect = retry.Interval{Initial: time.Minute, Max: time.Minute}
	}))
	held := holdFirst(w)
	err := w.subscribe(subs(1)...)
	require.ErrorIs(t, err, ErrPending)
	var timeout *protocol.Error
	require.True(t, errors.As(err, &timeout))
	require.Equal(t, protocol.Timeout, timeout.Kind)

	w.router.last().push(confirm(<-held))
	w.event(Connected)
	w.event(Subscribed)
	require.Len(t, of[LateResponse](w.observer), 1)
}

func TestMoreQueuesThanABatch(t *testing.T) {
	w := newWorld(t, quick(func(c *Config) { c.BatchSize, c.BlockSize = 10, 4 }))
	require.NoError(t, w.subscribe(subs(25)...))
	require.Equal(t, []int{4, 4, 2, 4, 4, 2, 4, 1}, w.router.last().sizes())
	w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 25 })
}

func TestOneRequestForAQueueServesAllWhoWantIt(t *testing.T) {
	w := newWorld(t, quick())
	held := holdFirst(w)
	done := make(chan error)
	go func() { done <- w.subscribe(subs(1)...) }()
	r := <-held
	require.NoError(t, w.subscribe(subs(2)...), "only the second is asked for, and answered")
	w.router.last().push(confirm(r))
	require.NoError(t, <-done)
	w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 2 })
	require.Len(t, w.router.last().sent(), 2)
}
