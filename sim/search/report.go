package search

import (
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// Report is what a search came to.
type Report struct {
	Scenarios   []*ScenarioReport
	Elapsed     time.Duration
	Interrupted bool // before the budget was spent
}

// Runs is the number of runs of all scenarios.
func (r *Report) Runs() int64 {
	var n int64
	for _, s := range r.Scenarios {
		n += s.Runs
	}
	return n
}

// Failures are the failures of all scenarios.
func (r *Report) Failures() []*Failure {
	var all []*Failure
	for _, s := range r.Scenarios {
		all = append(all, s.Failures...)
	}
	return all
}

// ScenarioReport is what a search came to in one scenario. All of it but Seconds is a function of the seed and of Runs.
type ScenarioReport struct {
	Name      string           `json:"name"`
	Strategy  string           `json:"strategy"`
	Runs      int64            `json:"runs"`
	Steps     int64            `json:"steps"`
	Choices   int64            `json:"choices"` // steps that left a choice of who moves
	Seconds   float64          `json:"seconds"`
	FirstSeed string           `json:"first_seed"`
	TraceHash string           `json:"trace_hash"` // over all runs, in run order
	Failed    int64            `json:"failed"`     // runs that failed, those without a failure of their own in the list included
	Abandoned int64            `json:"abandoned"`  // tasks that would not end after their node had crashed
	Faults    []sim.FaultCount `json:"faults"`     // the ledger
	Sometimes []Seen           `json:"sometimes"`
	Behaviour *Behaviour       `json:"behaviour"` // nil if no run was drawn by random alone after the first generation
	Failures  []*Failure       `json:"failures"`

	Guarantees []Guarantee `json:"guarantees"` // of the runs that pct has decided
}

// Seen counts the runs that have seen a "sometimes".
type Seen struct {
	ID   string `json:"id"`
	Runs int64  `json:"runs"`
}

// Failure is a violation that a search has found and replayed.
type Failure struct {
	Scenario string           `json:"-"`
	Property string           `json:"property"`
	Message  string           `json:"message"`
	Seed     string           `json:"seed"`   // of the run
	Token    string           `json:"token"`  // that fits a command line; empty for a failure of the whole search
	Replay   string           `json:"replay"` // the line to copy; empty for a failure of the whole search
	Steps    int64            `json:"steps"`
	Hash     string           `json:"trace_hash"`
	Run      int64            `json:"run"`  // its index in the search
	Runs     int64            `json:"runs"` // that failed alike
	Strategy string           `json:"strategy"`
	File     string           `json:"file,omitempty"`  // where it is kept
	Place    *Place           `json:"place,omitempty"` // of the step that decides, if somebody has looked for it
	Page     string           `json:"page,omitempty"`  // the HTML beside it
	Stack    string           `json:"stack,omitempty"` // of the task that panicked
	Tasks    []sim.TaskReport `json:"tasks,omitempty"` // that were left, for a deadlock or a leak

	Shrunk *Shrunk `json:"shrunk,omitempty"` // a smaller one, if somebody has looked for it

	// Full is the token with all deviations, whatever its length.
	Full choice.Token `json:"-"`
}

// Shrunk is a smaller failure of the same property, which package shrink has made of one that was found. Its token is empty if it
// does not fit a command line.
type Shrunk struct {
	*Failure
	Inputs   int    `json:"inputs"`
	Faults   int64  `json:"faults"`
	Switches int    `json:"context_switches"`
	Ended    string `json:"ended"` // complete, or why not
	Replays  int    `json:"replays"`

	Explanation any `json:"explanation,omitempty"` // what package shrink says of it, if somebody has asked
}
