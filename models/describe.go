package models

import (
	"fmt"
	"strings"

	"github.com/heddle-go/heddle/agent/protocol"
)

// What a Monitor and a Commands know, in words: for a person who goes through a failure step by step (sim.World.OnState). They are what
// the program tells of itself in the critical sections that commit it, held against its snapshots when it is settled: so they can be looked at
// between any two steps, where a snapshot would have to wait for locks.

// Describe describes the agent: a field for each thing that it knows of a router. named is what a person calls a queue.
func (m *Monitor) Describe(named func(protocol.QueueID) string, set func(field, value string)) {
	switch {
	case m.crashed:
		set("agent", "crashed")
		return
	case m.closed:
		set("agent", "closed")
	case m.closing:
		set("agent", "is being closed")
	}
	for _, r := range m.routers {
		r.describe(named, func(field, value string) {
			if len(m.routers) > 1 {
				field += " of " + r.name
			}
			set(field, value)
		})
	}
}

func (r *router) describe(named func(protocol.QueueID) string, set func(field, value string)) {
	switch r.client {
	case connecting:
		set("session variable", fmt.Sprintf("%d: connecting", r.variable))
	case connected:
		set("session variable", fmt.Sprintf("%d: session %s", r.variable, brief(r.current)))
	case failed:
		set("session variable", fmt.Sprintf("%d: an error", r.variable))
	}
	var in [places][]string
	for _, q := range r.order {
		text := named(q.id)
		if q.session != nil && q.place > pending {
			text += " on " + brief(q.session)
		}
		in[q.place] = append(in[q.place], text)
	}
	for place := pending; place < places; place++ {
		set(place.String(), strings.Join(in[place], ", "))
	}
	if r.service.isActive {
		set("active service", fmt.Sprintf("%d queues on %s", r.service.figures.Count, brief(r.service.session)))
	}
	if r.service.isPending {
		set("pending service", fmt.Sprintf("%d queues", r.service.pending.Count))
	}
	if r.worker.phase != noWorker {
		set("reconnect worker", fmt.Sprintf("%d: %s", r.worker.variable, [...]string{workerPut: "starts", workerAttempting: "attempts", workerSleeping: "sleeps"}[r.worker.phase]))
	}
	var sessions []string
	for _, s := range r.sessions {
		text := brief(s)
		if s.lost {
			text += " (lost, its disconnect handler has yet to finish)"
		}
		sessions = append(sessions, text)
	}
	set("sessions", strings.Join(sessions, ", "))
	if r.waiting > 0 {
		set("requests that wait for an answer", fmt.Sprint(r.waiting))
	}
}

// brief is enough of a session's id for a person.
func brief(s *session) string { return string(s.id[:min(len(s.id), 8)]) }

// Describe describes what is stored: a field for each command that waits or is carried out, and for each event that nobody has taken.
func (m *Commands) Describe(set func(field, value string)) {
	for _, a := range m.stored {
		text := fmt.Sprintf("%v for %v, correlation %s", a.Kind, a.Key, a.Correlation)
		if a.effect != "" {
			text += "; its effect outside: " + a.effect
		}
		if a.cancelled {
			text += "; cancelled"
		}
		set(fmt.Sprintf("command %d", a.Number), text)
	}
	for _, e := range m.events {
		text := fmt.Sprintf("%v for %s, correlation %s", e.Kind, e.Connection, e.Correlation)
		if e.handedBy > 0 {
			text += fmt.Sprintf("; handed on by queue %d", e.handedBy)
		}
		set(fmt.Sprintf("event %d", e.Number), text)
	}
}
