package agent

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
)

// lossyRouter is a router of service A that knows which queues belong to it: those handed over, and those subscribed under it since.
type lossyRouter struct {
	figures protocol.ServiceSub
	has     map[protocol.QueueID]bool
	deleted map[protocol.QueueID]bool
}

func newLossyWorld(t *testing.T, config Config) (*world, *lossyRouter) {
	w := newServiceWorld(t, config)
	l := &lossyRouter{figures: handed, has: map[protocol.QueueID]bool{}, deleted: map[protocol.QueueID]bool{}}
	w.router.answer = func(_ *fakeSession, r protocol.Request) []protocol.Response {
		response := confirm(r)
		switch r.Command {
		case protocol.SUB:
			if l.deleted[r.Queue] {
				return []protocol.Response{refuse(r, auth)}
			}
			if !l.has[r.Queue] {
				l.has[r.Queue], l.figures = true, l.figures.With(r.Queue)
			}
			response.Kind, response.Service = protocol.SOK, &serviceA
		case protocol.SUBS:
			response.Count, response.Hash = l.figures.Count, l.figures.Hash
		}
		return []protocol.Response{response}
	}
	return w, l
}

// lose takes a queue out of the service, behind the agent's back.
func (l *lossyRouter) lose(w *world, q protocol.QueueID, deleted bool) {
	w.router.set(func() {
		l.has[q], l.deleted[q], l.figures = false, deleted, l.figures.Without(q)
	})
}

func kindsOf(requests []protocol.Request) (names []protocol.Command) {
	for _, r := range requests {
		names = append(names, r.Command)
	}
	return names
}

func subscribedAgain(s RouterSnapshot) bool {
	return s.Session == "s2" && s.ActiveService != nil && s.PendingService == nil && len(s.Pending) == 0 && s.Worker == NoWorker
}

func TestL1WhatAServiceLostMeanwhileIsAskedForOnItsOwn(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(3)...))
	router.lose(w, queueN(1), true)
	router.lose(w, queueN(2), false)

	w.router.last().Close()

	s := w.await("subscribed again", subscribedAgain)
	require.Len(t, s.Covered, 2)
	require.Equal(t, handed.With(queueN(2)).With(queueN(3)), s.ActiveService.Sub, "the figures are exact in the end")
	require.Equal(t, []protocol.Command{
		protocol.SUBS, protocol.SUB, protocol.SUB, protocol.SUB, protocol.SUBS, // which counts one that the first did not
		protocol.SUB, protocol.SUB, protocol.SUBS,
	}, kindsOf(w.router.last().sent()))
	for _, kind := range []EventKind{Connected, ServiceSubscribed, Subscribed, ServiceDisconnected, Disconnected, Connected} {
		w.event(kind)
	}
	require.Len(t, w.event(ServiceSubscribed).Queues, 3, "the application learns what is pending again")
	require.Len(t, w.event(Subscribed).Queues, 2)
	require.Equal(t, queueN(1), w.event(SubError).Errors[0].Queue)
	require.Len(t, w.event(ServiceSubscribed).Queues, 2)
	w.event(Subscribed)
	require.Empty(t, w.event(ServiceSubscribed).Queues)
}

func TestL1WhatAServiceLostOnThisSessionIsAskedForOnItsOwn(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(3)...))
	router.lose(w, queueN(1), true) // while somebody else had the service: the ENDS of that is void

	require.NoError(t, w.subscribeService(handed))

	s := w.await("settled", func(s RouterSnapshot) bool {
		return len(s.Covered) == 2 && s.PendingService == nil && s.Worker == NoWorker
	})
	require.Equal(t, handed.With(queueN(2)).With(queueN(3)), s.ActiveService.Sub, "the figures are exact in the end")
	require.Empty(t, s.Pending)
}

