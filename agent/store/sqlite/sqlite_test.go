package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store/sqlite"
	"github.com/heddle-go/heddle/agent/store/storetest"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/disk"
)

func open(t require.TestingT, path string) *sqlite.Store {
	s, err := sqlite.Open(sched.Goroutines(), path, "")
	require.NoError(t, err)
	return s
}

func TestAFileIsAStore(t *testing.T) {
	folder, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(folder, fmt.Sprint(n, " 100%?.db"))
		s := open(t, path)
		defer func() { require.NoError(t, s.Close()) }()
		storetest.Conform(t, command.Store[*sqlite.Tx](s), func() command.Store[*sqlite.Tx] {
			require.NoError(t, s.Close())
			s = open(t, path)
			return s
		})
	})
}

// struck lets the faults of a disk strike, and of these the losses of power alone if it is said so.
type struck struct {
	choice.Source
	powerOnly bool
}

func (s struck) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm", "swarm/power-cut", "swarm/torn-write":
		return n - 1
	case "swarm/read-error", "swarm/write-error", "swarm/sync-error", "swarm/disk-full":
		if s.powerOnly {
			return 0
		}
		return n - 1
	}
	return s.Source.Value(site, n)
}

func TestASimulatedDiskIsAStore(t *testing.T) {
	runner := sim.NewRunner()
	defer runner.Close()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		scenario := &sim.Scenario{Name: "store", Setup: func(w *sim.World) func() {
			d := disk.New(w, "disk")
			return func() {
				node := w.Node("agent")
				boot := func() *sqlite.Store {
					s, err := sqlite.Open(node, "agent.db", d.Mount(node))
					require.NoError(t, err)
					return s
				}
				storetest.Conform(t, command.Store[*sqlite.Tx](boot()), func() command.Store[*sqlite.Tx] {
					node.Crash()
					node = w.Node("again")
					return boot()
				})
				node.Crash()
			}
		}}
		r, err := runner.Run(scenario, sim.RunConfig{Source: struck{conformance.Random(seed), true}, DataSeed: seed})
		require.NoError(t, err)
		require.Nil(t, r.Failure)
	})
}

// Commands that were answered for are there after a crash at any step, in their order, whatever the disk has lost, and none that was not added.
func TestWhatWasAnsweredForIsThereAfterACrashAtAnyStep(t *testing.T) {
	for _, powerOnly := range []bool{true, false} {
		runner, faults := sim.NewRunner(), map[string]int64{}
		for seed := range uint64(150) {
			var tried, answered, present []command.Correlation
			scenario := &sim.Scenario{Name: "store", Setup: func(w *sim.World) func() {
				d := disk.New(w, "disk")
				open := func(n *sim.Node) *sqlite.Store {
					for {
						s, err := sqlite.Open(n, "agent.db", d.Mount(n))
						if err == nil {
							return s
						}
						require.False(t, powerOnly, err)
						_ = n.Clock().Sleep(context.Background(), time.Second)
					}
				}
				return func() {
					for process := range 3 {
						n := w.Node(fmt.Sprint("process", process))
						n.Go("main", func() {
							s := open(n)
							for i := range 20 {
								id := command.Correlation(fmt.Sprintf("%d-%02d", process, i))
								w.Observe(func() { tried = append(tried, id) })
								err := s.Update(func(tx *sqlite.Tx) error {
									_, err := tx.AddCommand(command.Command{Correlation: id, Key: command.Key{Connection: "c"}, Body: make([]byte, 100*i)})
									return err
								})
								if err == nil {
									w.Observe(func() { answered = append(answered, id) })
								}
							}
						})
						for range w.Value("until the crash", 400) {
							sched.Yield(w.Host())
						}
						n.Crash()
					}
					w.Heal()
					n := w.Node("last")
					n.Go("main", func() {
						s := open(n)
						err := s.View(func(tx *sqlite.Tx) error {
							list, err := tx.CommandsOf("c")
							w.Observe(func() {
								for _, c := range list {
									present = append(present, c.Correlation)
								}
							})
							return err
						})
						require.NoError(t, err)
						require.NoError(t, s.Close())
					})
					_ = w.Host().Clock().Sleep(context.Background(), time.Hour)
				}
			}}
			r, err := runner.Run(scenario, sim.RunConfig{Source: struck{conformance.Random(seed), powerOnly}, DataSeed: seed})
			require.NoError(t, err)
			require.Nil(t, r.Failure, "seed %d", seed)
			require.Subset(t, present, answered, "seed %d", seed)
			require.Subset(t, tried, present, "seed %d", seed)
			require.True(t, slices.IsSorted(present), "seed %d", seed)
			for _, f := range r.Faults {
				faults[f.Fault] += f.Fired
			}
		}
		runner.Close()
		for fault, fired := range faults {
			require.Equal(t, !powerOnly || fault == "power-cut" || fault == "torn-write", fired > 0, fault)
		}
	}
}

