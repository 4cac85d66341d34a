package shrink

import (
	"context"
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

// UsualSteps is how many steps it is usual to spend on the failures of a search: a few seconds of the small agent.
const UsualSteps = 5_000_000

// replaysWorth is how many replays a failure's share of that must allow for.
const replaysWorth = 4

// Found makes a failure that a search has found smaller, explains what comes of it, puts both into its Shrunk, and answers how many
// steps that took. What it takes to begin and to confirm the result is a few replays: of a failure for which limits.Steps is not
// worth that, nothing smaller is looked for. A failure of very many steps stays without an explanation.
//
// The error, one line, is one of [Failure] or of [Explain]: the failure does not reproduce, or its world cannot be set up.
func Found(ctx context.Context, sc *sim.Scenario, f *search.Failure, limits Limits) (spent int64, err error) {
	if limits.Steps == 0 || limits.Steps < replaysWorth*f.Steps {
		return 0, nil
	}
	forStory := limits.Steps / 4
	limits.Steps -= forStory
	small, result, err := Failure(ctx, sc, f.Full, limits)
	if err != nil {
		return result.Steps, fmt.Errorf("cannot make a failure of %s smaller: %w", sc.Name, err)
	}
	small.Run, small.Runs = f.Run, f.Runs
	f.Shrunk = small
	explanation, err := Explain(ctx, sc, small.Full, Limits{Steps: forStory})
	if tooLong := new(TooLongError); errors.As(err, &tooLong) {
		return result.Steps, nil
	}
	if err != nil {
		return result.Steps, fmt.Errorf("cannot explain a failure of %s: %w", sc.Name, err)
	}
	small.Explanation = explanation
	return result.Steps + explanation.Replayed, nil
}
