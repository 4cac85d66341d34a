//go:build nosqlite

package main

import "github.com/heddle-go/heddle/sim"

// onSQLite are none: mutants are built without SQLite, which takes long to link.
func onSQLite() []*sim.Scenario { return nil }
