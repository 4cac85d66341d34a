package search

import "github.com/heddle-go/heddle/sim/strategy"

// Guarantee is what the theorem of Burckhardt et al., 2010, says of the runs that one pct strategy has decided: a run of n actors whose
// points are spread over k choices, and that has no more of them, finds any given bug of depth d with a chance of at least
// 1/(n k^(d-1)), as far as that is one of the schedule alone, given the inputs and the faults of the run. k is learnt from earlier runs, so
// some runs are longer: of these it says nothing.
type Guarantee struct {
	Strategy string  `json:"strategy"`
	Depth    int     `json:"depth"`
	Runs     int64   `json:"runs"`
	Covered  int64   `json:"covered"` // of the runs: those with no more choices than k; the rest speaks of these
	Actors   int64   `json:"actors"`  // the highest n
	Choices  int64   `json:"choices"` // the highest k
	Chance   float64 `json:"chance"`  // the mean of 1/(n k^(depth-1)); 0 if no run is covered
}

// guarantee takes the next run into what pct guarantees.
func (l *lane) guarantee(o *outcome) {
	p := &o.plan
	depth := p.strategy.Depth()
	if depth == 0 {
		return
	}
	all := l.report.Guarantees
	i := 0
	for i < len(all) && all[i].Depth != depth {
		i++
	}
	if i == len(all) {
		all = append(all, Guarantee{Strategy: p.strategy.Name(), Depth: depth})
		l.report.Guarantees = all
	}
	g := &all[i]
	g.Runs++
	if p.length == 0 || o.choices > p.length {
		return
	}
	g.Covered++
	g.Actors, g.Choices = max(g.Actors, o.actors), max(g.Choices, p.length)
	g.Chance += (strategy.Guarantee(depth, o.actors, p.length) - g.Chance) / float64(g.Covered)
}