// syncsFail lets the n-th and all later syncs of a disk fail, until it is healed.
type syncsFail struct {
	choice.Source
	after *int
}

func (s syncsFail) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm", "swarm/sync-error":
		return n - 1
	case "sync-error":
		if *s.after--; *s.after < 0 {
			return n - 1
		}
	}
	return 0
}

// A store that could not be opened leaves nothing behind, so that the same process can try again: a lock that stays would keep it out for ever.
func TestAStoreThatCouldNotBeOpenedCanBeOpenedLater(t *testing.T) {
	runner, failures := sim.NewRunner(), 0
	defer runner.Close()
	for syncs := range 6 {
		var first, second error
		scenario := &sim.Scenario{Name: "store", Setup: func(w *sim.World) func() {
			d := disk.New(w, "disk")
			return func() {
				n := w.Node("agent")
				n.Go("main", func() {
					vfs := d.Mount(n)
					s, err := sqlite.Open(n, "agent.db", vfs)
					w.Inline(func() { first = err })
					if err == nil {
						_ = s.Close()
					}
					w.Heal()
					_, err = sqlite.Open(n, "agent.db", vfs)
					w.Inline(func() { second = err })
				})
				_ = w.Host().Clock().Sleep(context.Background(), time.Hour)
				n.Crash()
			}
		}}
		r, err := runner.Run(scenario, sim.RunConfig{Source: syncsFail{conformance.Random(1), &syncs}})
		require.NoError(t, err)
		require.Nil(t, r.Failure)
		if first != nil {
			failures++
		}
		require.NoError(t, second, "after %v", first)
	}
	require.Greater(t, failures, 2)
}

// oneSyncFails lets one sync fail, the n-th, and the power be cut at each crash.
type oneSyncFails struct {
	choice.Source
	n *int
}

func (s oneSyncFails) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm", "swarm/sync-error", "swarm/power-cut":
		return n - 1
	case "sync-error":
		if *s.n--; *s.n == -1 {
			return n - 1
		}
	case "crash", "crash-seed":
		return s.Source.Value(site, n)
	}
	return 0
}

