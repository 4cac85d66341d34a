package router

import (
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
)

// take carries out a block: at once, late, or slowly. A late block is taken up late, rather than answered late, so that whatever is
// said about a queue afterwards comes after its answer, as it does on one connection.
func (r *Router) take(s *session, block []protocol.Request) {
	switch {
	case r.strikes(AnswerLate):
		d := r.lateness()
		r.fired(AnswerLate)
		r.after(d, func() {
			if !s.gone {
				if d >= r.Timeout {
					r.effect(AnswerLate)
				}
				r.process(s, block)
			}
		})
	case r.strikes(AnswerSlow):
		s.slow = true
		r.fired(AnswerSlow)
		r.slowly(s, block, 0, r.lateness())
	default:
		r.process(s, block)
	}
}

// lateness is a delay around the clients' timeout.
func (r *Router) lateness() time.Duration {
	t := r.Timeout
	table := [...]time.Duration{t / 10, t / 2, t - time.Millisecond, t, t + time.Millisecond, t + t/2, 3 * t}
	return table[r.Env.Value("router/late", len(table))]
}

// slowly takes up one request of the block after the other, with a pause before each, and then the blocks that have come meanwhile.
func (r *Router) slowly(s *session, block []protocol.Request, spent, pause time.Duration) {
	if len(block) > 0 {
		r.after(pause, func() {
			if s.gone {
				return
			}
			if spent += pause; spent >= r.Timeout {
				r.effect(AnswerSlow)
			}
			r.process(s, block[:1])
			r.slowly(s, block[1:], spent, pause)
		})
		return
	}
	s.slow = false
	for len(s.backlog) > 0 && !s.slow && !s.gone {
		next := s.backlog[0]
		s.backlog = s.backlog[1:]
		r.take(s, next)
	}
}

// process carries out the requests and sends their answers as one block, distorted as the faults have it.
func (r *Router) process(s *session, block []protocol.Request) {
	if s.gone {
		return
	}
	answers := make([]protocol.Response, 0, len(block))
	for _, q := range block {
		answers = append(answers, r.serve(s, q))
	}
	figures := countFigures(answers)
	answers = r.distorted(answers)
	r.send(s, answers)
	if countFigures(answers) < figures {
		// Figures may be the only word of what the service has lost: who does not get them must not rely on the session for ever.
		r.wrong(s)
	}
	r.takeBehind(s, block)
	if r.strikes(AnswerThenClose) {
		r.struck(AnswerThenClose)
		r.drop(s)
	}
}

func countFigures(answers []protocol.Response) (count int) {
	for i := range answers {
		if answers[i].Kind == protocol.SOKS {
			count++
		}
	}
	return count
}

func (r *Router) distorted(answers []protocol.Response) []protocol.Response {
	if r.strikes(AnswerShort) {
		r.struck(AnswerShort)
		first := r.Env.Value("router/answer-lost", len(answers)+1)
		answers = slices.DeleteFunc(answers, func(protocol.Response) bool {
			lost := first == 0
			first--
			return lost || r.Env.Value("router/answer-lost-too", 4) == 3
		})
	}
	if r.strikes(AnswerTwice) && len(answers) > 0 {
		r.struck(AnswerTwice)
		answers = append(answers, answers...)
	}
	if r.strikes(AnswerLong) && len(answers) > 0 {
		r.struck(AnswerLong)
		unknown := answers[0]
		unknown.Correlation[0] ^= 0xff
		answers = slices.Insert(answers, 0, unknown)
	}
	if r.strikes(AnswerReversed) && len(answers) > 1 {
		r.struck(AnswerReversed)
		slices.Reverse(answers)
	}
	return answers
}

// delayed is something put off; it happens once, at its time or when the router is healed.
type delayed struct {
	f    func()
	done bool
}

func (d *delayed) run() {
	if !d.done {
		d.done = true
		d.f()
	}
}

// after puts f off by d. Once the router is healed nothing is put off beyond the current call.
func (r *Router) after(d time.Duration, f func()) {
	if r.healed {
		d = 0
	}
	late := &delayed{f: f}
	r.delayed = append(r.delayed, late)
	r.Env.After(d, func() {
		r.delayed = slices.DeleteFunc(r.delayed, func(o *delayed) bool { return o == late })
		late.run()
	})
}

// Heal ends all faults: what was put off happens now, in order; strangers leave; services are known again; and sessions that
// were wronged end, so that their clients subscribe anew. From here on the router is healthy, and answers at once.
func (r *Router) Heal() {
	if r.healed {
		return
	}
	r.healed = true
	for len(r.delayed) > 0 {
		d := r.delayed[0]
		r.delayed = r.delayed[1:]
		d.run()
	}
	for _, s := range slices.Clone(r.open) {
		if s.peer == nil || s.wronged {
			r.drop(s)
		}
	}
	if r.downgraded {
		r.downgraded = false
		r.Upgrade()
	}
}
