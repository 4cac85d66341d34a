// Package disk is a simulated disk for SQLite: a VFS on which the real engine runs, whose calls are steps of a world, and which keeps
// through a loss of power only what was synced.
//
// A program is given the name of a VFS (Disk.Mount) and opens its databases with it; in production that is the empty name. What the
// simulation asks of it:
//
//   - locking_mode(exclusive) before journal_mode(wal), since there is no shared memory: otherwise the mode stays "delete", silently.
//   - No busy timeout, no SQL function of time or chance, no database/sql: they look at the wall clock, or start goroutines.
//   - A connection belongs to one task at a time, and a database to one connection.
package disk

import (
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
)

// Disk is the disk of a machine: one folder of files. It outlives the nodes that use it.
//
// What a program has written is there for whoever reads it next, also when the process has crashed: the operating system has it. The loss
// of power, which Faults describes, takes what was not synced: writes, lengths, and the coming and going of names. A sync of a
// file makes its content durable. It makes all names durable if the file is a journal that was created by that opening, as the VFS of
// an operating system must do it for SQLite; so does a deletion that asks for it. Nothing else does.
type Disk struct {
	world   *sim.World
	name    string
	kernel  *kernel.Kernel
	names   *kernel.Object // which there are, and which of them are durable
	room    *kernel.Object // full
	entries []*entry       // in the order in which they were first mentioned
	mounts  []*mount
	engines []*engine
	faults  faults
	full    bool
	drops   bool // see DropAfterSyncErrors
	changes int  // to anything, ever
	flaw    flaw
}

// flaw is what a disk of a test does wrong.
type flaw uint8

const (
	noFlaw       flaw = iota
	ignoresSyncs      // a sync makes no content durable
	forgetsNames      // and this one no name
)

// New makes an empty disk, and arms its faults if the swarm has them. No two disks of a world have the same name.
func New(w *sim.World, name string) *Disk {
	k := w.Host().Kernel()
	d := &Disk{world: w, name: name, kernel: k, names: k.NewShared("names"), room: k.NewShared("room")}
	d.arm()
	w.OnEnd(d.unmount)
	// Contents do not go round: a log has a new salt each time that it begins anew. So whoever still writes makes progress.
	w.OnFingerprint(func(f *sim.Fingerprint) { f.Int(d.changes) })
	return d
}

// DropAfterSyncErrors makes the disk one that after a sync-error takes for durable what may not be, so that the next sync does not make good
// for it: what Linux does. Programs still read what they have written, until the power is cut. Nothing that is built on SQLite survives this
// (Rebello et al. 2020): it finds in the log, which it has written and failed to sync, transactions that are not there, and puts others behind them.
func (d *Disk) DropAfterSyncErrors() { d.drops = true }

// Mount lets programs on the node use the disk. It answers the name of the VFS that they open their databases with, which is good for this
// run: file:NAME?vfs=VFS. A restarted process is a node of its own and mounts the disk anew. If a node crashes while no other but
// the host uses the disk, the machine may have lost its power, see Faults.
func (d *Disk) Mount(n *sim.Node) (name string) {
	m := &mount{disk: d, node: n}
	m.name = fmt.Sprintf("heddle-%p", m) // the registry is the process's, and worlds run in parallel
	d.world.Inline(func() {
		if n.Crashed() {
			return
		}
		d.mounts = append(d.mounts, m)
		n.OnCrash(func() { d.crashed(m) })
		vfs.Register(m.name, m)
	})
	return m.name
}

// unmount gives back, at the end of the run, what is not the world's.
func (d *Disk) unmount() {
	for _, m := range d.mounts {
		vfs.Unregister(m.name)
	}
	for _, e := range d.engines {
		e.free()
	}
}

// crashed is what the crash of a node leaves: no locks of its own, and what is durable if the power is gone.
func (d *Disk) crashed(m *mount) {
	d.kernel.TouchAll()
	for _, e := range d.entries {
		if e.now != nil {
			e.now.open = slices.DeleteFunc(e.now.open, func(h *handle) bool { return h.mount == m })
		}
	}
	d.mounts = slices.DeleteFunc(d.mounts, func(other *mount) bool {
		if other == m {
			vfs.Unregister(m.name)
		}
		return other == m
	})
	if !slices.ContainsFunc(d.mounts, func(m *mount) bool { return m.node != d.world.Host() }) {
		d.cutPower()
	}
}

// entry is the entry for a name, which need not stand for a file. It must be called outside any task.
func (d *Disk) entry(name string) *entry {
	for _, e := range d.entries {
		if e.name == name {
			return e
		}
	}
	e := &entry{name: name, key: kernel.HashString(name), object: d.kernel.NewNamed(kernel.FileObject, d.name+"/"+name)}
	d.entries = append(d.entries, e)
	return e
}

// syncNames makes durable which names there are.
func (d *Disk) syncNames() {
	if d.flaw == forgetsNames {
		return
	}
	d.touchNames()
	for _, e := range d.entries {
		e.settle(loss{})
	}
}

func (d *Disk) touchNames() { d.kernel.Touch(kernel.OpTouch, d.names) }