// A store that could be opened keeps what it answers for, whichever sync has failed while it was opened: the switch to a write-ahead log is told before it is
// committed, and without one what is committed last can be undone by a journal whose deletion is lost.
func TestAFileThatCouldBeOpenedKeepsWhatIsCommitted(t *testing.T) {
	runner, failed := sim.NewRunner(), 0
	defer runner.Close()
	for failing := range 16 {
		for seed := range uint64(8) {
			n, errs := failing, 0
			scenario := &sim.Scenario{Name: "store", Setup: func(w *sim.World) func() {
				d := disk.New(w, "disk")
				process := func(name string, use func(*sqlite.Store)) {
					n := w.Node(name)
					n.Go("main", func() {
						vfs := d.Mount(n)
						s, err := sqlite.Open(n, "agent.db", vfs)
						for ; err != nil; s, err = sqlite.Open(n, "agent.db", vfs) {
							w.Inline(func() { errs++ })
							_ = n.Clock().Sleep(context.Background(), time.Second)
						}
						use(s)
					})
					_ = w.Host().Clock().Sleep(context.Background(), time.Hour)
					n.Crash()
				}
				return func() {
					added := false
					process("first", func(s *sqlite.Store) {
						err := s.Update(func(tx *sqlite.Tx) error {
							_, err := tx.AddCommand(command.Command{Correlation: "c", Key: command.Key{Connection: "c"}})
							return err
						})
						w.Inline(func() { added = err == nil })
					})
					process("second", func(s *sqlite.Store) {
						require.NoError(t, s.View(func(tx *sqlite.Tx) error {
							_, found, err := tx.FirstCommand(command.Key{Connection: "c"})
							if added && !found {
								w.Fail("lost", "what was answered for is not there")
							}
							return err
						}))
					})
				}
			}}
			r, err := runner.Run(scenario, sim.RunConfig{Source: oneSyncFails{conformance.Random(seed), &n}, DataSeed: seed})
			require.NoError(t, err)
			require.Nil(t, r.Failure, "sync %d, seed %d", failing, seed)
			failed += errs
		}
	}
	require.Greater(t, failed, 50)
}

// syncsFailAndPowerIsCut lets all syncs fail from the n-th on, until the power is cut at a crash.
type syncsFailAndPowerIsCut struct{ syncsFail }

func (s syncsFailAndPowerIsCut) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm/power-cut", "swarm/torn-write":
		return n - 1
	case "crash", "crash-seed":
		return s.Source.Value(site, n)
	}
	return s.syncsFail.Value(site, n)
}

// A store that could not be opened, also when that was tried again, can be opened after a loss of power: what SQLite takes away because of what it reads must be
// durable where it reads it, such as that a file is empty again.
func TestAStoreThatCouldNotBeOpenedCanBeOpenedAfterALossOfPower(t *testing.T) {
	runner, failed := sim.NewRunner(), 0
	defer runner.Close()
	for syncs := range 8 {
		for seed := range uint64(64) {
			after, first, second := syncs, error(nil), error(nil)
			scenario := &sim.Scenario{Name: "store", Setup: func(w *sim.World) func() {
				d := disk.New(w, "disk")
				process := func(name string, tries int) (err error) {
					n := w.Node(name)
					n.Go("main", func() {
						vfs := d.Mount(n)
						for range tries {
							var s *sqlite.Store
							var failure error
							if s, failure = sqlite.Open(n, "agent.db", vfs); failure == nil {
								_ = s.Close()
							}
							w.Inline(func() { err = failure })
						}
					})
					_ = w.Host().Clock().Sleep(context.Background(), time.Hour)
					n.Crash()
					return err
				}
				return func() {
					first = process("first", 3)
					w.Heal()
					second = process("second", 1)
				}
			}}
			r, err := runner.Run(scenario, sim.RunConfig{Source: syncsFailAndPowerIsCut{syncsFail{conformance.Random(seed), &after}}, DataSeed: seed})
			require.NoError(t, err)
			require.Nil(t, r.Failure)
			require.NoError(t, second, "from sync %d on, seed %d: after %v", syncs, seed, first)
			if first != nil {
				failed++
			}
		}
	}
	require.Greater(t, failed, 100)
}

// errorsStrike lets I/O errors of a disk strike, and nothing else.
type errorsStrike struct{ choice.Source }

func (s errorsStrike) Value(site choice.Site, n int) int {
	switch site.Name {
	case "swarm", "swarm/read-error", "swarm/write-error", "swarm/sync-error":
		return n - 1
	}
	return s.Source.Value(site, n)
}

