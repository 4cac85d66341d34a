package agent

import (
	"fmt"
	"strings"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
)

// Environment is the world that an agent lives in. Scheduler, Clock and Dialer
// are needed, and belong together: all of production, or all of one simulated
// node. Observer may be nil.
type Environment struct {
	Scheduler sched.Scheduler
	Clock     clock.Clock
	Dialer    protocol.Dialer
	Observer  Observer
}

// Config is what can be set on an agent. DefaultConfig has the usual values.
type Config struct {
	// Party is for whom the agent subscribes.
	Party protocol.Party
	// Credential is presented to every router; zero: no service certificate.
	Credential protocol.Credential
	// Reconnect is the schedule of a reconnect worker's sleeps.
	Reconnect retry.Interval
	// PersistError is how long a failed connect answers those who ask, before
	// the next attempt. With 0 the next who asks attempts at once.
	PersistError time.Duration
	// MessageQueue and EventQueue are the capacities of Messages and Events, in
	// items, from 1.
	MessageQueue, EventQueue int
	// MessageBacklog bounds the messages that wait for room in Messages: a
	// session that brings more is dropped, and so subscribed again. It is to be
	// well above what a router sends at once to who has just subscribed.
	MessageBacklog int
	// BatchSize is the number of queues in one subscription; results are
	// committed by batch. BlockSize is the number of requests in one
	// transmission.
	BatchSize, BlockSize int
	// SendQueue is the number of blocks that may wait to be sent on a session.
	SendQueue int
	// ConnectTimeout bounds an attempt to connect, and the wait for one.
	ConnectTimeout time.Duration
	// RPCTimeout bounds the wait for the answers to one block.
	RPCTimeout time.Duration
	// PingInterval is how long a session that is needed may be silent before it
	// is pinged. It is dropped after PingTimeouts timeouts in a row if it was
	// also silent for Silence.
	PingInterval time.Duration
	PingTimeouts int
	Silence      time.Duration
	// OwnDomains are the domains whose routers are the operator's own.
	OwnDomains []string
}

// DefaultConfig is the configuration of the reference for a party: that of the
// background, which the small agent always is. A notifier service is the agent of
// a notification server, which keeps no errors and pings every minute.
func DefaultConfig(party protocol.Party) Config {
	c := Config{
		Party:          party,
		Reconnect:      retry.Interval{Initial: time.Second, GrowAfter: 10 * time.Second, Max: 10 * time.Second},
		PersistError:   30 * time.Second,
		MessageQueue:   2048,
		EventQueue:     2048,
		MessageBacklog: 1 << 16,
		BatchSize:      1360,
		BlockSize:      136,
		SendQueue:      64,
		ConnectTimeout: 45 * time.Second,
		RPCTimeout:     30 * time.Second,
		PingInterval:   600 * time.Second,
		PingTimeouts:   3,
		Silence:        15 * time.Minute,
	}
	if party == protocol.NotifierService {
		c.PersistError, c.PingInterval = 0, 60*time.Second
	}
	return c
}

// Validate says in one line what is wrong with c, if anything.
func (c Config) Validate() error {
	if !c.Party.Valid() {
		return fmt.Errorf("agent: no such party: %v; want RecipientService or NotifierService", c.Party)
	}
	if err := c.Credential.Validate(); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	if err := c.Reconnect.Validate(); err != nil {
		return fmt.Errorf("agent: Reconnect: %w", err)
	}
	if c.PersistError < 0 {
		return fmt.Errorf("agent: PersistError is %v; want 0 or more", c.PersistError)
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"MessageQueue", c.MessageQueue}, {"EventQueue", c.EventQueue}, {"MessageBacklog", c.MessageBacklog},
		{"BatchSize", c.BatchSize}, {"BlockSize", c.BlockSize}, {"SendQueue", c.SendQueue}, {"PingTimeouts", c.PingTimeouts},
	} {
		if n.value < 1 {
			return fmt.Errorf("agent: %s is %d; want 1 or more", n.name, n.value)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"ConnectTimeout", c.ConnectTimeout}, {"RPCTimeout", c.RPCTimeout}, {"PingInterval", c.PingInterval}, {"Silence", c.Silence},
	} {
		if d.value <= 0 {
			return fmt.Errorf("agent: %s is %v; want more than 0", d.name, d.value)
		}
	}
	for _, domain := range c.OwnDomains {
		if strings.Trim(domain, ".") == "" {
			return fmt.Errorf("agent: OwnDomains has %q; want a domain such as example.org", domain)
		}
	}
	return nil
}

// DeadPeerBound is how long a peer that went silent can stay unnoticed while
// something is subscribed or pending (property L7): one interval until the pings
// begin, then as many pings as it takes to have both enough timeouts and enough
// silence.
func (c Config) DeadPeerBound() time.Duration {
	round := c.PingInterval + c.RPCTimeout
	rounds := max(time.Duration(c.PingTimeouts), (c.Silence+round-1)/round)
	return c.PingInterval + rounds*round
}

// SubscribeBound is how long a wanted queue can take to be subscribed once its
// router is healthy (property L1), with n queues of that router wanted in all.
func (c Config) SubscribeBound(n int) time.Duration {
	return c.DeadPeerBound() + c.PersistError + c.ConnectTimeout + c.Reconnect.Max + c.attemptBound(n)
}

// attemptBound is how long the subscriptions of one attempt can take: two answers
// for the service and one for each block, all timed out.
func (c Config) attemptBound(n int) time.Duration {
	batches := (n + c.BatchSize - 1) / c.BatchSize
	blocks := (min(n, c.BatchSize) + c.BlockSize - 1) / c.BlockSize
	return time.Duration(2+batches*blocks) * c.RPCTimeout
}

// isOwn reports whether the first host of r equals, or is a subdomain of, one of
// the own domains; names of hosts have no case.
func (c Config) isOwn(r protocol.Router) bool {
	host := strings.ToLower(strings.TrimSuffix(r.FirstHost(), "."))
	for _, domain := range c.OwnDomains {
		domain = strings.ToLower(strings.Trim(domain, "."))
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
