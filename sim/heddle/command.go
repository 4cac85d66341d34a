package heddle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

// The exit statuses.
const (
	statusClean = 0 // nothing found
	statusFound = 1 // a property failed
	statusError = 2 // wrong usage, a failure of Heddle itself, or nothing explored
)

// errFound ends a command that has found, and reported, a failure of a property.
var errFound = errors.New("a property failed")

// app is what the commands share.
type app struct {
	program
	scenarios []*sim.Scenario
	args      []string
	out       io.Writer
	errOut    io.Writer
}

// execute runs the command line and answers the exit status. All that is wrong is told on errOut, in one line.
func (p program) execute(ctx context.Context, scenarios []*sim.Scenario, args []string, out, errOut io.Writer) int {
	if err := check(scenarios); err != nil {
		fmt.Fprintf(errOut, "heddle: %s\n", err)
		return statusError
	}
	a := &app{program: p, scenarios: scenarios, args: args, out: out, errOut: errOut}
	root := &cobra.Command{
		Use:   "heddle",
		Short: "Deterministic simulation: find the interleaving that breaks a property, and repeat it",
		Long: `Heddle runs concurrent programs in a simulated world, thousands of times, each time with another interleaving and other
faults, and checks their properties. What fails is repeated, step for step, by one command, on any machine.

Exit status: 0 nothing found; 1 a property failed; 2 wrong usage, a failure of Heddle itself, or nothing explored.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(a.runCommand(), a.exploreCommand(), a.replayCommand(), a.shrinkCommand(), a.zooCommand(), a.auditCommand(), a.vetCommand(), a.listCommand(),
		a.manCommand())
	a.complete(root.Commands()...)
	root.SetHelpCommand(helpCommand(root))
	root.InitDefaultCompletionCmd(args...)
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.RunE = func(_ *cobra.Command, args []string) error {
				return fmt.Errorf("heddle completion takes the name of a shell, bash, zsh, fish or powershell, and was given %q", args)
			}
		}
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w: %s --help shows what it takes", err, c.CommandPath())
	})
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)

	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return statusClean
	case errors.Is(err, errFound):
		return statusFound
	}
	var child reported
	if errors.As(err, &child) {
		return int(child)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	fmt.Fprintf(errOut, "heddle: %s\n", line)
	var stuck *search.StuckError
	if errors.As(err, &stuck) {
		fmt.Fprintf(errOut, "\n%s\n", stuck.Stack)
	}
	return statusError
}

// helpCommand shows the help of a command, and knows when there is none of that name.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("unknown command %q: heddle --help shows those there are", strings.Join(args, " "))
			}
			return c.Help()
		},
	}
}

// check says what is wrong with the scenarios of a program, in one line.
func check(scenarios []*sim.Scenario) error {
	if len(scenarios) == 0 {
		return errors.New("this program has no scenario: heddle.Main takes one or more")
	}
	known := map[string]bool{}
	for i, sc := range scenarios {
		switch {
		case sc == nil || sc.Name == "" || sc.Setup == nil:
			return fmt.Errorf("scenario %d of this program has no name or no Setup: heddle.Main takes scenarios that have both", i+1)
		case known[sc.Name]:
			return fmt.Errorf("two scenarios of this program are named %s: each must have a name of its own", sc.Name)
		}
		known[sc.Name] = true
	}
	return nil
}

// usual is the name of the scenario that is meant where none is named.
func (a *app) usual() string { return a.scenarios[0].Name }

// scenario finds a scenario by name. The error says what is closest.
func (a *app) scenario(name string) (*sim.Scenario, error) {
	var names []string
	for _, sc := range a.scenarios {
		if sc.Name == name {
			return sc, nil
		}
		names = append(names, sc.Name)
	}
	return nil, fmt.Errorf("unknown scenario %q: %sheddle list shows those there are", name, suggestion(name, names))
}

// suggestion asks whether the closest of the names was meant, if one is close.
func suggestion(name string, names []string) string {
	closest, distance := "", len(name)/2+1
	for _, n := range names {
		if d := editDistance(name, n); d < distance {
			closest, distance = n, d
		}
	}
	if closest == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s? ", closest)
}

// editDistance is how many insertions, deletions and replacements of bytes turn a into b (Levenshtein 1966).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
