// Package scenario holds the named worlds that Heddle searches: nodes, workload, faults and checks.
package scenario

import "github.com/heddle-go/heddle/sim"

// All are all scenarios, in the order in which they are listed. Those that are built to fail run only by name.
func All() []*sim.Scenario {
	return append([]*sim.Scenario{SmallAgent(), SmallAgentTiny(), CommandQueue(), GroupRecovery(), GroupRecoveryTiny()}, litmus()...)
}
