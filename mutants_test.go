package heddle_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
	"github.com/stretchr/testify/require"
)

// mutant is a patch that breaks the agent, with the properties that should notice.
type mutant struct {
	name       string
	properties []string
	missed     bool // no search has found it yet
	files      []*gitdiff.File
}

func mutants(t *testing.T) (list []mutant) {
	patches, err := filepath.Glob("testdata/mutants/*.patch")
	require.NoError(t, err)
	for _, patch := range patches {
		text, err := os.ReadFile(patch)
		require.NoError(t, err)
		files, header, err := gitdiff.Parse(bytes.NewReader(text))
		require.NoError(t, err, patch)
		m := mutant{name: strings.TrimSuffix(filepath.Base(patch), ".patch"), files: files}
		for _, line := range strings.Split(header, "\n") {
			m.missed = m.missed || strings.HasPrefix(line, "Missed: ")
			if ids, ok := strings.CutPrefix(line, "Properties: "); ok {
				m.properties = strings.Fields(ids)
			}
		}
		require.NotEmpty(t, m.properties, "%s: the header names no properties", patch)
		require.NotEmpty(t, files, patch)
		list = append(list, m)
	}
	return list
}

// build makes the command with the patch laid over the sources, which stay as they are.
func (m mutant) build(t *testing.T) (binary string) {
	dir, err := filepath.Abs(t.TempDir())
	require.NoError(t, err)
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, f := range m.files {
		source, err := os.ReadFile(f.OldName)
		require.NoError(t, err)
		var mutated bytes.Buffer
		require.NoError(t, gitdiff.Apply(&mutated, bytes.NewReader(source), f), "%s no longer applies to %s", m.name, f.OldName)
		at := filepath.Join(dir, string(rune('a'+i))+".go")
		require.NoError(t, os.WriteFile(at, mutated.Bytes(), 0o600))
		original, err := filepath.Abs(f.OldName)
		require.NoError(t, err)
		overlay.Replace[original] = at
	}
	text, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), text, 0o600))
	return build(t, filepath.Join(dir, "heddle"), "-overlay", filepath.Join(dir, "overlay.json"))
}

func build(t *testing.T, binary string, flags ...string) string {
	arguments := append(append([]string{"build", "-o", binary}, flags...), "./cmd/heddle")
	output, err := exec.Command("go", arguments...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
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

// TestEveryKeptFailureFailsOnItsMutantOnly: testdata/failures/NAME.json was found on the mutant NAME. There it must still
// violate a property that the mutant's header names; the agent must pass.
func TestEveryKeptFailureFailsOnItsMutantOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command once for each mutant")
	}
	agent := build(t, filepath.Join(t.TempDir(), "heddle"))
	list := mutants(t)
	require.GreaterOrEqual(t, len(list), 3)
	for _, m := range list {
		t.Run(m.name, func(t *testing.T) {
			failure := filepath.Join("testdata", "failures", m.name+".json")
			if m.missed {
				m.build(t)
				require.NoFileExists(t, failure, "the mutant was found: take the line \"Missed:\" out of its header")
				return
			}
			require.FileExists(t, failure)
			status, property, output := replay(t, m.build(t), failure)
			require.Equal(t, 1, status, output)
			require.Contains(t, m.properties, property, output)
			status, _, output = replay(t, agent, failure)
			require.Equal(t, 0, status, "the agent itself fails:\n%s", output)
		})
	}
}
