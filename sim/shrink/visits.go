package shrink

import (
	"strings"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// names numbers what has a name in the runs of a failure: paths of actors and objects, sites of values. Equal numbers mean equal names, in
// whichever run.
type names struct {
	numbers  map[string]int32
	texts    []string
	families []int32 // number of the name without its ordinals
}

func (n *names) number(text string) int32 {
	at, ok := n.numbers[text]
	if !ok {
		at = int32(len(n.texts))
		n.numbers[text] = at
		n.texts, n.families = append(n.texts, text), append(n.families, at)
		if plain := withoutOrdinals(text); plain != text {
			n.families[at] = n.number(plain)
		}
	}
	return at
}

// withoutOrdinals is a path in which twins have one name.
func withoutOrdinals(path string) string {
	if !strings.Contains(path, "#") {
		return path
	}
	var b strings.Builder
	skip := false
	for _, r := range path {
		switch {
		case r == '#':
			skip = true
		case r == '/' || r == ':':
			skip = false
			b.WriteRune(r)
		case !skip:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// address is that of a decision, without its occurrence.
type address struct{ actor, object, point int32 } // point: an operation, or sites plus the name of a value

const sites = 1 << 16

// visit is that a run comes to where a decision may be made.
type visit struct {
	address
	step int32 // that it was about to make, or in the course of which a value was asked for, from 0; -1 in the set-up
}

// follow is what an observer needs to note visits, which it does as [choice.Recorder] does.
type follow struct {
	names   *names
	last    *choice.Actor
	actors  []int32 // by id: the number of the name and 1
	objects []int32
}

func (f *follow) actor(a *choice.Actor) int32 {
	if a == nil {
		return f.names.number("")
	}
	slot := slotOf(&f.actors, a.ID)
	if *slot == 0 {
		*slot = f.names.number(a.Path()) + 1
	}
	return *slot - 1
}

func (f *follow) object(o *choice.Object) int32 {
	if o == nil {
		return f.names.number("")
	}
	slot := slotOf(&f.objects, o.ID())
	if *slot == 0 {
		*slot = f.names.number(o.Path()) + 1
	}
	return *slot - 1
}

func slotOf(table *[]int32, id int32) *int32 {
	for int(id) >= len(*table) {
		*table = append(*table, make([]int32, 64+len(*table))...)
	}
	return &(*table)[id]
}

func (f *follow) place(a *choice.Actor) address {
	return address{f.actor(a), f.object(a.Object()), int32(a.Op)}
}

// addressOf is the address of a decision.
func (n *names) addressOf(d choice.Deviation) address {
	at := address{n.number(d.Actor), n.number(d.Object), -1}
	if d.Value > 0 {
		at.point = sites + n.number(d.Point)
	} else if op, ok := kernel.ParseOp(d.Point); ok {
		at.point = int32(op)
	}
	return at
}

// visited is, for each decision of a list, the visit at which the run made it; -1 for one that it did not make.
func (t *trace) visited(list []choice.Deviation) []int {
	type occurrence struct {
		address
		n int
	}
	wanted, found := map[occurrence]int{}, make([]int, len(list))
	for i, d := range list {
		wanted[occurrence{t.names.addressOf(d), d.Occurrence}], found[i] = i, -1
	}
	counts := map[address]int{}
	for i, v := range t.visits {
		counts[v.address]++
		if entry, ok := wanted[occurrence{v.address, counts[v.address]}]; ok {
			found[entry] = i
		}
	}
	return found
}
