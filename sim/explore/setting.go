package explore

import "slices"

// setting is what the set-up of the scenario draws, from the first value on; for those that it does not know the first is taken. What follows
// from one setting has nothing to do with what follows from another, so each is explored by itself.
type setting []draw

// next is the setting after one that is known to its end; nil if it was the last.
func (s setting) next() setting {
	for n := len(s); n > 0; n-- {
		if d := s[n-1]; d.v+1 < d.n {
			following := slices.Clone(s[:n])
			following[n-1].v++
			return following
		}
	}
	return nil
}

// share is that of this setting and those before it among all, as if they were alike.
func (s setting) share() float64 {
	share := 1.0
	for _, d := range slices.Backward(s) {
		share = (float64(d.v) + share) / float64(d.n)
	}
	return share
}
