package heddle_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/mutant"
)

// shrunk is what heddle shrink tells of a kept failure.
type shrunk struct {
	Result struct{ Before, After size }
}

type size struct {
	Inputs   int
	Faults   int
	Switches int `json:"context_switches"`
	Steps    int
}

// BenchmarkKeptFailures makes every kept failure smaller, on the mutant that it was found on. The bars are a quarter of the steps for each, and
// for the median 3 context switches and 2 faults. With -v it prints a line for each.
func BenchmarkKeptFailures(b *testing.B) {
	root, err := filepath.Abs(".")
	require.NoError(b, err)
	builder, err := mutant.NewBuilder(b.Context(), root, "./cmd/heddle")
	require.NoError(b, err)
	paths, err := mutant.List("testdata/mutants")
	require.NoError(b, err)
	for range b.N {
		var all []shrunk
		for _, path := range paths {
			m, err := mutant.Read(path)
			require.NoError(b, err)
			failure := filepath.Join("testdata", "failures", m.Name+".json")
			if _, err := os.Stat(failure); err != nil {
				continue
			}
			binary, err := builder.Build(b.Context(), m)
			require.NoError(b, err)
			out, _ := exec.Command(binary, "shrink", failure, "--format", "json").Output() // exit status 1
			var s shrunk
			require.NoError(b, json.Unmarshal(out, &s), m.Name)
			before, after := s.Result.Before, s.Result.After
			b.Logf("%-45s steps %5d -> %5d  inputs %4d -> %3d  faults %3d -> %2d  switches %4d -> %2d", m.Name,
				before.Steps, after.Steps, before.Inputs, after.Inputs, before.Faults, after.Faults, before.Switches, after.Switches)
			all = append(all, s)
		}
		within := 0
		for _, s := range all {
			if 4*s.Result.After.Steps <= s.Result.Before.Steps {
				within++
			}
		}
		b.ReportMetric(float64(within)/float64(len(all)), "within-a-quarter")
		b.ReportMetric(median(all, func(s shrunk) float64 { return float64(s.Result.After.Steps) / float64(s.Result.Before.Steps) }), "x-steps")
		b.ReportMetric(median(all, func(s shrunk) float64 { return float64(s.Result.After.Inputs) }), "inputs")
		b.ReportMetric(median(all, func(s shrunk) float64 { return float64(s.Result.After.Faults) }), "faults")
		b.ReportMetric(median(all, func(s shrunk) float64 { return float64(s.Result.After.Switches) }), "switches")
	}
}

func median(all []shrunk, of func(shrunk) float64) float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = of(s)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	return values[len(values)/2]
}
