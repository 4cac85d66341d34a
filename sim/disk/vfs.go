package disk

import (
	"io"
	"slices"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
)

// mount is the disk as a node sees it: a VFS. Its calls come from the engine, in a task; what they do to the disk they do outside it.
type mount struct {
	disk *Disk
	node *sim.Node
	name string
}

// step is a step of the acting task at an object, in which f is done. A task that is killed there never comes back to its engine. What is read
// happens after what was written before, as in package syscall.
//
//go:norace
func (m *mount) step(op kernel.Op, o *kernel.Object, e *engine, f func()) {
	lives := false
	defer func() {
		if !lives {
			e.free()
		}
	}()
	m.disk.kernel.Point(op, o)
	m.disk.kernel.Covered(f)
	lives = true
}

// find is the entry for a name, made known before a step is about it.
//
//go:norace
func (m *mount) find(name string) (e *entry) {
	m.disk.kernel.ObserveCovered(func() { e = m.disk.entry(name) })
	return e
}

// FullPathname answers the name: there is one folder.
func (m *mount) FullPathname(name string) (string, error) { return name, nil }

// OpenFilename opens or creates a file for an engine. One without a name only that engine knows: nothing of it is the disk's.
//
//go:norace
func (m *mount) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil {
		return &vfsutil.SliceFile{}, flags, nil
	}
	var e *engine
	m.disk.kernel.ObserveCovered(func() { e = m.disk.engine(name) })
	return m.openFor(e, name.String(), flags)
}

// Open opens or creates a file for who is no engine.
//
//go:norace
func (m *mount) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return m.openFor(nil, name, flags)
}

//go:norace
func (m *mount) openFor(e *engine, name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	var h *handle
	entry := m.find(name)
	m.step(kernel.OpOpenFile, entry.object, e, func() { h = m.open(entry, flags) })
	if h == nil {
		return nil, flags, sqlite3.CANTOPEN
	}
	h.engine = e
	return h, flags, nil
}

// open answers nil if there is no such file and none is to be made.
func (m *mount) open(e *entry, flags vfs.OpenFlag) *handle {
	m.disk.notice(e.noticed())
	h := &handle{mount: m, entry: e}
	if e.now == nil {
		if flags&vfs.OPEN_CREATE == 0 {
			return nil
		}
		m.disk.changes++
		m.disk.touchNames()
		e.create()
	}
	// So do the systems' own: whether the file was there makes no difference.
	h.syncsNames = flags&vfs.OPEN_CREATE != 0 && flags&(vfs.OPEN_MAIN_JOURNAL|vfs.OPEN_SUPER_JOURNAL|vfs.OPEN_WAL) != 0
	h.file = e.now
	h.file.open = append(h.file.open, h)
	return h
}

// Delete takes a name away.
//
//go:norace
func (m *mount) Delete(name string, syncDir bool) (err error) {
	e := m.find(name)
	m.step(kernel.OpDeleteFile, e.object, nil, func() { err = m.delete(e, syncDir) })
	return err
}

func (m *mount) delete(e *entry, sync bool) error {
	d := m.disk
	d.notice(e.noticed())
	switch {
	case e.now == nil:
		return sqlite3.IOERR_DELETE_NOENT
	case m.fails(writeError, d.faults.writeError, writeOdds):
		return errWrite
	}
	d.changes++
	d.touchNames()
	e.set(nil)
	switch {
	case !sync:
	case m.fails(syncError, d.faults.syncError, syncOdds):
		return errSyncName
	default:
		d.syncNames()
	}
	return nil
}

// Access says whether there is such a file.
//
//go:norace
func (m *mount) Access(name string, _ vfs.AccessFlag) (there bool, err error) {
	e := m.find(name)
	m.step(kernel.OpReadFile, e.object, nil, func() {
		m.disk.notice(e.noticed())
		there = e.now != nil
	})
	return there, nil
}

// handle is an open file.
type handle struct {
	*mount
	engine     *engine
	entry      *entry
	file       *file
	lock       vfs.LockLevel
	syncsNames bool // the next sync does
}

//go:norace
func (h *handle) step(op kernel.Op, f func()) { h.mount.step(op, h.entry.object, h.engine, f) }

// ReadAt reads what there is.
//
//go:norace
func (h *handle) ReadAt(p []byte, at int64) (n int, err error) {
	h.step(kernel.OpReadFile, func() { n, err = h.read(p, at) })
	return n, err
}

