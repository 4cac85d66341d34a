package shrink

import (
	"fmt"

	"github.com/heddle-go/heddle/sim"
)

// Long runs. A replay of a million steps takes a second. So of a long list of decisions short beginnings are tried first, and a run without an
// end is judged by its beginning.

const (
	mostTold     = 200_000 // steps of a run that is explained
	longList     = 500     // decisions of which beginnings are tried
	firstEndless = 20_000  // steps by which a run without an end is judged at first
)

// cut keeps only the first decisions of a long list, very few at first: what comes of the default behind them often fails as well, and sooner.
func (m *minimiser) cut() {
	list := m.list()
	for length := 0; length < len(list) && len(list) > longList && !m.propose(list[:length]); {
		length = max(1, 4*length)
	}
}

// endless makes a run smaller that violates nothing but the limit of steps, as every run does that has no end. It looks for what goes on for
// longer than a low limit; and if that ends before the usual one, it does so with a higher limit.
func endless(w *world, found Run, minimise func(Oracle, Run) (Result, error)) (Result, error) {
	for limit := int64(firstEndless); limit < found.Steps; limit *= 10 {
		w.limit = limit
		start, err := w.Record(found.Taken, 0)
		if err != nil {
			return Result{}, err
		}
		result, err := minimise(w, start)
		w.limit = 0
		if err != nil {
			return result, err
		}
		first, err := w.Replay(result.Best.Taken, 0)
		if err != nil {
			return result, err
		}
		result.Replays, result.Steps = result.Replays+1, result.Steps+first.Steps
		if first.Property != found.Property {
			continue
		}
		second, err := w.Replay(result.Best.Taken, 0)
		if err != nil {
			return result, err
		}
		if !first.same(second) {
			return result, &UnstableError{first, second}
		}
		first.Taken = result.Best.Taken
		result.Replays, result.Steps = result.Replays+1, result.Steps+second.Steps
		result.Before, result.Best, result.After = sizeOf(found), first, sizeOf(first)
		return result, nil
	}
	w.limit = 0
	return minimise(w, found)
}

// TooLongError says that a run has more steps than anybody would read.
type TooLongError struct{ Steps int64 }

// Error is one line.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("a run of %d steps is not explained: that is done up to %d", e.Steps, mostTold)
}

// begin makes the run that is to be explained. Of one without an end that is its beginning.
func (e *explainer) begin(failure Run) (Run, error) {
	if failure.Property == sim.Steps && failure.Steps > firstEndless {
		e.world.limit = firstEndless
		return e.world.Record(failure.Taken, 0)
	}
	if failure.Steps > mostTold {
		return failure, &TooLongError{failure.Steps}
	}
	return failure, nil
}
