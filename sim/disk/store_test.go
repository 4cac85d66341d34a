package disk_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/disk"
)

// uniform decides at random, and lets an armed fault strike now and then.
type uniform struct{ *rand.PCG }

func (u uniform) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	if len(armed) > 0 && u.Uint64()%40 == 0 {
		return len(enabled) + int(u.Uint64()%uint64(len(armed)))
	}
	return int(u.Uint64() % uint64(len(enabled)))
}

func (u uniform) Value(_ choice.Site, n int) int { return int(u.Uint64() % uint64(n)) }

func seeded(seed uint64) uniform { return uniform{rand.NewPCG(seed, 0)} }

// only gives the swarm these faults and no others.
type only struct {
	choice.Source
	faults []string
}

func (o only) Value(site choice.Site, n int) int {
	if site.Name == "swarm" {
		return n - 1
	}
	for _, fault := range disk.Faults() {
		if site.Name == "swarm/"+fault {
			for _, f := range o.faults {
				if f == fault {
					return n - 1
				}
			}
			return 0
		}
	}
	return o.Source.Value(site, n)
}

// The pragmas of stores that lose nothing, and of two that do.
const (
	wal       = "&_pragma=locking_mode(exclusive)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=wal_autocheckpoint(5)"
	careless  = "&_pragma=locking_mode(exclusive)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"
	rollback  = "&_pragma=journal_mode(delete)&_pragma=synchronous(extra)"
	forgetful = "&_pragma=journal_mode(delete)&_pragma=synchronous(full)"
)

// counter is a store of the numbers from 1 upwards, and what its user knows of it.
type counter struct {
	world        *sim.World
	disk         *disk.Disk
	pragmas      string
	tried, acked int // the highest number that was to be written, and that was
	errors       int
	told         func(error)
}

// serve writes number after number, one in each transaction. After an error it opens the database anew.
func (c *counter) serve(n *sim.Node, vfs string, until int) {
	for done := false; !done; {
		if err := c.session(vfs, until); err != nil {
			c.world.Observe(func() {
				c.errors++
				if c.told != nil {
					c.told(err)
				}
			})
			_ = n.Clock().Sleep(context.Background(), time.Second)
		} else {
			done = true
		}
	}
}

func (c *counter) session(vfs string, until int) error {
	db, err := c.open(vfs)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Exec("CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY, padding BLOB)"); err != nil {
		return err
	}
	_, last, err := numbers(db)
	if err != nil {
		return err
	}
	for n := last + 1; n <= until; n++ {
		c.world.Observe(func() { c.tried = max(c.tried, n) })
		if err := db.Exec(fmt.Sprintf("INSERT INTO numbers VALUES (%d, zeroblob(%d))", n, n%4*700)); err != nil {
			return err
		}
		c.world.Observe(func() { c.acked = max(c.acked, n) })
	}
	return nil
}

func (c *counter) open(vfs string) (*sqlite3.Conn, error) {
	return sqlite3.Open("file:counter.db?vfs=" + vfs + c.pragmas)
}

// numbers answers how many there are and which is the last.
func numbers(db *sqlite3.Conn) (count, last int, err error) {
	stmt, _, err := db.Prepare("SELECT count(*), coalesce(max(n), 0) FROM numbers")
	if err != nil {
		return 0, 0, err
	}
	defer stmt.Close()
	if stmt.Step() {
		count, last = stmt.ColumnInt(0), stmt.ColumnInt(1)
	}
	return count, last, stmt.Err()
}

// check reads the database as the host, which no fault strikes: the numbers that were acknowledged are there, and of the others
// none that is not the next.
func (c *counter) check(vfs string) {
	db, err := c.open(vfs)
	if err != nil {
		c.world.Fail("intact", "the database cannot be opened: %v", err)
		return
	}
	defer db.Close()
	if text, err := one(db, "PRAGMA integrity_check"); err != nil || text != "ok" {
		c.world.Fail("intact", "integrity check: %s, %v", text, err)
		return
	}
	if there, err := one(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'numbers'"); err != nil || there == "0" {
		if c.acked > 0 || err != nil {
			c.world.Fail("durable", "no table, though %d was acknowledged: %v", c.acked, err)
		}
		return
	}
	switch count, last, err := numbers(db); {
	case err != nil:
		c.world.Fail("intact", "the numbers cannot be read: %v", err)
	case last < c.acked:
		c.world.Fail("durable", "%d was acknowledged, the last one there is %d", c.acked, last)
	case count != last || last > c.tried:
		c.world.Fail("intact", "%d numbers up to %d, of %d that were tried", count, last, c.tried)
	}
}

func one(db *sqlite3.Conn, query string) (text string, err error) {
	stmt, _, err := db.Prepare(query)
	if err != nil {
		return "", err
	}
	defer stmt.Close()
	if stmt.Step() {
		text = stmt.ColumnText(0)
	}
	return text, stmt.Err()
}

// counting is a scenario in which the process of a counter crashes at random steps. It is checked after each crash.
type counting struct {
	pragmas string
	flaw    func(*disk.Disk)
	crashes int
	rows    int
	seen    func(*counter) // after the last check
	told    func(error)
}

func (s counting) scenario() *sim.Scenario {
	return &sim.Scenario{Name: "counting", Setup: func(w *sim.World) func() {
		c := &counter{world: w, disk: disk.New(w, "disk"), pragmas: s.pragmas, told: s.told}
		if s.flaw != nil {
			s.flaw(c.disk)
		}
		return func() {
			for crash := range s.crashes + 1 {
				n := w.Node("store")
				vfs := c.disk.Mount(n)
				done := sched.NewChan[struct{}](w.Host(), 0)
				last := crash == s.crashes
				n.Go("serve", func() {
					c.serve(n, vfs, s.rows*(crash+1))
					done.Close()
				})
				if last {
					w.Heal()
					done.Recv()
				} else {
					for range w.Value("crash-at", 300) {
						sched.Yield(w.Host())
					}
					if w.Chance("much-later", 4) {
						_ = w.Host().Clock().Sleep(context.Background(), 10*time.Second)
					}
				}
				n.Crash()
				c.check(c.disk.Mount(w.Host()))
			}
			if s.seen != nil {
				w.Inline(func() { s.seen(c) })
			}
		}
	}}
}

// runs runs the scenario with seeds from 1 on, until one fails; failed is nil if none does.
func (s counting) runs(t testing.TB, seeds uint64, faults ...string) (failed *sim.Failure, ledger map[string]sim.FaultCount) {
	runner := sim.NewRunner()
	defer runner.Close()
	ledger = map[string]sim.FaultCount{}
	sc := s.scenario()
	for seed := uint64(1); seed <= seeds; seed++ {
		result, err := runner.Run(sc, sim.RunConfig{Source: only{seeded(seed), faults}, DataSeed: seed})
		require.NoError(t, err, "seed %d", seed)
		for _, f := range result.Faults {
			sum := ledger[f.Fault]
			ledger[f.Fault] = sim.FaultCount{Fault: f.Fault, Armed: sum.Armed + f.Armed, Fired: sum.Fired + f.Fired, Effect: sum.Effect + f.Effect}
		}
		if result.Failure != nil {
			t.Logf("seed %d, step %d: %s: %s\n%s", seed, result.Failure.Step, result.Failure.Property, result.Failure.Message, result.Failure.Stack)
			return result.Failure, ledger
		}
	}
	return nil, ledger
}
