package router

import "github.com/heddle-go/heddle/agent/protocol"

// Fault is one way in which a router does wrong. Each is a rule of its own, and they combine.
type Fault uint8

// The faults. Those of the first group are asked about for each block, session or request; those of the second are armed by Arm and
// strike whenever the world says so.
const (
	AnswerLate       Fault = iota // a block is taken up around or past the client's timeout
	AnswerSlow                    // one answer after the other, with pauses; later blocks wait
	AnswerShort                   // some answers of a block are missing
	AnswerLong                    // a block has an answer that nobody asked for
	AnswerTwice                   // a block has its answers twice
	AnswerReversed                // a block has its answers in reverse
	AnswerThenClose               // the connection ends right behind the answers
	ErrorTemporary                // some requests fail, but may be tried again
	ErrorPermanent                // some queues are refused for good
	ServiceRefused                // a service subscription is refused with SERVICE
	ServiceIgnored                // queues subscribed on a service connection are not associated with its service
	HandshakeRefused              // a session is refused, for good as far as the client knows
	EndLate                       // END and ENDS come up to 15 s late
	PushJoined                    // what is pushed waits for the next block of answers, and leads it
	TakenBehind                   // what a block has just subscribed is taken by another client, or deleted, right behind its answers
	ServiceLent                   // another client had the service, and loses a queue of it, when its subscriber subscribes it again: the ENDS is void
	CommandRefused                // a command to a mailbox is refused for good

	RouterRestart    // all sessions and subscriptions are lost
	RouterForget     // a session's subscriptions are forgotten; it ends when the router heals, or sooner
	QueueTaken       // another client takes a queue: END
	ServiceTaken     // another client takes the service: ENDS
	QueueDeleted     // a queue is deleted: DELD
	ServiceChanged   // downgrade and upgrade at once: the certificate gets another service id
	RouterDowngraded // no services any more, until healed or upgraded

	faultCount
)

// faultTable has each fault's name in the ledger, which is also the site of its decision, and, for the first group, once in how
// many opportunities it strikes when the source draws evenly.
var faultTable = [faultCount]struct {
	name string
	odds int
}{
	AnswerLate: {"answer-late", 4}, AnswerSlow: {"answer-slow", 4}, AnswerShort: {"answer-short", 4}, AnswerLong: {"answer-long", 4},
	AnswerTwice: {"answer-twice", 4}, AnswerReversed: {"answer-reversed", 4}, AnswerThenClose: {"answer-then-close", 4},
	ErrorTemporary: {"error-temporary", 6}, ErrorPermanent: {"error-permanent", 6}, ServiceRefused: {"service-refused", 2},
	ServiceIgnored: {"service-ignored", 4}, HandshakeRefused: {"handshake-refused", 4}, EndLate: {"end-late", 2}, PushJoined: {"push-joined", 2},
	TakenBehind: {"taken-behind", 2}, ServiceLent: {"service-lent", 2},
	CommandRefused: {"command-refused", 60},
	RouterRestart:  {name: "router-restart"}, RouterForget: {name: "router-forget"}, QueueTaken: {name: "queue-taken"},
	ServiceTaken: {name: "service-taken"}, QueueDeleted: {name: "queue-deleted"}, ServiceChanged: {name: "service-changed"},
	RouterDowngraded: {name: "router-downgraded"},
}

// String is the fault's name in the ledger.
func (f Fault) String() string { return faultTable[f].name }

// FaultNames are the names of all faults of a router.
func FaultNames() []string {
	var names []string
	for _, f := range faultTable {
		names = append(names, f.name)
	}
	return names
}

// Faults says which faults may strike and keeps their ledger. *sim.World is one.
type Faults interface {
	Swarm(fault string) bool // may it strike in this run, now?
	Fired(fault string)      // it struck
	Effect(fault string)     // a client got what it would not have got
}

// Rules arms faults that strike at a time of the world's choosing, at most so many times. *sim.World is one.
type Rules interface {
	Rule(fault string, times int, strike func() bool)
}

// draw asks, once, which faults of the first group this router may use.
func (r *Router) draw() {
	for f := AnswerLate; f < RouterRestart; f++ {
		r.armed[f] = r.Faults != nil && (f != CommandRefused || r.Options.Mailboxes) && r.Faults.Swarm(f.String())
	}
}

func (r *Router) strikes(f Fault) bool {
	if r.healed || !r.armed[f] {
		return false
	}
	fault := &faultTable[f]
	return r.Env.Value(fault.name, fault.odds) == fault.odds-1
}

func (r *Router) fired(f Fault) {
	if r.Faults != nil {
		r.Faults.Fired(f.String())
	}
}

func (r *Router) effect(f Fault) {
	if r.Faults != nil {
		r.Faults.Effect(f.String())
	}
}

func (r *Router) struck(f Fault) {
	r.fired(f)
	r.effect(f)
}

// refusal is the error with which a fault answers the request; nil for none.
func (r *Router) refusal(q protocol.Request) *protocol.Error {
	if !q.Command.Subscribes() {
		return r.refusedMail(q)
	}
	service := q.Command == protocol.SUBS || q.Command == protocol.NSUBS
	switch {
	case r.strikes(ErrorTemporary):
		r.struck(ErrorTemporary)
		return &protocol.Error{Kind: protocol.IO, Detail: "the store is busy"}
	case service && r.strikes(ServiceRefused):
		r.struck(ServiceRefused)
		return &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeService}
	case r.strikes(ErrorPermanent):
		r.struck(ErrorPermanent)
		return &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}
	}
	return nil
}

