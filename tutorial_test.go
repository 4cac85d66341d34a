package heddle_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const tutorial = "docs/tutorial.md"

// followed are the pages that a stranger follows in an empty folder.
var followed = []string{tutorial, "docs/command.md"}

// TestTheTutorialsWordForWord follows them. What their blocks mean is said by the words behind their backquotes:
//
//	go FILE, yaml FILE, patch FILE  the file is written
//	diff FILE                       the lines of the file are changed
//	sh                              the commands are run, in the folder that the last ones have left off in; the last one
//	                                ends with status 0, or N for "sh status=N"
//	no word                         what these commands have said: all of it, but for "..." and times
func TestTheTutorialsWordForWord(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	for _, page := range followed {
		t.Run(filepath.Base(page), func(t *testing.T) { follow(t, page) })
	}
}

func follow(t *testing.T, page string) {
	checkout, err := filepath.Abs(".")
	require.NoError(t, err)
	s := &stranger{T: t, folder: t.TempDir(), checkout: checkout}
	for _, b := range blocksOf(t, page) {
		switch kind, detail, _ := strings.Cut(b.info, " "); kind {
		case "go", "patch":
			s.write(detail, b.text)
		case "yaml":
			s.write(detail, b.text)
			s.build(b.text)
		case "diff":
			s.edit(detail, b.text)
		case "sh":
			status := 0
			if detail != "" {
				_, err := fmt.Sscanf(detail, "status=%d", &status)
				require.NoError(t, err, "line %d", b.line)
			}
			s.run(b.text, status)
		case "":
			require.NoError(t, shows(s.output, b.text), "what %s shows from line %d on is not what is said:\n%s", page, b.line, s.output)
		default:
			t.Fatalf("%s, line %d: a block of kind %q", page, b.line, kind)
		}
	}
	require.GreaterOrEqual(t, s.runs, 6, "blocks of commands")
}

// stranger is who follows the tutorial.
type stranger struct {
	*testing.T
	folder   string // where he is
	checkout string // of Heddle
	output   string // of his last commands
	runs     int
}

func (s *stranger) write(name, text string) {
	path := filepath.Join(s.folder, name)
	require.NoError(s, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s, os.WriteFile(path, []byte(text), 0o644))
}

// edit replaces lines of a file, which must be there once, as a diff says.
func (s *stranger) edit(name, diff string) {
	var before, after strings.Builder
	for line := range strings.Lines(diff) {
		if line[0] != '+' {
			before.WriteString(line[1:])
		}
		if line[0] != '-' {
			after.WriteString(line[1:])
		}
	}
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	require.NoError(s, err)
	require.Equal(s, 1, strings.Count(string(text), before.String()), "%s has these lines once:\n%s", name, before.String())
	s.write(name, strings.Replace(string(text), before.String(), after.String(), 1))
}

// run runs commands in one shell.
func (s *stranger) run(commands string, status int) {
	s.Helper()
	left := filepath.Join(s.TempDir(), "folder")
	c := exec.Command("sh", "-e", "-c", "trap 'pwd >\"$LEFT\"' EXIT\n"+commands)
	c.Dir, c.Env = s.folder, append(os.Environ(), "HEDDLE="+s.checkout, "LEFT="+left)
	text, err := c.CombinedOutput()
	if c.ProcessState == nil {
		require.NoError(s, err)
	}
	s.output = string(text)
	require.Equal(s, status, c.ProcessState.ExitCode(), "%s\n%s", commands, text)
	folder, err := os.ReadFile(left)
	require.NoError(s, err)
	s.folder = strings.TrimSpace(string(folder))
	s.runs++
}

// build is what CI does, by the steps of a workflow: at a push, and at night, for which there is a second instead of ten minutes.
func (s *stranger) build(workflow string) {
	steps := regexp.MustCompile(`(?m)^ +- run: (.+)$`).FindAllStringSubmatch(workflow, -1)
	require.NotEmpty(s, steps)
	require.Contains(s, workflow, "'10m'")
	for _, night := range []string{"", "HEDDLE_SEED=1234567890 HEDDLE_FOR=1s "} {
		for _, step := range steps {
			if os.Getenv("HEDDLE_QUICK") != "" && strings.Contains(step[1], "-race") {
				continue // it compiles Go's library once more
			}
			s.run(night+step[1], 0)
			s.runs--
		}
	}
}

// shows says where an output is not what a block shows of it.
func shows(output, block string) error {
	said := strings.Split(withoutTimes(strings.TrimRight(output, "\n")), "\n")
	at, anywhere := 0, false
	for line := range strings.Lines(withoutTimes(block)) {
		line = strings.TrimRight(line, "\n")
		if line == "..." {
			anywhere = true
			continue
		}
		for anywhere && at < len(said) && said[at] != line {
			at++
		}
		if at == len(said) || said[at] != line {
			return fmt.Errorf("the line %q does not come", line)
		}
		at, anywhere = at+1, false
	}
	if at < len(said) && !anywhere {
		return fmt.Errorf("%q comes behind the last line", said[at])
	}
	return nil
}

// withoutTimes is an output without how long tests have taken.
func withoutTimes(output string) string {
	return regexp.MustCompile(`(\(|\t)\d+\.\d+s`).ReplaceAllString(output, "${1}TIME")
}

func TestWhatABlockShows(t *testing.T) {
	const output = "one (0.01s)\ntwo\nthree\nfour\n"
	for _, right := range []string{output, "one (2.50s)\n...\nfour\n", "...\ntwo\nthree\n...\n", "...\n"} {
		require.NoError(t, shows(output, right), right)
	}
	for _, wrong := range []string{"", "one (0.01s)\n", "two\n...\n", "...\ntwo\nfour\n", "...\nfive\n...\n", output + "five\n", "...\nthree\ntwo\n...\n"} {
		require.Error(t, shows(output, wrong), wrong)
	}
}

// TestTheTableOfTheTutorial: what its left column shows is in the program as it is first written, what its right column shows in the one
// that is moved.
func TestTheTableOfTheTutorial(t *testing.T) {
	var programs []string
	for _, b := range blocksOf(t, tutorial) {
		if b.info == "go pool.go" {
			programs = append(programs, b.text)
		}
	}
	require.Len(t, programs, 2)
	text, err := os.ReadFile(tutorial)
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| (`.+`) \\| (`.+`) \\|$").FindAllStringSubmatch(string(text), -1)
	require.GreaterOrEqual(t, len(rows), 10)
	for _, row := range rows {
		for i, program := range programs {
			for _, code := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[i+1], -1) {
				require.Contains(t, program, code[1])
			}
		}
	}
}
