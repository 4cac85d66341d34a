package agent

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/net"
)

var (
	serviceA = protocol.ServiceID{0xA}
	serviceB = protocol.ServiceID{0xB}
	handed   = protocol.ServiceSub{Service: serviceA, Count: 5, Hash: protocol.IDsHash{5}}
)

// newServiceWorld has a router that grants service A and counts queues under it.
func newServiceWorld(t *testing.T, config Config) *world {
	w := newWorld(t, config)
	w.router.grant = protocol.EncodeGrant(&serviceA)
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		response := confirm(r)
		if r.Command == protocol.SUB {
			service, _ := protocol.DecodeGrant(s.session.Grant)
			response.Kind, response.Service = protocol.SOK, service
		}
		return []protocol.Response{response}
	}
	return w
}

func (w *world) subscribeService(sub protocol.ServiceSub) error {
	return w.agent.SubscribeService(context.Background(), testRouter, sub)
}

func TestAServiceIsSubscribedWithTheRoutersFigures(t *testing.T) {
	w := newServiceWorld(t, quick())
	answer := w.router.answer
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		responses := answer(s, r)
		responses[0].Count = 7
		return responses
	}
	require.NoError(t, w.subscribeService(handed))
	require.Equal(t, &serviceA, w.event(Connected).Service)
	e := w.event(ServiceSubscribed)
	confirmed := protocol.ServiceSub{Service: serviceA, Count: 7, Hash: handed.Hash}
	require.Equal(t, handed, e.Wanted)
	require.Equal(t, confirmed, e.Confirmed)
	require.Equal(t, &confirmed, e.Figures)
	s := w.await("active", func(s RouterSnapshot) bool { return s.ActiveService != nil })
	require.Equal(t, confirmed, s.ActiveService.Sub)
	require.Nil(t, s.PendingService)
}

func TestS8QueuesConfirmedUnderTheServiceAreCountedOnce(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(2)...))
	both := handed.With(queueN(1)).With(queueN(2))
	w.event(Connected)
	w.event(ServiceSubscribed)
	e := w.event(Subscribed)
	require.Equal(t, &serviceA, e.Service)
	require.Equal(t, &both, e.Figures)
	s := w.await("counted", func(s RouterSnapshot) bool { return len(s.Counted) == 2 })
	require.Equal(t, both, s.ActiveService.Sub)
	require.Empty(t, s.Active)
	require.Empty(t, s.Pending)

	require.NoError(t, w.subscribe(subs(1)...)) // again: out, and in
	require.Equal(t, both, *w.event(Subscribed).Figures)
	require.NoError(t, w.agent.RemoveQueues(testRouter, []protocol.QueueID{queueN(2)}))
	require.Equal(t, handed.With(queueN(1)), *of[QueuesRemoved](w.observer)[0].Figures)
	w.router.last().push(push(protocol.END, queueN(1)))
	require.Equal(t, handed, *w.event(Ended).Figures)
}

func TestS8AnswersAreCountedInTheOrderReceived(t *testing.T) {
	w := newServiceWorld(t, quick())
	_, err := w.agent.Client(context.Background(), testRouter)
	require.NoError(t, err)
	r := w.agent.knownRouter(testRouter)
	c := r.current()
	sok := func(q protocol.QueueID, at uint64) Answer {
		return Answer{Response: protocol.Response{Queue: q, Kind: protocol.SOK, Service: &serviceA}, at: at}
	}
	queues, _ := r.want(subs(4))
	asked, _ := r.begin(c, queues)
	r.service.want(handed)
	soks := Answer{Response: protocol.Response{Kind: protocol.SOKS, Count: handed.Count, Hash: handed.Hash}, at: 15}

	// Queue 1 was confirmed before figures that do not count it; 2 and 3 after. Whether they count 4, which was confirmed before them and
	// is committed after, nobody knows.
	require.NoError(t, r.commit(c, part(asked, 0, 2), []Answer{sok(queueN(1), 10), sok(queueN(2), 20)}))
	r.lock()
	require.NoError(t, r.commitService(c, &protocol.Request{Service: handed}, r.service.wish, soks, false))
	r.unlock()
	r.beginRPC()
	require.NoError(t, r.commit(c, part(asked, 2, 3), []Answer{sok(queueN(3), 21)}))
	r.beginRPC()
	require.ErrorIs(t, r.commit(c, part(asked, 3, 4), []Answer{sok(queueN(4), 14)}), errEnded)

	s := r.snapshot()
	require.Equal(t, handed.With(queueN(2)).With(queueN(3)), s.ActiveService.Sub)
	require.Len(t, s.Counted, 2)
	require.ElementsMatch(t, []QueueSub{{queueN(1), "key"}, {queueN(4), "key"}}, s.Pending)

	// Older figures than these, for a newer wish, are not taken.
	r.lock()
	r.service.want(handed)
	require.Equal(t, SubOutdated, outcomeOf(r.serviceOutcome(c, handed, 0, Answer{Response: soks.Response, at: 12})))
	r.unlock()
}

