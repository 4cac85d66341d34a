// Package shrink makes failures smaller: a run with fewer inputs, faults and context switches that violates the same property,
// for a person to read. It drops and lowers decisions of the sparse list that repeats the failure (Zeller and Hildebrandt,
// "Simplifying and isolating failure-inducing input", 2002), and before that rewrites the run to an equivalent one that stays on
// a task as long as it can, which alone takes most context switches away.
//
// A decision lies under an address and not at a position. So taking one away restores the default there and leaves the others
// where they are; and what does not fit the shorter run falls away by itself.
package shrink

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// Run is what a run came to.
type Run struct {
	Property string // that it violated; empty if none
	Message  string
	Steps    int64
	Hash     uint64
	Faults   int64 // that struck

	// What only a recorded run has: the decisions beside the default that were made in it, who moved, and how often each value was
	// asked for.
	Taken  []choice.Deviation
	Actors []string
	Asked  map[Question]int

	trace   *trace // of an oracle that can rewrite
	failure *sim.Failure
}

// Oracle makes runs. Equal lists make equal runs.
type Oracle interface {
	// Replay makes the run that follows the list, of at most so many steps; 0 is the usual limit.
	Replay(list []choice.Deviation, maxSteps int64) (Run, error)
	// Record makes the run that follows the list, of at most so many steps, and records it.
	Record(list []choice.Deviation, maxSteps int64) (Run, error)
	// Rewrite makes, and records, a run with the steps of a recorded one in another order, in which those that depend on each
	// other keep theirs and tasks are left as seldom as possible. It may fail to, and answer some other run.
	Rewrite(recorded Run) (Run, error)
	// Vary makes, and records, a run that answers values as the list does under the n-th of many schedules. Steps is how many it is
	// expected to have, at most a multiple of which it makes.
	Vary(list []choice.Deviation, n int, steps int64) (Run, error)
}

// Size is what is to become small, the most important first.
type Size struct {
	Inputs   int   `json:"inputs"`           // values other than 0: operations of the workload, delays, chances that were taken
	Faults   int64 `json:"faults"`           // that struck
	Switches int   `json:"context_switches"` // times that another actor moved than by default
	Values   int64 `json:"values"`           // sum of the inputs; 0 is the simplest
	Rounds   int64 `json:"rounds"`           // sum of the rounds in which they were drawn, of sites that are asked again and again
	Steps    int64 `json:"steps"`
}

