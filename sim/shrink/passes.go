package shrink

import (
	"slices"

	"github.com/heddle-go/heddle/sim/choice"
)

// pass is one way to propose smaller lists.
type pass struct {
	name string
	run  func(*minimiser)
}

// passes are in the order in which they are worth their replays. They are gone through until none makes the failure smaller.
var passes = []pass{
	{"cut", (*minimiser).cut},
	{"rewrite", func(m *minimiser) {
		for m.rewrite() {
		}
	}},
	{"drop all of a task", func(m *minimiser) {
		m.dropGroups(func(d choice.Deviation) string { return d.Actor })
	}},
	{"drop all to a task", func(m *minimiser) {
		m.dropGroups(func(d choice.Deviation) string { return d.Target })
	}},
	{"drop all values of a site", func(m *minimiser) {
		m.dropGroups(func(d choice.Deviation) string {
			if d.Value > 0 {
				return d.Point
			}
			return ""
		})
	}},
	{"drop blocks", (*minimiser).dropBlocks},
	{"close gaps", (*minimiser).closeGaps},
	{"shorten loops", (*minimiser).shortenLoops},
	{"lower values", (*minimiser).lowerValues},
	{"move one", (*minimiser).moveOne},
	{"drop and realign", (*minimiser).dropRealigned},
	{"cut out", (*minimiser).cutOut},
	{"swap twins", (*minimiser).swapTwins},
	{"drop pairs", (*minimiser).dropPairs},
	{"vary schedule", (*minimiser).varySchedule},
}

// The lengths of a list up to which pairs of its entries are dropped, and up to which one is dropped and another moved. Beyond, that
// is most of the work and seldom finds anything.
const (
	mostForPairs = 24
	mostForMoves = 8
)

// dropGroups drops all entries with the same key, for each key but the empty one.
func (m *minimiser) dropGroups(key func(choice.Deviation) string) {
	var keys []string
	for _, d := range m.list() {
		if k := key(d); k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		m.propose(slices.DeleteFunc(slices.Clone(m.list()), func(d choice.Deviation) bool { return key(d) == k }))
	}
}

// dropBlocks drops runs of entries, half of the list at first, single ones at last. It goes from the end to the beginning:
// what comes late has fewer others that met it in their history.
func (m *minimiser) dropBlocks() {
	for length := (len(m.list()) + 1) / 2; length > 0; length /= 2 {
		for end := len(m.list()); end > 0 && !m.over(); end -= length {
			end = min(end, len(m.list()))
			m.propose(without(m.list(), max(0, end-length), end))
		}
	}
}

// lowerValues lowers each value: to 1, else to the least that a binary search finds to fail. Dropping has tried 0.
func (m *minimiser) lowerValues() {
	for i := 0; i < len(m.list()); i++ {
		if m.list()[i].Value < 2 || m.lower(i, 1) {
			continue
		}
		passing := 1
		for i < len(m.list()) && m.list()[i].Value-passing > 1 {
			middle := passing + (m.list()[i].Value-passing)/2
			if !m.lower(i, middle) {
				passing = middle
			}
		}
	}
}

func (m *minimiser) lower(i, value int) bool {
	return m.propose(lowered(m.list(), i, value))
}

// moveOne moves one scheduling decision to where its task was, or will be, at the same place, or lets another actor move there.
func (m *minimiser) moveOne() {
	for i := len(m.list()) - 1; i >= 0 && !m.over(); i-- {
		if i >= len(m.list()) {
			continue
		}
		for _, moved := range m.alternatives(m.list()[i]) {
			if i < len(m.list()) {
				m.propose(with(m.list(), i, moved))
			}
		}
	}
}

// alternatives are the entries that could stand for a scheduling decision.
func (m *minimiser) alternatives(d choice.Deviation) (list []choice.Deviation) {
	if d.Value > 0 {
		return nil
	}
	for _, occurrence := range [...]int{1, d.Occurrence - 1, d.Occurrence + 1} {
		if occurrence >= 1 && occurrence != d.Occurrence {
			moved := d
			moved.Occurrence = occurrence
			list = append(list, moved)
		}
	}
	for _, target := range m.targets() {
		if target != d.Target && target != d.Actor {
			other := d
			other.Target = target
			list = append(list, other)
		}
	}
	return list
}

// targets are actors that another one is worth replacing with: those of the list and, of a small program, all that moved.
func (m *minimiser) targets() []string {
	const most = 10
	if len(m.best.Actors) <= most {
		return m.best.Actors
	}
	var targets []string
	for _, d := range m.list() {
		if d.Target != "" && len(targets) < most && !slices.Contains(targets, d.Target) {
			targets = append(targets, d.Target)
		}
	}
	return targets
}

// dropPairs drops two entries at once, or one and moves another: what needs one of two is not found by dropping single ones.
func (m *minimiser) dropPairs() {
	for i := len(m.list()) - 1; i >= 0 && !m.over(); i-- {
		for j := len(m.list()) - 1; j >= 0 && !m.over(); j-- {
			list := m.list()
			if i >= len(list) || j >= len(list) || i == j || len(list) > mostForPairs {
				continue
			}
			rest := without(list, i, i+1)
			at := j
			if j > i {
				at--
			}
			if j < i && m.propose(without(rest, at, at+1)) {
				continue
			}
			if len(list) > mostForMoves {
				continue
			}
			for _, moved := range m.alternatives(list[j]) {
				if m.propose(with(rest, at, moved)) {
					break
				}
			}
		}
	}
}

// without is the list without its entries from i up to j.
func without(list []choice.Deviation, i, j int) []choice.Deviation {
	return slices.Concat(list[:i], list[j:])
}

// with is the list with another entry at i.
func with(list []choice.Deviation, i int, d choice.Deviation) []choice.Deviation {
	list = slices.Clone(list)
	list[i] = d
	return list
}
