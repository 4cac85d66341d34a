package shrink

import (
	"cmp"
	"slices"

	"github.com/heddle-go/heddle/sim/choice"
)

// A decision lies under an address that counts: the third time that a task is about to take a lock. Whatever is taken away before it, such
// as the first two rounds of a loop, moves it. The passes here take a stretch of a run out and let the decisions behind it count anew.

// joint is where two runs go on alike: one from step from on, the other from step to on.
type joint struct{ from, to, length int }

const (
	mostCut     = 200    // decisions of a list of which some are taken away and others moved
	mostForCuts = 20_000 // steps of a run that is cut: looking for joints takes them squared
	leastAlike  = 3      // steps in a row that must be alike at a joint
	mostAlike   = 300    // and that are looked at
	mostJoints  = 3
	mostEarlier = 4
)

// alike says whether two steps are the same but for ordinals.
func (t *trace) alike(i int, other *trace, j int) bool {
	a, b, families := t.steps[i].did, other.steps[j].did, t.names.families
	return a.point == b.point && families[a.actor] == families[b.actor] && families[a.object] == families[b.object]
}

// parts is the first step that differs from that of another run.
func (t *trace) parts(other *trace) int {
	for i := range min(len(t.steps), len(other.steps)) {
		if t.steps[i].did != other.steps[i].did {
			return i
		}
	}
	return min(len(t.steps), len(other.steps))
}

// ahead is how many steps in a row are alike from two steps on.
func (t *trace) ahead(i int, other *trace, j int) (n int) {
	for n < mostAlike && i+n < len(t.steps) && j+n < len(other.steps) && t.alike(i+n, other, j+n) {
		n++
	}
	return n
}

// behind is how many steps in a row are alike before two steps.
func (t *trace) behind(i int, other *trace, j int) (n int) {
	for n < mostAlike && n < i && n < j && t.alike(i-n-1, other, j-n-1) {
		n++
	}
	return n
}

// joints are where a run, from a step on, goes on like another one does soon after they have parted, those that are alike for longest first.
func (t *trace) joints(parted int, other *trace) (joints []joint) {
	const soon = 40
	for to := parted; to < min(parted+soon, len(other.steps)); to++ {
		for from := parted; from < len(t.steps); from++ {
			if from > parted && to > parted && t.alike(from-1, other, to-1) {
				continue // part of a longer one
			}
			if n := t.ahead(from, other, to); n >= leastAlike {
				joints = append(joints, joint{from, to, n})
			}
		}
	}
	if len(joints) > 1 { // the first one is the likeliest
		slices.SortStableFunc(joints[1:], func(a, b joint) int { return cmp.Compare(b.length, a.length) })
	}
	return joints[:min(len(joints), mostJoints)]
}

// renaming says what those are called after a cut that are another's twin there.
type renaming struct {
	names  *names
	paths  map[string]string
	called map[int32]int32
}

func newRenaming(n *names) *renaming {
	return &renaming{n, map[string]string{}, map[int32]int32{}}
}

// add takes over that one name stands where another one did.
func (r *renaming) add(from, to int32) {
	if from == to || r.names.families[from] != r.names.families[to] {
		return
	}
	a, b := parts(r.names.texts[from]), parts(r.names.texts[to])
	for i := range a {
		if _, ok := r.paths[a[i]]; !ok {
			r.paths[a[i]] = b[i]
		}
	}
}

// parts are the beginnings of a path: each task on the way, and it itself.
func parts(path string) (beginnings []string) {
	for i, r := range path {
		if r == '/' || r == ':' {
			beginnings = append(beginnings, path[:i])
		}
	}
	return append(beginnings, path)
}

func (r *renaming) path(path string) string {
	beginnings := parts(path)
	for i := len(beginnings) - 1; i >= 0; i-- {
		if to, ok := r.paths[beginnings[i]]; ok {
			return to + path[len(beginnings[i]):]
		}
	}
	return path
}

func (r *renaming) number(n int32) int32 {
	to, ok := r.called[n]
	if !ok {
		to = r.names.number(r.path(r.names.texts[n]))
		r.called[n] = to
	}
	return to
}

func (r *renaming) address(a address) address {
	return address{r.number(a.actor), r.number(a.object), a.point}
}

// behindJoint are the decisions that a run made from a joint on, under the addresses that they have in the other run.
func (t *trace) behindJoint(list []choice.Deviation, visited []int, j joint, other *trace, r *renaming) (moved []choice.Deviation) {
	counts := map[address]int{}
	for _, v := range other.visits {
		if int(v.step) < j.to {
			counts[v.address]++
		}
	}
	entries := map[int]int{}
	for entry, at := range visited {
		if at >= 0 {
			entries[at] = entry
		}
	}
	for i, v := range t.visits {
		if int(v.step) < j.from {
			continue
		}
		at := r.address(v.address)
		counts[at]++
		if entry, ok := entries[i]; ok {
			d := list[entry]
			d.Actor, d.Object, d.Target, d.Occurrence = t.names.texts[at.actor], t.names.texts[at.object], r.path(d.Target), counts[at]
			moved = append(moved, d)
		}
	}
	return moved
}

