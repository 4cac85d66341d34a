package report

import "github.com/heddle-go/heddle/sim/search"

// WithMost is the page with so many steps at most.
func (p Page) WithMost(steps int64) Page {
	p.most = steps
	return p
}

// Config is the search that the page is of.
func (l *Live) Config() search.Config { return l.config }