// What Update has answered with an error is not there: who is told so does it again, and would find that it was done, with nobody told of it.
func TestWhatWasAnsweredWithAnErrorIsNotThere(t *testing.T) {
	runner, failed := sim.NewRunner(), 0
	defer runner.Close()
	for seed := range uint64(60) {
		scenario := &sim.Scenario{Name: "store", Setup: func(w *sim.World) func() {
			d := disk.New(w, "disk")
			return func() {
				n := w.Node("agent")
				n.Go("main", func() {
					rest := func() { _ = n.Clock().Sleep(context.Background(), time.Second) }
					vfs := d.Mount(n)
					s, err := sqlite.Open(n, "agent.db", vfs)
					for ; err != nil; s, err = sqlite.Open(n, "agent.db", vfs) {
						rest()
					}
					for i := range 30 {
						key := command.Key{Connection: command.Connection(fmt.Sprint(i))}
						added := s.Update(func(tx *sqlite.Tx) error {
							_, err := tx.AddCommand(command.Command{Correlation: command.Correlation(key.Connection), Key: key, Body: make([]byte, 3000)})
							return err
						})
						if added != nil {
							w.Inline(func() { failed++ })
						}
						look := func(tx *sqlite.Tx) error {
							_, found, err := tx.FirstCommand(key)
							if err == nil && found != (added == nil) {
								w.Fail("doubt", "command %d is there: %v, and Update had answered: %v", i, found, added)
							}
							return err
						}
						for s.View(look) != nil {
							rest()
						}
					}
				})
				_ = w.Host().Clock().Sleep(context.Background(), 100*time.Hour)
				n.Crash()
			}
		}}
		r, err := runner.Run(scenario, sim.RunConfig{Source: errorsStrike{conformance.Random(seed)}, DataSeed: seed})
		require.NoError(t, err)
		require.Nil(t, r.Failure, "seed %d", seed)
	}
	require.Greater(t, failed, 100)
}

func TestAFileThatIsNoStoreStaysAsItIs(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	database := func(name, text string) string {
		path := filepath.Join(folder, name)
		db, err := sqlite3.Open("file:" + path)
		require.NoError(t, err)
		require.NoError(t, db.Exec(text))
		require.NoError(t, db.Close())
		return path
	}
	newer := filepath.Join(folder, "newer.db")
	require.NoError(t, open(t, newer).Close())
	database("newer.db", "PRAGMA user_version = 1000")
	damaged := filepath.Join(folder, "damaged.db")
	s := open(t, damaged)
	require.NoError(t, s.Update(func(tx *sqlite.Tx) error {
		for i := range 200 {
			if _, err := tx.AddCommand(command.Command{Correlation: command.Correlation(fmt.Sprint(i)), Key: command.Key{Connection: "c"}, Body: make([]byte, 500)}); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, s.Close())
	content, err := os.ReadFile(damaged)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 1))
	for i := 100; i < 4096; i++ { // the page with the schema
		content[i] = byte(random.Uint32())
	}
	require.NoError(t, os.WriteFile(damaged, content, 0o600))

	for path, want := range map[string]string{
		write("text.db", "this is no database, but it is long enough to be one, as far as its length goes, which is more than a hundred bytes"): "it is no database",
		database("foreign.db", "CREATE TABLE t (x); PRAGMA user_version = 1"):                                                                   "not one of this program",
		newer:   "of schema 1000, and this program knows schemas up to",
		damaged: "it is damaged",
		filepath.Join(folder, "missing", "agent.db"): "cannot be opened",
	} {
		before, _ := os.ReadFile(path)
		_, err := sqlite.Open(sched.Goroutines(), path, "")
		require.ErrorContains(t, err, want, path)
		require.ErrorContains(t, err, path)
		require.NotContains(t, err.Error(), "\n")
		after, _ := os.ReadFile(path)
		require.Equal(t, before, after, path)
	}
}

func TestAStoreHasItsFileToItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.db")
	s := open(t, path)
	defer s.Close()
	_, err := sqlite.Open(sched.Goroutines(), path, "")
	require.ErrorContains(t, err, "another process has it open")
	require.NotContains(t, err.Error(), "\n")
}
