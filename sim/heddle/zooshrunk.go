package heddle

import (
	"fmt"
	"io"
	"slices"

	"github.com/heddle-go/heddle/sim/search"
)

// zooSize is how large a failure is.
type zooSize struct {
	Steps    int64 `json:"steps"`
	Inputs   int64 `json:"inputs"`
	Faults   int64 `json:"faults"`
	Switches int64 `json:"context_switches"`
}

func zooSizeOf(s *search.Shrunk) *zooSize {
	if s == nil {
		return nil
	}
	return &zooSize{s.Steps, int64(s.Inputs), s.Faults, int64(s.Switches)}
}

// zooShrunk says how much smaller failures have become, those of all searches together. Medians are of each figure by itself.
type zooShrunk struct {
	Failures int     `json:"failures"`
	Found    int64   `json:"median_steps_found"`
	Median   zooSize `json:"median"`
	Quarter  int     `json:"at_most_a_quarter"` // of the steps that were found
	Long     int     `json:"found_long"`        // failures of so many steps that a quarter is more than the median
	LongTo   int     `json:"found_long_at_most_a_quarter"`
}

// newZooShrunk sums up what --out has made smaller; nil if that is nothing.
func newZooShrunk(rows []zooRow) *zooShrunk {
	var found, steps, inputs, faults, switches []int64
	for _, r := range rows {
		for _, c := range r.Strategies {
			for _, s := range c.Searches {
				if s.Shrunk == nil {
					continue
				}
				found, steps = append(found, s.Steps), append(steps, s.Shrunk.Steps)
				inputs, faults, switches = append(inputs, s.Shrunk.Inputs), append(faults, s.Shrunk.Faults), append(switches, s.Shrunk.Switches)
			}
		}
	}
	if len(steps) == 0 {
		return nil
	}
	z := &zooShrunk{Failures: len(steps), Found: median(found), Median: zooSize{median(steps), median(inputs), median(faults), median(switches)}}
	for i := range steps {
		long, quarter := found[i] > 4*z.Median.Steps, 4*steps[i] <= found[i]
		if quarter {
			z.Quarter++
		}
		if long {
			z.Long++
		}
		if long && quarter {
			z.LongTo++
		}
	}
	return z
}

// median is the one in the middle, of an even number the later one.
func median(all []int64) int64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func (z *zooShrunk) writeText(w io.Writer) {
	fmt.Fprintf(w, "made %s smaller: in the median from %s steps to %s, with %s, %s and %s\n", plural(int64(z.Failures), "failure"), thousands(z.Found),
		thousands(z.Median.Steps), plural(z.Median.Inputs, "input"), plural(z.Median.Faults, "fault"), pluralOf(z.Median.Switches, "context switch", "context switches"))
	fmt.Fprintf(w, "at most a quarter of the steps: %d of them, and %d of the %d that were found with more than %s\n", z.Quarter, z.LongTo, z.Long, thousands(4*z.Median.Steps))
}
