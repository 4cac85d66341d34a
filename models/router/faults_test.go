package router_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
)

func TestDistortedAnswers(t *testing.T) {
	ok := func(i byte) protocol.Response {
		return protocol.Response{Correlation: protocol.CorrelationID{i}, Queue: queue(i), Kind: protocol.OK}
	}
	unasked := ok(1)
	unasked.Correlation[0] ^= 0xff
	for fault, want := range map[router.Fault][]protocol.Response{
		router.AnswerShort:    {ok(2), ok(3)},
		router.AnswerTwice:    {ok(1), ok(2), ok(3), ok(1), ok(2), ok(3)},
		router.AnswerLong:     {unasked, ok(1), ok(2), ok(3)},
		router.AnswerReversed: {ok(3), ok(2), ok(1)},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			b := newBench(t)
			b.always(fault)

			got := b.asks(b.connect("a", plain), sub(1), sub(2), sub(3))

			require.Equal(t, want, got)
			require.Equal(t, 1, b.fired[fault.String()])
			require.Equal(t, 1, b.effect[fault.String()])
			require.Equal(t, net.SessionID("a"), b.owner(1), "a missing answer is not a missing effect")
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	for fault, class := range map[router.Fault]protocol.Class{
		router.ErrorTemporary: protocol.Temporary, router.ErrorPermanent: protocol.Permanent, router.ServiceRefused: protocol.ServiceError,
	} {
		t.Run(fault.String(), func(t *testing.T) {
			b := newBench(t)
			b.always(fault)
			c := b.connect("a", messaging)

			got := b.asks(c, subs(c.service), protocol.Request{Command: protocol.PING})

			require.Equal(t, []protocol.Kind{protocol.ERR, protocol.PONG}, kinds(got))
			require.Equal(t, class, got[0].Err.Class())
		})
	}
}

func TestALateBlockIsTakenUpLateAndLaterOnesOvertakeIt(t *testing.T) {
	b := newBench(t)
	b.always(router.AnswerLate)
	c := b.connect("a", plain)
	b.chosen["router/late"] = 3
	b.sends(c, sub(1))
	b.chosen["router/late"] = 0
	b.sends(c, sub(2))

	b.pass(29 * time.Second)
	require.Equal(t, []string{"2 took a"}, b.owners)
	require.Zero(t, b.effect[router.AnswerLate.String()])
	b.pass(time.Second)

	require.Equal(t, []string{"2 took a", "1 took a"}, b.owners)
	require.Equal(t, 1, b.effect[router.AnswerLate.String()], "one was past the timeout")
}

func TestASlowBlockIsAnsweredPieceByPieceAndLaterOnesWait(t *testing.T) {
	b := newBench(t)
	b.always(router.AnswerSlow)
	c := b.connect("a", plain)
	b.sends(c, sub(1), sub(2))
	b.never(router.AnswerSlow)
	b.sends(c, sub(3))

	b.pass(3 * time.Second)
	require.Equal(t, []string{"1 took a"}, b.owners)
	b.pass(3 * time.Second)

	require.Equal(t, []string{"1 took a", "2 took a", "3 took a"}, b.owners)
	require.Len(t, c.blocks, 3)
}

func TestAnswersOfASessionThatIsGoneAreNotGiven(t *testing.T) {
	b := newBench(t)
	b.always(router.AnswerLate)
	b.sends(b.connect("a", plain), sub(1))

	b.r.Closed("a")
	b.pass(time.Hour)

	require.Empty(t, b.owner(1))
	require.Zero(t, b.effect[router.AnswerLate.String()])
}

func TestAnswerThenCloseEndsTheSessionBehindItsAnswers(t *testing.T) {
	b := newBench(t)
	b.always(router.AnswerThenClose)
	c := b.connect("a", plain)

	got := b.asks(c, sub(1))

	require.Equal(t, []protocol.Kind{protocol.OK}, kinds(got))
	require.True(t, c.closed)
	require.Empty(t, b.owner(1))
}

func TestAPushThatWaitsLeadsTheNextBlock(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	b.asks(c, sub(1))
	b.always(router.PushJoined)
	b.r.Deliver(protocol.RecipientService, queue(1))
	b.strike(router.QueueTaken)
	b.pass(0)
	require.Empty(t, c.got())

	got := b.asks(c, protocol.Request{Command: protocol.PING})

	require.Equal(t, []protocol.Kind{protocol.MSG, protocol.END, protocol.PONG}, kinds(got))
	require.Equal(t, 1, b.fired[router.PushJoined.String()])
	require.Equal(t, 1, b.effect[router.PushJoined.String()])
}

func TestAPushIsHeldForAWhileOnly(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	b.asks(c, sub(1))
	b.always(router.PushJoined)
	b.r.Deliver(protocol.RecipientService, queue(1))

	b.pass(3 * time.Second)

	require.Equal(t, []protocol.Kind{protocol.MSG}, c.got())
	require.Zero(t, b.effect[router.PushJoined.String()])
}

func TestWhatIsTakenRightBehindItsAnswer(t *testing.T) {
	type chosen struct{ service, deleted int }
	for chosen, want := range map[chosen][]protocol.Kind{
		{0, 0}: {protocol.SOK, protocol.ENDS}, {1, 0}: {protocol.SOK, protocol.END}, {1, 2}: {protocol.SOK, protocol.DELD},
	} {
		b := newBench(t)
		b.always(router.TakenBehind)
		b.chosen["router/service-behind"], b.chosen["router/deleted-behind"] = chosen.service, chosen.deleted

		c := b.connect("a", messaging)
		got := kinds(b.asks(c, sub(1)))
		b.pass(0)

		require.Equal(t, want, append(got, c.got()...))
		require.NotEqual(t, net.SessionID("a"), b.owner(1))
		require.Equal(t, 1, b.effect[router.TakenBehind.String()])
	}
	b := newBench(t)
	b.always(router.TakenBehind)
	c := b.connect("a", messaging)
	b.asks(c, subs(c.service))
	b.pass(0)
	require.Contains(t, c.got(), protocol.ENDS)
}

func TestAServiceThatWasLentComesBackWithoutAQueueAndNobodySaysSo(t *testing.T) {
	b := newBench(t)
	b.always(router.ServiceLent)
	c := b.connect("a", messaging)
	b.asks(c, sub(1), sub(2))
	require.Zero(t, b.fired[router.ServiceLent.String()])

	got := b.asks(c, subs(c.service))
	b.pass(time.Minute)

	require.Equal(t, int64(1), got[0].Count)
	require.Equal(t, []protocol.Kind{protocol.ALLS}, c.got())
	require.NotEqual(t, b.owner(1), b.owner(2))
	require.Equal(t, 1, b.effect[router.ServiceLent.String()])
}

func TestASessionThatDoesNotGetItsFiguresEnds(t *testing.T) {
	b := newBench(t)
	b.always(router.AnswerShort)
	c := b.connect("a", messaging)

	require.Empty(t, b.asks(c, subs(c.service)))
	require.Equal(t, 1, b.effect[router.AnswerShort.String()])
	b.pass(2 * time.Minute)

	require.True(t, c.closed)
}

func TestARefusedHandshake(t *testing.T) {
	b := newBench(t)
	b.always(router.HandshakeRefused)

	_, err := b.r.Accept("a", "", &client{})

	require.Error(t, err)
	require.Empty(t, b.r.Sessions())
}

func TestAServiceConnectionThatIsIgnoredDoesNotAssociate(t *testing.T) {
	b := newBench(t)
	b.always(router.ServiceIgnored)
	c := b.connect("a", messaging)

	require.Equal(t, []protocol.Kind{protocol.OK}, kinds(b.asks(c, sub(1))))
	require.False(t, b.r.Associated(protocol.RecipientService, queue(1)))
}

func TestRulesThatStrike(t *testing.T) {
	for _, test := range []struct {
		fault router.Fault
		told  []protocol.Kind // of the session that has queue 1 and its service
		ended bool
		owner net.SessionID
	}{
		{fault: router.RouterRestart, ended: true},
		{fault: router.RouterForget},
		{fault: router.QueueTaken, told: []protocol.Kind{protocol.END}, owner: "stranger-1"},
		{fault: router.ServiceTaken, told: []protocol.Kind{protocol.ENDS}, owner: "stranger-1"},
		{fault: router.QueueDeleted, told: []protocol.Kind{protocol.DELD}},
		{fault: router.ServiceChanged, ended: true},
		{fault: router.RouterDowngraded, ended: true},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			b := newBench(t)
			require.False(t, test.fault != router.QueueDeleted && b.strike(test.fault), "there is nothing to strike")
			c := b.connect("a", messaging)
			b.asks(c, sub(1), subs(c.service))
			b.pass(0)
			c.got()

			require.True(t, b.strike(test.fault))
			b.pass(0)

			require.ElementsMatch(t, test.told, c.got())
			require.Equal(t, test.ended, c.closed)
			require.Equal(t, test.owner, b.owner(1))
			require.Equal(t, 1, b.fired[test.fault.String()])
			require.Equal(t, 1, b.effect[test.fault.String()])
		})
	}
}

