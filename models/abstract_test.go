package models

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
)

// state is an abstract state by the legal actions that lead to it, which the table below has on their own.
func state(t *testing.T, actions ...func(a *abstract) bool) *abstract {
	a := &abstract{calls: 1}
	for i, act := range actions {
		require.True(t, act(a), "action %d", i)
	}
	return a
}

func connect(a *abstract) bool      { return a.connect() }
func fail(a *abstract) bool         { return a.fail() }
func publishFirst(a *abstract) bool { return a.publish(s1, &service) }
func forget(a *abstract) bool       { return a.forget() }
func loseFirst(a *abstract) bool    { return a.lose(s1) }
func wantFirst(a *abstract) bool    { return a.want(qid(1)) }
func confirmFirst(a *abstract) bool { return a.confirm(qid(1), s1) }
func countFirst(a *abstract) bool   { return a.count(qid(1), s1) }
func wantService(a *abstract) bool  { return a.wantService(sub(3), nil) }
func confirmService(a *abstract) bool {
	return a.confirmService(s1, sub(3), nil, nil)
}
func demoteService(a *abstract) bool { return a.demoteService(s1, sub(3), true, nil) }
func startWorker(a *abstract) bool   { return a.startWorker() }

// replaceFirst lets a second session take the place of the first, whose disconnect handler is due.
func replaceFirst(a *abstract) bool {
	return a.lose(s1) && a.forget() && a.connect() && a.publish(s2, &service)
}

type actions = []func(a *abstract) bool