// Less says whether s is smaller.
func (s Size) Less(other Size) bool {
	a := [...]int64{int64(s.Inputs), s.Faults, int64(s.Switches), s.Values, s.Rounds, s.Steps}
	b := [...]int64{int64(other.Inputs), other.Faults, int64(other.Switches), other.Values, other.Rounds, other.Steps}
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// lost adds to s what a failure has lost between two sizes.
func (s Size) lost(before, after Size) Size {
	return Size{
		s.Inputs + before.Inputs - after.Inputs, s.Faults + before.Faults - after.Faults, s.Switches + before.Switches - after.Switches,
		s.Values + before.Values - after.Values, s.Rounds + before.Rounds - after.Rounds, s.Steps + before.Steps - after.Steps,
	}
}

func sizeOf(r Run) Size {
	s := Size{Faults: r.Faults, Steps: r.Steps}
	for _, d := range r.Taken {
		if d.Value > 0 {
			s.Inputs++
			s.Values += int64(d.Value)
			s.Rounds += int64(d.Occurrence)
		} else {
			s.Switches++
		}
	}
	return s
}

// Limits end the work early.
type Limits struct {
	// Steps, if not 0, is how many steps all replays together may make. Unlike a limit of time it leaves the result a function
	// of the failure alone; unlike one of replays it bounds the time of long runs as it does that of short ones.
	Steps int64
	// Progress, if not nil, is called after each replay.
	Progress func(Progress)
}

// replayCost is what a replay costs beside its steps, in steps.
const replayCost = 50

// Progress is how far the work has come.
type Progress struct {
	Pass    string
	Replays int
	Size    Size // so far
}

// The ways in which the work ends.
const (
	Complete    = "complete"    // nothing that the passes try is smaller
	Spent       = "spent"       // the limit of steps is reached
	Interrupted = "interrupted" // the context is done
)

// PassReport is what a pass has done, in all rounds.
type PassReport struct {
	Name    string `json:"name"`
	Replays int    `json:"replays"`
	Kept    int    `json:"kept"`       // times that it made the failure smaller
	Taken   Size   `json:"taken_away"` // by how much; what matters less can have grown
}

// Result is what came of making a failure smaller.
type Result struct {
	Ended   string       `json:"ended"`
	Before  Size         `json:"before"`
	After   Size         `json:"after"`
	Replays int          `json:"replays"`
	Steps   int64        `json:"replayed_steps"`
	Passes  []PassReport `json:"passes"`
	Best    Run          `json:"-"`
}

// UnstableError says that a run did not repeat: something in the scenario is decided outside the simulation.
type UnstableError struct{ First, Second Run }

// Error is one line.
func (e *UnstableError) Error() string {
	return fmt.Sprintf("the scenario is not deterministic: one list of decisions came to %s and then to %s", e.First, e.Second)
}

// String says what the run came to, in a few words.
func (r Run) String() string {
	return fmt.Sprintf("%s (%d steps, hash %016x)", r.property(), r.Steps, r.Hash)
}

// property is the property that the run violated, in words.
func (r Run) property() string {
	if r.Property == "" {
		return "no failure"
	}
	return r.Property
}

func (r Run) same(other Run) bool { return r.Property == other.Property && r.Hash == other.Hash }

// Minimise makes a recorded failure smaller, until nothing is left to try, a limit is reached or ctx is done. The result
// violates the same property and was replayed twice. The error is one of the oracle or an [UnstableError]; the result is the
// best so far all the same.
func Minimise(ctx context.Context, oracle Oracle, failure Run, limits Limits) (Result, error) {
	return minimise(ctx, oracle, failure, limits, passes)
}

func minimise(ctx context.Context, oracle Oracle, failure Run, limits Limits, passes []pass) (Result, error) {
	m := &minimiser{
		ctx: ctx, oracle: oracle, limits: limits, found: failure, best: failure, size: sizeOf(failure), tried: map[uint64]bool{}, seed: maphash.MakeSeed(),
		result: Result{Before: sizeOf(failure), Passes: make([]PassReport, len(passes))},
	}
	for i, p := range passes {
		m.result.Passes[i].Name = p.name
	}
	for improved := true; improved && !m.over(); {
		before := m.size
		for i, p := range passes {
			m.report = &m.result.Passes[i]
			p.run(m)
		}
		improved = m.size != before
	}
	m.result.Ended = m.ended()
	m.result.Best, m.result.After = m.best, m.size
	m.confirm()
	return m.result, m.err
}

// minimiser is the state of the work. Every pass proposes lists; what is smaller and fails alike is kept at once.
type minimiser struct {
	ctx    context.Context
	oracle Oracle
	limits Limits
	found  Run // the failure as it was given
	best   Run
	size   Size
	tried  map[uint64]bool // digests of the lists that were proposed
	seed   maphash.Seed
	report *PassReport // of the pass under way; nil between them
	result Result
	err    error
}

// list is the best list so far. Passes must ask again after each proposal: a success can take away more than was proposed.
func (m *minimiser) list() []choice.Deviation { return m.best.Taken }

// over says that nothing more is to be tried.
func (m *minimiser) over() bool { return m.ended() != Complete }

func (m *minimiser) ended() string {
	switch {
	case m.err != nil || m.ctx.Err() != nil:
		return Interrupted
	case m.limits.Steps > 0 && m.result.Steps >= m.limits.Steps:
		return Spent
	default:
		return Complete
	}
}

// propose makes the run of a list and keeps it if it is a smaller failure of the same property.
func (m *minimiser) propose(list []choice.Deviation) bool {
	digest := m.digest(list)
	if m.over() || m.tried[digest] {
		return false
	}
	m.tried[digest] = true
	replayed, ok := m.made(m.oracle.Replay(list, m.maxSteps()))
	if !ok || !m.alike(replayed) {
		return false
	}
	recorded, ok := m.made(m.oracle.Record(list, 0))
	if !ok || !m.stable(replayed, recorded) || !m.keep(recorded) {
		return false
	}
	for m.rewrite() {
	}
	return true
}

// rewrite proposes the equivalent run with fewer context switches.
func (m *minimiser) rewrite() bool {
	if m.over() {
		return false
	}
	rewritten, ok := m.made(m.oracle.Rewrite(m.best))
	if !ok || !m.alike(rewritten) || !sizeOf(rewritten).Less(m.size) {
		return false
	}
	recorded, ok := m.made(m.oracle.Record(rewritten.Taken, 0))
	return ok && m.stable(rewritten, recorded) && m.keep(recorded)
}

func (m *minimiser) keep(r Run) bool {
	size := sizeOf(r)
	if !m.alike(r) || !size.Less(m.size) {
		return false
	}
	m.report.Kept++
	m.report.Taken = m.report.Taken.lost(m.size, size)
	m.best, m.size = r, size
	return true
}

// made counts a run that the oracle has made.
func (m *minimiser) made(r Run, err error) (Run, bool) {
	if err != nil {
		m.err = err
		return Run{}, false
	}
	m.result.Replays++
	m.result.Steps += r.Steps + replayCost
	if m.report != nil {
		m.report.Replays++
		if m.limits.Progress != nil {
			m.limits.Progress(Progress{Pass: m.report.Name, Replays: m.result.Replays, Size: m.size})
		}
	}
	return r, true
}

func (m *minimiser) stable(first, second Run) bool {
	if !first.same(second) {
		m.err = &UnstableError{first, second}
	}
	return m.err == nil
}

// confirm replays the result twice. It does so even if the work was interrupted: what is answered repeats.
func (m *minimiser) confirm() {
	m.report = nil
	for range 2 {
		if m.err != nil {
			return
		}
		if again, ok := m.made(m.oracle.Replay(m.list(), 0)); ok {
			m.stable(m.best, again)
		}
	}
}

// maxSteps keeps a proposal from going on for very much longer than the failure that it is to replace.
func (m *minimiser) maxSteps() int64 {
	if m.best.Property == sim.Steps {
		return 0
	}
	return min(sim.DefaultMaxSteps, 2*m.best.Steps+1000)
}

func (m *minimiser) alike(r Run) bool { return alike(r, m.found) }

// alike says whether a run is the same failure, as far as can be told: it violates the same property, and its message has at least half
// of its words in common with that of the failure. Words are what has no digit: names of sessions, times and counts change as the run
// becomes smaller. The whole message would be too strict, since it often lists all that is wrong; the property alone is too lax, since
// one can be violated in several ways.
func alike(r, failure Run) bool {
	if r.Property != failure.Property || r.Message == failure.Message {
		return r.Property == failure.Property
	}
	words, others := wordsOf(r.Message), wordsOf(failure.Message)
	common := 0
	for _, w := range words {
		if slices.Contains(others, w) {
			common++
		}
	}
	return 2*common >= min(len(words), len(others))
}

// wordsOf are the different words of the first line of a message.
func wordsOf(message string) (words []string) {
	line, _, _ := strings.Cut(message, "\n")
	for _, w := range strings.Fields(line) {
		if w = strings.Trim(w, ".,:;()\""); w != "" && !strings.ContainsAny(w, "0123456789/#") && !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// digest identifies a list, whatever its order and whatever history its entries have met.
func (m *minimiser) digest(list []choice.Deviation) (sum uint64) {
	for _, d := range list {
		d.Check = 0
		sum += maphash.Comparable(m.seed, d)
	}
	return sum
}
