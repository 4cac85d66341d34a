package explore

import "slices"

// alternatives plans the other values that the new steps of a run could have drawn. Where something sleeps on through the step,
// that was explored with it.
func (p *plan) alternatives(x *walk) {
	for from := 0; from < len(x.draws); {
		owner, to := x.draws[from].owner, from+1
		for to < len(x.draws) && x.draws[to].owner == owner {
			to++
		}
		if int(owner) >= x.fresh {
			p.otherValues(x, int(owner), x.draws[from:to])
		}
		from = to
	}
}

func (p *plan) otherValues(x *walk, i int, draws []draw) {
	e := &x.events[i]
	at := p.placeAt(x, i)
	x.any = *e
	x.any.guess = p.strict.reaches[e.op]                           // with other values it may touch more
	if at != x.leaf.at && x.covers(at, e.name, &x.any.footprint) { // the leaf was taken to cover all values
		return
	}
	for j := range draws {
		for v := range draws[j].n {
			if v == draws[j].v || at.begun(e.name, draws[:j], v) {
				continue
			}
			b := p.newBranch(at, e.name)
			b.op = e.op
			b.resembles(&x.any.footprint)
			for _, d := range draws[:j] {
				b.values = append(b.values, d.v)
			}
			b.values = append(b.values, v)
			p.addLeaf(at, b)
		}
	}
}

// begun says whether a branch begins with these values.
func (at *place) begun(name uint64, draws []draw, v int32) bool {
	for _, list := range [...][]*branch{at.sleepers, at.branches} {
	branches:
		for _, b := range list {
			if b.name != name {
				continue
			}
			for j, known := range b.values {
				if j < len(draws) && known != draws[j].v || j == len(draws) && known != v {
					continue branches
				}
			}
			return true
		}
	}
	return false
}

// covers says whether something that was tried at the place before the step that the run has made there sleeps on through another.
func (x *walk) covers(at *place, name uint64, f *footprint) bool {
	covers := func(b *branch) bool {
		return !b.missed && b.name != name && sleeps(&b.footprint, f)
	}
	if slices.ContainsFunc(at.sleepers, covers) {
		return true
	}
	for _, b := range at.branches {
		if b.name == x.events[at.depth].name { // all values of a step sleep in what was planned behind the first
			return false
		}
		if covers(b) {
			return true
		}
	}
	return false
}
