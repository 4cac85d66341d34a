// Package examples_test puts the bugs of the examples back. Each is a patch in the testdata of its example, survives the ordinary tests
// of that, and is found by its simulation.
package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/mutant"
)

// simulated is the test of each example that simulates it; all others are ordinary ones.
const simulated = "^TestSimulated"

// withoutRaceDetector are the examples that are not tested under it here: SQLite takes long to compile for it.
var withoutRaceDetector = map[string]bool{"payment": true}

func TestTheSimulationFindsWhatTheOrdinaryTestsDoNot(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the examples with their bugs")
	}
	patches, err := filepath.Glob("*/testdata/*" + mutant.Extension)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(patches), 3)
	for _, patch := range patches {
		example := strings.Split(filepath.ToSlash(patch), "/")[0]
		bug, err := mutant.Read(patch)
		require.NoError(t, err)
		require.NotEmpty(t, bug.Properties, "%s: the header names no properties", patch)
		t.Run(example+"/"+bug.Name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			c := copied(t, root, example)
			require.NoError(t, bug.Write("..", root))

			c.run(0, "go", "test", "-c", "-o", c.binary, c.folder)
			c.test(0, "-test.skip", simulated)
			if !withoutRaceDetector[example] {
				c.run(0, "go", "test", "-race", "-vet=off", "-skip", simulated, c.folder)
			}

			kept := c.test(1, "-test.run", simulated)
			require.Contains(t, kept, "no search while failures that are kept in testdata/heddle/")
			c.violates(bug, kept)

			c.forget()
			found := c.test(1, "-test.run", simulated)
			require.Contains(t, found, "kept in testdata/heddle/")
			c.violates(bug, found)

			c.forget()
			again := c.run(1, "sh", "-c", c.replayLine(found))
			c.violates(bug, again)
			require.Equal(t, c.replayLine(found), c.replayLine(again))
		})
	}
}

// example is a copy of one, in a module of its own.
type example struct {
	*testing.T
	folder string
	binary string // of its tests
}

// copied makes a module of an example, in a folder elsewhere.
func copied(t *testing.T, root, name string) *example {
	heddle, err := filepath.Abs("..")
	require.NoError(t, err)
	c := &example{T: t, folder: filepath.Join(root, "examples", name), binary: filepath.Join(root, name+".test")}
	require.NoError(t, os.CopyFS(c.folder, os.DirFS(name)))
	definition, err := os.ReadFile(filepath.Join(heddle, "go.mod"))
	require.NoError(t, err)
	stranger := strings.Replace(string(definition), "module github.com/heddle-go/heddle", "module example.com/stranger", 1)
	stranger += "\nrequire github.com/heddle-go/heddle v0.0.0\nreplace github.com/heddle-go/heddle => " + heddle + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte(stranger), 0o644))
	sums, err := os.ReadFile(filepath.Join(heddle, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.sum"), sums, 0o644))
	tests, err := filepath.Glob(filepath.Join(c.folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range tests { // the package that they test is the copy
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		own := strings.ReplaceAll(string(text), "github.com/heddle-go/heddle/examples/", "example.com/stranger/examples/")
		require.NoError(t, os.WriteFile(file, []byte(own), 0o644))
	}
	return c
}

// test runs the tests of the example, as they were built, with some flags.
func (c *example) test(status int, flags ...string) (output string) {
	c.Helper()
	return c.run(status, c.binary, flags...)
}

// forget takes away what is kept.
func (c *example) forget() { require.NoError(c, os.RemoveAll(filepath.Join(c.folder, "testdata"))) }

// replayLine is the line to copy out of an output.
func (c *example) replayLine(output string) string {
	c.Helper()
	line := regexp.MustCompile(`(?m)^ +(go test .* -heddle\.replay=.*)$`).FindStringSubmatch(output)
	require.NotNil(c, line, output)
	return line[1]
}

// run runs a command in the folder of the example, which must end with that status.
func (c *example) run(status int, name string, arguments ...string) (output string) {
	c.Helper()
	command := exec.Command(name, arguments...)
	command.Dir, command.Env = c.folder, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	text, err := command.CombinedOutput()
	if command.ProcessState == nil {
		require.NoError(c, err)
	}
	require.Equal(c, status, command.ProcessState.ExitCode(), "%s %s\n%s", name, strings.Join(arguments, " "), text)
	return string(text)
}

// violates says that an output tells of a property that the bug breaks, and of no other.
func (c *example) violates(bug *mutant.Mutant, output string) {
	c.Helper()
	violated := regexp.MustCompile(`(?m) violates (\S+): `).FindAllStringSubmatch(output, -1)
	require.NotEmpty(c, violated, output)
	for _, v := range violated {
		require.Contains(c, bug.Properties, v[1], output)
	}
}
