// Command group is a group whose members are processes: each has its agent, on goroutines and the wall clock, and its store, a file of SQLite; what they say
// to each other goes through routers over TCP. Any of them may be killed at any moment: started again, it goes on from its store.
//
//	group router --listen 127.0.0.1:4001
//	group host --router ROUTER --store host.db --members 2 --invitations DIR
//	group member --router ROUTER --store member-1.db --name member-1 --invitations DIR
//	group show --store host.db
//
// ROUTER is what the router says that it is. A host and a member say on standard output, a line of JSON each time, what has become of the group, and on
// standard error what happens; they go on until they are told to end. The routers keep their queues in memory: they are not to be killed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const usage = "want one of: group router, group host, group member, group show; each with -h says what it can be told"

// execute carries out a command line, and answers the exit status: 0, 1 after something has failed, or 2 for wrong usage.
func execute(ctx context.Context, arguments []string, out, errs io.Writer) int {
	if len(arguments) == 0 {
		fmt.Fprintln(errs, usage)
		return 2
	}
	commands := map[string]func(context.Context, *flag.FlagSet, []string, io.Writer, io.Writer) error{
		"router": routerCommand, "host": hostCommand, "member": memberCommand, "show": showCommand,
	}
	run := commands[arguments[0]]
	if run == nil {
		fmt.Fprintf(errs, "there is no %q: %s\n", arguments[0], usage)
		return 2
	}
	flags := flag.NewFlagSet("group "+arguments[0], flag.ContinueOnError)
	flags.SetOutput(errs)
	err := run(ctx, flags, arguments[1:], out, errs)
	var wrong wrongUsage
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(errs, err)
		return 2
	}
	fmt.Fprintln(errs, err)
	return 1
}

// wrongUsage is what is wrong with a command line.
type wrongUsage struct{ error }

// parse reads the flags of a command. Those that are named must be there.
func parse(flags *flag.FlagSet, arguments []string, needed ...string) error {
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return wrongUsage{fmt.Errorf("%s: see above", flags.Name())}
	}
	if flags.NArg() > 0 {
		return wrongUsage{fmt.Errorf("%s: %q is no flag", flags.Name(), flags.Arg(0))}
	}
	for _, name := range needed {
		if flags.Lookup(name).Value.String() == "" {
			return wrongUsage{fmt.Errorf("%s needs --%s: %s", flags.Name(), name, flags.Lookup(name).Usage)}
		}
	}
	return nil
}

// settings are what a host and a member can be told.
type settings struct {
	store, invitations, routers string

	reconnect, persistError, rpcTimeout, retryFirst, retryLongest, late, report time.Duration
}

func (s *settings) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.store, "store", "", "the `file` that keeps what it knows")
	flags.StringVar(&s.invitations, "invitations", "", "the `folder` through which invitations go from the host to members")
	flags.StringVar(&s.routers, "router", "", "the `routers` on which it makes queues, with commas between them")
	flags.DurationVar(&s.reconnect, "reconnect", 50*time.Millisecond, "how long it waits before it connects with a router again")
	flags.DurationVar(&s.persistError, "persist-error", 200*time.Millisecond, "how long a router that could not be reached is taken for unreachable")
	flags.DurationVar(&s.rpcTimeout, "rpc-timeout", 2*time.Second, "how long it waits for an answer of a router")
	flags.DurationVar(&s.retryFirst, "retry", 50*time.Millisecond, "how long it waits before it carries out a command again")
	flags.DurationVar(&s.retryLongest, "retry-longest", 500*time.Millisecond, "how long it waits at most, after many times")
	flags.DurationVar(&s.late, "late", time.Hour, "after what time a member that is not connected is late")
	flags.DurationVar(&s.report, "report", 50*time.Millisecond, "how often it looks whether there is something new to be told on standard output")
}

// parsed are the configurations that the settings come to.
func (s *settings) parsed() (small agent.Config, config group.Config, err error) {
	small = agent.DefaultConfig(protocol.RecipientService)
	small.Reconnect = retry.Interval{Initial: s.reconnect, GrowAfter: 10 * s.reconnect, Max: 10 * s.reconnect}
	small.PersistError, small.RPCTimeout = s.persistError, s.rpcTimeout
	commands := command.DefaultConfig()
	commands.Retry = retry.Interval{Initial: s.retryFirst, GrowAfter: 2 * s.retryFirst, Max: s.retryLongest}
	config = group.Config{Connections: connection.Config{Commands: commands}, Timeout: s.late}
	for text := range strings.SplitSeq(s.routers, ",") {
		r, err := protocol.ParseRouter(text)
		if err != nil {
			return small, config, wrongUsage{err}
		}
		config.Connections.Routers = append(config.Connections.Routers, r)
	}
	if s.report <= 0 {
		return small, config, wrongUsage{fmt.Errorf("--report is %v: want more than 0", s.report)}
	}
	return small, config, nil
}
