package agent

import (
	"context"
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

	s := w.await("subscribed again", func(s RouterSnapshot) bool { return subscribedAgain(s) && len(s.Counted) == 2 })
	require.Empty(t, s.Covered)
	require.True(t, router.has[queueN(2)])
	require.Equal(t, []protocol.Command{protocol.SUBS, protocol.SUB, protocol.SUB, protocol.SUB}, kindsOf(w.router.last().sent()))
	for _, kind := range []EventKind{Connected, ServiceSubscribed, Subscribed, ServiceDisconnected, Disconnected, Connected} {
		w.event(kind)
	}
	require.Len(t, w.event(ServiceSubscribed).Queues, 3, "the application learns what is pending again")
	require.Len(t, w.event(Subscribed).Queues, 2)
	require.Equal(t, queueN(1), w.event(SubError).Errors[0].Queue)
}

func TestL1WhatAServiceLostOnThisSessionIsAskedForOnItsOwn(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(3)...))
	router.lose(w, queueN(1), true) // while somebody else had the service: the ENDS of that is void

	require.NoError(t, w.subscribeService(handed))

	s := w.await("settled", func(s RouterSnapshot) bool {
		return len(s.Counted) == 2 && len(s.Pending) == 0 && s.Worker == NoWorker
	})
	require.Empty(t, s.Covered)
}

// A router takes the service back with an SOKS that is lost, and then refuses it: whether it still has what was confirmed before nobody knows.
func TestL1WhatIsCountedUnderAServiceThatIsRefusedIsAskedForOnItsOwn(t *testing.T) {
	for kind, refusal := range map[EventKind]protocol.Error{
		ServiceUnavailable: {Kind: protocol.Protocol, Code: protocol.CodeService}, ServiceSubError: auth,
	} {
		w, router := newLossyWorld(t, quick())
		require.NoError(t, w.subscribe(subs(2)...))
		router.lose(w, queueN(1), false)
		answer := w.router.answer
		w.router.set(func() {
			w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
				if r.Command == protocol.SUBS {
					return []protocol.Response{refuse(r, refusal)}
				}
				return answer(s, r)
			}
		})

		require.NoError(t, w.subscribeService(handed))

		w.await("asked again", func(s RouterSnapshot) bool { return len(s.Counted) == 2 && len(s.Pending) == 0 && s.Worker == NoWorker })
		require.True(t, router.has[queueN(1)])
		w.event(Connected)
		w.event(Subscribed)
		require.Len(t, w.event(kind).Queues, 2, "the application learns what is pending again")
		require.Len(t, w.event(Subscribed).Queues, 2)
	}
}

// A SUBS is slow, and the next refused: the application subscribes queues on their own. While their answers come, one by one, another client
// has the service, and a queue is deleted there; then the router takes up the first SUBS. Nobody waits for its figures, but they are the
// only word of the loss.
func TestL1WhatWasConfirmedBeforeFiguresThatNobodyWantsIsAskedForAgain(t *testing.T) {
	w, router := newLossyWorld(t, quick(func(c *Config) { c.BlockSize = 1 }))
	ctx, leave := context.WithCancel(context.Background())
	answer := w.router.answer
	var slow *protocol.Request
	asked := 0
	w.router.set(func() {
		w.router.answer = func(s *fakeSession, r protocol.Request) []protocol.Response {
			switch {
			case r.Command == protocol.SUBS && slow == nil:
				slow = &r
				leave()
				return nil
			case r.Command == protocol.SUBS:
				return []protocol.Response{refuse(r, protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeService})}
			}
			if asked++; asked != 2 {
				return answer(s, r)
			}
			router.has[queueN(1)], router.figures = false, router.figures.Without(queueN(1))
			return append(answer(s, *slow), answer(s, r)...)
		}
	})
	require.ErrorIs(t, w.agent.SubscribeService(ctx, testRouter, handed), ErrPending)
	w.event(Connected)
	w.event(ServiceUnavailable)

	require.ErrorIs(t, w.subscribe(subs(2)...), ErrPending)

	w.await("asked again", func(s RouterSnapshot) bool { return len(s.Counted) == 2 && len(s.Pending) == 0 && s.Worker == NoWorker })
	require.True(t, router.has[queueN(1)])
	require.Len(t, w.event(Subscribed).Queues, 1)
	require.Equal(t, []protocol.QueueID{queueN(1)}, w.event(Subscribed).Queues)
}

