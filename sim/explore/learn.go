package explore

import "slices"

// learn adds to the plan what a run has shown.
func (p *plan) learn(x *walk) {
	if x.leaf.at.depth == 0 {
		p.setUp = append(p.setUp[:0], x.drawn(-1)...)
	}
	x.path = x.path[:0]
	for at := x.leaf.at; at != nil; at = at.above {
		x.path = append(x.path, at)
	}
	for i, j := 0, len(x.path)-1; i < j; i, j = i+1, j-1 {
		x.path[i], x.path[j] = x.path[j], x.path[i]
	}
	p.meet(x)
	if !p.stricter.none() {
		return
	}
	if x.missed { // what it was taken to cover, it does not
		x.leaf.missed = true
		for _, n := range x.notes {
			p.instead(x, n)
		}
		return
	}
	at := int(x.leaf.at.depth)
	if at >= x.depth {
		return
	}
	x.leaf.became(x, at)
	p.alternatives(x)
	for _, n := range x.notes {
		p.instead(x, n)
	}
	for i := range x.races {
		if r := &x.races[i]; !r.settled && !x.covered(r) {
			p.reverse(x, r)
		}
	}
}

// meet puts together what asks for strictness.
func (p *plan) meet(x *walk) {
	p.stricter.add(x.stricter.beyond(&p.strict))
}

// became tells the branch the step that it was.
func (b *branch) became(x *walk, i int) {
	e := &x.events[i]
	b.name, b.op = e.name, e.op
	b.resembles(&e.footprint)
	b.values = b.values[:0]
	if len(x.draws) > 0 {
		for _, d := range x.drawn(i) {
			b.values = append(b.values, d.v)
		}
	}
}

// place is the place on the path before event i; nil if there is none.
func (x *walk) place(i int) *place {
	for j := len(x.path) - 1; j >= 0; j-- {
		switch at := x.path[j]; {
		case int(at.depth) == i:
			return at
		case int(at.depth) < i:
			return nil
		}
	}
	return nil
}

// newPlace makes the state before event i a place, with that as its first branch.
func (p *plan) placeAt(x *walk, i int) *place {
	if at := x.place(i); at != nil {
		return at
	}
	j := len(x.path)
	for int(x.path[j-1].depth) > i {
		j--
	}
	above := x.path[j-1]
	at := p.newPlace(above, i)
	for k := int(above.depth); k < i; k++ {
		from := len(at.values)
		if len(x.draws) > 0 {
			for _, d := range x.drawn(k) {
				at.values = append(at.values, d.v)
			}
		}
		at.path = append(at.path, label{x.events[k].name, int32(len(at.values) - from), x.events[k].op})
	}
	if j < len(x.path) { // it lies on the way to the next one
		below := x.path[j]
		below.above = at
		below.path = append(below.path[:0], below.path[len(at.path):]...)
		below.values = append(below.values[:0], below.values[len(at.values):]...)
		if below.refs > 0 {
			at.refs = 1
		}
	}
	x.path = append(x.path, nil)
	copy(x.path[j+1:], x.path[j:])
	x.path[j] = at
	own := p.newBranch(at, 0)
	own.taken = true
	own.became(x, i)
	return at
}

// reverse plans that the late event of a race comes before the first: at the place before that, what it does not precede, and then
// the late one, but of these only what is needed: what precedes the late one there, and, for each branch that sleeps there, the
// first that wakes it, with what precedes that. Nothing is planned if what sleeps there goes on sleeping, since all that begins
// like that was explored with it, or if it begins with something that is planned.
func (p *plan) reverse(x *walk, r *race) {
	k, late := int(r.first), x.lateOf(r)
	r.handled, r.cover = true, nil
	late = p.careful(x, late)
	x.gather(k)
	x.precede(k, late)
	p.insert(x, p.placeAt(x, k), late, r)
}

// careful is the late event with what it may touch where it is planned; as one that touches everything, if that must be reckoned with: then all
// that was gathered comes before it.
func (p *plan) careful(x *walk, late *event) *event {
	x.any = *late
	x.any.guess, x.any.all = p.strict.reaches[late.op], late.all || p.strict.kinds&others != 0
	return &x.any
}

