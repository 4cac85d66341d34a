package router_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
)

func TestAnswersCarryCorrelationAndQueueOfTheirRequests(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)

	got := b.asks(c, sub(2), protocol.Request{Command: protocol.PING}, protocol.Request{Command: "ACK", Queue: queue(3)})

	require.Equal(t, []protocol.Response{
		{Correlation: protocol.CorrelationID{1}, Queue: queue(2), Kind: protocol.OK},
		{Correlation: protocol.CorrelationID{2}, Kind: protocol.PONG},
		{Correlation: protocol.CorrelationID{3}, Queue: queue(3), Kind: protocol.OK},
	}, got)
}

func TestAKeyThatDoesNotFitAndAQueueThatIsNotThereAreRefusedForGood(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	wrong, other, missing := sub(1), sub(1), sub(9)
	wrong.Key, other.Key = "another", "new key"

	got := b.asks(c, wrong, missing, other)

	require.Equal(t, []protocol.Kind{protocol.ERR, protocol.ERR, protocol.OK}, kinds(got))
	require.Equal(t, protocol.CodeAuth, got[0].Err.Code)
	require.Equal(t, protocol.Permanent, got[1].Err.Class())
	require.Equal(t, []string{"1 took a"}, b.owners)
}

func TestANewSubscriberDisplacesTheOldWhichIsTold(t *testing.T) {
	b := newBench(t)
	first, second := b.connect("a", plain), b.connect("b", plain)
	b.asks(first, sub(1), sub(2))

	b.asks(second, sub(1))
	b.pass(0)

	require.Equal(t, []protocol.Kind{protocol.END}, first.got())
	require.Equal(t, net.SessionID("b"), b.owner(1))
	require.Equal(t, net.SessionID("a"), b.owner(2))
	require.Equal(t, []string{"1 took a", "2 took a", "1 took b", "1 ended a"}, b.owners)
}

func TestALateEndIsNotSentToASessionThatHasSubscribedAgain(t *testing.T) {
	b := newBench(t)
	b.always(router.EndLate)
	b.chosen["router/end-delay"] = 2 // 15 s
	first, second := b.connect("a", plain), b.connect("b", plain)
	b.asks(first, sub(1), sub(2))
	b.asks(second, sub(1), sub(2))

	b.asks(first, sub(1))
	b.pass(14 * time.Second)
	require.Empty(t, first.got())
	b.pass(time.Second)

	require.Equal(t, []protocol.Kind{protocol.END}, first.got(), "queue 2 only")
	require.Equal(t, []protocol.Kind{protocol.END}, second.got(), "queue 1")
}

func TestPartiesSubscribeIndependently(t *testing.T) {
	b := newBench(t)
	recipient, notifier := b.connect("a", plain), b.connect("b", plain)
	b.asks(recipient, sub(1))

	b.asks(notifier, protocol.Request{Command: protocol.NSUB, Queue: queue(1), Key: "key"})
	b.pass(time.Minute)

	require.Empty(t, recipient.got())
	require.Equal(t, net.SessionID("a"), b.owner(1))
	require.Equal(t, net.SessionID("b"), b.r.Owner(protocol.NotifierService, queue(1)))
}

func TestTheEndOfASessionEndsItsSubscriptions(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	b.asks(c, sub(1))

	b.r.Closed("a")
	b.sends(c, sub(2))

	require.Empty(t, b.owner(1))
	require.Empty(t, b.owner(2))
	require.Empty(t, b.r.Sessions())
	require.Equal(t, []string{"1 took a", "1 closed a"}, b.owners)
}

func TestADeletedQueueIsToldToItsOwnerAndGone(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	b.asks(c, sub(1))

	require.True(t, b.r.Delete(protocol.RecipientService, queue(1)))

	require.Equal(t, []protocol.Kind{protocol.DELD}, c.got())
	require.Equal(t, []string{"1 took a", "1 deleted a"}, b.owners)
	require.Equal(t, []protocol.Kind{protocol.ERR}, kinds(b.asks(c, sub(1))))
	require.False(t, b.r.Delete(protocol.RecipientService, queue(1)))
	require.True(t, b.r.Deleted(protocol.RecipientService, queue(1)))
}

func TestMessagesWaitForASubscriber(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", plain)
	b.r.Deliver(protocol.RecipientService, queue(1))
	b.r.Deliver(protocol.NotifierService, queue(1))

	require.Equal(t, []protocol.Kind{protocol.MSG}, kinds(b.asks(c, sub(1))), "the first message is the answer")
	b.asks(c, protocol.Request{Command: protocol.NSUB, Queue: queue(1), Key: "key"})
	b.pass(0)
	b.r.Deliver(protocol.RecipientService, queue(1))

	require.Equal(t, []protocol.Kind{protocol.NMSG, protocol.MSG}, c.got())
}

func TestARestartEndsSessionsAndKeepsQueues(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", messaging)
	b.asks(c, sub(1))

	b.r.Restart()
	require.True(t, c.closed)
	require.Empty(t, b.owner(1))

	c = b.connect("b", messaging)
	got := b.asks(c, subs(c.service))
	require.Equal(t, int64(1), got[0].Count, "the association is on disk")
}

func TestACredentialThatIsNoneIsRefused(t *testing.T) {
	b := newBench(t)

	_, err := b.r.Accept("a", "nonsense", &client{})

	require.ErrorContains(t, err, "want role:hash")
}
