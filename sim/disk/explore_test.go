//go:build !race

package disk_test

import (
	"context"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/disk"
	"github.com/heddle-go/heddle/sim/explore"
)

// TestStepsAtDifferentFilesAreExploredInOneOrder: two tasks write twice each.
func TestStepsAtDifferentFilesAreExploredInOneOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		files [2]string
		runs  int64
	}{
		{"different files", [2]string{"a", "b"}, 1},
		{"one file", [2]string{"a", "a"}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc := &sim.Scenario{Name: "writers", Setup: func(w *sim.World) func() {
				w.NoSwarm()
				d, n := disk.New(w, "disk"), w.Node("node")
				fs := vfs.Find(d.Mount(n))
				return func() {
					writers := sched.NewWaitGroup(w.Host())
					writers.Add(len(c.files))
					var open [2]vfs.File
					for i, name := range c.files {
						var err error
						open[i], _, err = fs.Open(name, vfs.OPEN_CREATE|vfs.OPEN_MAIN_DB)
						require.NoError(t, err)
					}
					for _, f := range open {
						n.Go("writer", func() {
							for at := range int64(2) {
								_, _ = f.WriteAt([]byte{1}, at)
							}
							writers.Done()
						})
					}
					writers.Wait()
				}
			}}
			report, err := explore.Run(context.Background(), explore.Config{Scenario: sc})
			require.NoError(t, err)
			require.True(t, report.Complete)
			require.Empty(t, report.Failures)
			require.Equal(t, c.runs, report.Executions)
		})
	}
}