func outcomeOf(o SubOutcome, _ *protocol.Error) SubOutcome { return o }

func part(q question, lo, hi int) question {
	return question{q.requests[lo:hi], q.queues[lo:hi], q.wishes[lo:hi], q.round}
}

func TestS7ADisconnectedServiceIsPendingAndSubscribedBeforeSingleQueues(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.last().Close()
	w.event(Connected)
	w.event(ServiceSubscribed)
	w.event(Subscribed)
	lost := handed.With(queueN(1))
	require.Equal(t, lost, *w.event(ServiceDisconnected).Figures)
	require.Empty(t, w.event(Disconnected).Queues)
	w.event(Connected)
	require.Equal(t, lost, w.event(ServiceSubscribed).Wanted)
	require.Equal(t, protocol.SUBS, w.router.last().sent()[0].Command)
}

func TestS7DisconnectDoesNotOverwriteANewerService(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	newer := protocol.ServiceSub{Service: serviceB, Count: 1}
	r := w.agent.knownRouter(testRouter)
	c := r.current()
	r.mu.Lock()
	r.service.want(newer)
	r.mu.Unlock()
	r.disconnected(c)

	demoted := of[ServiceDemoted](w.observer)[0]
	require.False(t, demoted.Pending)
	require.Equal(t, []protocol.QueueID{queueN(1)}, demoted.Queues, "the newer service does not cover it")
	c.stop(ErrClosed)
}

func TestS7AnAnswerForAnOlderServiceDoesNotClearANewer(t *testing.T) {
	w := newServiceWorld(t, quick())
	_, err := w.agent.Client(context.Background(), testRouter)
	require.NoError(t, err)
	r := w.agent.knownRouter(testRouter)
	newer := handed.With(queueN(1))
	r.service.want(newer)
	for _, answer := range []Answer{{Response: protocol.Response{Kind: protocol.SOKS}, at: 1}, {Err: &auth, at: 2}} {
		r.lock()
		require.NoError(t, r.commitService(r.current(), &protocol.Request{Service: handed}, 1, answer, false))
		r.unlock()
	}
	require.Equal(t, &newer, r.snapshot().PendingService)
	require.Nil(t, r.snapshot().ActiveService)
}

func TestAServiceThatTheSessionDoesNotHaveIsUnavailable(t *testing.T) {
	refuseService := func(s *fakeSession, r protocol.Request) []protocol.Response {
		return []protocol.Response{refuse(r, protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeService})}
	}
	for name, change := range map[string]func(*Config, *fakeRouter){
		"another id": func(_ *Config, r *fakeRouter) { r.grant = protocol.EncodeGrant(&serviceB) },
		"none":       func(_ *Config, r *fakeRouter) { r.grant = "" },
		"another role": func(c *Config, r *fakeRouter) {
			c.Credential.Role = protocol.Proxy
			r.grant = protocol.EncodeGrant(&serviceA)
		},
		"refused": func(_ *Config, r *fakeRouter) {
			r.grant, r.answer = protocol.EncodeGrant(&serviceA), refuseService
		},
	} {
		t.Run(name, func(t *testing.T) {
			config, router := quick(), &fakeRouter{}
			change(&config, router)
			w := newWorld(t, config)
			w.router.grant, w.router.answer = router.grant, router.answer
			require.NoError(t, w.subscribeService(handed))
			w.event(Connected)
			require.Equal(t, handed, w.event(ServiceUnavailable).Wanted)
			require.Nil(t, w.await("given up", func(s RouterSnapshot) bool { return s.Calls == 0 }).PendingService)
		})
	}
}

