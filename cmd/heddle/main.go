// Command heddle searches concurrent programs for interleavings that break their properties, and repeats what it has found. This one has
// the scenarios of this repository; heddle.Main makes one for any others.
package main

import (
	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim/heddle"
)

func main() { heddle.Main(append(scenario.All(), onSQLite()...)...) }
