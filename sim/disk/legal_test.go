package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/disk"
)

// names are the files of the test and the flags that they are opened with: a journal makes all names durable at its first sync.
var names = []string{"main", "journal"}

var openFlags = []vfs.OpenFlag{vfs.OPEN_CREATE | vfs.OPEN_MAIN_DB, vfs.OPEN_CREATE | vfs.OPEN_MAIN_JOURNAL}

// doing is one thing that is done to a disk.
type doing struct {
	what string
	file int
	at   int64
	size int
}

// machine does things to a disk and to the model, and compares.
type machine struct {
	world  *sim.World
	disk   *disk.Disk
	node   *sim.Node
	vfs    vfs.VFS
	model  []*legalName
	open   []vfs.File
	linked []bool // the open journal still makes names durable
	fill   byte
	cuts   int
}

func newMachine(w *sim.World) *machine {
	m := &machine{world: w, disk: disk.New(w, "disk")}
	for range names {
		m.model = append(m.model, newLegalName())
	}
	m.boot()
	return m
}

func (m *machine) boot() {
	m.node = m.world.Node("machine")
	m.vfs = vfs.Find(m.disk.Mount(m.node))
	m.open, m.linked = make([]vfs.File, len(names)), make([]bool, len(names))
}

func (m *machine) do(d doing) error {
	model := m.model[d.file]
	if d.what != "delete" && d.what != "crash" && m.open[d.file] == nil {
		f, _, err := m.vfs.Open(names[d.file], openFlags[d.file])
		if err != nil {
			return err
		}
		m.open[d.file], m.linked[d.file] = f, d.file == 1
		if model.now == nil {
			model.set(newLegalFile())
		}
	}
	f := m.open[d.file]
	switch d.what {
	case "write":
		m.fill++
		data := bytes.Repeat([]byte{m.fill}, d.size)
		model.now.write(d.at, data)
		_, err := f.WriteAt(data, d.at)
		return err
	case "truncate":
		model.now.truncate(d.at)
		return f.Truncate(d.at)
	case "sync":
		if f.Sync(vfs.SYNC_FULL) != nil {
			return nil // any of it may be durable
		}
		model.now.sync()
		if m.linked[d.file] {
			m.linked[d.file] = false
			m.syncNames()
		}
		return nil
	case "delete", "delete for good":
		if model.now == nil {
			return nil
		}
		if f != nil {
			m.open[d.file] = nil
			if err := f.Close(); err != nil {
				return err
			}
		}
		model.set(nil)
		if m.vfs.Delete(names[d.file], d.what == "delete for good") == nil && d.what == "delete for good" {
			m.syncNames()
		}
		return nil
	case "crash":
		return m.crash()
	}
	return m.compare()
}

func (m *machine) syncNames() {
	for _, n := range m.model {
		n.sync()
	}
}

// crash is a crash and, as the world decides, a loss of power: then what is there must be legal, else as it was.
func (m *machine) crash() error {
	m.node.Crash()
	m.boot()
	if m.compare() == nil {
		return nil // nothing was lost, or nothing that shows; it may be durable or not, as before
	}
	m.cuts++
	for i := range names {
		there, content, err := m.read(i)
		if err != nil {
			return err
		}
		if !m.model[i].lost(there, content) {
			return fmt.Errorf("%s has become what it may not be: there %t, %d bytes", names[i], there, len(content))
		}
	}
	return nil
}

// compare holds the files as programs see them against the model.
func (m *machine) compare() error {
	for i := range names {
		there, content, err := m.read(i)
		if err != nil {
			return err
		}
		if now := m.model[i].now; there != (now != nil) || there && !bytes.Equal(content, now.content) {
			return fmt.Errorf("%s is not as it was written", names[i])
		}
	}
	return nil
}

func (m *machine) read(i int) (there bool, content []byte, err error) {
	if there, err = m.vfs.Access(names[i], vfs.ACCESS_EXISTS); !there || err != nil {
		return there, nil, err
	}
	f, _, err := m.vfs.Open(names[i], vfs.OPEN_MAIN_DB)
	if err != nil {
		return there, nil, err
	}
	defer f.Close()
	size, _ := f.Size()
	content = make([]byte, size+1)
	n, err := f.ReadAt(content, 0)
	if !errors.Is(err, io.EOF) || int64(n) != size {
		return there, nil, fmt.Errorf("read %d of %d bytes: %w", n, size, err)
	}
	return there, content[:n], nil
}

// script draws what is done. Places are such that writes share sectors and cross their borders.
func script() *rapid.Generator[[]doing] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) doing {
		return doing{
			what: rapid.SampledFrom([]string{"write", "write", "write", "write", "truncate", "sync", "delete", "delete for good", "crash", "compare"}).Draw(t, "what"),
			file: rapid.IntRange(0, len(names)-1).Draw(t, "file"),
			at:   rapid.SampledFrom([]int64{0, 32, 256, 512, 700, 1024, 1536, 3000}).Draw(t, "at"),
			size: rapid.SampledFrom([]int{32, 256, 512, 1024, 2000}).Draw(t, "size"),
		}
	}), 1, 30)
}

// obey does the script on a disk with these faults and answers what went wrong, and how often something was lost.
func obey(t require.TestingT, script []doing, seed uint64, flaw func(*disk.Disk), faults ...string) (wrong error, cuts int) {
	sc := &sim.Scenario{Name: "legal", Setup: func(w *sim.World) func() {
		m := newMachine(w)
		if flaw != nil {
			flaw(m.disk)
		}
		return func() {
			for i, d := range script {
				if err := m.do(d); err != nil {
					wrong = fmt.Errorf("step %d, %+v: %w", i, d, err)
					break
				}
			}
			cuts = m.cuts
		}
	}}
	runner := sim.NewRunner()
	defer runner.Close()
	result, err := runner.Run(sc, sim.RunConfig{Source: only{seeded(seed), faults}})
	require.NoError(t, err)
	require.Nil(t, result.Failure)
	return wrong, cuts
}

func TestALossOfPowerLeavesNothingThatIsNotLegal(t *testing.T) {
	cuts := 0
	rapid.Check(t, func(t *rapid.T) {
		script := script().Draw(t, "script")
		wrong, n := obey(t, script, rapid.Uint64().Draw(t, "seed"), nil, "power-cut", "torn-write", "sync-error")
		require.NoError(t, wrong)
		cuts += n
	})
	require.NotZero(t, cuts)
}

// TestTheModelSeesADiskThatLosesTooMuch: what a flawed disk leaves is not legal.
func TestTheModelSeesADiskThatLosesTooMuch(t *testing.T) {
	write, sync, crash := doing{what: "write", file: 1, size: 2000}, doing{what: "sync", file: 1}, doing{what: "crash"}
	for name, c := range map[string]struct {
		flaw   func(*disk.Disk)
		script []doing
	}{
		"ignores syncs":       {(*disk.Disk).IgnoreSyncs, []doing{write, sync, crash}},
		"forgets names":       {(*disk.Disk).ForgetNames, []doing{write, sync, crash}},
		"drops after errors":  {(*disk.Disk).DropAfterSyncErrors, []doing{write, sync, sync, crash}},
		"a legal one, though": {nil, []doing{write, sync, sync, crash}},
	} {
		t.Run(name, func(t *testing.T) {
			seen := false
			for seed := range uint64(200) {
				wrong, _ := obey(t, c.script, seed, c.flaw, "power-cut", "torn-write", "sync-error")
				seen = seen || wrong != nil
			}
			require.Equal(t, c.flaw != nil, seen)
		})
	}
}
