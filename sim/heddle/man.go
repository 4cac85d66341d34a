package heddle

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/heddle-go/heddle/sim/strategy"
)

// manCommand writes the man pages, whose texts are those of --help.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write the man pages of all commands to a folder",
		Long: `Writes a page for each command, in section 1, into a folder that exists. "man -l FOLDER/heddle-run.1" shows one; in /usr/local/share/man/man1 they are
found by name.`,
		Example: "  heddle man /usr/local/share/man/man1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("heddle man takes one folder and was given %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
				return fmt.Errorf("%s is no folder that man pages can be written to: make it first", args[0])
			}
			date := builtAt()
			root := c.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: "1", Source: "Heddle", Manual: "Heddle Manual", Date: &date}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				var path *os.PathError
				if errors.As(err, &path) {
					err = path.Err
				}
				return fmt.Errorf("the man pages cannot be written to %s: %w", args[0], err)
			}
			return nil
		},
	}
}

// builtAt is the time of the commit that this command was built from; that of the first one if it is not known.
func builtAt() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return at
			}
		}
	}
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
}

// complete lets shells complete names of scenarios, strategies and stores.
func (a *app) complete(commands ...*cobra.Command) {
	var strategies []string
	for _, s := range strategy.List() {
		strategies = append(strategies, s.Name+"\t"+s.Summary)
	}
	values := func(c *cobra.Command, flag string, list []string) {
		if c.Flags().Lookup(flag) != nil {
			_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)) // it fails for a flag that is not there
		}
	}
	for _, c := range commands {
		values(c, "strategy", strategies)
		values(c, "store", []string{"memory", "sqlite"})
		switch c.Name() {
		case "run", "audit", "explore":
			c.ValidArgsFunction = a.completeScenarios
		}
	}
}

func (a *app) completeScenarios(c *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	for _, sc := range a.scenarios {
		if !slices.Contains(args, sc.Name) && (c.Name() != "explore" || len(args) == 0) {
			names = append(names, sc.Name+"\t"+sc.Summary)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
