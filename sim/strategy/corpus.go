package strategy

import "github.com/heddle-go/heddle/sim/choice"

// Beginning is how a run of a guided strategy began: all that its decisions are a function of.
type Beginning struct {
	Seed   uint64
	Length int64 // as learnt when it was planned
	Forks  []Fork
}

// Corpus is what guided runs have come to, and how to come there again. The zero value knows nothing. Like Lengths, it is for one
// goroutine while it learns, and for several while runs are planned from it.
type Corpus struct {
	index map[choice.Feature]*feature
	kinds [][]*feature // of each kind, in the order in which they were first met
}

// feature is something that runs come to.
type feature struct {
	choice.Feature
	runs int64 // that came to it
	ways []way
}

// way is how a run came to a feature: so begun, and as many decisions later.
type way struct {
	begun Beginning
	at    int64
}

const (
	mostFeatures = 1 << 16
	mostWays     = 4 // that are kept for a feature
	contestants  = 8 // of so many features of one kind, drawn at random, the rarest is where a run begins
	freshOdds    = 4 // out of how many runs one begins anew
)

// Add notes what the next run, in run order, came to.
func (c *Corpus) Add(begun Beginning, reached []choice.Reached) {
	if c.index == nil {
		c.index = map[choice.Feature]*feature{}
	}
	for _, r := range reached {
		f := c.index[r.Feature]
		if f == nil {
			if f = c.meet(r.Feature); f == nil {
				continue
			}
		}
		f.runs++
		if len(f.ways) < mostWays {
			f.ways = append(f.ways, way{begun, r.At})
			continue
		}
		// Each run that came here is kept with the same chance (reservoir sampling, Vitter 1985).
		g := generator(begun.Seed ^ r.Feature.Number ^ uint64(f.runs))
		if i := g.below(int(f.runs)); i < mostWays {
			f.ways[i] = way{begun, r.At}
		}
	}
}

// meet makes room for a new feature; nil if there is none.
func (c *Corpus) meet(new choice.Feature) *feature {
	if len(c.index) == mostFeatures {
		return nil
	}
	f := &feature{Feature: new}
	c.index[new] = f
	for i, kind := range c.kinds {
		if kind[0].Kind == new.Kind {
			c.kinds[i] = append(kind, f)
			return f
		}
	}
	c.kinds = append(c.kinds, []*feature{f})
	return f
}

// Plan says how the run of that seed shall begin: as one that came to something rare and then by a fork, or, now and then, anew.
func (c *Corpus) Plan(seed uint64, length int64) Beginning {
	fresh := Beginning{Seed: seed, Length: length}
	g := generator(seed ^ 0x677569646564)
	if len(c.kinds) == 0 || g.below(freshOdds) == 0 {
		return fresh
	}
	kind := c.kinds[g.below(len(c.kinds))]
	var rarest *feature
	for range contestants {
		f := kind[g.below(len(kind))]
		if rarest == nil || f.runs < rarest.runs {
			rarest = f
		}
	}
	w := &rarest.ways[g.below(len(rarest.ways))]
	forks := w.begun.Forks
	for len(forks) > 0 && forks[len(forks)-1].At >= w.at {
		forks = forks[:len(forks)-1]
	}
	if len(forks) == mostForks {
		return fresh
	}
	forks = append(forks[:len(forks):len(forks)], Fork{At: w.at, Seed: g.next()})
	return Beginning{Seed: w.begun.Seed, Length: w.begun.Length, Forks: forks}
}
