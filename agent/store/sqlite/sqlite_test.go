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
