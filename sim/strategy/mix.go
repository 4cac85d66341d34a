package strategy

import "fmt"

// mixed is what the default strategy does with its runs, eight in turn. No strategy is good at everything, and one more run of one that
// has not found a bug in a thousand is worth less than a run of another. So each part has a place of its own: random for bugs of many
// short races, and to tell how much is left; pos for those in large programs, of mostly independent steps; pct for those of a stated
// depth; and guided two, for those that need several rare things one after another. The other places are free: they go to the
// parts that find new behaviour, see [Shares].
func mixed() []string {
	return []string{"random", "guided", "pos", "guided", "pct:3", free, free, free}
}

// free is a place of the mix that belongs to no part.
const free = ""

func mix() Strategy {
	s := Strategy{name: Default}
	for _, name := range mixed() {
		part := Strategy{name: free}
		if name != free {
			var err error
			if part, err = Parse(name); err != nil {
				panic(fmt.Sprintf("strategy: part of the mix: %v", err))
			}
		}
		s.places = append(s.places, part)
		if name != free && s.partNamed(name) < 0 {
			s.parts = append(s.parts, part)
		}
	}
	return s
}

// partNamed is the index of the part of that name, -1 if there is none.
func (s Strategy) partNamed(name string) int {
	for i, part := range s.parts {
		if part.name == name {
			return i
		}
	}
	return -1
}

// IsMix says whether several strategies share the runs, as Shares has it.
func (s Strategy) IsMix() bool { return len(s.parts) > 0 }

// Shares is what the parts of a mix have found, from which follows who gets its free places: each part in proportion to the
// new behaviour that one run of it has come to on average in the last generation, that is to what no run of the search had come to
// before. All parts have places that are theirs, since what a strategy has found of late does not tell which bug it would find.
//
// Where no part finds anything, since there is nothing more or since the scenario does not tell, they go to pct, whose chance to
// find a bug does not depend on that.
//
// The zero value has learnt nothing, and shares alike. Like Lengths, it is for one goroutine while it learns, and for several while
// runs are planned from it.
type Shares struct {
	learnt, gathering []earned // by part
	runs              int      // of the generation under way
}

type earned struct {
	runs  int
	found int
}

// Add notes how much new behaviour the next run, in run order, has come to.
func (s *Shares) Add(mix, part Strategy, found int) {
	if s.gathering == nil {
		s.gathering = make([]earned, len(mix.parts))
	}
	e := &s.gathering[mix.partNamed(part.name)]
	e.runs++
	e.found += found
	if s.runs++; s.runs == Generation {
		s.learnt, s.gathering, s.runs = s.gathering, nil, 0
	}
}

// Part is the single strategy that decides the run of that index and seed: the strategy itself, unless it is a mix.
func (s *Shares) Part(of Strategy, run int64, seed uint64) Strategy {
	if !of.IsMix() {
		return of
	}
	if part := of.places[run%int64(len(of.places))]; part.name != free {
		return part
	}
	sum := 0
	for i := range of.parts {
		sum += s.weight(of, i)
	}
	g := generator(seed ^ 0x736861726573)
	drawn := g.below(sum)
	for i := range of.parts {
		if drawn -= s.weight(of, i); drawn < 0 {
			return of.parts[i]
		}
	}
	return of.parts[0]
}

// weight is what a thousand runs of the part find.
func (s *Shares) weight(of Strategy, part int) int {
	if s.learnt == nil {
		return 1
	}
	weight := 1000 * s.learnt[part].found / s.learnt[part].runs // each part has made some, in its own places
	if of.parts[part].Depth() > 0 {
		weight++ // so that it has them all where nobody finds anything
	}
	return weight
}
