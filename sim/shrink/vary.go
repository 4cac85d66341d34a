package shrink

import (
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// varied is a source that answers values as a list does, and lets a strategy decide who moves.
type varied struct {
	schedule strategy.Source
	values   choice.Replay
}

// Schedule implements [choice.Source].
func (v *varied) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	return v.schedule.Schedule(current, enabled, armed)
}

// Value implements [choice.Source].
func (v *varied) Value(site choice.Site, n int) int { return v.values.Value(site, n) }

// variations are the strategies that look for other schedules, in turn: some that stay close to the default, one that does not.
var variations = [...]string{"delay:1", "delay:2", "random", "delay:4"}

// How many schedules are tried with a list, and with a long one, and how long a list may be at most.
const (
	mostSchedules = 24
	longSchedules = 8
	mostForVary   = 32
)

// varySchedule looks for another schedule under which the same inputs fail, or all of them but one: what has to meet what for the
// failure is often less than what the schedule that was found lets meet. (QuickCheck does so with PULSE at each shrinking step: Claessen et al.,
// "Finding race conditions in Erlang with QuickCheck and PULSE", 2009.)
func (m *minimiser) varySchedule() {
	if m.size.Switches > 0 {
		m.varySchedules(m.list())
	}
	for i := len(m.list()) - 1; i >= 0; i-- {
		if i < len(m.list()) && m.list()[i].Value > 0 {
			m.varySchedules(without(m.list(), i, i+1))
		}
	}
}

func (m *minimiser) varySchedules(list []choice.Deviation) {
	digest := m.digest(list) + 1 // the list as such may have been tried
	if m.tried[digest] || len(list) > mostForVary {
		return
	}
	m.tried[digest] = true
	schedules := mostSchedules
	if len(list) > mostForPairs {
		schedules = longSchedules
	}
	for n := range schedules {
		if m.vary(list, n) {
			return
		}
	}
}

// vary makes the run of a list under another schedule and keeps it if it is smaller.
func (m *minimiser) vary(list []choice.Deviation, n int) bool {
	if m.over() {
		return false
	}
	r, ok := m.made(m.oracle.Vary(list, n, m.best.Steps))
	if !ok || !m.alike(r) || !sizeOf(r).Less(m.size) {
		return false
	}
	recorded, ok := m.made(m.oracle.Record(r.Taken, 0))
	if !ok || !m.stable(r, recorded) || !m.keep(recorded) {
		return false
	}
	for m.rewrite() {
	}
	return true
}