func TestFiguresCountForWhatTheyCameBehindWhateverBecameOfThem(t *testing.T) {
	newer := protocol.ServiceSub{Service: serviceA, Count: 6}
	sok := func(n int, at uint64) Answer {
		return Answer{Response: protocol.Response{Queue: queueN(n), Kind: protocol.SOK, Service: &serviceA}, at: at}
	}
	soks := func(at uint64) Answer {
		return Answer{Response: protocol.Response{Kind: protocol.SOKS, Count: handed.Count, Hash: handed.Hash}, at: at}
	}
	for name, c := range map[string]struct {
		pending *protocol.ServiceSub
		want    SubOutcome
	}{
		"its wish has ended":       {nil, SubNotPending},
		"another value is pending": {&newer, SubOutdated},
	} {
		t.Run(name, func(t *testing.T) {
			w := newServiceWorld(t, quick())
			_, err := w.agent.Client(context.Background(), testRouter)
			require.NoError(t, err)
			r := w.agent.knownRouter(testRouter)
			client := r.current()
			queues, _ := r.want(subs(2))
			asked, _ := r.begin(client, queues)
			commitService := func(sub protocol.ServiceSub, answer Answer) (SubOutcome, error) {
				r.lock()
				defer r.unlock()
				err := r.commitService(client, &protocol.Request{Service: sub}, r.service.wish, answer, false)
				done := of[ServiceCommitted](w.observer)
				return done[len(done)-1].Outcome, err
			}
			r.service.pending = c.pending

			outcome, err := commitService(handed, soks(15))
			require.NoError(t, err)
			require.Equal(t, c.want, outcome)
			require.ErrorIs(t, r.commit(client, asked, []Answer{sok(1, 10), sok(2, 20)}), errEnded)

			s := r.snapshot()
			require.Equal(t, []QueueSub{{queueN(1), "key"}}, s.Pending)
			require.Len(t, s.Counted, 1)

			// Figures that came before these are not taken for the service: what was lost in between they count.
			r.mu.Lock()
			r.service.active = nil
			r.service.want(newer)
			r.mu.Unlock()
			outcome, err = commitService(newer, soks(14))
			require.ErrorIs(t, err, errEnded)
			require.Equal(t, SubOutdated, outcome)
			require.Equal(t, &newer, r.snapshot().PendingService)
			outcome, err = commitService(newer, soks(16))
			require.NoError(t, err)
			require.Equal(t, SubActivated, outcome)
		})
	}
}

// A SUBS is so slow that its request is forgotten: there were too many since. When it is taken up the service has lost a queue.
func TestL1FiguresWhoseRequestWasForgottenEndTheSession(t *testing.T) {
	w, router := newLossyWorld(t, quick(func(c *Config) { c.BatchSize = 1 }))
	require.NoError(t, w.subscribeService(handed))
	require.NoError(t, w.subscribe(subs(1)...))
	session, answer := w.router.last(), w.router.answer
	asked := make(chan protocol.Request)
	w.router.set(func() {
		w.router.answer = func(_ *fakeSession, r protocol.Request) []protocol.Response {
			asked <- r
			return nil
		}
	})
	leave := func(r protocol.Request) (sent protocol.Request) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.agent.knownRouter(testRouter).current().exchange(ctx, []protocol.Request{r})
		}()
		sent = <-asked
		cancel()
		<-done
		return sent
	}
	slow := leave(protocol.Request{Command: protocol.SUBS, Service: handed})
	leave(protocol.Request{Command: protocol.PING})
	leave(protocol.Request{Command: protocol.PING})
	w.router.set(func() { w.router.answer = answer })
	router.lose(w, queueN(1), false)

	session.push(answer(session, slow)...)

	w.await("subscribed anew", func(s RouterSnapshot) bool { return subscribedAgain(s) && len(s.Counted) == 1 })
	require.True(t, router.has[queueN(1)])
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

// What is asked for because figures did not fit may be counted twice from then on: it is asked for again on each session.
func TestWhatMayBeCountedTwiceIsAskedForOnEachSession(t *testing.T) {
	w, router := newLossyWorld(t, quick())
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.set(func() { router.figures = router.figures.With(queueN(77)) }) // so that the figures do not fit
	require.NoError(t, w.subscribeService(handed))
	w.await("settled", func(s RouterSnapshot) bool {
		return len(s.Counted) == 1 && len(s.Pending) == 0 && s.Worker == NoWorker
	})
	require.Equal(t, []protocol.Command{protocol.SUB, protocol.SUBS, protocol.SUB}, kindsOf(w.router.last().sent()))

	w.router.last().Close()

	w.await("asked again", func(s RouterSnapshot) bool { return subscribedAgain(s) && len(s.Counted) == 1 })
	require.Equal(t, []protocol.Command{protocol.SUBS, protocol.SUB}, kindsOf(w.router.last().sent()))
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
