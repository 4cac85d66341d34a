package shrink

import (
	"context"
	"slices"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// MinimiseBy is Minimise with the passes of those names alone.
func MinimiseBy(ctx context.Context, oracle Oracle, failure Run, limits Limits, names ...string) (Result, error) {
	return minimise(ctx, oracle, failure, limits, slices.DeleteFunc(slices.Clone(passes), func(p pass) bool { return !slices.Contains(names, p.name) }))
}

// PassNames are the names of all passes.
func PassNames() (names []string) {
	for _, p := range passes {
		names = append(names, p.name)
	}
	return names
}

// FailureBy is Failure with the passes of those names alone.
func FailureBy(ctx context.Context, sc *sim.Scenario, token choice.Token, names ...string) (*search.Shrunk, Result, error) {
	return failure(sc, token, func(oracle Oracle, found Run) (Result, error) {
		return MinimiseBy(ctx, oracle, found, Limits{}, names...)
	})
}
