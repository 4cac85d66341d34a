// Package sqlite keeps what the agent knows in one file of SQLite, embedded: there is nothing to start.
//
// What Update has answered nil for is durable: the journal is a write-ahead log and is synced at each commit (property Q1). A store has its file to
// itself. In a simulation it runs on the same engine, over the VFS of package sim/disk.
package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/heddle-go/heddle/sched"
)

// Store is a store in a file. Its methods may be called from any task; transactions wait for each other.
type Store struct {
	path       string
	mu         sched.Mutex
	db         *sqlite3.Conn
	statements [queries]*sqlite3.Stmt
	failure    error // of the transaction that is under way
	last       int64 // the number of the last transaction that is there; -1: in doubt
}

// Open opens the store in a file, and makes it if there is none. vfs is the name of the VFS that has the file; empty: that of the operating system.
//
// The error is one line. Nothing is changed in a file that is not a store, is damaged, is of a newer schema, or is in use.
func Open(s sched.Scheduler, path, vfs string) (*Store, error) {
	store := &Store{path: path, mu: sched.NewMutex(s)}
	if err := store.open(vfs); err != nil {
		if store.db != nil {
			_ = store.Close() // what is wrong is known already
		}
		return nil, fmt.Errorf("store %s: %w", path, explained(err))
	}
	return store, nil
}

func (s *Store) open(system string) (err error) {
	if err := s.settle(system); err != nil {
		return err
	}
	values := url.Values{"_pragma": {"locking_mode(exclusive)"}} // before anything is read, or there is no write-ahead log
	if system != "" {
		values.Set("vfs", system)
	}
	uri := url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath(), RawQuery: values.Encode()}
	if s.db, err = sqlite3.Open(uri.String()); err != nil {
		return err
	}
	// A file that turns out to be of a newer schema stays as it is, with its log.
	if _, err = s.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
		return err
	}
	version, err := s.version()
	if err != nil {
		return err
	}
	if _, err = s.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, false); err != nil {
		return err
	}
	if mode, err := s.pragma("journal_mode = wal"); err != nil {
		return err
	} else if mode != "wal" {
		return fmt.Errorf("its journal is %q and cannot be a write-ahead log", mode)
	}
	if _, err := s.pragma("synchronous = full"); err != nil {
		return err
	}
	if err := s.migrate(version); err != nil {
		return err
	}
	return s.begins(system)
}

// settle makes durable what is in the file, if there is one. SQLite goes by what it reads: of a file that it finds empty it deletes the journal, which after
// a rollback whose sync has failed is the only thing that takes back what a power cut may leave in the file.
func (s *Store) settle(system string) error {
	if system == "" { // its VFS opens for an engine only
		file, err := os.OpenFile(s.path, os.O_RDWR, 0) //heddle:allow a simulated store has a VFS
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", sqlite3.CANTOPEN, err)
		}
		return errors.Join(file.Sync(), file.Close())
	}
	disk := vfs.Find(system)
	if disk == nil {
		return fmt.Errorf("%w: no VFS is named %s", sqlite3.CANTOPEN, system)
	}
	path, err := disk.FullPathname(s.path)
	if err != nil {
		return err
	}
	if there, err := disk.Access(path, vfs.ACCESS_EXISTS); !there || err != nil {
		return err
	}
	file, _, err := disk.Open(path, vfs.OPEN_READONLY|vfs.OPEN_MAIN_DB)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(vfs.SYNC_FULL), file.Close())
}

