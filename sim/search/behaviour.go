package search

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// How much is left to see, as a search knows it without knowing all there is: Good, "The population frequencies of species and the
// estimation of population parameters", 1953, which Böhme, "STADS: Software testing as species discovery", 2018, brought to fuzzing.
// A species is a state, which the scenario tells by World.Reached and World.Sometimes, or an order, a pair of conflicting operations
// as orders has them.
//
// It speaks of random alone. The draws of strategies that learn are not alike, but those of random are, once what it has learnt stands
// fixed: see [strategy.Strategy.Alike]. So one run in measuredShare is measured, if random decides it.

const (
	// measuredShare is of how many runs one is measured. The mix has a random run in that place.
	measuredShare = 8
	// Confidence is the chance with which Variety.AtMost is right.
	Confidence = 0.95
	// mostSpecies bounds how many species of a kind are told apart.
	mostSpecies = 1 << 16
	// firstLook is after how many measured runs growth is noted first.
	firstLook = 16
)

// measured says whether the run of that index is a draw of the estimate.
func measured(s strategy.Strategy, index int64) bool {
	return s.Alike() && index >= strategy.Generation && index%measuredShare == 0
}

// Estimates says whether a search by the strategy makes runs that tell how much is left.
func Estimates(s strategy.Strategy) bool {
	var none strategy.Shares
	return measured(none.Part(s, strategy.Generation, 0), strategy.Generation)
}

// Behaviour is what the runs of a scenario have shown, and the chance that they have not shown it all. Only runs drawn by random
// alone count.
type Behaviour struct {
	Runs       int64   `json:"runs"`
	Confidence float64 `json:"confidence"`
	Quiet      bool    `json:"quiet"`  // the search of the scenario ended because so little is left
	States     Variety `json:"states"` // as the scenario tells them
	Orders     Variety `json:"orders"` // of conflicting operations of two actors, one after the other at an object
}

// Variety is how many species of a kind were seen. ChanceOfNew is the chance that the next run shows another one, by Good and
// Turing: the share of runs that have shown one which no other run has. It is at most AtMost, by the upper limit of Clopper and
// Pearson, 1934: so few of the later runs showed one that the first, at most half, had not. That limit is exact.
type Variety struct {
	Seen        int64    `json:"seen"`
	Recent      int64    `json:"seen_recently"` // since the last of Growth that at most half of the runs had been made for
	ChanceOfNew float64  `json:"chance_of_new"`
	AtMost      float64  `json:"at_most"`
	Growth      []Growth `json:"growth"`
	Full        bool     `json:"full"` // there are more than could be told apart: each of them counts as new, whenever it is seen
}

// Growth is how many species so many runs have shown.
type Growth struct {
	Runs int64 `json:"runs"`
	Seen int64 `json:"seen"`
}

// census counts the species of one kind, run by run. Its memory is bounded by mostSpecies.
type census struct {
	runs   int64
	first  map[uint64]sighting
	lone   map[int64]int32 // by run: how many species only it has shown
	beyond int64           // runs that have shown a species for which there is no place
	growth []Growth
	since  []int64 // by growth: the later runs that have shown a species not seen until then
}

// sighting is the first run that has shown a species, and whether another one has since.
type sighting struct {
	run   int64
	again bool
}

// add takes the species of the next run, each of them once.
func (c *census) add(species []uint64) {
	if c.first == nil {
		c.first, c.lone = map[uint64]sighting{}, map[int64]int32{}
	}
	youngest, overflows := int64(-1), false
	for _, s := range species {
		seen, known := c.first[s]
		switch {
		case !known && len(c.first) == mostSpecies:
			overflows = true
			continue
		case !known:
			seen.run = c.runs
			c.first[s] = seen
			c.lone[c.runs]++
		case !seen.again:
			c.first[s] = sighting{seen.run, true}
			c.shared(seen.run)
		}
		youngest = max(youngest, seen.run)
	}
	if overflows {
		delete(c.lone, c.runs)
		youngest = c.runs
		c.beyond++
	}
	for i := range c.growth {
		if c.growth[i].Runs <= youngest {
			c.since[i]++
		}
	}
	c.runs++
}

