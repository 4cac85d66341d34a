// Package payment is a worker that makes payments through a provider, each once, however often the worker is killed, and an example of a
// program that Heddle tests on simulated disks.
//
// A payment is stored together with a key of its own before the provider hears of it. The provider makes one payment for each key (an
// idempotency key), so a worker that does not know what became of a payment asks again, with the key that is stored.
package payment

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/sched"
)

// Payment is one that is to be made.
type Payment struct {
	ID      string // the customer's, who may submit it more than once
	Account string
	Cents   int64
	Key     string // by which the provider knows it again
}

// Store keeps payments in a file of SQLite. Its methods may be called by any task. After an error the process is to be started again.
type Store struct {
	scheduler sched.Scheduler
	mu        sched.Mutex
	db        *sqlite3.Conn
}

// A commit is durable when it returns: the log is synced. It is the only user of its file, so there is no time to wait for another.
const pragmas = "_pragma=locking_mode(exclusive)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"

const schema = `CREATE TABLE IF NOT EXISTS payments (
	number  INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	account TEXT NOT NULL,
	cents   INTEGER NOT NULL,
	key     TEXT NOT NULL,
	done    INTEGER NOT NULL DEFAULT 0
)`

// Open opens the store in a file, and makes it if there is none. vfs is the file system of SQLite; empty: that of the machine.
func Open(s sched.Scheduler, path, vfs string) (*Store, error) {
	uri := "file:" + path + "?" + pragmas
	if vfs != "" {
		uri += "&vfs=" + vfs
	}
	db, err := sqlite3.Open(uri)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	store := &Store{scheduler: s, mu: sched.NewMutex(sched.Named(s, "store")), db: db}
	// What a process before this one has committed but not synced can be read, and is lost with the next loss of power all the same. So all
	// that is there is made durable before anybody acts upon it.
	if err := db.Exec(schema + "; PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return store, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Submit takes a payment on, durably. One that is there already stays as it is.
func (s *Store) Submit(id, account string, cents int64) error {
	return s.exec(
		"INSERT INTO payments (id, account, cents, key) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
		id, account, cents, newKey(s.scheduler),
	)
}

// newKey makes a key that no other payment has.
func newKey(s sched.Scheduler) string {
	var key [16]byte
	s.Read(key[:])
	return hex.EncodeToString(key[:])
}

// Next is the oldest payment that is not done; found is false if there is none.
func (s *Store) Next() (p Payment, found bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	statement, _, err := s.db.Prepare("SELECT id, account, cents, key FROM payments WHERE done = 0 ORDER BY number LIMIT 1")
	if err != nil {
		return p, false, err
	}
	if found = statement.Step(); found {
		p = Payment{statement.ColumnText(0), statement.ColumnText(1), statement.ColumnInt64(2), statement.ColumnText(3)}
	}
	return p, found, statement.Close()
}

// Done says that a payment has been made.
func (s *Store) Done(id string) error { return s.exec("UPDATE payments SET done = 1 WHERE id = ?", id) }

// exec runs a statement in a transaction of its own.
func (s *Store) exec(text string, arguments ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	statement, _, err := s.db.Prepare(text)
	if err != nil {
		return err
	}
	for i, a := range arguments {
		switch a := a.(type) {
		case string:
			err = errors.Join(err, statement.BindText(i+1, a))
		case int64:
			err = errors.Join(err, statement.BindInt64(i+1, a))
		}
	}
	if err == nil {
		err = statement.Exec()
	}
	return errors.Join(err, statement.Close())
}
