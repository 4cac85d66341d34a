package store_test

import (
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/sched"
)

// What a transaction has done is there as a whole, and lasts as long as its Data: another Memory goes on from it, as a process does that was
// started anew.
func Example() {
	s, data := sched.Goroutines(), store.NewData()
	err := store.OpenMemory(s, data).Update(func(tx *store.MemoryTx) error {
		_, err := tx.AddCommand(command.Command{Correlation: "1", Key: command.Key{Connection: "ada"}, Kind: command.Create})
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	again := store.OpenMemory(s, data)
	fmt.Println(again.Update(func(tx *store.MemoryTx) error {
		if _, err := tx.AddCommand(command.Command{Correlation: "2", Key: command.Key{Connection: "ada"}, Kind: command.Delete}); err != nil {
			return err
		}
		return errors.New("changed my mind")
	}))
	err = again.View(func(tx *store.MemoryTx) error {
		commands, err := tx.CommandsOf("ada")
		for _, c := range commands {
			fmt.Println(c.Number, c.Correlation, c.Kind)
		}
		return err
	})
	fmt.Println(err)
	// Output:
	// changed my mind
	// 1 1 create
	// <nil>
}