func TestWhatTheFiguresVouchForIsNotAskedForAgain(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"counted after the figures": func(w *world) {
			require.NoError(t, w.subscribeService(handed))
			require.NoError(t, w.subscribe(subs(3)...))
		},
		"counted before the figures": func(w *world) {
			require.NoError(t, w.subscribe(subs(3)...))
			require.NoError(t, w.subscribeService(handed))
		},
		"wanted again with the same figures": func(w *world) {
			require.NoError(t, w.subscribeService(handed))
			require.NoError(t, w.subscribe(subs(3)...))
			require.NoError(t, w.subscribeService(handed.With(queueN(1)).With(queueN(2)).With(queueN(3))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := newLossyWorld(t, quick())
			prepare(w)

			w.router.last().Close()

			w.await("subscribed again", subscribedAgain)
			require.Equal(t, []protocol.Command{protocol.SUBS}, kindsOf(w.router.last().sent()))
		})
	}
}

func TestFiguresOfTheApplicationVouchForNothing(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	router.lose(w, queueN(1), false)
	r := w.agent.knownRouter(testRouter)
	r.mu.Lock()
	r.unvouch(func(*queue) bool { return true }) // as when it wants the service anew while there is no session
	r.service.want(handed)
	r.mu.Unlock()

	w.router.last().Close()

	w.await("subscribed again", subscribedAgain)
	require.True(t, router.has[queueN(1)], "the figures are those asked for, but they were never said to count it")
}

func TestDoubtRestsWithFiguresThatRepeatThemselvesUntilTheNextSession(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.set(func() { router.figures = router.figures.With(queueN(77)) }) // so that the figures do not fit
	require.NoError(t, w.subscribeService(handed))
	w.await("settled", func(s RouterSnapshot) bool {
		return len(s.Covered) == 1 && s.PendingService == nil && s.Worker == NoWorker
	})
	require.Equal(t, []protocol.Command{protocol.SUB, protocol.SUBS, protocol.SUB, protocol.SUBS}, kindsOf(w.router.last().sent()))

	w.router.last().Close()

	w.await("asked again", func(s RouterSnapshot) bool {
		return subscribedAgain(s) && len(kindsOf(w.router.last().sent())) == 3
	})
	require.Equal(t, []protocol.Command{protocol.SUBS, protocol.SUB, protocol.SUBS}, kindsOf(w.router.last().sent()))
}

func TestDoubtEndsWithFiguresThatCountWhatWasConfirmed(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	router.lose(w, queueN(1), false)
	w.router.last().Close()
	w.await("subscribed again", subscribedAgain)
	require.True(t, router.has[queueN(1)])
	w.await("settled", func(s RouterSnapshot) bool { return s.PendingService == nil && s.Worker == NoWorker })

	w.router.last().Close()

	w.await("subscribed once more", func(s RouterSnapshot) bool {
		return s.Session == "s3" && s.ActiveService != nil && s.PendingService == nil && s.Worker == NoWorker
	})
	require.Equal(t, []protocol.Command{protocol.SUBS}, kindsOf(w.router.last().sent()))
}

func TestAPushIsNotOvertakenByALaterAnswerOfItsBlock(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	answer := w.router.answer
	taken := false
	w.router.set(func() {
		w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
			if r.Command == protocol.SUBS && !taken {
				taken = true
				return append([]protocol.Response{{Kind: protocol.ENDS}}, answer(s, r)...)
			}
			return answer(s, r)
		}
	})
	router.lose(w, queueN(1), false)

	require.NoError(t, w.subscribeService(handed))

	w.await("ended and subscribed", func(s RouterSnapshot) bool {
		return s.ActiveService != nil && s.PendingService == nil && len(s.Pending) == 0 && router.has[queueN(1)]
	})
	require.Equal(t, []Transition{
		ServiceTaken{Router: testRouter, Session: "s1", Accepted: true, Sub: handed.With(queueN(1))},
	}, []Transition{of[ServiceTaken](w.observer)[0]})
}
