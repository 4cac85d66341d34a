// Command heddle-vet lets go vet look for what would escape from the simulator's control:
//
//	go vet -vettool=$(which heddle-vet) ./...
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/heddle-go/heddle/sim/vet"
)

func main() { unitchecker.Main(vet.New()) }
