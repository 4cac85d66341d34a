package heddle

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// analysed makes a module with the files, each after its name, and works in it.
func analysed(t *testing.T, files ...string) {
	t.Helper()
	folder := t.TempDir()
	files = append(files, "go.mod", "module example.com/program\n\ngo 1.26\n")
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(folder, files[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(files[i+1]), 0o644))
	}
	t.Chdir(folder)
	t.Setenv("GOFLAGS", "-buildvcs=false")
}

const (
	wallClockProgram = "package program\n\nimport \"time\"\n\nfunc Now() time.Time {\n\tgo Now()\n\treturn time.Now()\n}\n"
	allowedProgram   = "package program\n\nimport \"time\"\n\nvar Begun = time.Now() //heddle:allow it is only printed\n"
	nativeTest       = "package program\n\nimport \"testing\"\n\nfunc TestNothing(*testing.T) { close(make(chan int)) }\n"
)

func TestVetReportsEscapes(t *testing.T) {
	analysed(t, "clock.go", wallClockProgram, "clock_test.go", nativeTest, "inner/inner.go", "package inner\n")
	require.Equal(t, `clock.go:6:2: a go statement starts what no simulation schedules: use Go of the sched.Scheduler
clock.go:7:14: time.Now reads the wall clock: use Now of the environment's clock.Clock
2 escapes in 2 packages
`, found(t, "vet", "./..."))

	var document vetDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "vet", "--tests", "--format", "json", ".")), &document))
	require.Len(t, document.Escapes, 4, "the same once, though the package is built with and without its tests")
	require.Equal(t, vetEscape{
		Package: "example.com/program", File: "clock.go", Line: 6, Column: 2, Category: "goroutine",
		Message: "a go statement starts what no simulation schedules: use Go of the sched.Scheduler",
	}, document.Escapes[0])
	require.Equal(t, "clock_test.go", document.Escapes[3].File)
}

func TestVetFindsNothing(t *testing.T) {
	analysed(t, "clock.go", allowedProgram, "clock_test.go", nativeTest)
	require.Equal(t, "0 escapes in 1 package\n", clean(t, "vet", "./..."))
	require.JSONEq(t, `{"packages": 1, "escapes": []}`, clean(t, "vet", "./...", "--format", "json"))
}

func TestVetSaysWhatIsWrong(t *testing.T) {
	analysed(t, "broken.go", "package program\n\nvar X int = \"one\"\n", "empty/go.mod", "module example.com/empty\n\ngo 1.26\n")
	for _, test := range []struct {
		want string
		args []string
	}{
		{"heddle vet takes packages, such as ./...", nil},
		{"example.com/program does not build: ", []string{"./..."}},
		{"broken.go:3:13: cannot use \"one\"", []string{"./..."}},
		{"does not build: ", []string{"./nowhere"}},
		{"does not build: ", []string{"example.com/unknown"}},
		{"unknown format \"xml\"", []string{"--format", "xml", "."}},
		{"\"-x\" is no package", []string{"--", "-x"}},
	} {
		out, errOut, status := heddle(t, append([]string{"vet"}, test.args...)...)
		require.Equal(t, statusError, status, test.args)
		require.Empty(t, out)
		require.Contains(t, errOut, test.want)
		require.Regexp(t, `\Aheddle: .*\n\z`, errOut, "one line")
	}
	t.Chdir("empty")
	_, errOut, status := heddle(t, "vet", "./...")
	require.Equal(t, statusError, status)
	require.Contains(t, errOut, "nothing was looked at: no package matches ./...")
}

func TestGoVetRunsTheAnalyser(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "heddle-vet")
	output, err := exec.Command("go", "build", "-o", tool, "../../cmd/heddle-vet").CombinedOutput()
	require.NoError(t, err, "%s", output)

	analysed(t, "clock.go", wallClockProgram, "clock_test.go", nativeTest)
	output, err = exec.Command("go", "vet", "-vettool="+tool, "./...").CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, string(output), "clock.go:7:14: time.Now reads the wall clock: use Now of the environment's clock.Clock")
	require.NotContains(t, string(output), "clock_test.go")

	analysed(t, "clock.go", allowedProgram)
	output, err = exec.Command("go", "vet", "-vettool="+tool, "./...").CombinedOutput()
	require.NoError(t, err, "%s", output)
}