func TestEachActionHasItsPlace(t *testing.T) {
	current := actions{connect, publishFirst}
	isPending := append(current[:2:2], wantFirst)
	isActive := append(isPending[:3:3], confirmFirst)
	isCounted := append(isPending[:3:3], countFirst)
	serviceActive := append(current[:2:2], wantService, confirmService)
	disconnectFirst := func(a *abstract) bool { return a.disconnect(s1, nil) }
	for _, c := range []struct {
		action         string
		legal, illegal actions // each ends with the action; the second is illegal only in its last
	}{
		{"connect", actions{connect}, actions{connect, connect}},
		{"connect over an error", actions{connect, fail, forget, connect}, actions{connect, fail, connect}},
		{"publish", actions{connect, publishFirst}, actions{publishFirst}},
		{"publish beside a live session", actions{connect, publishFirst, replaceFirst}, append(current[:2:2], func(a *abstract) bool {
			a.client = connecting
			return a.publish(s2, nil)
		})},
		{"fail", actions{connect, fail}, actions{fail}},
		{"forget", actions{connect, fail, forget}, actions{connect, forget}},
		{"forget a client", append(current[:2:2], loseFirst, forget), append(current[:2:2], forget)},
		{"lose", append(current[:2:2], loseFirst), append(current[:2:2], loseFirst, loseFirst)},
		{"disconnect", append(isActive[:4:4], loseFirst, forget, func(a *abstract) bool { return a.disconnect(s1, qids(1)) }),
			append(isActive[:4:4], loseFirst, func(a *abstract) bool { return a.disconnect(s1, qids(1)) })},
		{"disconnect leaves nothing", append(current[:2:2], loseFirst, forget, disconnectFirst), append(isActive[:4:4], loseFirst, forget, disconnectFirst)},
		{"disconnect takes its own", append(current[:2:2], replaceFirst, disconnectFirst),
			append(current[:2:2], replaceFirst, wantFirst, func(a *abstract) bool { return a.confirm(qid(1), s2) },
				func(a *abstract) bool { return a.disconnect(s1, qids(1)) })},
		{"want", actions{wantFirst}, actions{func(a *abstract) bool { a.calls = 0; return true }, wantFirst}},
		{"confirm", append(isPending[:3:3], confirmFirst), append(current[:2:2], confirmFirst)},
		{"confirm on the current session", append(isPending[:3:3], replaceFirst, func(a *abstract) bool { return a.confirm(qid(1), s2) }),
			append(isPending[:3:3], replaceFirst, confirmFirst)},
		{"count", append(isPending[:3:3], countFirst), append(isActive[:4:4], countFirst)},
		{"count without a service", append(isPending[:3:3], countFirst), actions{connect, func(a *abstract) bool { return a.publish(s1, nil) }, wantFirst, countFirst}},
		{"refuse", append(isPending[:3:3], func(a *abstract) bool { return a.refuse(qid(1), s1, false) }),
			append(isPending[:3:3], func(a *abstract) bool { return a.refuse(qid(1), s1, true) })},
		{"end", append(isActive[:4:4], func(a *abstract) bool { return a.end(qid(1), s1) }),
			append(isPending[:3:3], func(a *abstract) bool { return a.end(qid(1), s1) })},
		{"end of an old session", append(isCounted[:4:4], func(a *abstract) bool { return a.end(qid(1), s1) }),
			append(isActive[:4:4], replaceFirst, func(a *abstract) bool { return a.end(qid(1), s1) })},
		{"deleted", actions{wantFirst, func(a *abstract) bool { return a.deleted(qid(1)) }}, actions{func(a *abstract) bool { return a.deleted(qid(1)) }}},
		{"want a service", actions{wantService}, append(isCounted[:4:4], replaceFirst, demoteService, func(a *abstract) bool {
			return a.wantService(protocol.ServiceSub{Service: other}, nil) // and queue 1 is lost
		})},
		{"want a service, and what the last one covered", append(isCounted[:4:4], replaceFirst, demoteService, func(a *abstract) bool {
			return a.wantService(protocol.ServiceSub{Service: other}, qids(1))
		}), append(isCounted[:4:4], replaceFirst, demoteService, func(a *abstract) bool { return a.wantService(sub(4), qids(1)) })},
		{"confirm the service", append(current[:2:2], wantService, confirmService), append(current[:2:2], func(a *abstract) bool { return a.wantService(sub(4), nil) }, confirmService)},
		{"confirm the service, and what stays counted", append(isCounted[:4:4], wantService, func(a *abstract) bool {
			return a.confirmService(s1, sub(3), qids(1), nil)
		}), append(isActive[:4:4], wantService, func(a *abstract) bool {
			return a.confirmService(s1, sub(3), qids(1), nil)
		})},
		{"end the service that is pending", append(current[:2:2], wantService, func(a *abstract) bool { return a.endService(s1, sub(3)) }),
			append(current[:2:2], wantService, func(a *abstract) bool { return a.endService(s1, sub(4)) })},
		{"refuse the service", append(current[:2:2], wantService, func(a *abstract) bool { return a.refuseService(s1, sub(3), false, nil) }),
			append(current[:2:2], wantService, func(a *abstract) bool { return a.refuseService(s1, sub(3), true, nil) })},
		{"refuse the service that is active", append(isCounted[:4:4], wantService, func(a *abstract) bool { return a.refuseService(s1, sub(3), false, qids(1)) }),
			append(isCounted[:4:4], wantService, func(a *abstract) bool { return a.refuseService(s1, sub(3), false, nil) })},
		{"demote the service", append(serviceActive[:4:4], loseFirst, forget, demoteService), append(serviceActive[:4:4], demoteService)},
		{"demote the service for a newer wish", append(serviceActive[:4:4], wantService, loseFirst, forget, func(a *abstract) bool { return a.demoteService(s1, sub(3), false, nil) }),
			append(serviceActive[:4:4], wantService, loseFirst, forget, demoteService)},
		{"take the service", append(serviceActive[:4:4], func(a *abstract) bool { return a.takeService(s1) }),
			append(serviceActive[:4:4], replaceFirst, func(a *abstract) bool { return a.takeService(s1) })},
		{"start a worker", actions{wantFirst, startWorker}, actions{startWorker}},
		{"start one worker", actions{wantService, startWorker}, actions{wantFirst, startWorker, startWorker}},
		{"stop the worker", actions{wantFirst, startWorker, func(a *abstract) bool { a.remove(qid(1)); a.calls = 0; return true }, func(a *abstract) bool { return a.stopWorker() }},
			actions{wantFirst, startWorker, func(a *abstract) bool { a.calls = 0; return true }, func(a *abstract) bool { return a.stopWorker() }}},
	} {
		t.Run(c.action, func(t *testing.T) {
			state(t, c.legal...)
			last := len(c.illegal) - 1
			a := state(t, c.illegal[:last]...)
			require.False(t, c.illegal[last](a))
		})
	}
}

func TestWishesEndWithTheServiceThatAloneCoversThem(t *testing.T) {
	a := state(t, connect, publishFirst, wantFirst, countFirst, replaceFirst, demoteService, func(a *abstract) bool { return a.want(qid(2)) })

	require.True(t, a.refuseService(s2, sub(3), false, nil))

	require.Equal(t, absent, a.wish(qid(1)).place)
	require.Equal(t, pending, a.wish(qid(2)).place)
}

func TestForgetHasAnotherHolder(t *testing.T) {
	a := state(t, connect, publishFirst, wantFirst)
	a.calls = 0
	require.True(t, a.isForgotten())
	require.True(t, a.lose(s1))
	require.False(t, a.isForgotten(), "its disconnect handler is due")
	require.True(t, a.forget() && a.disconnect(s1, nil))
	require.True(t, a.isForgotten())
	require.True(t, a.startWorker())
	require.False(t, a.isForgotten())
}
