package shrink

import (
	"context"
	"slices"
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
