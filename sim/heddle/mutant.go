package heddle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/internal/mutant"
)

// mutantFlag is for commands about a failure that was found on a mutant.
const mutantFlag = "mutant"

// onThisMutant is a line to copy that repeats a failure of this build, also if it is a mutant's.
func onThisMutant(replay string) string {
	name := os.Getenv(mutant.Variable)
	if name == "" || replay == "" {
		return replay
	}
	flag := " --" + mutantFlag + " " + quote(name)
	return strings.TrimSuffix(replay, flag) + flag
}

func addMutantFlag(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, mutantFlag, "", "the failure is of the `MUTANT` of that name in testdata/mutants, or of a patch: build it, and do this there")
}

// reported is the exit status of a child that has told everything.
type reported int

// Error is for nobody: what is wrong was said.
func (r reported) Error() string { return fmt.Sprintf("exit status %d", int(r)) }

// onMutant builds a mutant of this module and carries out the command line there.
func (a *app) onMutant(ctx context.Context, name string) error {
	root, err := a.root()
	if err != nil {
		return err
	}
	path := name
	if filepath.Ext(name) != mutant.Extension {
		paths, err := selectMutants(filepath.Join(root, filepath.FromSlash(zooFolder)), []string{name})
		if err != nil {
			return err
		}
		path = paths[0]
	}
	m, err := mutant.Read(path)
	if err != nil {
		return err
	}
	builder, err := mutant.NewBuilder(ctx, root, a.command)
	if err != nil {
		return err
	}
	binary, err := builder.Build(ctx, m)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, binary, withoutMutant(a.args)...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it tells what it has done until then
	command.Stdout, command.Stderr = a.out, a.errOut
	command.Env = append(os.Environ(), mutant.Variable+"="+name)
	err = command.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() >= 0 {
		return reported(ended.ExitCode())
	}
	return err
}

// withoutMutant is a command line without the flag.
func withoutMutant(args []string) (rest []string) {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--"+mutantFlag:
			i++
		case !strings.HasPrefix(args[i], "--"+mutantFlag+"="):
			rest = append(rest, args[i])
		}
	}
	return rest
}
