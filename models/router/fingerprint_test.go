package router_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
)

func (b *bench) fingerprint() uint64 {
	var f sim.Fingerprint
	f.Begin(b.now)
	b.r.Fingerprint(&f)
	return f.Sum()
}

func TestTheFingerprintOfARouterIsThatOfItsState(t *testing.T) {
	b := newBench(t)
	round := func(id net.SessionID) uint64 {
		c := b.connect(id, messaging)
		b.asks(c, sub(1), subs(c.service))
		b.pass(time.Second)
		f := b.fingerprint()
		b.r.Closed(id)
		return f
	}
	first := round("first")

	require.Equal(t, first, round("second"))
	require.Equal(t, first, round("third"))
}

func TestTheFingerprintTellsStatesOfARouterApart(t *testing.T) {
	seen := map[uint64]string{}
	for name, state := range map[string]func(b *bench){
		"nothing":          func(*bench) {},
		"a session":        func(b *bench) { b.connect("one", plain) },
		"two sessions":     func(b *bench) { b.connect("one", plain); b.connect("two", plain) },
		"one of a service": func(b *bench) { b.connect("one", messaging) },
		"an owner":         func(b *bench) { b.asks(b.connect("one", plain), sub(1)) },
		"of another queue": func(b *bench) { b.asks(b.connect("one", plain), sub(2)) },
		"another owner":    func(b *bench) { b.connect("one", plain); b.asks(b.connect("two", plain), sub(1)) },
		"two owners":       func(b *bench) { b.asks(b.connect("one", plain), sub(1)); b.asks(b.connect("two", plain), sub(2)) },
		"an END is owed":   func(b *bench) { b.asks(b.connect("one", plain), sub(1)); b.asks(b.connect("two", plain), sub(1)) },
		"a service":        func(b *bench) { c := b.connect("one", messaging); b.asks(c, subs(c.service)); b.pass(time.Second) },
		"and a queue of it": func(b *bench) {
			c := b.connect("one", messaging)
			b.asks(c, sub(1), subs(c.service))
			b.pass(time.Second)
		},
		"a message is kept":  func(b *bench) { b.r.Deliver(protocol.RecipientService, queue(1)) },
		"a queue is deleted": func(b *bench) { b.r.Delete(protocol.RecipientService, queue(1)) },
		"downgraded":         func(b *bench) { b.r.Downgrade() },
		"a late answer":      func(b *bench) { b.always(router.AnswerLate); b.sends(b.connect("one", plain), sub(1)) },
		"healed":             func(b *bench) { b.r.Heal() },
	} {
		b := newBench(t)
		state(b)
		f := b.fingerprint()
		require.NotContains(t, seen, f, "%s has the fingerprint of: %s", name, seen[f])
		seen[f] = name
	}
}
