//go:build !nosqlite

package main

import (
	"github.com/heddle-go/heddle/models/scenario/durable"
	"github.com/heddle-go/heddle/sim"
)

// onSQLite are the scenarios that need SQLite.
func onSQLite() []*sim.Scenario { return durable.All() }
