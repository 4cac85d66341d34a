package strategy

import "github.com/heddle-go/heddle/sim/choice"

// forecast is how many steps each actor of a run, with the actors that it has yet to beget, is expected to make from here on. What a
// new actor is expected to make is taken from whoever begot it. It also gathers the lessons of the run.
type forecast struct {
	known    Weights
	informed bool     // something is known
	lessons  *Lessons // nil: not wanted
	ahead    [forecasts]ahead
	highest  int32 // id up to which slots are used

	visitors [sites]int32 // id of the actor that came last to objects of each class, for the lessons
}

// ahead is what is expected of one actor. Actors whose ids are equal modulo forecasts push each other out, and one that comes
// back is taken for new.
type ahead struct {
	id    int32
	steps int32 // in units of 1/16; below 0 if it has made more than expected
}

// forecasts is more than there are tasks and connections at a time, and a power of two.
const forecasts = 1 << 11

func (f *forecast) begin(known Weights, lessons *Lessons) {
	f.known, f.informed, f.lessons = known, known.known(), lessons
	clear(f.ahead[:min(f.highest+1, forecasts)])
	f.highest = 0
	if lessons != nil {
		clear(f.visitors[:])
	}
}

// of is what is expected of an actor. For one that is new, begot says how much of what its parent had ahead of it passes to it.
func (f *forecast) of(a *choice.Actor) (slot *ahead, begot bool) {
	slot = &f.ahead[a.ID%forecasts]
	if slot.id == a.ID {
		return slot, false
	}
	class := classOf(a)
	*slot = ahead{a.ID, int32(min(f.known.Steps[class], 1<<30))}
	f.highest = max(f.highest, a.ID)
	if f.lessons != nil {
		f.lessons.actors[class]++
	}
	return slot, true
}

// pass takes what a new actor has ahead of it from its parent, and answers both, as they were before. ok is false if nothing is
// known of the parent.
func (f *forecast) pass(a *choice.Actor, child *ahead) (all int32, ok bool) {
	parent := a.Parent()
	if parent == nil || parent.ID == 0 { // the set-up makes no steps
		return 0, false
	}
	slot := &f.ahead[parent.ID%forecasts]
	if slot.id != parent.ID {
		return 0, false
	}
	all = slot.steps
	slot.steps -= child.steps
	return all, true
}

// made takes a step from what is expected, if it is one that counts, and adds it to the lessons.
func (f *forecast) made(a *choice.Actor, slot *ahead, counts, everySite bool) {
	if counts {
		slot.steps -= unit
	}
	if f.lessons == nil {
		return
	}
	site := 0
	if everySite {
		if site = siteOf(a); site > 0 {
			if last := f.visitors[site-1]; last != 0 && last != a.ID {
				f.lessons.shared[site-1]++
			}
			f.visitors[site-1] = a.ID
		}
	}
	for p := a; p != nil && p.ID != 0; p = p.Parent() {
		class := classOf(p)
		f.lessons.steps[0][class]++
		if site > 0 {
			f.lessons.steps[site][class]++
		}
	}
}

func classOf(a *choice.Actor) int { return int(scramble(a.Class()) % classes) }

// siteOf is 1 + the class of the object that the actor's next step touches, 0 if it touches none; of a select, the first.
func siteOf(a *choice.Actor) int {
	o := a.Object()
	if o == nil {
		return 0
	}
	return 1 + int(scramble(o.PathHash())%sites)
}