func TestWhatWasForgottenEndsItsSessionInTheEnd(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	b.asks(c, sub(1))
	b.strike(router.RouterForget)

	b.pass(time.Hour)

	require.True(t, c.closed)
}

func TestAHealedRouterHasLetGoOfEverythingAndDoesNothingWrong(t *testing.T) {
	b := newBench(t)
	b.always(router.EndLate)
	wronged, displaced, late := b.connect("a", messaging), b.connect("b", plain), b.connect("c", plain)
	b.asks(wronged, sub(1))
	b.strike(router.RouterForget)
	b.asks(displaced, sub(2))
	b.strike(router.QueueTaken)
	b.always(router.AnswerLate)
	b.sends(late, sub(3))

	b.r.Heal()

	require.True(t, wronged.closed, "its subscriptions were forgotten")
	require.Equal(t, []protocol.Kind{protocol.END}, displaced.got())
	require.Equal(t, []protocol.Kind{protocol.OK}, late.got())
	require.Empty(t, b.owner(2), "the stranger has left")
	require.Equal(t, []protocol.Kind{protocol.OK}, kinds(b.asks(displaced, sub(2))), "no fault strikes")
	b.pass(time.Hour)
	require.False(t, displaced.closed)
}

func TestAHealedRouterKnowsServices(t *testing.T) {
	b := newBench(t)
	b.connect("a", messaging)
	b.strike(router.RouterDowngraded)
	require.Empty(t, b.connect("b", messaging).grant)

	b.r.Heal()

	require.NotEmpty(t, b.connect("c", messaging).grant)
}

func TestTheListOfFaultsIsComplete(t *testing.T) {
	b := newBench(t)
	for fault := range b.rules {
		require.Contains(t, router.FaultNames(), fault)
	}
	require.NotContains(t, router.FaultNames(), "")
}
