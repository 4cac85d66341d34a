package disk_test

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/disk"
)

// losing is a source of decisions by which a crash takes all that was not synced.
type losing struct{ choice.Source }

func (losing) Value(site choice.Site, n int) int {
	switch site.Name {
	case "crash":
		return 1
	case "swarm", "swarm/power-cut":
		return n - 1
	}
	return 0
}

// A process writes a row, and the power is cut. What the next process finds depends on whether the store waits for the disk.
func Example() {
	for _, synchronous := range []string{"full", "off"} {
		scenario := &sim.Scenario{Name: "power", Setup: func(w *sim.World) func() {
			d := disk.New(w, "disk")
			pragmas := "&_pragma=locking_mode(exclusive)&_pragma=journal_mode(wal)&_pragma=synchronous(" + synchronous + ")"
			return func() {
				process := w.Node("process")
				written := sched.NewChan[struct{}](w.Host(), 0)
				process.Go("write", func() {
					db, _ := sqlite3.Open("file:rows.db?vfs=" + d.Mount(process) + pragmas)
					_ = db.Exec("CREATE TABLE rows (n); INSERT INTO rows VALUES (1)")
					written.Close()
				})
				written.Recv()
				process.Crash()

				db, _ := sqlite3.Open("file:rows.db?vfs=" + d.Mount(w.Host()) + pragmas)
				defer db.Close()
				fmt.Printf("synchronous %s: %v\n", synchronous, db.Exec("SELECT n FROM rows"))
			}
		}}
		runner := sim.NewRunner()
		if _, err := runner.Run(scenario, sim.RunConfig{Source: losing{seeded(1)}}); err != nil {
			fmt.Println(err)
		}
		runner.Close()
	}
	// Output:
	// synchronous full: <nil>
	// synchronous off: sqlite3: SQL logic error: no such table: rows
}
