package report

// WithMost is the page with so many steps at most.
func (p Page) WithMost(steps int64) Page {
	p.most = steps
	return p
}
