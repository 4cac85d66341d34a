// Package heddle is the command line heddle for the scenarios of any program: a main package of one line, which calls Main, has run,
// explore, replay, shrink, zoo, audit, vet and all else that heddle has. docs/command.md makes one, from an empty folder.
package heddle

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/sim"
)

// Main carries out the command line of the process with these scenarios, and ends the process: with status 0 if nothing was found, 1 if a
// property failed, 2 after wrong usage or a failure of Heddle itself. An interrupt ends a search, which tells what it has done; a second
// one ends the process at once. It must be called once, from main, by a command whose folder is named heddle: the lines to copy that
// it prints, such as heddle replay TOKEN, begin with that.
//
// The scenarios are listed in the order given, and the first is the one in which a mutant is searched whose header names no other. Mutants
// are built from the sources of the module of that command, in whose folder heddle zoo must run. Garbage is collected at GOGC=400
// unless the environment says otherwise: the heap of a search is small and short-lived.
func Main(scenarios ...*sim.Scenario) {
	kernel.Begins(1)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		if os.Getenv(mutant.Variable) != "" { // a Ctrl-C reaches the parent as well, which passes it on
			again := make(chan os.Signal, 1)
			signal.Notify(again, os.Interrupt, syscall.SIGTERM)
			<-again
			signal.Stop(again)
		}
		stop() // a second Ctrl-C ends the process at once
	}()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(thisProgram().execute(ctx, scenarios, os.Args[1:], os.Stdout, os.Stderr))
}

// program is a command and the module of its sources, from which mutants of it are built.
type program struct{ module, command string }

// thisProgram is the one that runs; empty if it was not built in the way of modules.
func thisProgram() program {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return program{}
	}
	return program{info.Main.Path, info.Path}
}
