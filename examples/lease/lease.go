// Package lease is a leader that increments a counter in a storage for as long as it holds a lease, and an example of a program that
// Heddle tests. There are three kinds of processes: the lessor, which grants the lease; the storage; and candidates, one of which leads.
//
// A lease says until when it is good, and clocks differ. So it is a matter of courtesy: it keeps two leaders from working at once for
// long. What keeps them apart is its token, a number that grows with each new holder (a fencing token): the storage refuses whoever
// comes with a lower one than it has seen.
package lease

import (
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/net"
)

// Ask asks the lessor for the lease, or for more time with it.
type Ask struct {
	Candidate string
	Token     int64 // of the lease that it has; 0 if it has none, or wants a new one
}

// Grant is the lessor's answer. A token of 0 says that another candidate has the lease.
type Grant struct {
	Token int64
	Until time.Time // by the lessor's clock
}

// Lessor grants the lease to one candidate at a time.
type Lessor struct {
	clock  clock.Clock
	term   time.Duration
	holder string
	grant  Grant
}

// NewLessor makes a lessor whose leases are good for so long.
func NewLessor(c clock.Clock, term time.Duration) *Lessor { return &Lessor{clock: c, term: term} }

// Answer grants the lease if it is free, and prolongs it if the candidate has it. A candidate that has it and does not say so is given it
// anew, with another token: it has been restarted, or does not know what became of its last write.
func (l *Lessor) Answer(a Ask) Grant {
	now := l.clock.Now()
	switch held := now.Before(l.grant.Until); {
	case held && a.Candidate != l.holder:
		return Grant{}
	case !held || a.Token != l.grant.Token:
		l.holder = a.Candidate
		l.grant.Token++
	}
	l.grant.Until = now.Add(l.term)
	return l.grant
}

// Access reads the counter, or writes it.
type Access struct {
	Token int64 // of the lease
	Write bool
	Value int64 // to write
}

// Result is the storage's answer.
type Result struct {
	Value   int64 // after the access
	Refused bool  // there is a newer leader
}

// Storage keeps the counter.
type Storage struct {
	value int64
	fence int64 // the highest token that it has seen
}

// Value is the counter.
func (s *Storage) Value() int64 { return s.value }

// Answer makes the access, unless a newer leader has made one: from its first reading on, what that has read must not change
// behind its back.
func (s *Storage) Answer(a Access) Result {
	if a.Token < s.fence {
		return Result{Refused: true}
	}
	s.fence = a.Token
	if a.Write {
		s.value = a.Value
	}
	return Result{Value: s.value}
}

// Server answers each question with one answer: the handler of a network.
type Server[Question, Answer any] struct {
	answer func(Question) Answer
	peers  map[net.SessionID]net.Peer[Answer]
}

// Serve makes a server of what answers.
func Serve[Question, Answer any](answer func(Question) Answer) *Server[Question, Answer] {
	return &Server[Question, Answer]{answer: answer, peers: map[net.SessionID]net.Peer[Answer]{}}
}

// Accept implements net.Handler.
func (s *Server[Question, Answer]) Accept(session net.SessionID, _ string, peer net.Peer[Answer]) (string, error) {
	s.peers[session] = peer
	return "", nil
}

// Receive implements net.Handler.
func (s *Server[Question, Answer]) Receive(session net.SessionID, q Question) {
	s.peers[session].Send(s.answer(q))
}

// Closed implements net.Handler.
func (s *Server[Question, Answer]) Closed(session net.SessionID) { delete(s.peers, session) }
