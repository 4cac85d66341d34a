package models

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
)

// fingerprint is that of the Monitor's state.
func (p *play) fingerprint() uint64 {
	var f sim.Fingerprint
	f.Begin(p.w.elapsed)
	p.m.Fingerprint(&f)
	return f.Sum()
}

// retried goes through an attempt of a worker that ends as it began: connected, and asleep, with a queue pending.
func (p *play) retried(s net.SessionID, attempt int) {
	p.see(agent.WorkerAttempt{Router: home, Var: 1, Attempt: attempt})
	p.connect(s, nil)
	p.see(agent.WorkerConnected{Router: home, Var: 1, Session: s})
	p.lose(s)
	p.disconnect(s)
	p.see(agent.WorkerSleep{Router: home, Var: 1, Delay: p.m.routers[0].worker.delay})
	p.pass(p.m.routers[0].worker.sleep)
}

func TestTheFingerprintOfAnAgentIsThatOfItsState(t *testing.T) {
	p := newPlay(t)
	p.want("k", 1).Return(agent.ErrPending)
	p.see(agent.WorkerPut{Router: home, Var: 1})
	seen := map[uint64]int{}
	var last uint64
	const attempts = 40
	for attempt := 1; attempt <= attempts; attempt++ {
		p.retried(net.SessionID(rune('a'+attempt)), attempt)
		last = p.fingerprint()
		seen[last]++
	}

	require.Equal(t, p.m.Config.Reconnect.Max, p.m.routers[0].worker.delay)
	require.Greater(t, seen[last], attempts/2, "from the longest sleep on each attempt is like the one before")
	require.Greater(t, len(seen), 5, "until then the sleep grows")
}

func TestTheFingerprintTellsStatesOfAnAgentApart(t *testing.T) {
	seen := map[uint64]string{}
	for name, state := range map[string]func(p *play){
		"nothing":                 func(*play) {},
		"a call":                  func(p *play) { p.want("k", 1) },
		"pending":                 func(p *play) { p.want("k", 1).Return(agent.ErrPending) },
		"pending with a new key":  func(p *play) { p.want("new", 1).Return(agent.ErrPending) },
		"two are pending":         func(p *play) { p.want("k", 1, 2).Return(agent.ErrPending) },
		"the second is pending":   func(p *play) { p.want("k", 1, 2).Return(nil); p.m.routers[0].order[0].place = absent },
		"connecting":              func(p *play) { p.dial() },
		"connected":               func(p *play) { p.connect(s1, nil) },
		"connected with service":  func(p *play) { p.connect(s1, &service) },
		"refused":                 func(p *play) { p.refuse() },
		"refused a second ago":    func(p *play) { p.refuse(); p.pass(time.Second) },
		"connected a second ago":  func(p *play) { p.connect(s1, nil); p.pass(time.Second) },
		"asking":                  func(p *play) { p.connect(s1, nil); p.want("k", 1); p.ask(s1, "k", 1) },
		"subscribed":              func(p *play) { p.connect(s1, nil); p.subscribe(s1, "k", 1) },
		"lost":                    func(p *play) { p.connect(s1, nil); p.subscribe(s1, "k", 1); p.lose(s1) },
		"service subscribed":      func(p *play) { p.connect(s1, &service); p.subscribeService(s1, sub(3)) },
		"another service":         func(p *play) { p.connect(s1, &service); p.subscribeService(s1, sub(4)) },
		"an event not delivered":  func(p *play) { p.delivering = false; p.connect(s1, nil) },
		"a worker":                func(p *play) { p.want("k", 1).Return(agent.ErrPending); p.see(agent.WorkerPut{Router: home, Var: 1}) },
		"a worker at its attempt": func(p *play) { attempted(p) },
	} {
		p := newPlay(t)
		state(p)
		f := p.fingerprint()
		require.NotContains(t, seen, f, "%s has the fingerprint of: %s", name, seen[f])
		seen[f] = name
	}
}

func TestWhatIsOwed(t *testing.T) {
	nobody := func(protocol.Router, protocol.QueueID) net.SessionID { return "" }
	first := func(protocol.Router, protocol.QueueID) net.SessionID { return s1 }
	tests := map[string]struct {
		owner Owner
		state func(p *play)
		owed  string
	}{
		"nothing":                {nobody, func(*play) {}, ""},
		"settled":                {first, twoActive, ""},
		"not at its router":      {nobody, twoActive, "is subscribed on session"},
		"pending":                {nobody, func(p *play) { p.want("k", 1).Return(agent.ErrPending) }, "is wanted and still pending"},
		"a service":              {nobody, func(p *play) { p.see(agent.ServiceWanted{Router: home, Sub: sub(1)}) }, "the service is pending"},
		"a request":              {first, func(p *play) { twoActive(p); p.ask(s1, "k", 1) }, "0 calls and 1 requests are under way"},
		"an event":               {first, func(p *play) { twoActive(p); p.delivering = false; p.lose(s1); p.disconnect(s1) }, "events are not delivered"},
		"not of a crashed agent": {nobody, func(p *play) { twoActive(p); p.m.Crashed() }, ""},
	}
	for name, test := range tests {
		p := newPlay(t)
		test.state(p)
		failed := len(p.w.messages)
		if test.owed == "" {
			require.Empty(t, p.m.Owed(test.owner), name)
		} else {
			require.Contains(t, p.m.Owed(test.owner), test.owed, name)
		}
		require.Len(t, p.w.messages, failed, "%s: it judges nothing", name)
	}
}