// version is that of the schema; 0: there is none yet.
func (s *Store) version() (version int, err error) {
	texts := [3]string{}
	for i, name := range [...]string{"application_id", "user_version", "schema_version"} {
		if texts[i], err = s.pragma(name); err != nil {
			return 0, err
		}
	}
	switch _, err := fmt.Sscan(texts[1], &version); {
	case err != nil:
		return 0, err
	case texts[0] != fmt.Sprint(application) && texts[2] != "0":
		return 0, errors.New("it is a database, but not one of this program: give another file")
	case version > len(migrations):
		return 0, fmt.Errorf("it is of schema %d, and this program knows schemas up to %d: run the newer one", version, len(migrations))
	}
	return version, nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
func (s *Store) migrate(version int) error {
	for ; version < len(migrations); version++ {
		text := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", migrations[version], application, version+1)
		if err := s.db.Exec(text); err != nil {
			return fmt.Errorf("bring the schema from %d to %d: %w", version, version+1, err)
		}
	}
	return nil
}

// begins prepares the statements, and writes once, so that the log is there; then makes its name durable, which the VFS of the operating system
// leaves out: else what is committed later could be lost with it.
func (s *Store) begins(system string) (err error) {
	for q, text := range texts {
		if s.statements[q], _, err = s.db.Prepare(text); err != nil {
			return err
		}
	}
	last, err := s.lastStored()
	if err != nil {
		return err
	}
	s.last = last
	if err := s.confirm(); err != nil || system != "" {
		return err
	}
	folder, err := os.Open(filepath.Dir(s.path)) //heddle:allow a simulated store has a VFS, and returns above
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// pragma answers the value of a pragma that has at most one.
func (s *Store) pragma(text string) (value string, err error) {
	statement, _, err := s.db.Prepare("PRAGMA " + text)
	if err != nil {
		return "", err
	}
	for statement.Step() { // to the end: what a pragma changes is committed behind its row, and that can fail
		value = statement.ColumnText(0)
	}
	return value, statement.Close()
}

// Close closes the file. No transaction may be under way, or begin.
func (s *Store) Close() error {
	for _, statement := range s.statements {
		_ = statement.Close() // its error is that of its last use
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	return nil
}

// Update implements command.Store. After an error nothing of the transaction is there, and the next one may succeed; but see ErrDoubt.
func (s *Store) Update(f func(*Tx) error) error {
	return s.transaction(begin, func(t *Tx) error {
		if s.last < 0 { // since a doubt
			last, err := s.lastStored()
			if err != nil {
				return fmt.Errorf("store %s: %w", s.path, explained(err))
			}
			s.last = last
		}
		if err := f(t); err != nil {
			return err
		}
		return t.run(numbered, s.last+1)
	})
}

// View implements command.Store.
func (s *Store) View(f func(*Tx) error) error { return s.transaction(beginRead, f) }

func (s *Store) transaction(kind query, f func(*Tx) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.run(kind); err != nil {
		return fmt.Errorf("store %s: begin: %w", s.path, explained(err))
	}
	s.failure = nil
	ended := false
	defer func() {
		if !ended && !s.db.GetAutocommit() {
			_ = s.run(rollback) // the engine has done so itself where it cannot
		}
	}()
	if err := f((*Tx)(s)); err != nil {
		return err
	}
	if s.failure != nil {
		return s.failure
	}
	err = s.run(commit)
	if err != nil && kind == begin {
		err = s.resolve(err)
	} else if err == nil && kind == begin {
		s.last++
	}
	if err != nil {
		return fmt.Errorf("store %s: commit: %w", s.path, explained(err))
	}
	ended = true
	return nil
}

// ErrDoubt answers who has made a change of which it cannot be said whether it is there, since the disk does not answer. The process is to be started anew: it then goes
// on from what there is.
var ErrDoubt = errors.New("it is in doubt whether the last change is there: start this program again")

// resolutions is how often a disk is asked before a change stays in doubt.
const resolutions = 100

// resolve finds out whether a transaction is there whose end has failed: its frames can be in the log, and be found there later, though they
// could not be synced; or it is durable, and what failed is the checkpoint behind it. If it is there it is made durable, and all is well.
func (s *Store) resolve(failed error) error {
	for range resolutions {
		if !s.db.GetAutocommit() {
			_ = s.run(rollback)
		}
		last, err := s.lastStored()
		switch {
		case err != nil:
			continue
		case last == s.last:
			return failed
		}
		s.last = last
		if s.confirm() == nil {
			return nil
		}
		s.last-- // so that it is still to be made durable
	}
	s.last = -1
	return fmt.Errorf("%w; %w", failed, ErrDoubt)
}

// lastStored is the number of the last transaction, as it is stored.
func (s *Store) lastStored() (last int64, err error) {
	statement := s.statements[lastNumber]
	if statement.Step() {
		last = statement.ColumnInt64(0)
	}
	return last, statement.Reset()
}

// confirm makes durable what is there, by a transaction that does nothing else.
func (s *Store) confirm() error {
	if err := s.run(begin); err != nil {
		return err
	}
	err := s.statements[numbered].BindInt64(1, s.last+1)
	if err == nil {
		err = s.run(numbered)
	}
	if err == nil {
		err = s.run(commit)
	}
	if err == nil {
		s.last++
		return nil
	}
	if !s.db.GetAutocommit() {
		_ = s.run(rollback)
	}
	return err
}

// run runs a statement that has no parameters and no rows.
func (s *Store) run(q query) error { return s.statements[q].Exec() }

// explained says of the errors that a user can do something about, what.
func explained(err error) error {
	switch {
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return fmt.Errorf("another process has it open: close that first (%w)", err)
	case errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("it is no database: give another file (%w)", err)
	case errors.Is(err, sqlite3.CORRUPT):
		return fmt.Errorf("it is damaged: restore it from a copy (%w)", err)
	case errors.Is(err, sqlite3.FULL):
		return fmt.Errorf("the disk is full (%w)", err)
	case errors.Is(err, sqlite3.CANTOPEN):
		return fmt.Errorf("it cannot be opened or made: look at the folder and its permissions (%w)", err)
	}
	return err
}
