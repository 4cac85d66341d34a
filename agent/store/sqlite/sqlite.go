// Package sqlite keeps what the agent knows in one file of SQLite, embedded: there is nothing to start.
//
// What Update has answered nil for is durable: the journal is a write-ahead log and is synced at each commit (property Q1). A store has its file to
// itself. In a simulation it runs on the same engine, over the VFS of package sim/disk.
package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/sched"
)

// Store is a store in a file. Its methods may be called from any task; transactions wait for each other.
type Store struct {
	path       string
	mu         sched.Mutex
	db         *sqlite3.Conn
	statements [queries]*sqlite3.Stmt
	failure    error // of the transaction that is under way
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

func (s *Store) open(vfs string) (err error) {
	values := url.Values{"_pragma": {"locking_mode(exclusive)"}} // before anything is read, or there is no write-ahead log
	if vfs != "" {
		values.Set("vfs", vfs)
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
	return s.begins(vfs)
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
func (s *Store) begins(vfs string) (err error) {
	for q, text := range texts {
		if s.statements[q], _, err = s.db.Prepare(text); err != nil {
			return err
		}
	}
	if err := s.run(opened); err != nil || vfs != "" {
		return err
	}
	folder, err := os.Open(filepath.Dir(s.path)) //heddle:allow a simulated store has a VFS, and returns above
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// pragma answers the first value of a pragma, if it has one.
func (s *Store) pragma(text string) (value string, err error) {
	statement, _, err := s.db.Prepare("PRAGMA " + text)
	if err != nil {
		return "", err
	}
	defer statement.Close()
	if statement.Step() {
		value = statement.ColumnText(0)
	}
	return value, statement.Err()
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

// Update implements command.Store. After an error of the disk nothing of the transaction is there, and the next one may succeed.
func (s *Store) Update(f func(*Tx) error) error { return s.transaction(begin, f) }

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
	if err := s.run(commit); err != nil {
		return fmt.Errorf("store %s: commit: %w", s.path, explained(err))
	}
	ended = true
	return nil
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
