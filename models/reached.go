package models

import "github.com/heddle-go/heddle/agent/protocol"

// What a run has come to, for guided searches: the steps of a router's state from one shape to another, what of the network's words
// meets it in which shape, and the situations of a single queue and of a single service, which are few, and the more telling. They
// leave out names, times and, above two, numbers.

// few tells none, one and more apart.
func few(n int) uint64 { return uint64(min(n, 2)) }

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// bits packs numbers, each below two to the power of its width.
type bits uint64

func (b *bits) add(width int, part uint64) { *b = *b<<width | bits(part) }

func (b *bits) flag(is bool) { b.add(1, bit(is)) }

// shape is the state of the router, each part of it in bits of its own.
func (r *router) shape() uint64 {
	v := &r.service
	s := bits(r.client)
	s.add(2, uint64(min(len(r.sessions), 3)))
	s.flag(len(r.sessions) > 0 && r.sessions[0] != r.current && !r.sessions[0].lost)
	s.add(2, few(r.in[pending]))
	s.add(2, few(r.in[active]))
	s.add(2, few(r.in[counted]))
	s.add(2, few(r.in[included]))
	s.add(2, few(len(r.calls)))
	s.add(2, few(r.waiting))
	s.add(2, few(len(r.waits)))
	s.flag(v.isPending)
	s.flag(v.isActive)
	s.flag(v.isActive && v.session == r.current)
	s.flag(v.isActive && v.at > 0)
	s.add(2, uint64(r.worker.phase))
	s.flag(r.worker.variable != 0)
	return uint64(s)
}

// step notes that the router has gone from the shape that it had last to the one that it has now.
func (m *Monitor) step(r *router) {
	before := r.shaped
	if r.shaped = r.shape(); r.shaped != before {
		m.World.Reached("step", feature(before, r.shaped))
	}
}

// meets notes that the network has brought the agent a word of a kind about a queue in that place, of the current session or of another.
func (m *Monitor) meets(r *router, s *session, kind protocol.Kind, at place) {
	const places, words = 8, 4
	what := uint64(0)
	for i := range len(kind) {
		what = what*31 + uint64(kind[i])
	}
	m.World.Reached("word", feature(what*places+uint64(at), r.shape()*words+bit(s == r.current)*2+bit(s.ended)))
}

// situated notes the situation of a queue: where it is recorded, what is asked about it and answered, and what its router has said
// of it, on the current session and on others, that the agent has not taken yet.
func (m *Monitor) situated(q *queue) {
	r := q.router
	var s bits
	s.add(3, uint64(q.place))
	s.flag(q.wanted)
	s.flag(q.session != nil && q.session == r.current)
	s.flag(q.session != nil && q.session.lost)
	var waits, waitsElsewhere, answers, answersElsewhere, old, wished, again bool
	last := int64(-1) // when the last of the answers came that are still to be committed
	for _, o := range q.requests {
		open := o.state == answered && o.answer != "" && !spent(o)
		switch here := o.session == r.current; {
		case o.state == waiting && here:
			again = again || waits && o.key == q.key
			waits, wished = true, wished || q.wishAt > o.begunAt
			old = old || o.key != q.key
			if o.answer != "" {
				last = max(last, o.at)
			}
		case o.state == waiting:
			waitsElsewhere = true
		case open && here:
			answers, wished = true, wished || q.wishAt > o.begunAt
			last = max(last, o.at)
		case open:
			answersElsewhere = true
		}
	}
	for _, is := range [...]bool{waits, waitsElsewhere, answers, answersElsewhere, old, wished, again, last >= 0} {
		s.flag(is)
	}
	var w words
	w.hear(r, last, q.pushes)
	s.words(w)
	m.World.Reached("queue", uint64(s))
}

// words are what the network has said of something by pushes: on the current session, before the answer that came at last or behind it,
// and on those before that are not over.
type words struct{ marked, due, behind, late bool }

func (w *words) hear(r *router, last int64, pushes []push) {
	for i := range pushes {
		p := &pushes[i]
		here := p.session == r.current
		w.marked = w.marked || here && p.told && last >= 0 && p.at > last
		w.due = w.due || here && !p.told && p.at < last
		w.behind = w.behind || here && !p.told && p.at >= last
		w.late = w.late || !here && !p.told && !p.session.ended
	}
}

func (b *bits) words(w words) {
	b.flag(w.marked)
	b.flag(w.due)
	b.flag(w.behind)
	b.flag(w.late)
}

// servedAs is situated for the service of a router.
func (m *Monitor) servedAs(r *router) {
	v := &r.service
	var s bits
	s.flag(v.isPending)
	s.flag(v.isActive)
	s.flag(v.isActive && v.session == r.current)
	s.flag(v.isActive && v.at > 0)
	s.flag(v.isActive && v.isPending && v.pending == v.figures)
	s.add(2, few(r.in[counted]))
	s.add(2, few(r.in[included]))
	last, waits, wished := int64(-1), false, false
	if r.current != nil {
		for _, o := range r.current.services {
			if o.state == waiting || o.state == answered && !spent(o) {
				waits = waits || o.answer == ""
				wished = wished || v.wishAt > o.begunAt
				if o.answer != "" {
					last = max(last, o.at)
				}
			}
		}
	}
	for _, is := range [...]bool{waits, wished, last >= 0} {
		s.flag(is)
	}
	var w words
	for _, o := range r.sessions {
		w.hear(r, last, o.taken)
	}
	s.words(w)
	m.World.Reached("service", uint64(s))
}

// feature is a number for a pair of numbers.
func feature(a, b uint64) uint64 {
	v := a*0x9E3779B97F4A7C15 ^ b
	v = (v ^ v>>32) * 0xD6E8FEB86659FD93
	return v ^ v>>32
}
