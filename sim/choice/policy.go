package choice

import "github.com/heddle-go/heddle/internal/kernel"

// Quantum is for how many choices in a row the default policy keeps to one task while another could move, and for how many it
// keeps deliveries and timers waiting for tasks. Without it a task that spins would own the run that has no deviations.
const Quantum = 1024

// Policy is the default of every decision. A run is described by where it departs from it, so a run without deviations
// is a whole and simple one:
//
//   - the task that ran last goes on while it can, for at most [Quantum] choices in a row;
//   - else the next enabled task moves, round by creation id after the one that ran last;
//   - deliveries and due timers move when no task can, or when tasks have moved for [Quantum] choices while one of them
//     waited, also round by creation id;
//   - an armed fault never strikes, and every value is 0.
//
// A delivery or a strike does not take the turn of the task that ran last: it goes on afterwards. So removing such a
// deviation restores the default there and moves nothing else.
//
// A round takes only actors that existed when it began. New ones have higher ids and would otherwise keep a round from ever
// coming back to the lower ones: a stream of messages that beget messages would starve an old one.
//
// The zero value is ready for the first choice of a run. Decide proposes and changes nothing that a deviation would have
// to undo; Moved tells the policy what really happened.
type Policy struct {
	tasks  ring
	others ring
	last   int32 // id of the actor whose move was told last
	streak int   // choices in a row for the task that ran last
	waited int   // choices since a delivery or timer moved while one was enabled
}

// Decide returns the index in enabled of the actor that the policy lets move.
func (p *Policy) Decide(current *Actor, enabled []*Actor) int {
	if current != nil && current.ID != p.last {
		p.note(current) // moved without a choice
	}
	p.tasks.begin()
	p.others.begin()
	for i, a := range enabled {
		if a.Kind == kernel.TaskActor {
			p.tasks.offer(a.ID, i)
		} else {
			p.others.offer(a.ID, i)
		}
	}
	switch {
	case p.tasks.offered == 0:
		return p.others.next()
	case p.others.offered > 0 && p.waited >= Quantum:
		return p.others.next()
	case p.tasks.same >= 0 && (p.streak < Quantum || p.tasks.offered == 1):
		return p.tasks.same
	default:
		return p.tasks.next()
	}
}

// Moved tells the policy who was chosen after the last Decide, by it or against it.
func (p *Policy) Moved(a *Actor) {
	if p.others.offered > 0 {
		p.waited++
	}
	if a.Kind == kernel.TaskActor && a.ID == p.tasks.last {
		p.streak++
	}
	p.note(a)
}

func (p *Policy) note(a *Actor) {
	p.last = a.ID
	switch a.Kind {
	case kernel.FaultActor:
	case kernel.TaskActor:
		if a.ID != p.tasks.last {
			p.streak = 0
			p.tasks.moved(a.ID)
		}
	default:
		p.waited = 0
		p.others.moved(a.ID)
	}
}

// ring goes round a changing set of ids in rising order. A round ends at horizon, the highest id there was when it began.
type ring struct {
	last    int32 // id that moved last; 0: none yet
	horizon int32

	// Of the choice at hand, as positions in enabled, -1 for none.
	offered           int
	same              int   // last itself
	above             int   // lowest id after last within the round
	lowest            int   // lowest id but last
	aboveID, lowestID int32 // ids at these positions
	highestID         int32
}

func (r *ring) begin() {
	r.offered, r.same, r.above, r.lowest, r.highestID = 0, -1, -1, -1, 0
}

func (r *ring) offer(id int32, at int) {
	r.offered++
	r.highestID = max(r.highestID, id)
	if id == r.last {
		r.same = at
		return
	}
	if id > r.last && id <= r.horizon && (r.above < 0 || id < r.aboveID) {
		r.above, r.aboveID = at, id
	}
	if r.lowest < 0 || id < r.lowestID {
		r.lowest, r.lowestID = at, id
	}
}

func (r *ring) next() int {
	switch {
	case r.above >= 0:
		return r.above
	case r.lowest >= 0:
		return r.lowest
	default:
		return r.same
	}
}

func (r *ring) moved(id int32) {
	if id <= r.last || id > r.horizon {
		r.horizon = max(r.highestID, id)
	}
	r.last = id
}
