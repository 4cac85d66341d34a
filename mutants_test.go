package heddle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/mutant"
)

func mutants(t *testing.T) (list []*mutant.Mutant) {
	paths, err := mutant.List("testdata/mutants")
	require.NoError(t, err)
	for _, path := range paths {
		m, err := mutant.Read(path)
		require.NoError(t, err)
		require.NotEmpty(t, m.Properties, "%s: the header names no properties", path)
		list = append(list, m)
	}
	return list
}

// replay answers the exit status and what was violated.
func replay(t *testing.T, binary, failure string) (status int, property, output string) {
	command := exec.Command(binary, "replay", failure)
	text, _ := command.CombinedOutput()
	for _, line := range strings.Split(string(text), "\n") {
		if _, violated, ok := strings.Cut(line, " violates "); ok && !strings.HasPrefix(line, " ") {
			property = strings.Fields(violated)[0]
		}
	}
	return command.ProcessState.ExitCode(), property, string(text)
}

// builds makes the command, with a mutant in it.
func builds(t *testing.T) (build func(t *testing.T, m *mutant.Mutant) (binary string)) {
	if testing.Short() {
		t.Skip("builds the command for each mutant")
	}
	root, err := filepath.Abs(".")
	require.NoError(t, err)
	builder, err := mutant.NewBuilder(t.Context(), root, "./cmd/heddle")
	require.NoError(t, err)
	return func(t *testing.T, m *mutant.Mutant) string {
		binary, err := builder.Build(t.Context(), m)
		require.NoError(t, err)
		return binary
	}
}

// TestExploringFindsTheMutantsOfTheScorecard holds the tables under "Explored" in docs/scorecard.md against what exploring finds.
func TestExploringFindsTheMutantsOfTheScorecard(t *testing.T) {
	build := builds(t)
	text, err := os.ReadFile("docs/scorecard.md")
	require.NoError(t, err)
	tables := regexp.MustCompile("(?m)^\\| mutant \\| property \\| execution of `(.+)` \\|\n\\|---.*\n((?:\\| .*\n)+)").FindAllStringSubmatch(string(text), -1)
	require.Len(t, tables, 2)
	for _, table := range tables {
		scenario := table[1]
		rows := regexp.MustCompile("(?m)^\\| `(.+)` \\| (.+) \\| (.+) \\|$").FindAllStringSubmatch(table[2], -1)
		require.GreaterOrEqual(t, len(rows), 5, scenario)
		for _, row := range rows {
			name, property, execution := row[1], row[2], strings.ReplaceAll(row[3], ",", "")
			t.Run(scenario+" "+name, func(t *testing.T) {
				t.Parallel()
				m, err := mutant.Read(filepath.Join("testdata", "mutants", name+".patch"))
				require.NoError(t, err)
				if !drawn(name) {
					return
				}
				command := exec.Command(build(t, m), "explore", scenario)
				output, _ := command.CombinedOutput()
				require.Equal(t, 1, command.ProcessState.ExitCode(), "%s", output)
				require.Contains(t, string(output), " violates "+property+":")
				require.Contains(t, string(output), "execution "+execution+",")
			})
		}
	}
}

// drawn says whether the mutant is one of those that are built: CI draws some of them for each commit.
func drawn(name string) bool {
	some := strings.Fields(os.Getenv("HEDDLE_MUTANTS"))
	return len(some) == 0 || slices.Contains(some, name)
}

// TestEveryKeptFailureFailsOnItsMutantOnly: testdata/failures/NAME.json was found on the mutant NAME. There it must still
// violate a property that the mutant's header names; the agent must pass.
func TestEveryKeptFailureFailsOnItsMutantOnly(t *testing.T) {
	build := builds(t)
	agent := build(t, &mutant.Mutant{})
	list := mutants(t)
	require.GreaterOrEqual(t, len(list), 3)
	for _, m := range list {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, m.Applies("."))
			if !drawn(m.Name) {
				return
			}
			failure := filepath.Join("testdata", "failures", m.Name+".json")
			if _, err := os.Stat(failure); m.Missed != "" && err != nil {
				build(t, m) // no search has found it yet
				return
			}
			require.FileExists(t, failure)
			status, property, output := replay(t, build(t, m), failure)
			require.Equal(t, 1, status, output)
			require.Contains(t, m.Properties, property, output)
			status, _, output = replay(t, agent, failure)
			require.Equal(t, 0, status, "the agent itself fails:\n%s", output)
		})
	}
}
