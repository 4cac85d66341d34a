package heddle_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// job is what the two workflows have in common: commands, carried out in a shell one after the other with these variables.
type job struct {
	shell     []string // and the command behind it
	commands  []string
	variables map[string]string
}

func githubJob(t *testing.T) job {
	var workflow struct {
		On struct {
			Schedule []struct{ Cron string }
		}
		Jobs map[string]struct {
			Env   map[string]string
			Steps []struct {
				Uses, Run, If string
				With          map[string]any
			}
		}
	}
	readYAML(t, ".github/workflows/heddle.yml", &workflow)
	require.NotEmpty(t, workflow.On.Schedule)
	search := workflow.Jobs["search"]
	require.Contains(t, search.Env["SEED"], "github.sha")
	j := job{shell: []string{"bash", "-e", "-c"}, variables: search.Env}
	kept := false
	for _, step := range search.Steps {
		if step.Run != "" {
			j.commands = append(j.commands, step.Run)
		}
		if strings.HasPrefix(step.Uses, "actions/upload-artifact@") {
			kept = true
			require.Equal(t, "always()", step.If)
			require.Equal(t, "heddle-failures/", step.With["path"])
		}
	}
	require.True(t, kept)
	return j
}

func gitlabJob(t *testing.T) job {
	type jobs struct {
		Extends   string
		Variables map[string]string
		Script    []string
		Artifacts struct {
			When    string
			Paths   []string
			Reports map[string]string
		}
	}
	var pipeline map[string]jobs
	readYAML(t, "docs/ci/gitlab.yml", &pipeline)
	search := pipeline[".heddle"]
	for _, name := range []string{"heddle", "heddle-at-night"} {
		require.Equal(t, ".heddle", pipeline[name].Extends)
		require.Contains(t, pipeline[name].Variables["SEED"], "$CI_COMMIT_SHA")
	}
	require.Equal(t, "always", search.Artifacts.When)
	require.Equal(t, []string{"heddle-failures/"}, search.Artifacts.Paths)
	require.Equal(t, "heddle-failures/junit.xml", search.Artifacts.Reports["junit"])
	return job{shell: []string{"sh", "-e", "-c"}, commands: search.Script, variables: search.Variables}
}

func readYAML(t *testing.T, file string, document any) {
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, document), file)
}

// TestTheWorkflowsForCIWork carries out their commands as they stand, for a second: the kept failures are replayed before the search, and what
// is to be kept is there after it.
func TestTheWorkflowsForCIWork(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the searches of the workflows")
	}
	for name, read := range map[string]func(*testing.T) job{"GitHub": githubJob, "GitLab": gitlabJob} {
		t.Run(name, func(t *testing.T) {
			j := read(t)
			summary, seed := filepath.Join(t.TempDir(), "summary.md"), strings.ToLower(rand.Text())
			environment := append(os.Environ(), "COMMAND="+j.variables["COMMAND"], "KEPT="+j.variables["KEPT"], "BUDGET=1s", "SEED="+seed, "GITHUB_STEP_SUMMARY="+summary)
			var said []string
			for _, line := range j.commands {
				command := exec.Command(j.shell[0], append(j.shell[1:], line)...)
				command.Env = environment
				output, err := command.CombinedOutput()
				require.NoError(t, err, "%s\n%s", line, output)
				said = append(said, string(output))
			}
			require.Regexp(t, `\n0 of \d+ failures still fail\n$`, said[1])
			require.Contains(t, said[2], seed)
			for _, file := range []string{"heddle.json", "heddle.sarif", "junit.xml"} {
				content, err := os.ReadFile(filepath.Join("heddle-failures", file))
				require.NoError(t, err)
				require.Contains(t, string(content), seed, "%s is of this search", file)
			}
			if name == "GitHub" {
				require.FileExists(t, summary)
			}
		})
	}
}
