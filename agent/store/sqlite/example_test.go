package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store/sqlite"
	"github.com/heddle-go/heddle/sched"
)

// What Update has answered nil for is in the file, for the next process.
func Example() {
	folder, err := os.MkdirTemp("", "agent")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "agent.db")

	// process opens the store, runs f in a transaction and closes it. The empty name is the VFS of the operating system.
	process := func(f func(*sqlite.Tx) error) {
		s, err := sqlite.Open(sched.Goroutines(), path, "")
		if err != nil {
			fmt.Println(err)
			return
		}
		defer s.Close()
		if err := s.Update(f); err != nil {
			fmt.Println(err)
		}
	}
	process(func(tx *sqlite.Tx) error {
		_, err := tx.AddEvent(command.Event{Connection: "ada", Kind: command.Message, Body: []byte("hello")})
		return err
	})
	process(func(tx *sqlite.Tx) error {
		events, err := tx.NextEvents(0, 10)
		for _, e := range events {
			fmt.Printf("%d %s %s %s\n", e.Number, e.Connection, e.Kind, e.Body)
		}
		return err
	})
	// Output: 1 ada message hello
}
