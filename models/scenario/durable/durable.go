// Package durable holds the scenarios of package scenario whose stores are SQLite's, on the real engine over simulated disks.
package durable

import (
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/store/sqlite"
	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/disk"
)

// Suffix is what a scenario's name has behind that of the same one with stores in memory.
const Suffix = "/sqlite"

// All are all scenarios of this package.
func All() []*sim.Scenario { return []*sim.Scenario{GroupRecovery()} }

// GroupRecovery is scenario.GroupRecovery where each has a disk: a crash may lose what was not synced, in any legal way, and the disk may fail or be full.
func GroupRecovery() *sim.Scenario {
	return scenario.GroupRecoveryOn("group-recovery"+Suffix, "as group-recovery, stores in SQLite on disks that fail and lose what is not synced", stores)
}

func stores(w *sim.World) scenario.Stores[*sqlite.Tx] {
	disks := map[string]*disk.Disk{}
	return func(name string, node *sim.Node) (command.Store[*sqlite.Tx], error) {
		if disks[name] == nil {
			disks[name] = disk.New(w, name)
		}
		return sqlite.Open(node, "agent.db", disks[name].Mount(node))
	}
}
