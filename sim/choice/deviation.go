package choice

import (
	"fmt"
	"strconv"
)

// Deviation is one decision that differs from the default [Policy], at an address rather than at a position: taking another
// deviation away, or adding an operation elsewhere in the code, leaves the address as it is.
//
// The address of a Schedule decision is the actor that moved last, the operation and the object that it is about to do or
// touch, and how often it has been there. The address of a Value decision is the actor that asks, the name of the site, the
// object, and how often that was asked. Neither holds a line number.
type Deviation struct {
	Actor      string // spawn path; empty if nobody's
	Point      string // name of the operation, or of the site of a value
	Object     string // path; empty if there is none
	Occurrence int    // from 1

	Target string // path of the actor that moves instead, if Value is 0
	Value  int    // the answer, at least 1; 0 says that this is a Schedule decision

	// Check is a digest of all steps and values before this decision. A replay whose digest differs here has left the
	// recorded run between the deviation before this one and this one.
	Check uint16
}

// String says where the deviation is and what it does, for a person.
func (d Deviation) String() string {
	where := d.Point
	if d.Object != "" {
		where += " " + d.Object
	}
	who := d.Actor
	if who == "" {
		who = "nobody"
	}
	if d.Value > 0 {
		return fmt.Sprintf("%s = %d for %s (%s time)", where, d.Value, who, ordinal(d.Occurrence))
	}
	return fmt.Sprintf("%s moves while %s is at %s (%s time)", d.Target, who, where, ordinal(d.Occurrence))
}

// Taken says the same of a value that stands for a chance that was taken, such as a fault that struck.
func (d Deviation) Taken() string {
	who := d.Actor
	if d.Object != "" {
		who += " at " + d.Object
	}
	return fmt.Sprintf("%s happens to %s (%s time)", d.Point, who, ordinal(d.Occurrence))
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// place is where a decision is made, without its occurrence. Names are numbers of a names table.
type place struct {
	actor, object int32
	point         int32 // an operation, or numberOfOps plus the name of a site
}

const numberOfOps = 256

// unknown is the number of a name that a closed table does not hold.
const unknown int32 = -1

// places turns actors and objects into names and counts how often each place has been reached. A closed table knows the
// names of a token only; what is not among them needs no count.
type places struct {
	numbers map[string]int32
	names   []string
	closed  bool
	actors  []int32 // by actor id: its name's number + 1, 0 if not asked for yet
	objects []int32 // by object id, alike
	reached map[place]int32
	last    *Actor // who made the last step and is now at its next place
	digest  uint64
}

func (p *places) reset() {
	if p.numbers == nil {
		p.numbers, p.reached = map[string]int32{}, map[place]int32{}
	}
	clear(p.numbers)
	clear(p.reached)
	clear(p.actors)
	clear(p.objects)
	p.names = p.names[:0]
	p.closed, p.last, p.digest = false, nil, 0
	p.name("") // number 0: no actor, no object
}

func (p *places) name(s string) int32 {
	n, ok := p.numbers[s]
	if !ok {
		if p.closed {
			return unknown
		}
		n = int32(len(p.names))
		p.numbers[s] = n
		p.names = append(p.names, s)
	}
	return n
}

func (p *places) actor(a *Actor) int32 {
	if a == nil {
		return 0
	}
	slot := slotFor(&p.actors, a.ID)
	if *slot == 0 {
		*slot = p.name(a.Path()) + 1
		if *slot == 0 {
			*slot = unknown
		}
	}
	if *slot == unknown {
		return unknown
	}
	return *slot - 1
}

func (p *places) object(o *Object) int32 {
	if o == nil {
		return 0
	}
	slot := slotFor(&p.objects, o.ID())
	if *slot == 0 {
		*slot = p.name(o.Path()) + 1
		if *slot == 0 {
			*slot = unknown
		}
	}
	if *slot == unknown {
		return unknown
	}
	return *slot - 1
}

func slotFor(table *[]int32, id int32) *int32 {
	for int(id) >= len(*table) {
		*table = append(*table, make([]int32, 64+len(*table))...)
	}
	return &(*table)[id]
}

// scheduling is the place of a Schedule decision.
func (p *places) scheduling(current *Actor) place {
	if current == nil {
		return place{}
	}
	return place{actor: p.actor(current), object: p.object(current.Object()), point: int32(current.Op)}
}

// asking is the place of a Value decision.
func (p *places) asking(site Site) place {
	name := p.name(site.Name)
	if name == unknown {
		return place{actor: unknown}
	}
	return place{actor: p.actor(site.Actor), object: p.object(site.Object), point: numberOfOps + name}
}

func (at place) known() bool { return at.actor != unknown && at.object != unknown }

// step notes that a makes a step. Whoever made the one before has arrived at its next place by then: counting arrivals and
// not steps gives each step one address, also to that of a task whose operation a partner completes.
func (p *places) step(a *Actor) {
	if p.last != nil {
		if at := p.scheduling(p.last); at.known() {
			p.reached[at]++
		}
	}
	p.last = a
	p.digest = fold(p.digest, a.PathHash()^uint64(a.Op)<<32^rotate(a.Object().PathHash()))
}

// value counts that a value was asked for, and answered.
func (p *places) value(at place, v int) {
	p.digest = fold(p.digest, uint64(v)+1)
	if at.known() {
		p.reached[at]++
	}
}

// occurrence is how often the place has been reached, this time included.
func (p *places) occurrence(at place) int { return int(p.reached[at]) + 1 }

func (p *places) check() uint16 { return uint16(p.digest >> 48) }

func fold(h, v uint64) uint64 {
	h = (h ^ v) * 0x9E3779B97F4A7C15
	return h ^ h>>32
}

func rotate(v uint64) uint64 { return v<<21 | v>>43 }
