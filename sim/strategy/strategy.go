// Package strategy holds the ways to decide the runs of a search. Each is a source of choices in a file of its own, made
// from a seed and from what earlier runs have taught; nothing else enters, so the same seed decides the same run.
package strategy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim/choice"
)

// Source decides one run after another. It is used by one goroutine at a time and allocates nothing while a run lasts.
type Source interface {
	choice.Source
	// Begin starts a run. length is how many choices a run is expected to have (see [Lengths]), 0 if nobody knows yet.
	Begin(seed uint64, length int64)
	// Choices is how many times Schedule has been called since Begin.
	Choices() int64
}

// Strategy is a way to decide runs. It is a value that does not change, so goroutines may share it; each takes sources of its own.
type Strategy struct {
	name   string
	parts  []Strategy    // of a mix; else empty
	places []Strategy    // of a mix: who decides which runs, in turn; see Shares
	make   func() Source // of a single strategy
	depth  int           // of pct

	learns learning
}

// Name is what Parse reads the strategy from.
func (s Strategy) Name() string { return s.name }

// Source makes a source of a single strategy; of a mix, ask a part of its Shares.
func (s Strategy) Source() Source { return s.make() }

// Alike says whether all runs of the strategy are drawn from one distribution, after the first generation: it learns from no other.
func (s Strategy) Alike() bool { return s.name == randomName }

// IsGuided says whether what runs come to decides how others begin: see Corpus.
func (s Strategy) IsGuided() bool { return s.name == guidedName }

// Default is the name of the strategy of a search that names none.
const Default = "mix"

// Info describes a strategy for a person.
type Info struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
}

// List tells of all strategies that Parse knows.
func List() []Info {
	return []Info{
		{"mix", "the default: random, guided twice, pos and pct:3 in turn, and then three runs of those that find new behaviour"},
		{"random", "any actor that can move, all alike"},
		{guidedName, "as random, but most runs begin as one that came to something rare, and fork off there"},
		{"pct:D", fmt.Sprintf("random priorities with D-1 changes (D from 1 to %d): finds any bug of depth D with a stated chance", maxDepth)},
		{"pos", "random priorities, drawn again where steps race: few runs are spent on orders that cannot matter"},
		{"urw", "an actor with much left to do is likelier, as earlier runs had it: all interleavings alike"},
		{"surw", "the same for the operations on a few objects, other ones in each run: all orders of these alike"},
		{"delay:D", fmt.Sprintf("the default order, but for D delays (D from 0 to %d)", maxDelays)},
		{"fair", "round and round: every actor that can move does, again and again"},
	}
}

// plain are the strategies without a parameter.
func plain() map[string]Strategy {
	return map[string]Strategy{
		randomName: {make: func() Source { return &random{} }},
		guidedName: {make: func() Source { return &guided{} }},
		"pos":      {make: func() Source { return &pos{} }},
		"urw":      {make: func() Source { return &urw{} }, learns: learnsSteps},
		"surw":     {make: func() Source { return &surw{} }, learns: learnsSites},
		"fair":     {make: func() Source { return &fair{} }},
	}
}

// Parse reads the name of a strategy. The error is one line that says what there is.
func Parse(name string) (Strategy, error) {
	if name == Default {
		return mix(), nil
	}
	kind, parameter, hasParameter := strings.Cut(name, ":")
	if s, ok := plain()[kind]; ok {
		if hasParameter {
			return Strategy{}, fmt.Errorf("strategy %q: %s has no parameter", name, kind)
		}
		s.name = name
		return s, nil
	}
	n, err := strconv.Atoi(parameter)
	number := hasParameter && err == nil && strconv.Itoa(n) == parameter
	switch kind {
	case "pct":
		if !number || n < 1 || n > maxDepth {
			return Strategy{}, fmt.Errorf("strategy %q: pct needs the depth of the bugs that it looks for, from 1 to %d, such as pct:3", name, maxDepth)
		}
		return Strategy{name: name, depth: n, make: func() Source { return newPCT(n) }}, nil
	case "delay":
		if !number || n < 0 || n > maxDelays {
			return Strategy{}, fmt.Errorf("strategy %q: delay needs the number of delays in a run, from 0 to %d, such as delay:2", name, maxDelays)
		}
		return Strategy{name: name, make: func() Source { return newDelay(n) }}, nil
	default:
		return Strategy{}, fmt.Errorf("unknown strategy %q: there are %s", name, names())
	}
}

func names() string {
	var all []string
	for _, info := range List() {
		all = append(all, info.Name)
	}
	return strings.Join(all, ", ")
}