// insert plans what was gathered, and then the late event, at a place.
func (p *plan) insert(x *walk, at *place, late *event, r *race) {
	top, rest := true, late
descend:
	for {
		for _, b := range at.sleepers {
			if weak, by := x.weak(b, rest); weak && !b.missed {
				r.settle(x, b, top, by, late)
				return
			}
		}
		for _, b := range at.branches {
			weak, by := x.weak(b, rest)
			if !weak || b.missed {
				continue
			}
			if b.after == nil {
				r.settle(x, b, top, by, late)
				return
			}
			if by == theLate {
				rest = nil
			} else if by >= 0 {
				i := 0
				for x.moved[i].at != by {
					i++
				}
				x.moved = append(x.moved[:i], x.moved[i+1:]...)
			}
			if len(x.moved) == 0 && rest == nil {
				return
			}
			at, top = b.after, false
			continue descend
		}
		break
	}
	if rest == nil {
		clear(x.clock)
	}
	more := false
	for _, list := range [...][]*branch{at.sleepers, at.branches} {
		for _, b := range list {
			if _, by := x.waker(b, rest); by >= 0 && !x.needed(by, rest) {
				more = true
				x.joinClock(by)
			}
		}
	}
	r.settled = top && !more && p.strict.kinds&others == 0 && late.guess == 0
	p.plant(x, at, rest)
}

// settle notes that nothing needs to be planned for the race, since the branch comes first or sleeps on.
func (r *race) settle(x *walk, b *branch, top bool, by int32, late *event) {
	r.settled = top && x.needed(by, late) && x.strict.kinds&others == 0 && late.guess == 0
	if top && by == nobody {
		r.cover = b
	}
}

// covered says whether the new steps of a run change nothing for a race that was dealt with in the run before: the first event precedes
// them, or what slept on through the reversal sleeps on through them too.
func (x *walk) covered(r *race) bool {
	if !r.handled || r.late >= int32(x.fresh) || r.cover != nil && r.cover.missed {
		return false
	}
	for j := x.fresh; j < x.depth; j++ {
		e := &x.events[j]
		if e.time() {
			break
		}
		if b := r.cover; !x.precedes(int(r.first), j) && (b == nil || e.name == b.name || !sleeps(&b.footprint, &e.footprint)) {
			return false
		}
	}
	return true
}

// plant adds to the place what precedes x.clock, of what was gathered, and the late event.
func (p *plan) plant(x *walk, at *place, late *event) {
	var last *branch
	for _, m := range x.moved {
		j := m.at
		e := &x.events[j]
		if x.clock[e.actor] <= j {
			continue
		}
		if last != nil {
			at = p.behind(last)
		}
		last = p.newBranch(at, e.name)
		last.became(x, int(j))
	}
	if late != nil {
		if last != nil {
			at = p.behind(last)
		}
		last = p.newBranch(at, late.name)
		last.op = late.op
		last.resembles(&late.footprint)
	}
	p.addLeaf(at, last)
}

// behind makes the place behind a branch that is planned, which must be the last one of its place.
func (p *plan) behind(b *branch) *place {
	at := reuse(&p.freePlanned)
	at.above, at.depth, at.planned = b.at, b.at.depth+1, true
	at.path, at.values = append(at.path, label{b.name, int32(len(b.values)), b.op}), append(at.values, b.values...)
	b.after = at
	p.widest = max(p.widest, len(b.at.sleepers)+len(b.at.branches))
	at.sleepers = slices.Grow(at.sleepers, p.widest)
	for _, list := range [...][]*branch{b.at.sleepers, b.at.branches} {
		for _, s := range list {
			if s != b && s.name != b.name && sleeps(&s.footprint, &b.footprint) {
				at.sleepers = append(at.sleepers, s)
			}
		}
	}
	return at
}

// instead plans a step that could have been made instead of one that was.
func (p *plan) instead(x *walk, n note) {
	late := &x.strike
	if n.wait >= 0 {
		late = &x.waits[n.wait]
	}
	late.name, late.op = n.name, n.op
	late = p.careful(x, late)
	x.nothing()
	x.precede(x.depth, late)
	p.insert(x, p.placeAt(x, int(n.at)), late, &race{})
}
