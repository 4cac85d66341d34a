package strategy

import "fmt"

// mixed is what the default strategy does with its runs, in turn. No strategy is good at everything, and one more run of one that
// has not found a bug in a thousand is worth less than a run of another: one of eight runs is random, for bugs of many short
// races; three are guided, for those that need several rare things one after another; four are pct, with the depths of nearly all bugs
// that have been studied (Burckhardt et al. 2010), one of them deeper for those that need a fault or a timer at the right place besides.
func mixed() []string {
	return []string{"random", "pct:2", "guided", "pct:3", "guided", "pct:2", "guided", "pct:5"}
}

func mix() Strategy {
	s := Strategy{name: Default}
	for _, name := range mixed() {
		part, err := Parse(name)
		if err != nil {
			panic(fmt.Sprintf("strategy: part of the mix: %v", err))
		}
		s.parts = append(s.parts, part)
	}
	return s
}
