package disk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/vfs/memdb"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/disk"
)

// tenTransactions opens a database, makes a table, writes ten rows and closes it.
func tenTransactions(tb testing.TB, dsn string) {
	db, err := sqlite3.Open(dsn)
	require.NoError(tb, err)
	require.NoError(tb, db.Exec("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
	for n := range 10 {
		require.NoError(tb, db.Exec(fmt.Sprintf("INSERT INTO numbers VALUES (%d)", n)))
	}
	require.NoError(tb, db.Close())
}

// BenchmarkTenTransactions is a whole run with one store, opened once, against the same on the library's disk in memory, which writes no
// log: the ratio is the metric x-memdb.
func BenchmarkTenTransactions(b *testing.B) {
	runner := sim.NewRunner()
	defer runner.Close()
	sc := &sim.Scenario{Name: "ten", Setup: func(w *sim.World) func() {
		d := disk.New(w, "disk")
		return func() { tenTransactions(b, "file:ten.db?vfs="+d.Mount(w.Host())+wal) }
	}}
	var simulated, inMemory, open time.Duration
	var steps int64
	for b.Loop() {
		start := time.Now()
		result, err := runner.Run(sc, sim.RunConfig{Source: seeded(1)})
		simulated += time.Since(start)
		require.NoError(b, err)
		require.Nil(b, result.Failure)
		steps = result.Steps
		start = time.Now()
		tenTransactions(b, "file:ten.db?vfs=memdb")
		inMemory += time.Since(start)
		start = time.Now()
		db, err := sqlite3.Open("file:ten.db?vfs=memdb")
		require.NoError(b, err)
		require.NoError(b, db.Close())
		open += time.Since(start)
	}
	b.ReportMetric(float64(simulated)/float64(inMemory), "x-memdb")
	b.ReportMetric(float64(open.Microseconds())/float64(b.N), "µs/open+close-memdb")
	b.ReportMetric(float64(simulated.Microseconds())/float64(b.N), "µs/run")
	b.ReportMetric(float64(steps), "steps/run")
}

// BenchmarkCrashes is a scenario of three crashes and four checks, so that eight engines are opened.
func BenchmarkCrashes(b *testing.B) {
	runner := sim.NewRunner()
	defer runner.Close()
	sc := counting{pragmas: wal, crashes: 3, rows: 8}.scenario()
	seed := uint64(0)
	var steps int64
	for b.Loop() {
		seed++
		result, err := runner.Run(sc, sim.RunConfig{Source: only{seeded(seed), disk.Faults()}, DataSeed: seed})
		require.NoError(b, err)
		require.Nil(b, result.Failure)
		steps += result.Steps
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric(float64(steps)/float64(b.N), "steps/run")
}
