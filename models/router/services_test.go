package router_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
)

func TestACertificateHasOneServiceForEachRole(t *testing.T) {
	b := newBench(t)

	first, again, other := b.connect("a", messaging), b.connect("b", messaging), b.connect("c", notifying)

	require.NotEmpty(t, first.grant)
	require.Equal(t, first.grant, again.grant)
	require.NotEqual(t, first.grant, other.grant)
	require.Empty(t, b.connect("d", plain).grant)
}

func TestAServiceConnectionAssociatesAndAnotherDissolves(t *testing.T) {
	b := newBench(t)
	service, single := b.connect("a", messaging), b.connect("b", plain)

	got := b.asks(service, sub(1), sub(2))
	require.Equal(t, []protocol.Kind{protocol.SOK, protocol.SOK}, kinds(got))
	require.Equal(t, *service.service, *got[0].Service)
	got = b.asks(single, sub(2))
	require.Equal(t, []protocol.Kind{protocol.OK}, kinds(got))

	got = b.asks(service, subs(service.service))
	require.Equal(t, int64(1), got[0].Count)
	require.Equal(t, protocol.HashOf(queue(1)), got[0].Hash)
}

func TestAQueueIsAssociatedOnlyWithAServiceOfItsParty(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", notifying)

	got := b.asks(c, sub(1), protocol.Request{Command: protocol.NSUB, Queue: queue(1), Key: "key"})

	require.Equal(t, []protocol.Kind{protocol.OK, protocol.SOK}, kinds(got))
}

func TestASubscribedServiceTakesAllItsQueues(t *testing.T) {
	b := newBench(t)
	first := b.connect("a", messaging)
	b.asks(first, sub(1), sub(2))
	b.r.Closed("a")
	second := b.connect("b", messaging)

	got := b.asks(second, subs(second.service))
	b.pass(0)

	require.Equal(t, []protocol.Kind{protocol.SOKS}, kinds(got))
	require.Equal(t, int64(2), got[0].Count)
	require.Equal(t, []protocol.Kind{protocol.ALLS}, second.got())
	require.Equal(t, net.SessionID("b"), b.owner(1))
	require.Equal(t, net.SessionID("b"), b.owner(2))
}

func TestADisplacedServiceIsToldOnceForAllItsQueues(t *testing.T) {
	b := newBench(t)
	first, second := b.connect("a", messaging), b.connect("b", messaging)
	b.asks(first, sub(1), sub(2), subs(first.service))
	b.pass(0)
	first.got()

	b.asks(second, subs(second.service))
	b.pass(0)

	require.Len(t, first.blocks, 1)
	ends := first.blocks[0][0]
	require.Equal(t, protocol.ENDS, ends.Kind)
	require.Equal(t, int64(2), ends.Count)
	require.Equal(t, protocol.HashOf(queue(1)).Xor(protocol.HashOf(queue(2))), ends.Hash)
}

func TestALateEndsIsNotSentToASessionThatHasSubscribedTheServiceAgain(t *testing.T) {
	b := newBench(t)
	b.always(router.EndLate)
	first, second := b.connect("a", messaging), b.connect("b", messaging)
	b.asks(first, sub(1), subs(first.service))
	b.asks(second, subs(second.service))

	b.asks(first, subs(first.service))
	b.pass(0)
	first.got()
	b.pass(time.Minute)

	require.Empty(t, first.got())
	require.Equal(t, []protocol.Kind{protocol.ALLS, protocol.ENDS}, second.got())
}

func TestAServiceOfAnotherSessionOrRoleIsRefused(t *testing.T) {
	b := newBench(t)
	c := b.connect("a", messaging)
	foreign := protocol.ServiceID{9}

	got := b.asks(c, subs(&foreign), protocol.Request{Command: protocol.NSUBS, Service: protocol.ServiceSub{Service: *c.service}})

	require.Equal(t, []protocol.Kind{protocol.ERR, protocol.ERR}, kinds(got))
	require.Equal(t, protocol.ServiceError, got[0].Err.Class())
	require.Equal(t, protocol.ServiceError, got[1].Err.Class())
}

func TestADowngradeAndUpgradeGivesTheCertificateAnotherService(t *testing.T) {
	b := newBench(t)
	before := b.connect("a", messaging)
	b.asks(before, sub(1))

	b.r.Downgrade()
	require.True(t, before.closed)
	require.Empty(t, b.connect("b", messaging).grant)
	b.r.Upgrade()

	after := b.connect("c", messaging)
	require.NotEqual(t, before.grant, after.grant)
	require.Zero(t, b.asks(after, subs(after.service))[0].Count)
}

func TestAQueueCanBeAssociatedBeforehand(t *testing.T) {
	b := newBench(t)
	b.r.Associate(protocol.RecipientService, queue(1), messaging)

	figures, known := b.r.Service(messaging)

	require.True(t, known)
	require.Equal(t, int64(1), figures.Count)
	require.Equal(t, b.connect("a", messaging).grant, protocol.EncodeGrant(&figures.Service))
}
