// Package heddle_test holds the rules of the house: which package may know which.
package heddle_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/mutant"
)

const module = "github.com/heddle-go/heddle/"

// rules say what the packages below a folder must not import, tests apart: a path, or all below it.
var rules = []struct{ below, never, why string }{
	{"agent", module + "sim", "the agent is production code"},
	{"agent", module + "models", "the agent is production code"},
	{"agent", module + "cmd", "the agent is production code"},
	{"agent", module + "internal", "the agent knows the kernel through sched only"},
	{"agent", "sync", "the agent's concurrency is sched's"},
	{"agent", "math/rand", "the agent's randomness is sched's"},
	{"agent", "math/rand/v2", "the agent's randomness is sched's"},
	{"agent", "crypto/rand", "the agent's randomness is sched's"},
	{"sim", module + "agent", "sim is a library for anybody's program"},
	{"sim", module + "models", "sim is a library for anybody's program"},
	{"sim", module + "cmd", "sim is a library for anybody's program"},
	{"net", module + "agent", "net knows no protocol"},
	{"net", module + "models", "net knows no protocol"},
	{"net", module + "sim", "net is below the simulator"},
	{"sim", module + "sim/simtest", "simtest registers flags and is for tests"},
	{"models", module + "sim/simtest", "simtest registers flags and is for tests"},
	{"cmd", module + "sim/simtest", "simtest registers flags and is for tests"},
	{"clock", module + "sim", "clock is below the simulator"},
	{"clock", module + "net", "clock needs no network"},
	{"sched", module + "sim", "sched is below the simulator"},
	{"sched", module + "clock", "sched needs no clock"},
	{"sched", module + "net", "sched needs no network"},
	{"internal/kernel", module, "the kernel is at the bottom"},
	{"models", module + "cmd", "models know no command line"},
	{"models", module + "sim/heddle", "models know no command line"},
	{"examples", module + "sim", "an example is a program that ships"},
	{"examples", module + "internal", "an example is a stranger's program"},
}

func TestImportsGoOneWay(t *testing.T) {
	checked := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != "." || d.Name() == "testdata") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		checked++
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			for _, v := range violated(path.Dir(filepath.ToSlash(file)), imported) {
				t.Errorf("%s imports %s: %s", file, imported, v)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, checked, 20, "files found")
}

// violated answers the reasons of the rules that an import in the folder breaks.
func violated(folder, imported string) (why []string) {
	for _, r := range rules {
		inside := folder == r.below || strings.HasPrefix(folder, r.below+"/")
		hit := imported == r.never || strings.HasPrefix(imported, strings.TrimSuffix(r.never, "/")+"/")
		if inside && hit {
			why = append(why, r.why)
		}
	}
	return why
}

// TestMutantsAreWithoutSQLite: the command is built once for each, and SQLite takes long to link.
func TestMutantsAreWithoutSQLite(t *testing.T) {
	packages, err := exec.Command("go", "list", "-tags", mutant.Tag, "-deps", "./cmd/...", "./agent", "./agent/command", "./agent/store", "./sim").Output()
	require.NoError(t, err)
	require.Contains(t, string(packages), module+"sim/search")
	require.NotContains(t, string(packages), "ncruces/go-sqlite3")
}

// TestRapidIsForTests: it registers flags, so who uses the library need not have it.
func TestRapidIsForTests(t *testing.T) {
	packages, err := exec.Command("go", "list", "-deps", "./cmd/...", "./examples/...", "./sim/search", "./sim/explore", "./sim/disk", "./sim/simtest").Output()
	require.NoError(t, err)
	require.Contains(t, string(packages), module+"sim/simtest\n")
	require.NotContains(t, string(packages), "pgregory.net/rapid")
}

func TestTheRulesCanBeBroken(t *testing.T) {
	require.NotEmpty(t, violated("agent/session", module+"sim/choice"))
	require.NotEmpty(t, violated("sim", module+"agent/protocol"))
	require.NotEmpty(t, violated("agent", "sync"))
	require.NotEmpty(t, violated("internal/kernel", module+"sched"))
	require.NotEmpty(t, violated("examples/pool", module+"sim/disk"))
	require.NotEmpty(t, violated("sim/search", module+"sim/simtest"))
	require.Empty(t, violated("agent", module+"sched"))
	require.Empty(t, violated("models/scenario", module+"sim"))
}
