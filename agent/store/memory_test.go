package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/agent/store/storetest"
	"github.com/heddle-go/heddle/sched"
)

func TestMemoryIsAStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := store.NewData()
		open := func() command.Store[*store.MemoryTx] { return store.OpenMemory(sched.Goroutines(), data) }
		storetest.Conform(t, open(), open)
	})
}

func TestWhatPanicsInATransactionIsUndone(t *testing.T) {
	s := store.OpenMemory(sched.Goroutines(), store.NewData())
	require.Panics(t, func() {
		_ = s.Update(func(tx *store.MemoryTx) error {
			_, err := tx.AddCommand(command.Command{Correlation: "a"})
			require.NoError(t, err)
			panic("in the middle")
		})
	})
	require.NoError(t, s.View(func(tx *store.MemoryTx) error {
		keys, err := tx.Keys()
		require.Empty(t, keys)
		return err
	}))
}