// shared notes that another run has shown a species that only one had.
func (c *census) shared(run int64) {
	switch n := c.lone[run]; n {
	case 0: // it is one of beyond
	case 1:
		delete(c.lone, run)
	default:
		c.lone[run] = n - 1
	}
}

// look notes the growth if it is time for that: after firstLook runs, and whenever they are half as many again.
func (c *census) look() bool {
	next := int64(firstLook)
	if n := len(c.growth); n > 0 {
		next = c.growth[n-1].Runs * 3 / 2
	}
	if c.runs < next {
		return false
	}
	c.growth, c.since = append(c.growth, Growth{c.runs, int64(len(c.first))}), append(c.since, 0)
	return true
}

// half is the last growth that was noted when at most half of the runs were made; ok is false if there is none. Which one it is
// depends on the number of runs alone.
func (c *census) half() (i int, ok bool) {
	for i := len(c.growth) - 1; i >= 0; i-- {
		if c.growth[i].Runs*2 <= c.runs {
			return i, true
		}
	}
	return 0, false
}

// atMost is a limit that the chance of a new species exceeds with a chance of doubt.
func (c *census) atMost(doubt float64) float64 {
	i, ok := c.half()
	if !ok {
		return 1
	}
	return clopperPearson(c.since[i], c.runs-c.growth[i].Runs, doubt)
}

// clopperPearson is the upper limit of a chance that has come true k times of m, wrong with a chance of doubt.
func clopperPearson(k, m int64, doubt float64) float64 {
	if k == m {
		return 1
	}
	return mathext.InvRegIncBeta(float64(k+1), float64(m-k), 1-doubt)
}

// variety is what there is to report, with a limit that is wrong with a chance of doubt.
func (c *census) variety(doubt float64) Variety {
	v := Variety{Seen: int64(len(c.first)), AtMost: rounded(c.atMost(doubt)), Growth: append([]Growth{}, c.growth...), Full: c.beyond > 0}
	v.Recent = v.Seen
	if i, ok := c.half(); ok {
		v.Recent -= c.growth[i].Seen
	}
	if c.runs > 0 {
		v.ChanceOfNew = rounded(float64(int64(len(c.lone))+c.beyond) / float64(c.runs))
	}
	return v
}

// rounded leaves out digits in which machines may differ.
func rounded(chance float64) float64 { return math.Ceil(chance*1e6) / 1e6 }

// estimate is what a search knows of how much is left in a scenario.
type estimate struct {
	states, orders census
	features       []uint64 // of a run
	quiet          float64  // the search ends once chances are at most that; 0: it does not
	looks          float64  // for that, so far
	isQuiet        bool
}

// add takes the next measured run.
func (e *estimate) add(o *outcome) {
	e.features = e.features[:0]
	for _, r := range o.reached {
		e.features = append(e.features, species(r.Feature))
	}
	e.states.add(e.features)
	e.orders.add(o.orders)
	if e.orders.look() && e.states.look() && e.quiet > 0 {
		e.looks++
		e.isQuiet = rounded(max(e.states.atMost(doubt(e.looks)), e.orders.atMost(doubt(e.looks)))) <= e.quiet
	}
}

// species is a number for a feature.
func species(f choice.Feature) uint64 {
	sum := f.Number ^ 14695981039346656037 // FNV-1a
	for i := range len(f.Kind) {
		sum = (sum ^ uint64(f.Kind[i])) * 1099511628211
	}
	return sum
}

// doubt is the chance with which the limit of a look may be wrong. Whoever looks again and again until a limit is low enough must doubt each look more
// than the one before, so that all the doubts together are what was stated: the sum of 6/(pi^2 n^2) is 1.
func doubt(looks float64) float64 {
	if looks == 0 {
		return 1 - Confidence
	}
	return (1 - Confidence) * 6 / (math.Pi * math.Pi * looks * looks)
}

// behaviour is what there is to report; nil if no run was measured.
func (e *estimate) behaviour() *Behaviour {
	if e.orders.runs == 0 {
		return nil
	}
	looks := e.looks
	if e.quiet > 0 && !e.isQuiet {
		looks++ // the report is one more look
	}
	return &Behaviour{Runs: e.orders.runs, Confidence: Confidence, Quiet: e.isQuiet, States: e.states.variety(doubt(looks)), Orders: e.orders.variety(doubt(looks))}
}
