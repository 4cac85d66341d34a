package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/report"
)

// command is a workflow command, as the runner of GitHub Actions reads a line (ActionCommand.cs): values escaped, the message after "::".
type command struct {
	name       string
	properties map[string]string
	message    string
}

func parseCommand(line string) (c command, ok bool) {
	m := regexp.MustCompile(`^::(\w+)(?: ([^:]*))?::(.*)$`).FindStringSubmatch(line)
	if m == nil {
		return c, false
	}
	data := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	property := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	c = command{name: m[1], properties: map[string]string{}, message: data.Replace(m[3])}
	for _, p := range strings.Split(m[2], ",") {
		name, value, _ := strings.Cut(p, "=")
		c.properties[name] = property.Replace(value)
	}
	return c, true
}

func annotations(t *testing.T, s report.Search) (commands []command, rest []string) {
	var out bytes.Buffer
	require.NoError(t, report.WriteGitHub(&out, s))
	for _, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		if c, ok := parseCommand(line); ok {
			commands = append(commands, c)
			continue
		}
		rest = append(rest, line)
	}
	return commands, rest
}

func TestGitHubHasAnAnnotationForEachFailureAtItsLine(t *testing.T) {
	s := searches(t)["failing"]
	commands, rest := annotations(t, s)
	require.Len(t, commands, 4, "whatever lines a message has")
	for i, c := range commands {
		f := s.Reports[i+1].Failures[0]
		require.Equal(t, "error", c.name)
		require.Equal(t, map[string]string{"file": placeOf(f).File, "line": strings.Split(placeOf(f).String(), ":")[1], "title": f.Scenario + " violates " + f.Property}, c.properties)
		require.True(t, strings.HasSuffix(c.message, "\n"+f.Shrunk.Replay), "the line to copy ends it: %q", c.message)
	}
	require.True(t, strings.HasPrefix(commands[0].message, "100 %0A of <b>\"two\" & 'three'</b>, ]]> a:b, | \\ `code` ``` \uFFFD[31mred"), commands[0].message)
	require.Contains(t, commands[0].message, "\r\nsecond line\n::error::third line\nmust hold: All is counted.\n")
	require.Equal(t, []string{"heddle: 4 failures in 1000 runs of 5 scenarios, 3800 steps; seed it's | 7, strategy mix"}, rest)
}

func TestGitHubTellsWhatKeptASearchFromItsEnd(t *testing.T) {
	commands, _ := annotations(t, searches(t)["ended early"])
	require.Len(t, commands, 3)
	require.Equal(t, "heddle ended early", commands[1].properties["title"])
	require.Contains(t, commands[1].message, "\n::error::third line")
	require.Equal(t, "warning", commands[2].name)
	none, rest := annotations(t, searches(t)["clean"])
	require.Empty(t, none)
	require.Len(t, rest, 1)
}

func TestTheSummaryOfAJobIsATableAndTheFailures(t *testing.T) {
	summary := func(s report.Search) string {
		var out bytes.Buffer
		require.NoError(t, report.WriteSummary(&out, s))
		return out.String()
	}
	s := searches(t)
	require.Equal(t, `### Heddle

0 failures in 20 runs of 1 scenario, 20 steps; seed it's \| 7, strategy mix

| scenario | | runs | steps | seconds |
|---|---|--:|--:|--:|
| passes | ok | 20 | 20 | 1.5 |

`, summary(s["clean"]))
	failing := summary(s["failing"])
	require.Contains(t, failing, "| racy/one | **FAIL** | 200 |")
	require.Contains(t, failing, "\n#### racy/one violates counted\n\n````text\n100 %0A of", "a fence that the message does not end")
	for _, r := range s["failing"].Reports[1:] {
		require.Contains(t, failing, r.Failures[0].Shrunk.Replay+"\n```")
	}
	early := summary(s["ended early"])
	require.Contains(t, early, "| passes | no run | 0 |")
	require.Contains(t, early, "\nended early:\n\n````text\n")
	require.Contains(t, early, "\ninterrupted: ")
}
