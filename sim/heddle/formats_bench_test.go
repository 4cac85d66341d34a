package heddle

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkFormats is what it takes to write every format of a search without failures, and the summary of the job. The ratio is that of a
// search of a second with all of them to one without; it may be 1.05. It is put together from its parts, since the time of searches differs
// by more than that.
func BenchmarkFormats(b *testing.B) {
	mix, err := strategy.Parse(strategy.Default)
	require.NoError(b, err)
	config := search.Config{Seed: "7", Strategy: mix, Duration: time.Second, Workers: 2}
	for _, sc := range scenario.All() {
		if sc.Fails == "" {
			config.Scenarios = append(config.Scenarios, sc)
		}
	}
	found, err := search.Run(context.Background(), config)
	require.NoError(b, err)
	require.Empty(b, found.Failures())
	folder := b.TempDir()
	outputs := []output{{"text", filepath.Join(folder, "t.txt")}, {"json", filepath.Join(folder, "r.json")}, {"junit", filepath.Join(folder, "j.xml")}, {"sarif", filepath.Join(folder, "s.json")}, {"github", ""}}
	a := &app{out: io.Discard, errOut: io.Discard}
	for b.Loop() {
		require.NoError(b, locate(config.Scenarios, found))
		require.NoError(b, a.printRun(outputs, filepath.Join(b.TempDir(), "summary.md"), newRunDocument(config, found, nil), config.Scenarios))
	}
	writing := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(1+writing.Seconds()/found.Elapsed.Seconds(), "ratio")
}
