package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store/sqlite"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/disk"
)

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
