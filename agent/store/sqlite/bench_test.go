package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store/sqlite"
)

// BenchmarkAdd is a command from the call to the disk, against a transaction of the engine that writes the same row, in the same run.
func BenchmarkAdd(b *testing.B) {
	folder := b.TempDir()
	s := open(b, filepath.Join(folder, "store.db"))
	defer s.Close()
	db, err := sqlite3.Open("file:" + filepath.Join(folder, "bare.db") + "?_pragma=locking_mode(exclusive)&_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	require.NoError(b, err)
	defer db.Close()
	require.NoError(b, db.Exec(`CREATE TABLE commands (number INTEGER PRIMARY KEY AUTOINCREMENT, correlation TEXT NOT NULL UNIQUE, connection TEXT NOT NULL,
		router TEXT NOT NULL, kind INTEGER NOT NULL, body BLOB) STRICT;
		CREATE INDEX commands_by_key ON commands (connection, router, number); CREATE INDEX commands_by_connection ON commands (connection, number)`))
	insert, _, err := db.Prepare("INSERT INTO commands (correlation, connection, router, kind, body) VALUES (?, ?, ?, ?, ?)")
	require.NoError(b, err)
	key := command.Key{Connection: "connection", Router: protocol.Router{KeyHash: "hash", Hosts: "host"}}
	body := make([]byte, 200)

	var bare, ours time.Duration
	for i := range b.N {
		id := fmt.Sprint("correlation ", i)
		begin := time.Now()
		transaction, err := db.BeginImmediate()
		require.NoError(b, err)
		_ = insert.BindText(1, id)
		_ = insert.BindText(2, string(key.Connection))
		_ = insert.BindText(3, key.Router.String())
		_ = insert.BindInt64(4, int64(command.Join))
		_ = insert.BindBlob(5, body)
		require.NoError(b, insert.Exec())
		require.NoError(b, transaction.Commit())
		middle := time.Now()
		require.NoError(b, s.Update(func(tx *sqlite.Tx) error {
			_, err := tx.AddCommand(command.Command{Correlation: command.Correlation(id), Key: key, Kind: command.Join, Body: body})
			return err
		}))
		bare, ours = bare+middle.Sub(begin), ours+time.Since(middle)
	}
	b.ReportMetric(float64(ours)/float64(b.N), "ns/add")
	b.ReportMetric(float64(ours)/float64(bare), "x-bare")
}

// BenchmarkKeys is what it takes to find the keys that have work, among many commands of few keys, and of many.
func BenchmarkKeys(b *testing.B) {
	for _, keys := range []int{10, 1000} {
		b.Run(fmt.Sprintf("%d keys of 100000 commands", keys), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "store.db"))
			defer s.Close()
			require.NoError(b, s.Update(func(tx *sqlite.Tx) error {
				for i := range 100_000 {
					c := command.Command{Correlation: command.Correlation(fmt.Sprint(i)), Key: command.Key{Connection: command.Connection(fmt.Sprint("c", i%keys))}}
					if _, err := tx.AddCommand(c); err != nil {
						return err
					}
				}
				return nil
			}))
			b.ResetTimer()
			for range b.N {
				require.NoError(b, s.View(func(tx *sqlite.Tx) error {
					found, err := tx.Keys()
					require.Len(b, found, keys)
					return err
				}))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*keys), "ns/key")
		})
	}
}
