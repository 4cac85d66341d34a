package agent

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
)

func push(kind protocol.Kind, q protocol.QueueID) protocol.Response {
	return protocol.Response{Queue: q, Kind: kind}
}

func TestS18EndsOfTheCurrentSessionEndTheSubscription(t *testing.T) {
	for _, reason := range []EndReason{protocol.END, protocol.DELD} {
		t.Run(string(reason), func(t *testing.T) {
			w := newWorld(t, quick())
			require.NoError(t, w.subscribe(subs(2)...))
			w.router.last().push(push(reason, queueN(1)))
			w.event(Connected)
			w.event(Subscribed)
			ended := w.event(Ended)
			require.Equal(t, []protocol.QueueID{queueN(1)}, ended.Queues)
			require.Equal(t, reason, ended.Reason)
			s := w.await("one active", func(s RouterSnapshot) bool { return len(s.Active) == 1 })
			require.Empty(t, s.Pending)
		})
	}
}

func TestS18AnEndOfAnOldSessionDoesNotCountADeletionDoes(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(subs(2)...))
	old := w.agent.knownRouter(testRouter).current()
	w.router.last().Close()
	w.await("resubscribed", func(s RouterSnapshot) bool { return s.Session == "s2" && len(s.Active) == 2 })

	old.dispatch([]protocol.Response{push(protocol.END, queueN(1)), push(protocol.DELD, queueN(2))})
	s := w.await("deleted", func(s RouterSnapshot) bool { return len(s.Active) == 1 })
	require.Equal(t, queueN(1), s.Active[0].Queue)
	require.Equal(t, []bool{false, true}, []bool{of[QueueEnded](w.observer)[0].Accepted, of[QueueEnded](w.observer)[1].Accepted})
}

// An answer and the END that follows it arrive in this order, but the answer is
// committed by a task of its own, perhaps after the END was taken.
func TestS18AnEndBetweenAnswerAndCommitEndsTheSubscription(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(QueueSub{queueN(9), "key"}))
	r := w.agent.knownRouter(testRouter)
	c := r.current()
	queues, err := r.want(subs(2))
	require.NoError(t, err)
	asked, _ := r.begin(c, queues)
	answers := []Answer{{Response: confirm(asked.requests[0]), at: 100}, {Response: confirm(asked.requests[1]), at: 101}}

	require.True(t, r.queueEnded(c, queueN(1), protocol.END, 102))
	require.False(t, of[QueueEnded](w.observer)[0].Accepted, "not confirmed yet")
	require.NoError(t, r.commit(c, asked, answers))

	require.Equal(t, SubEnded, of[ResultsCommitted](w.observer)[1].Results[0].Outcome)
	s := r.snapshot()
	require.Len(t, s.Active, 2)
	require.Empty(t, s.Pending)
	require.Empty(t, r.ends, "nothing is under way")
	w.event(Connected)
	w.event(Subscribed)
	require.Equal(t, []protocol.QueueID{queueN(2)}, w.event(Subscribed).Queues)
	require.Equal(t, []protocol.QueueID{queueN(1)}, w.event(Ended).Queues)
}

func TestS18AnEndDoesNotTakeANewerWish(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(QueueSub{queueN(9), "key"}))
	r := w.agent.knownRouter(testRouter)
	c := r.current()
	queues, _ := r.want(subs(1))
	asked, _ := r.begin(c, queues)
	r.queueEnded(c, queueN(1), protocol.END, 102)
	_, _ = r.want(subs(1)) // again, with the same key

	// The first answer was received before the END: it confirms nothing any more.
	require.ErrorIs(t, r.commit(c, asked, []Answer{{Response: confirm(asked.requests[0]), at: 101}}), errEnded)
	require.Equal(t, []QueueSub{{queueN(1), "key"}}, r.snapshot().Pending)
}

func TestL8MarksOfEndsDoNotOutliveTheRequestsThatNeedThem(t *testing.T) {
	w := newWorld(t, quick())
	c := w.client()
	r := c.state
	r.lock()
	rounds := []uint64{r.beginRPC()}
	r.unlock()
	for i := range 1000 { // one request is always under way
		r.queueEnded(c, queueN(i), protocol.DELD, uint64(i+1))
		r.lock()
		rounds = append(rounds, r.beginRPC())
		marked := r.ends[queueN(i)].after(c, uint64(i))
		r.endRPC(rounds[0])
		kept := len(r.ends)
		r.unlock()
		rounds = rounds[1:]
		require.True(t, marked)
		require.LessOrEqual(t, kept, 3)
	}
	r.lock()
	r.endRPC(rounds[0])
	r.unlock()
	require.Empty(t, r.ends)
}

// A mark stays as long as any request that was under way when it was made, however
// many others begin and end meanwhile.
func TestS18AMarkStaysForTheSlowestRequest(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(QueueSub{queueN(9), "key"}))
	r := w.agent.knownRouter(testRouter)
	c := r.current()
	queues, err := r.want(subs(1))
	require.NoError(t, err)
	other := func() uint64 {
		r.lock()
		defer r.unlock()
		return r.beginRPC()
	}
	end := func(round uint64) {
		r.lock()
		defer r.unlock()
		r.endRPC(round)
	}
	for range 3 {
		end(other())
	}
	first := other()
	asked, _ := r.begin(c, queues)
	end(first)
	for range 3 {
		end(other())
	}
	r.queueEnded(c, queueN(1), protocol.END, 102)
	for range 10 {
		a, b := other(), other()
		end(a)
		end(b)
	}
	require.NoError(t, r.commit(c, asked, []Answer{{Response: confirm(asked.requests[0]), at: 101}}))
	committed := of[ResultsCommitted](w.observer)
	require.Equal(t, SubEnded, committed[len(committed)-1].Results[0].Outcome)
}

func TestAnEndOfAnUnknownQueueIsHandedOn(t *testing.T) {
	w := newWorld(t, quick())
	require.NoError(t, w.subscribe(subs(1)...))
	w.router.last().push(push(protocol.END, queueN(7)))
	message, _ := w.agent.Messages().Recv()
	require.Equal(t, queueN(7), message.Response.Queue)
}
