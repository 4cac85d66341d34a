package sim

import (
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Fingerprint is a number for a state, made from what is added to it, in order: equal states have equal ones, others hardly ever.
// Times count relative to now, and ids by when they were first named: what goes on the same way later, with other ids, has the
// same fingerprint. The zero value is one of nothing, at time 0.
type Fingerprint struct {
	now   time.Duration
	sum   uint64
	bag   uint64 // what has no order
	names map[string]uint64
}

// Begin makes it a fingerprint of nothing, at a time of the run.
func (f *Fingerprint) Begin(now time.Duration) {
	clear(f.names)
	f.now, f.sum, f.bag = now, 0, 0
}

// Sum is the fingerprint of what was added.
func (f *Fingerprint) Sum() uint64 { return kernel.Mix(f.sum, f.bag) }

// Int adds a number.
func (f *Fingerprint) Int(n int) { f.sum = kernel.Mix(f.sum, uint64(n)) }

// Flags adds what is so and what is not; at most 64.
func (f *Fingerprint) Flags(flags ...bool) {
	bits := uint64(1)
	for _, flag := range flags {
		if bits <<= 1; flag {
			bits |= 1
		}
	}
	f.sum = kernel.Mix(f.sum, bits)
}

// Text adds a text as it is: one that does not change from round to round, such as a key.
func (f *Fingerprint) Text(s string) { f.sum = kernel.Mix(f.sum, kernel.HashString(s)) }

// Time adds a time of the run, relative to now.
func (f *Fingerprint) Time(at time.Duration) { f.sum = kernel.Mix(f.sum, uint64(at-f.now)) }

// Since adds how long ago a time of the run was, or the limit if that is longer: for what makes no difference beyond it.
func (f *Fingerprint) Since(at, limit time.Duration) {
	f.sum = kernel.Mix(f.sum, uint64(min(f.now-at, limit)))
}

// Name adds an id that is another one in each round, as that of a session: the first to be named is 1, the next 2. The empty
// id is 0.
func (f *Fingerprint) Name(id string) {
	n := f.named(id)
	if n == 0 && id != "" {
		if f.names == nil {
			f.names = make(map[string]uint64)
		}
		n = uint64(len(f.names) + 1)
		f.names[id] = n
	}
	f.sum = kernel.Mix(f.sum, n)
}

// named is the number of an id; 0 if it was not named.
func (f *Fingerprint) named(id string) uint64 { return f.names[id] }

// anywhere adds the hash of something whose place among its like makes no difference.
func (f *Fingerprint) anywhere(h uint64) { f.bag += kernel.Scatter(h) }

// OnFingerprint lets f add the state of a model to the fingerprint of the world, all of it that decides how the model goes on, in
// an order that no id decides. f runs outside any task, as that of Owes, and must change nothing.
func (w *World) OnFingerprint(f func(*Fingerprint)) {
	w.Inline(func() { w.onFingerprint = append(w.onFingerprint, f) })
}

// fingerprint is that of the whole world at rest. The networks come last: their sessions have the names that models gave them.
func (w *World) fingerprint() uint64 {
	f := &w.livelock.fingerprint
	f.Begin(w.kernel.Now())
	for _, add := range w.onFingerprint {
		add(f)
	}
	for _, add := range w.networks {
		add(f)
	}
	return kernel.Mix(f.Sum(), w.livelock.shape.Of(w.kernel))
}

// fingerprint adds the connections of the network and what is under way on them, but not what it says.
func (n *Network[Out, In]) fingerprint(f *Fingerprint) {
	for _, c := range n.conns {
		var h Fingerprint
		h.now = f.now
		h.Text(string(c.listener.address))
		h.Text(c.node.Name())
		h.Int(int(f.named(string(c.session.ID))))
		h.Flags(c.opened, c.closed, c.served, c.serverDone, c.lost[0], c.lost[1])
		h.Int(int(c.fault))
		c.toServer.fingerprint(&h)
		c.toClient.fingerprint(&h)
		f.anywhere(h.Sum())
	}
}

func (l *link[T]) fingerprint(f *Fingerprint) {
	f.Int(len(l.queue))
	for i := range l.queue {
		e := &l.queue[i]
		f.Time(max(e.due, f.now))
		f.Flags(e.opening, e.closing, e.refusal != nil)
	}
}
