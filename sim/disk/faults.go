package disk

import (
	"errors"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/heddle-go/heddle/internal/kernel"
)

// The faults of a disk, as the ledger names them.
const (
	readError  = "read-error"
	writeError = "write-error"
	syncError  = "sync-error"
	diskFull   = "disk-full"
	powerCut   = "power-cut"
	tornWrite  = "torn-write"
)

// Faults are the faults that a Disk draws by swarm, each under its name in the ledger. None strikes the host.
//
// A read-error is one read that fails. A write-error is one write of which only a part is made, or a truncation or deletion that is not. After a
// sync-error any of what was to be synced may be durable, and all is after the next sync; but see DropAfterSyncErrors. disk-full is for
// some time. With power-cut and torn-write, who crashes may lose power as well: with the first, all of what was not synced, or the last
// of it in each file; with the second, any sectors of it.
func Faults() []string {
	return []string{readError, writeError, syncError, diskFull, powerCut, tornWrite}
}

// faults are those that ask at each event; disk-full is a rule.
type faults struct{ readError, writeError, syncError, diskFull, powerCut, tornWrite bool }

// Out of how many calls one fails.
const (
	readOdds  = 24
	writeOdds = 24
	syncOdds  = 8
)

// fullTimes are how long the disk is full.
var fullTimes = [...]time.Duration{time.Second, 10 * time.Second, 40 * time.Second, 120 * time.Second}

// arm draws the faults and arms the rule.
func (d *Disk) arm() {
	w := d.world
	d.faults = faults{
		readError: w.Swarm(readError), writeError: w.Swarm(writeError), syncError: w.Swarm(syncError),
		diskFull: w.Swarm(diskFull), powerCut: w.Swarm(powerCut), tornWrite: w.Swarm(tornWrite),
	}
	w.Rule(diskFull, 2, func() bool {
		if d.full {
			return false
		}
		d.full = true
		w.After(fullTimes[w.Value("disk-full-time", len(fullTimes))], func() {
			d.kernel.Touch(kernel.OpWriteFile, d.room)
			d.full = false
		})
		return true
	})
	w.OnHeal(func() { d.full = false })
}

// fails decides whether a call of the handle's program fails.
func (m *mount) fails(fault string, armed bool, oneIn int) bool {
	w := m.disk.world
	if !armed || m.node == w.Host() || w.Healed() || !w.Chance(fault, oneIn) {
		return false
	}
	w.Struck(fault)
	return true
}

// lacksRoom says whether the disk is too full for the handle's program.
func (m *mount) lacksRoom() bool {
	d := m.disk
	if !d.faults.diskFull || m.node == d.world.Host() {
		return false
	}
	d.kernel.Touch(kernel.OpReadFile, d.room)
	if d.full {
		d.world.Effect(diskFull)
	}
	return d.full
}

// What a program is answered. Where no code of SQLite is given the library adds the one that belongs to the call.
var (
	errRead     = errors.New("simulated read-error")
	errWrite    = errors.New("simulated write-error")
	errSync     = errors.New("simulated sync-error")
	errSyncName = vfs.SystemError(errSync, sqlite3.IOERR_DIR_FSYNC)
	errFull     = vfs.SystemError(errors.New("simulated disk-full"), sqlite3.FULL)
)

// style is what a loss takes of what was not synced.
type style uint8

const (
	losesNothing style = iota
	losesAll
	losesLast    // of each file; the earlier changes are kept
	losesSectors // any
)

// loss decides what is lost. What it decides for a file is a function of what was done to that file, so that what is done to different
// files commutes.
type loss struct {
	fault string
	style style
	seed  uint64
}

// seeds bounds the seeds of losses: few, so that they are short to write down, and enough, since the changes to a file count as well.
const seeds = 64

// draw draws a loss of one of the styles.
func (d *Disk) draw(site, fault string, styles ...style) loss {
	l := loss{fault: fault, style: styles[d.world.Value(site, len(styles))]}
	if l.style >= losesLast {
		l.seed = uint64(d.world.Value(site+"-seed", seeds))
	}
	return l
}

// keeps says whether a sector of the i-th of n changes is kept.
func (l loss) keeps(key uint64, i, n int, sector int64) bool {
	h := kernel.Mix(l.seed+1, key)
	switch l.style {
	case losesNothing:
		return true
	case losesLast:
		return uint64(i) < kernel.Scatter(h)%uint64(n+1)
	case losesSectors:
		return kernel.Scatter(kernel.Mix(kernel.Mix(h, uint64(i)), uint64(sector)))&1 == 0
	}
	return false
}

// cutPower decides whether the crash of the last node was a loss of power, and what is lost then.
func (d *Disk) cutPower() {
	if d.world.Healed() || !d.canLose() {
		return
	}
	styles := []style{losesNothing}
	if d.faults.powerCut {
		styles = append(styles, losesAll, losesLast)
	}
	if d.faults.tornWrite {
		styles = append(styles, losesSectors)
	}
	l := d.draw("crash", powerCut, styles...)
	if l.style == losesNothing {
		return
	}
	if l.style == losesSectors {
		l.fault = tornWrite
	}
	d.world.Fired(l.fault)
	for _, e := range d.entries {
		e.lose(l)
	}
}

// canLose says whether anything may not be durable.
func (d *Disk) canLose() bool {
	return d.drops || slices.ContainsFunc(d.entries, func(e *entry) bool {
		return len(e.pending) > 0 || e.now != nil && len(e.now.pending) > 0
	})
}

// notice counts that a program has seen what a fault has done; none is empty.
func (d *Disk) notice(fault string) {
	if fault != "" {
		d.world.Effect(fault)
	}
}
