package heddle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// block is a block of a document between lines of backquotes.
type block struct {
	info string // the words behind the first ones
	text string
	line int // on which they stand
}

// blocksOf are the blocks of a document.
func blocksOf(t *testing.T, file string) (blocks []block) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	inside, number := false, 0
	for line := range strings.Lines(string(text)) {
		number++
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			blocks = append(blocks, block{info: strings.TrimSpace(info), line: number})
			inside = true
		case fence:
			inside = false
		case inside:
			blocks[len(blocks)-1].text += line
		}
	}
	require.False(t, inside, "%s: the last block has no end", file)
	return blocks
}

// commandsOf are the lines of the blocks marked sh in a document.
func commandsOf(t *testing.T, file string) (commands []string) {
	for _, b := range blocksOf(t, file) {
		if b.info == "sh" {
			commands = append(commands, strings.FieldsFunc(b.text, func(r rune) bool { return r == '\n' })...)
		}
	}
	return commands
}

// wantStatus is 1 for the commands that show a failure, and 0 for all others.
func wantStatus(command string) int {
	if strings.Contains(command, "heddle replay") || strings.Contains(command, "heddle shrink") || strings.Contains(command, "litmus/") && !strings.Contains(command, "-fixed") {
		return 1
	}
	return 0
}

// TestEveryCommandOfTheDocsWorks runs them as they stand. The tests themselves are what runs this, and CI takes their command
// from the README; those of pages that are followed belong to another folder (tutorial_test.go).
func TestEveryCommandOfTheDocsWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the searches of the docs")
	}
	files, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	ran := 0
	for _, file := range append(files, "README.md") {
		if slices.Contains(followed, file) {
			continue
		}
		for _, line := range commandsOf(t, file) {
			if line == "go test -timeout 30m ./..." {
				continue
			}
			t.Run(line, func(t *testing.T) {
				if len(line) > 60 {
					t.Log(line)
				}
				command := exec.Command("sh", "-c", line)
				output, err := command.CombinedOutput()
				status := command.ProcessState.ExitCode()
				require.Equal(t, wantStatus(line), status, "%v\n%s", err, output)
				if strings.Contains(line, "heddle replay") {
					require.Contains(t, string(output), "reproduced: the same property failed, with the same trace")
				}
			})
			ran++
		}
	}
	require.GreaterOrEqual(t, ran, 4)
}

// TestTheFailuresReadAsTheDocsSay: in these documents each line of a block that follows a command is one of its output.
func TestTheFailuresReadAsTheDocsSay(t *testing.T) {
	if testing.Short() {
		t.Skip("builds mutants")
	}
	for file, least := range map[string]int{"docs/reading-a-failure.md": 40, "docs/debugging.md": 20} {
		t.Run(file, func(t *testing.T) {
			output, checked := "", 0
			for _, b := range blocksOf(t, file) {
				switch b.info {
				case "sh":
					said, _ := exec.Command("sh", "-c", b.text).CombinedOutput() // that it works is another test's
					output = string(said)
				case "":
					for line := range strings.Lines(b.text) {
						require.Contains(t, output, strings.TrimSpace(line))
						checked++
					}
				}
			}
			require.Greater(t, checked, least)
		})
	}
}

func TestTheReadmeBeginsWithTwoCommands(t *testing.T) {
	require.Equal(t, []string{"go run ./cmd/heddle run", "go test -timeout 30m ./..."}, commandsOf(t, "README.md")[:2])
}
