package explore

import (
	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// bounded is the search with a bound on preemptions: switches from a task that could go on to another task (Musuvathi and Qadeer
// 2007). Sleep sets and source sets would be wrong here: what they leave out for what was tried may need fewer preemptions
// than that did (Coons, Musuvathi and McKinley 2013). So it tries everything within the bound, depth first, but for states in which
// it was before with the same task running and no fewer preemptions left: happens-before caching, as in CHESS. A state is known by
// the class of the steps that led there, a number of 64 bits.
//
// Deliveries, due timers, faults and values cost nothing, and leave the running task what it is.
type bounded struct {
	trace
	bound int
	limit int

	points []point
	at     int // point of this run
	states map[uint64]int32

	class   uint64 // of the steps so far
	running int32  // the task that moved last
	name    uint64 // its path
	used    int32
	cut     bool
	pruned  bool
	over    bool
	defect  string
	choices []int32 // actors of the run, by step
	drawn   []int32
}

// point is a decision with what is left to try.
type point struct {
	actors []int32 // that can be chosen; nil for a value
	n, v   int32
}

func newBounded(bound, limit int) *bounded {
	b := &bounded{bound: bound, limit: limit, states: map[uint64]int32{}}
	b.strict, b.identify = allKinds, true
	return b
}

func (b *bounded) start() {
	b.at, b.class, b.running, b.name, b.used, b.current = 0, 0, 0, 0, 0, -1
	b.cut, b.pruned, b.over = false, false, false
	b.reset()
	b.choices, b.drawn = b.choices[:0], b.drawn[:0]
}

func (b *bounded) next() bool {
	for n := len(b.points); n > 0; n-- {
		p := &b.points[n-1]
		if p.v++; p.v < p.n {
			b.points = b.points[:n]
			return true
		}
	}
	b.points = b.points[:0]
	return false
}

func (b *bounded) outcome() outcome { return outcome{skipped: b.pruned, cut: b.cut, defect: b.defect} }

func (b *bounded) decisions() (actors, values []int32) { return b.choices, b.drawn }

func (b *bounded) behind() float64 {
	share, behind := 1.0, 0.0
	for _, p := range b.points {
		behind += share * float64(p.v) / float64(p.n)
		share /= float64(p.n)
	}
	return behind
}

func (b *bounded) finish() {
	if i, ok := b.settle(); ok {
		b.open(i)
		b.order(i, func(int) bool { return true })
		b.class += b.summand(i)
	}
}

func (b *bounded) first() bool { return true }

func (b *bounded) stop() {}

func (b *bounded) halt() { b.over = true; b.kernel.Stop() }

// Schedule implements choice.Source.
func (b *bounded) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	b.finish()
	if b.over {
		return 0
	}
	if b.at == len(b.points) && !b.grow(enabled, armed) {
		b.pruned = true
		b.halt()
		return 0
	}
	p := &b.points[b.at]
	b.at++
	if p.actors != nil {
		for i, list := range [...][]*choice.Actor{enabled, armed} {
			for j, a := range list {
				if a.ID == p.actors[p.v] {
					return i*len(enabled) + j
				}
			}
		}
	}
	b.defect = "the program is not deterministic: an actor that could move in the run before cannot in its repetition"
	b.halt()
	return 0
}

// grow adds a point, unless nothing new can come of it.
func (b *bounded) grow(enabled, armed []*kernel.Actor) bool {
	state := kernel.Mix(b.class, b.name)
	if used, known := b.states[state]; known && used <= b.used {
		return false
	}
	b.states[state] = b.used
	goesOn := false
	for _, a := range enabled {
		goesOn = goesOn || a.ID == b.running
	}
	p := point{actors: make([]int32, 0, len(enabled)+len(armed))}
	if goesOn {
		p.actors = append(p.actors, b.running)
	}
	for _, a := range enabled {
		if a.ID != b.running && (!goesOn || a.Kind != kernel.TaskActor || int(b.used) < b.bound) {
			p.actors = append(p.actors, a.ID)
		}
	}
	for _, a := range armed {
		p.actors = append(p.actors, a.ID)
	}
	p.n = int32(len(p.actors))
	b.points = append(b.points, p)
	return true
}

// Value implements choice.Source.
func (b *bounded) Value(site choice.Site, n int) int {
	if b.over {
		return 0
	}
	if site.Chance {
		return b.draw(2) * (n - 1)
	}
	return b.draw(n)
}

// draw decides a number below n.
func (b *bounded) draw(n int) int {
	if b.at == len(b.points) {
		b.points = append(b.points, point{n: int32(n)})
	}
	p := &b.points[b.at]
	b.at++
	if p.actors != nil || int(p.n) != n {
		b.defect = "the program is not deterministic: it asks for another value than in the run before"
		b.halt()
		return 0
	}
	b.drawn = append(b.drawn, p.v)
	if b.current >= 0 {
		e := &b.events[b.current]
		e.identity = kernel.Mix(e.identity, uint64(p.v))
	} else {
		b.class = kernel.Mix(b.class, uint64(p.v)+1)
	}
	return int(p.v)
}

// Step implements kernel.Listener.
func (b *bounded) Step(a *kernel.Actor) {
	b.finish()
	if b.over {
		return
	}
	i := len(b.events)
	if b.limit > 0 && i >= b.limit {
		b.cut = true
		b.halt()
		return
	}
	b.choices = append(b.choices, a.ID)
	if a.Kind == kernel.TaskActor && a.ID != b.running {
		if b.couldGoOn() {
			b.used++
		}
		b.running, b.name = a.ID, a.PathHash()
	}
	b.events = append(b.events, event{})
	b.begin(i, a)
}

// couldGoOn says whether the running task can move.
func (b *bounded) couldGoOn() (could bool) {
	b.kernel.Tasks(func(t *kernel.Actor) { could = could || t.ID == b.running && t.Enabled() })
	return could
}

// Over implements kernel.Listener.
func (b *bounded) Over() {
	b.finish()
	b.over = true
}
