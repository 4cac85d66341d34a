package router

// Fingerprint is what a router adds its state to. *sim.Fingerprint is one.
type Fingerprint interface {
	Int(n int)
	Flags(flags ...bool)
	Name(id string) // of something that has another id in each round
}

// Fingerprint adds all that decides how the router goes on: who is connected, who has which queue and service, and what is
// owed to them. When that will be said is up to the timers of its world.
func (r *Router) Fingerprint(f Fingerprint) {
	f.Flags(r.healed, r.downgraded, r.NoServices)
	f.Int(len(r.delayed))
	f.Int(len(r.open))
	for _, s := range r.open {
		f.Name(string(s.id))
		f.Flags(s.peer != nil, s.wronged, s.ignored, s.slow)
		f.Int(len(s.backlog))
		f.Int(len(s.held))
		f.Name(s.service.name())
	}
	for _, q := range r.order {
		f.Name(q.owner.name())
		f.Name(q.service.name())
		f.Flags(q.deleted)
		f.Int(q.stored)
		fingerprintEnds(f, q.ends)
	}
	for _, m := range r.mailboxes {
		f.Flags(m.secured, m.sent)
		f.Int(len(m.messages))
	}
	f.Int(len(r.services))
	for _, v := range r.services {
		f.Name(v.name())
		f.Name(v.subscriber.name())
		fingerprintEnds(f, v.ends)
	}
}

func fingerprintEnds(f Fingerprint, ends []*end) {
	f.Int(len(ends))
	for _, e := range ends {
		f.Name(e.to.name())
	}
}

// name is the session's id; "" for none.
func (s *session) name() string {
	if s == nil {
		return ""
	}
	return string(s.id)
}

// name is the service's id; "" for none.
func (v *service) name() string {
	if v == nil {
		return ""
	}
	return string(v.id[:])
}
