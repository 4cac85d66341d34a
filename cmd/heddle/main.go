// Command heddle searches concurrent programs for interleavings that break their properties, and repeats what it has found.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/heddle-go/heddle/models/scenario"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process at once
	}()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // the heap of a search is small and its garbage short-lived
	}
	os.Exit(execute(ctx, append(scenario.All(), onSQLite()...), os.Args[1:], os.Stdout, os.Stderr))
}