func TestAServiceRefusedForGoodIsReported(t *testing.T) {
	w := newServiceWorld(t, quick())
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		return []protocol.Response{refuse(r, auth)}
	}
	require.NoError(t, w.subscribeService(handed))
	w.event(Connected)
	require.Equal(t, &auth, w.event(ServiceSubError).Err)
}

func TestAQueueOfAnotherServiceIsSubscribedOnItsOwn(t *testing.T) {
	w := newServiceWorld(t, quick())
	w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
		response := confirm(r)
		response.Kind, response.Service = protocol.SOK, &serviceB
		return []protocol.Response{response}
	}
	require.NoError(t, w.subscribe(subs(1)...))
	s := w.await("active", func(s RouterSnapshot) bool { return len(s.Active) == 1 })
	require.Nil(t, s.ActiveService)
}

func TestENDSEndsTheServiceAndWhatIsCountedUnderIt(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.last().push(protocol.Response{Kind: protocol.ENDS})
	w.event(Connected)
	w.event(ServiceSubscribed)
	w.event(Subscribed)
	require.Equal(t, handed.With(queueN(1)), *w.event(ServiceEnded).Figures)
	s := w.await("ended", func(s RouterSnapshot) bool { return s.ActiveService == nil })
	require.Nil(t, s.PendingService)
	require.Empty(t, s.Counted)
}

func TestS5QueuesThatAServiceCoversAreNotLostWithIt(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.set(func() {
		w.router.dial = func(context.Context, int) error { return net.ErrRefused }
	})
	w.router.last().Close()
	s := w.await("demoted", func(s RouterSnapshot) bool { return s.PendingService != nil })
	require.Equal(t, queueN(1), s.Covered[0].Queue)

	_ = w.subscribeService(protocol.ServiceSub{Service: serviceB})
	s = w.await("replaced", func(s RouterSnapshot) bool { return s.PendingService.Service == serviceB })
	require.Equal(t, []QueueSub{{queueN(1), "key"}}, s.Pending)
	require.Empty(t, s.Covered)
}

func TestAQueueThatTheServiceCoversAgainIsEndedByItsSession(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.last().Close()
	w.await("on a second session", func(s RouterSnapshot) bool {
		return s.Session == "s2" && s.ActiveService != nil && s.ActiveService.Session == "s2" && len(s.Covered) == 1
	})
	w.router.last().push(push(protocol.END, queueN(1)))
	s := w.await("ended", func(s RouterSnapshot) bool { return len(s.Covered) == 0 })
	require.Equal(t, handed.With(queueN(1)), s.ActiveService.Sub, "the router's figures are its own")
}

func TestSessionsThatAreGrantedAnotherServiceGiveUpTheOldOne(t *testing.T) {
	w := newServiceWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.set(func() { w.router.grant = protocol.EncodeGrant(&serviceB) })
	w.router.last().Close()
	w.event(Connected)
	w.event(ServiceSubscribed)
	w.event(Subscribed)
	w.event(ServiceDisconnected)
	w.event(Disconnected)
	require.Equal(t, &serviceB, w.event(Connected).Service)
	require.Equal(t, handed.With(queueN(1)), w.event(ServiceUnavailable).Wanted)
	s := w.await("given up", func(s RouterSnapshot) bool { return s.PendingService == nil })
	require.Empty(t, s.Covered, "the application subscribes it anew (L9)")

	require.NoError(t, w.subscribe(subs(1)...))
	require.Equal(t, protocol.ServiceSub{Service: serviceB}.With(queueN(1)), *w.event(Subscribed).Figures)
}

func TestALateAnswerToAServiceCounts(t *testing.T) {
	w := newServiceWorld(t, quick(func(c *Config) {
		c.RPCTimeout = 20 * time.Millisecond
		c.Reconnect = retry.Interval{Initial: time.Minute, Max: time.Minute}
	}))
	w.router.set(func() {
		w.router.answer = func(*fakeSession, protocol.Request) []protocol.Response { return nil }
	})
	require.ErrorIs(t, w.subscribeService(handed), ErrPending)
	w.router.last().push(confirm(w.router.last().sent()[0]))
	w.event(Connected)
	require.Equal(t, handed, w.event(ServiceSubscribed).Confirmed)
}