func (h *handle) read(p []byte, at int64) (n int, err error) {
	h.fold(at, int64(len(p)))
	if h.fails(readError, h.disk.faults.readError, readOdds) {
		return 0, errRead
	}
	h.disk.notice(h.file.noticed(at, len(p)))
	if n = copy(p, part(h.file.content, at, len(p))); n < len(p) {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes all, or only a part if it fails.
//
//go:norace
func (h *handle) WriteAt(p []byte, at int64) (n int, err error) {
	h.step(kernel.OpWriteFile, func() { n, err = h.write(p, at) })
	return n, err
}

func (h *handle) write(p []byte, at int64) (n int, err error) {
	h.fold(at, int64(len(p)))
	switch {
	case at+int64(len(p)) > int64(len(h.file.content)) && h.lacksRoom():
		return 0, errFull
	case h.fails(writeError, h.disk.faults.writeError, writeOdds):
		p = p[:len(p)/2/sectorSize*sectorSize]
		err = errWrite
	}
	if len(p) > 0 {
		h.disk.changes++
		h.file.change(change{at, slices.Clone(p)}) // it is the engine's memory
	}
	return len(p), err
}

// Truncate sets the length.
//
//go:norace
func (h *handle) Truncate(size int64) (err error) {
	h.step(kernel.OpTruncateFile, func() { err = h.truncate(size) })
	return err
}

// SizeHint makes room, as far as that is more than there is.
//
//go:norace
func (h *handle) SizeHint(size int64) (err error) {
	h.step(kernel.OpTruncateFile, func() { err = h.truncate(max(size, int64(len(h.file.content)))) })
	return err
}

func (h *handle) truncate(size int64) error {
	h.fold(size, 0)
	now := int64(len(h.file.content))
	switch {
	case size == now:
		return nil
	case size > now && h.lacksRoom():
		return errFull
	case h.fails(writeError, h.disk.faults.writeError, writeOdds):
		return errWrite
	}
	h.disk.changes++
	h.file.change(change{at: size})
	return nil
}

// Sync makes the file durable and, if it is a new journal, all names. A length belongs to the data.
//
//go:norace
func (h *handle) Sync(vfs.SyncFlag) (err error) {
	h.step(kernel.OpSyncFile, func() { err = h.sync() })
	return err
}

func (h *handle) sync() error {
	d := h.disk
	switch {
	case h.fails(syncError, d.faults.syncError, syncOdds):
		if d.drops {
			h.file.settle(d.draw("sync-error-keeps", syncError, losesNothing, losesAll, losesLast, losesSectors))
		}
		return errSync
	case d.flaw != ignoresSyncs:
		h.file.settle(loss{})
	}
	if h.syncsNames {
		h.syncsNames = false
		d.syncNames()
	}
	return nil
}

// Size is the length.
//
//go:norace
func (h *handle) Size() (size int64, err error) {
	h.step(kernel.OpReadFile, func() {
		size = int64(len(h.file.content))
		if t := &h.file.trace; t.fault != "" && int64(len(t.content)) != size {
			h.disk.notice(t.fault)
			*t = trace{}
		}
	})
	return size, nil
}

// Close lets go of the file and its lock.
//
//go:norace
func (h *handle) Close() error {
	if h.engine != nil && h.engine.freed {
		return nil
	}
	h.step(kernel.OpLockFile, func() {
		h.file.open = slices.DeleteFunc(h.file.open, func(other *handle) bool { return other == h })
	})
	return nil
}

// Lock takes a lock or says that another program has it. Nobody waits for one here.
//
//go:norace
func (h *handle) Lock(level vfs.LockLevel) (err error) {
	h.step(kernel.OpLockFile, func() { err = h.acquire(level) })
	return err
}

// acquire follows the protocol of SQLite: many may share, one of them may reserve, and who has reserved waits until it is alone.
func (h *handle) acquire(level vfs.LockLevel) error {
	others := vfs.LOCK_NONE
	for _, other := range h.file.open {
		if other != h {
			others = max(others, other.lock)
		}
	}
	switch {
	case level <= h.lock:
		return nil
	case level == vfs.LOCK_SHARED && others >= vfs.LOCK_PENDING, level > vfs.LOCK_SHARED && others >= vfs.LOCK_RESERVED:
		return sqlite3.BUSY
	case level == vfs.LOCK_EXCLUSIVE && others >= vfs.LOCK_SHARED:
		h.lock = vfs.LOCK_PENDING
		return sqlite3.BUSY
	}
	h.lock = level
	return nil
}

// Unlock lowers the lock.
//
//go:norace
func (h *handle) Unlock(level vfs.LockLevel) error {
	h.step(kernel.OpLockFile, func() { h.lock = min(h.lock, level) })
	return nil
}

// CheckReservedLock says whether anybody is about to write.
//
//go:norace
func (h *handle) CheckReservedLock() (reserved bool, err error) {
	h.step(kernel.OpLockFile, func() {
		reserved = slices.ContainsFunc(h.file.open, func(other *handle) bool { return other.lock >= vfs.LOCK_RESERVED })
	})
	return reserved, nil
}

// SectorSize is what the library says of a file of the system, so that the calls are the same; see sectorSize.
func (h *handle) SectorSize() int { return 4096 }

// DeviceCharacteristics are those of a file of the system: a write leaves alone what is beside it, even if the power is cut.
func (h *handle) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_POWERSAFE_OVERWRITE | vfs.IOCAP_SUBPAGE_READ
}

// fold adds to the hash of the run where in the file the step is. What is written there is not: SQLite salts it.
func (h *handle) fold(at, n int64) {
	h.disk.kernel.Fold(uint64(at))
	h.disk.kernel.Fold(uint64(n))
}