// before are the decisions that a run made before a step.
func (t *trace) before(list []choice.Deviation, visited []int, step int) (kept []choice.Deviation) {
	for i, d := range list {
		if at := visited[i]; at >= 0 && int(t.visits[at].step) < step {
			kept = append(kept, d)
		}
	}
	return kept
}

// cuttable says whether stretches can be cut out of the best run.
func (m *minimiser) cuttable() bool {
	return m.best.trace != nil && len(m.best.trace.steps) <= mostForCuts && len(m.list()) <= mostCut
}

// realign proposes a list of other inputs, with which the run parts from the failure somewhere: the decisions that were made later come
// where the two are alike again.
func (m *minimiser) realign(inputs []choice.Deviation) bool {
	if !m.cuttable() || m.over() {
		return false
	}
	t, list := m.best.trace, m.list()
	visited := t.visited(list)
	if !m.once(inputs, 2) {
		return false
	}
	probe, ok := m.made(m.oracle.Record(inputs, m.maxSteps()))
	if !ok || probe.trace == nil || len(probe.trace.steps) > mostForCuts {
		return false
	}
	parted := t.parts(probe.trace)
	var later []choice.Deviation
	for i, d := range list {
		if at := visited[i]; at >= 0 && int(t.visits[at].step) >= parted {
			later = append(later, d)
		}
	}
	if len(later) == 0 {
		return false
	}
	head := slices.DeleteFunc(slices.Clone(inputs), func(d choice.Deviation) bool { return slices.Contains(later, d) })
	if probe, ok = m.made(m.oracle.Record(head, m.maxSteps())); !ok || probe.trace == nil || len(probe.trace.steps) > mostForCuts {
		return false
	}
	other := probe.trace
	for _, j := range t.joints(parted, other) {
		r := newRenaming(t.names)
		for k := range j.length {
			r.add(t.steps[j.from+k].did.actor, other.steps[j.to+k].did.actor)
			r.add(t.steps[j.from+k].did.object, other.steps[j.to+k].did.object)
		}
		if m.propose(slices.Concat(head, t.behindJoint(list, visited, j, other, r))) {
			return true
		}
	}
	return false
}

// dropRealigned drops single decisions, and lets those that were made later count anew.
func (m *minimiser) dropRealigned() {
	for i := len(m.list()) - 1; i >= 0 && !m.over(); i-- {
		if i < len(m.list()) {
			m.realign(without(m.list(), i, i+1))
		}
	}
}

// cutOut takes out what a run does before a decision, back to where it was at the same point before, with the same steps behind it: the
// rounds of a loop, attempts that came to nothing.
func (m *minimiser) cutOut() {
	for i := len(m.list()) - 1; i >= 0 && m.cuttable() && !m.over(); i-- {
		for i < len(m.list()) && m.cutBefore(i) {
		}
	}
}

func (m *minimiser) cutBefore(entry int) bool {
	t, list := m.best.trace, m.list()
	visited := t.visited(list)
	at := visited[entry]
	if at < 0 || t.visits[at].step < 1 {
		return false
	}
	from := int(t.visits[at].step)
	families := t.names.families
	var joints []joint
	for i := range at {
		v, to := t.visits[i], int(t.visits[i].step)
		if to < 1 || v.point != t.visits[at].point || families[v.actor] != families[t.visits[at].actor] || families[v.object] != families[t.visits[at].object] {
			continue
		}
		if n := t.behind(from, t, to); n >= leastAlike && to < from {
			joints = append(joints, joint{from, to, n})
		}
	}
	for len(joints) > mostEarlier { // the first ones cut most; those that are alike for longest are the surest
		shortest := 1
		for k := range joints[1:] {
			if joints[k+1].length < joints[shortest].length {
				shortest = k + 1
			}
		}
		joints = slices.Delete(joints, shortest, shortest+1)
	}
	for _, j := range joints {
		r := newRenaming(t.names)
		for k := range j.length {
			r.add(t.steps[j.from-k-1].did.actor, t.steps[j.to-k-1].did.actor)
			r.add(t.steps[j.from-k-1].did.object, t.steps[j.to-k-1].did.object)
		}
		if m.propose(slices.Concat(t.before(list, visited, j.to), t.behindJoint(list, visited, j, t, r))) {
			return true
		}
	}
	return false
}

// once says whether a list is looked at for the first time, in that way.
func (m *minimiser) once(list []choice.Deviation, way uint64) bool {
	digest := m.digest(list) + way
	if m.tried[digest] {
		return false
	}
	m.tried[digest] = true
	return true
}
