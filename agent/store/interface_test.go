package store_test

import (
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/store"
)

var _ group.Tx = (*store.MemoryTx)(nil)