// refusedMail is refusal of what is done to mailboxes.
func (r *Router) refusedMail(q protocol.Request) *protocol.Error {
	switch {
	case q.Command == protocol.PING || !r.Options.Mailboxes:
	case r.strikes(ErrorTemporary):
		r.struck(ErrorTemporary)
		return &protocol.Error{Kind: protocol.IO, Detail: "the store is busy"}
	case r.strikes(CommandRefused):
		r.struck(CommandRefused)
		return &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth, Detail: "refused"}
	}
	return nil
}

// takeBehind takes one thing that the block has subscribed on the session: the whole service, of which one queue may be enough, or a
// queue, singly subscribed or of the service, which is displaced or deleted.
func (r *Router) takeBehind(s *session, block []protocol.Request) {
	if !r.strikes(TakenBehind) {
		return
	}
	var queues []*queue
	whole := false
	for _, q := range block {
		switch q.Command {
		case protocol.SUBS, protocol.NSUBS:
			if v := s.service; v != nil && v.subscriber == s {
				whole = true
				for _, o := range r.order {
					if o.service == v && o.owner == s {
						queues = append(queues, o)
					}
				}
			}
		case protocol.SUB, protocol.NSUB:
			if o := r.queues[QueueName{party(q.Command), q.Queue}]; o != nil && o.owner == s {
				whole = whole || o.service != nil
				queues = append(queues, o)
			}
		}
	}
	switch {
	case whole && r.Env.Value("router/service-behind", 2) == 0:
		r.struck(TakenBehind)
		r.lend(s.service)
		return
	case len(queues) == 0:
		return
	}
	r.struck(TakenBehind)
	q := queues[r.Env.Value("router/taken-behind", len(queues))]
	if r.Env.Value("router/deleted-behind", 3) == 2 {
		r.Delete(q.name.Party, q.name.ID)
	} else {
		r.Displace(q.name.Party, q.name.ID)
	}
}

// party is for whom the command subscribes a queue.
func party(c protocol.Command) protocol.Party {
	if c == protocol.NSUB {
		return protocol.NotifierService
	}
	return protocol.RecipientService
}

// Arm arms the faults of the second group, each to strike at most so many times.
func (r *Router) Arm(rules Rules, times int) {
	arm := func(fault Fault, strike func() bool) {
		rules.Rule(fault.String(), times, func() bool {
			struck := !r.healed && strike()
			if struck {
				r.effect(fault)
			}
			return struck
		})
	}
	arm(RouterRestart, func() bool {
		struck := len(r.sessions) > 0
		r.Restart()
		return struck
	})
	arm(RouterForget, r.forget)
	arm(QueueTaken, func() bool {
		q := r.pick(func(q *queue) bool { return q.owner != nil && q.owner.peer != nil })
		return q != nil && r.Displace(q.name.Party, q.name.ID)
	})
	arm(QueueDeleted, func() bool {
		q := r.pick(func(q *queue) bool { return !q.deleted })
		return q != nil && r.Delete(q.name.Party, q.name.ID)
	})
	arm(ServiceTaken, func() bool {
		for _, v := range r.services {
			if r.isSubscribed(v) {
				r.lend(v)
				return true
			}
		}
		return false
	})
	arm(ServiceChanged, func() bool {
		if len(r.services) == 0 {
			return false
		}
		r.Downgrade()
		r.Upgrade()
		return true
	})
	arm(RouterDowngraded, func() bool {
		if len(r.services) == 0 {
			return false
		}
		r.Downgrade()
		r.downgraded = true
		r.after(r.lateness(), func() {
			r.downgraded = false
			r.Upgrade()
		})
		return true
	})
}

// lend lets another client take the service. Now and then it loses a queue there, of which who had it before is not told.
func (r *Router) lend(v *service) {
	r.takeService(r.stranger(v), v)
	if r.Env.Value("router/lost", 2) == 1 {
		r.loseOne(v)
	}
}

// loseOne lets a service lose one of its queues.
func (r *Router) loseOne(v *service) {
	q := r.pick(func(q *queue) bool { return q.service == v })
	switch {
	case q == nil:
	case r.Env.Value("router/lost-how", 2) == 0:
		r.Delete(q.name.Party, q.name.ID)
	default:
		r.leave(q)
	}
}

// pick is a queue that fits; nil if there is none.
func (r *Router) pick(fits func(*queue) bool) *queue {
	var some []*queue
	for _, q := range r.order {
		if fits(q) {
			some = append(some, q)
		}
	}
	switch len(some) {
	case 0:
		return nil
	case 1:
		return some[0]
	}
	return some[r.Env.Value("router/which-queue", len(some))]
}

// forget forgets the subscriptions of one session, and ends it later: a client is not owed a word about what its router has
// forgotten, but the router must not let it wait for ever.
func (r *Router) forget() bool {
	q := r.pick(func(q *queue) bool { return q.owner != nil && q.owner.peer != nil })
	if q == nil {
		return false
	}
	s := q.owner
	for _, q := range r.order {
		if q.owner == s {
			q.owner = nil
			r.owner(q, OwnerForgot, s)
		}
	}
	for _, v := range r.services {
		if v.subscriber == s {
			v.subscriber = nil
		}
	}
	r.wrong(s)
	return true
}

// wrong ends a session later: it was not told what it is owed.
func (r *Router) wrong(s *session) {
	s.wronged = true
	r.after(r.lateness(), func() {
		if !s.gone {
			r.drop(s)
		}
	})
}
