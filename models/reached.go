package models

import "github.com/heddle-go/heddle/agent/protocol"

// What a run has come to, for guided searches: the steps of a router's state from one shape to another, and what of the network's
// words meets it in which shape. A shape leaves out names, times and, above two, numbers.

// features of the network's words; below them are those of a state's steps.
const (
	reachedPush = iota + 1
	reachedAnswer
)

// few tells none, one and more apart.
func few(n int) uint64 { return uint64(min(n, 2)) }

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// shape is the state of the router, each part of it in bits of its own.
func (r *router) shape() uint64 {
	v := &r.service
	s := uint64(r.client)
	add := func(bits, part uint64) { s = s<<bits | part }
	add(2, uint64(min(len(r.sessions), 3)))
	add(1, bit(len(r.sessions) > 0 && r.sessions[0] != r.current && !r.sessions[0].lost))
	add(2, few(r.in[pending]))
	add(2, few(r.in[active]))
	add(2, few(r.in[counted]))
	add(2, few(r.in[included]))
	add(2, few(len(r.calls)))
	add(2, few(r.waiting))
	add(2, few(len(r.waits)))
	add(1, bit(v.isPending))
	add(1, bit(v.isActive))
	add(1, bit(v.isActive && v.session == r.current))
	add(1, bit(v.isActive && v.at > 0))
	add(2, uint64(r.worker.phase))
	add(1, bit(r.worker.variable != 0))
	return s
}

// step notes that the router has gone from the shape that it had last to the one that it has now.
func (m *Monitor) step(r *router) {
	before := r.shaped
	if r.shaped = r.shape(); r.shaped != before {
		m.World.Reached(feature(before, r.shaped))
	}
}

// meets notes that the network has brought the agent a word of a kind about a queue in that place, of the current session or of another.
func (m *Monitor) meets(r *router, s *session, what uint64, kind protocol.Kind, at place) {
	const places, words = 8, 4
	for i := range len(kind) {
		what = what*31 + uint64(kind[i])
	}
	m.World.Reached(feature(what*places+uint64(at), r.shape()*words+bit(s == r.current)*2+bit(s.ended)))
}

// feature is a number for a pair of numbers.
func feature(a, b uint64) uint64 {
	v := a*0x9E3779B97F4A7C15 ^ b
	v = (v ^ v>>32) * 0xD6E8FEB86659FD93
	return v ^ v>>32
}
