//go:build !race

package disk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/disk"
)

// The dependence table against brute force. Every two calls are made in both orders, in several states, and then the machine crashes in every
// way. Where what was answered or what is left differs, the table must say that they conflict.

// footprint listens to what a call touches.
type footprint struct {
	listens  bool
	accesses []access
}

type access struct {
	op     kernel.Op
	object *kernel.Object
}

func (f *footprint) Touch(op kernel.Op, o *kernel.Object) {
	if f.listens {
		f.accesses = append(f.accesses, access{op, o})
	}
}

func (f *footprint) Step(a *choice.Actor) { f.Touch(a.Op, a.Object()) }
func (*footprint) Begin(*kernel.Kernel)   {}
func (*footprint) TouchWorld()            {}
func (*footprint) TouchAll()              {}
func (*footprint) Halt(*choice.Actor)     {}
func (*footprint) Wake(*choice.Actor)     {}
func (*footprint) Over()                  {}
func conflict(a, b []access) (conflict bool) {
	for _, x := range a {
		for _, y := range b {
			conflict = conflict || x.object != nil && x.object == y.object && kernel.Conflicts(false, x.op, y.op)
		}
	}
	return conflict
}

// crashes in one way, and has all faults that crashes need.
type crashes struct{ style, seed int }

func (crashes) Schedule(*choice.Actor, []*choice.Actor, []*choice.Actor) int { return 0 }

func (c crashes) Value(site choice.Site, n int) int {
	switch site.Name {
	case "crash":
		return c.style
	case "crash-seed":
		return c.seed
	case "swarm", "swarm/power-cut", "swarm/torn-write":
		return n - 1
	}
	return 0
}

// call is a call by one of two programs, which have both files open if there are any.
type call struct {
	name string
	file int
	do   func(m *machine, f vfs.File) any
}

func calls() (all []call) {
	for file, name := range names {
		add := func(what string, do func(*machine, vfs.File) any) {
			all = append(all, call{what + " " + name, file, do})
		}
		add("read", func(_ *machine, f vfs.File) any {
			b := make([]byte, 4000)
			n, err := f.ReadAt(b, 0)
			return fmt.Sprint(b[:n], err)
		})
		add("size of", func(_ *machine, f vfs.File) any { return fmt.Sprint(f.Size()) })
		add("access", func(m *machine, _ vfs.File) any { return fmt.Sprint(m.vfs.Access(name, vfs.ACCESS_EXISTS)) })
		for i, at := range []int64{0, 300, 2000} {
			add(fmt.Sprintf("write at %d of", at), func(_ *machine, f vfs.File) any {
				return fmt.Sprint(f.WriteAt([]byte(strings.Repeat(string(rune('a'+i)), 900)), at))
			})
			add(fmt.Sprintf("truncate to %d", at), func(_ *machine, f vfs.File) any { return f.Truncate(at) })
		}
		add("sync", func(_ *machine, f vfs.File) any { return f.Sync(vfs.SYNC_NORMAL) })
		add("delete", func(m *machine, _ vfs.File) any { return m.vfs.Delete(name, false) })
		add("delete for good", func(m *machine, _ vfs.File) any { return m.vfs.Delete(name, true) })
		add("open", func(m *machine, _ vfs.File) any {
			_, _, err := m.vfs.Open(name, openFlags[file])
			return err
		})
		add("open if there", func(m *machine, _ vfs.File) any {
			_, _, err := m.vfs.Open(name, vfs.OPEN_MAIN_DB)
			return err
		})
		add("lock", func(_ *machine, f vfs.File) any { return f.Lock(vfs.LOCK_SHARED) })
		add("close", func(_ *machine, f vfs.File) any { return f.Close() })
	}
	return all
}

var states = map[string]func(m *machine, f vfs.File){
	"empty":   func(*machine, vfs.File) {},
	"durable": func(_ *machine, f vfs.File) { _, _ = f.WriteAt(make([]byte, 1000), 0); _ = f.Sync(vfs.SYNC_NORMAL) },
	"pending": func(_ *machine, f vfs.File) { _ = f.Sync(vfs.SYNC_NORMAL); _, _ = f.WriteAt(make([]byte, 1000), 200) },
	"deleted": func(m *machine, f vfs.File) {
		_, _ = f.WriteAt(make([]byte, 1000), 0)
		for _, name := range names {
			_ = m.vfs.Delete(name, false)
		}
	},
}

// duel makes both calls, each by its own opening, and answers what came of it and what each has touched.
func duel(t *testing.T, state func(*machine, vfs.File), pair [2]call, order [2]int, c crashes) (outcome string, touched [2][]access) {
	f := &footprint{}
	sc := &sim.Scenario{Name: "duel", Setup: func(w *sim.World) func() {
		m := &machine{world: w, disk: disk.New(w, "disk")}
		m.boot()
		return func() {
			var open [2]vfs.File
			for i, call := range pair {
				open[i], _, _ = m.vfs.Open(names[call.file], openFlags[call.file])
			}
			for i := range pair {
				state(m, open[i])
			}
			results := [2]any{}
			for _, i := range order {
				f.listens, f.accesses = true, nil
				results[i] = pair[i].do(m, open[i])
				f.listens, touched[i] = false, f.accesses
			}
			outcome = fmt.Sprint(results)
			for range 2 { // as it is, and after the crash
				for i := range names {
					there, content, err := m.read(i)
					outcome += fmt.Sprint(there, content, err)
				}
				m.node.Crash()
				m.boot()
			}
		}
	}}
	runner := sim.NewRunner()
	defer runner.Close()
	result, err := runner.Run(sc, sim.RunConfig{Source: c, Listener: f})
	require.NoError(t, err)
	require.Nil(t, result.Failure)
	return outcome, touched
}

func TestTheTableKnowsWhatDoesNotCommute(t *testing.T) {
	ways := []crashes{{0, 0}, {1, 0}, {2, 0}, {2, 1}, {2, 2}, {2, 3}, {3, 0}, {3, 1}, {3, 2}, {3, 3}}
	all := calls()
	commute, differ := 0, 0
	for name, state := range states {
		for i, a := range all {
			for _, b := range all[i:] {
				pair := [2]call{a, b}
				for _, c := range ways {
					there, touched := duel(t, state, pair, [2]int{0, 1}, c)
					back, other := duel(t, state, pair, [2]int{1, 0}, c)
					known := conflict(touched[0], touched[1]) || conflict(other[0], other[1])
					if there != back {
						differ++
						require.True(t, known, "%s, %s and %s, crash %v:\n%s\n%s", name, a.name, b.name, c, there, back)
					} else if !known {
						commute++
					}
				}
			}
		}
	}
	require.NotZero(t, commute)
	require.NotZero(t, differ)
}

func TestReadersOfAFileCommuteAndNothingElse(t *testing.T) {
	ops := []kernel.Op{
		kernel.OpReadFile, kernel.OpOpenFile, kernel.OpWriteFile, kernel.OpSyncFile, kernel.OpTruncateFile, kernel.OpDeleteFile, kernel.OpLockFile,
	}
	for _, a := range ops {
		for _, b := range ops {
			require.Equal(t, slices.ContainsFunc([]kernel.Op{a, b}, func(op kernel.Op) bool { return op != kernel.OpReadFile }), kernel.Conflicts(false, a, b), "%s, %s", a, b)
		}
	}
}
