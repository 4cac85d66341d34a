package heddle

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/mutant"
)

// everyFormat asks for each format of heddle run in a folder, with annotations to standard output.
func everyFormat(folder string) []string {
	in := func(name string) string { return filepath.Join(folder, name) }
	return []string{"--format", "junit=" + in("j.xml"), "--format", "sarif=" + in("s.json"), "--format", "json=" + in("r.json"), "--format", "text=" + in("t.txt"), "--format", "github"}
}

// schemas are where those of package report lie.
var schemas = filepath.Join("..", "..", "sim", "report", "testdata")

// requireReports says whether all that everyFormat asks for is there and valid, by xmllint as far as there is one; and how many failures it
// tells of.
func requireReports(t *testing.T, folder string) (failures int) {
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return content
	}
	require.NoError(t, xml.Unmarshal(read("j.xml"), new(struct{})))
	if xmllint, err := exec.LookPath("xmllint"); err == nil {
		for _, schema := range []string{"junit-windyroad.xsd", "junit-jenkins.xsd"} {
			said, err := exec.Command(xmllint, "--noout", "--nonet", "--schema", filepath.Join(schemas, schema), filepath.Join(folder, "j.xml")).CombinedOutput()
			require.NoError(t, err, "%s", said)
		}
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(schemas, "sarif-2.1.0.json"))
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(read("s.json")))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document))
	var log struct{ Runs []struct{ Results []any } }
	require.NoError(t, json.Unmarshal(read("s.json"), &log))
	var d runDocument
	require.NoError(t, json.Unmarshal(read("r.json"), &d))
	for _, s := range d.Scenarios {
		for _, f := range s.Failures {
			require.NotEmpty(t, f.Place)
			require.NotEmpty(t, f.Shrunk.Place)
			require.Contains(t, string(read("j.xml")), f.Shrunk.Replay)
			require.Contains(t, string(read("s.json")), f.Shrunk.Replay)
			require.Contains(t, string(read("t.txt")), f.Shrunk.Replay)
			failures++
		}
	}
	require.Len(t, log.Runs[0].Results, failures)
	return failures
}

func TestRunWritesEveryFormatAtOnce(t *testing.T) {
	folder := t.TempDir()
	args := append([]string{"run", "account", "stuck-forks", "--runs", "300", "--seed", "7", "--keep-going"}, everyFormat(folder)...)
	out := found(t, args...)
	require.Equal(t, 2, requireReports(t, folder))
	require.Equal(t, 2, strings.Count(out, "::error file=sim/heddle/scenarios_test.go,line="), out)

	out = clean(t, append([]string{"run", "account-fixed", "--runs", "300", "--seed", "7"}, everyFormat(folder)...)...)
	require.Zero(t, requireReports(t, folder))
	require.Equal(t, "heddle: 0 failures in 300 runs of 1 scenario, ", out[:len("heddle: 0 failures in 300 runs of 1 scenario, ")])
}

func TestRunOfAMutantWritesEveryFormat(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a mutant")
	}
	root, err := ours.root()
	require.NoError(t, err)
	m, err := mutant.Read(filepath.Join(root, filepath.FromSlash(zooFolder), "no-session-validation.patch"))
	require.NoError(t, err)
	builder, err := mutant.NewBuilder(t.Context(), root, ours.command)
	require.NoError(t, err)
	binary, err := builder.Build(t.Context(), m)
	require.NoError(t, err)
	folder := t.TempDir()
	command := exec.Command(binary, append([]string{"run", "small-agent", "--runs", "1000", "--seed", "7"}, everyFormat(folder)...)...)
	out, _ := command.Output()
	require.Equal(t, statusFound, command.ProcessState.ExitCode())
	require.Equal(t, 1, requireReports(t, folder))
	require.Contains(t, string(out), "::error file=agent/", "where the agent decides it")
}

func TestGitHubAddsToTheSummaryOfTheJob(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv(summaryVariable, summary)
	require.NoError(t, os.WriteFile(summary, []byte("what another command said"), 0o644))
	clean(t, "run", "account-fixed", "--runs", "10", "--seed", "7", "--format", "github")
	clean(t, "run", "account-fixed", "--runs", "20", "--seed", "7", "--format", "text")
	clean(t, "run", "account-fixed", "--runs", "30", "--seed", "7", "--format", "github")
	content, err := os.ReadFile(summary)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^what another command said\n### Heddle\n.* 10 runs .*\n### Heddle\n.* 30 runs .*\n$`, string(content))
	require.NotContains(t, string(content), " 20 runs ")

	t.Setenv(summaryVariable, filepath.Join(summary, "no folder"))
	_, errOut, status := heddle(t, "run", "account-fixed", "--runs", "1000000000", "--format", "github")
	require.Equal(t, statusError, status)
	require.Regexp(t, `^heddle: cannot write to .*summary.md.*: not a directory \(GITHUB_STEP_SUMMARY names it\)\n$`, errOut)
}

// TestNothingIsWrittenIfOneOutputCannotBe: before the search begins, so that its result is not lost.
func TestNothingIsWrittenIfOneOutputCannotBe(t *testing.T) {
	folder := t.TempDir()
	good, same := filepath.Join(folder, "j.xml"), folder+"/./j.xml"
	for name, c := range map[string]struct{ second, want string }{
		"no folder":         {"sarif=" + folder + "/no/s.json", `cannot write to ` + folder + `/no: no such file or directory`},
		"a folder":          {"sarif=" + folder, `cannot write to ` + folder + `: it is a folder`},
		"the same file":     {"sarif=" + same, `formats junit and sarif would both go to ` + good + `: give one a file, such as --format sarif=FILE`},
		"twice on standard": {"github", `formats sarif and github would both go to standard output: give one a file, such as --format github=FILE`},
	} {
		args := []string{"run", "account-fixed", "--runs", "1000000000", "--format", "junit=" + good}
		if name == "twice on standard" {
			args = append(args, "--format", "sarif")
		}
		out, errOut, status := heddle(t, append(args, "--format", c.second)...)
		require.Equal(t, statusError, status, name)
		require.Equal(t, "heddle: "+c.want+"\n", errOut, name)
		require.Empty(t, out, name)
		files, err := os.ReadDir(folder)
		require.NoError(t, err)
		require.Empty(t, files, name)
	}
}

func TestReportsMayLieInTheFolderOfTheFailures(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	found(t, append([]string{"run", "account", "--runs", "300", "--seed", "7", "--out", folder}, everyFormat(folder)...)...)
	require.Equal(t, 1, requireReports(t, folder))
}

func TestReplayWritesTheTraceInEachFormat(t *testing.T) {
	token := failing(t, "account").String()
	file := filepath.Join(t.TempDir(), "chrome.json")
	lines := strings.Split(found(t, "replay", token, "--format", "jsonl", "--format", "chrome="+file), "\n")
	var head map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &head))
	require.Equal(t, "heddle replay "+token, head["replay"])
	var d replayDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "replay", token, "--format", "json")), &d))
	require.Len(t, lines, 1+len(d.Trace)+1)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, json.Valid(content))
	require.Contains(t, string(content), `"violates all-counted"`)
}

func TestReplayOfSeveralSaysWhichStillFail(t *testing.T) {
	account, forks := failing(t, "account"), failing(t, "stuck-forks")
	mended := account
	mended.Scenario = "account-fixed"
	out := found(t, "replay", account.String(), mended.String(), forks.String())
	require.Regexp(t, `(?m)^FAIL   heddle1_\S+\.\.\.: account violates all-counted: balance is 1 after two deposits of 1\n       heddle replay `+account.String()+`$`, out)
	require.Regexp(t, `(?m)^ok     heddle1_\S+\.\.\.: account-fixed violates nothing, and did violate all-counted; not all of its decisions fit any more$`, out)
	require.True(t, strings.HasSuffix(out, "\n2 of 3 failures still fail\n"), out)
	require.Contains(t, clean(t, "replay", mended.String(), mended.String()), "\n0 of 2 failures still fail\n")

	var d replaysDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "replay", account.String(), mended.String(), "--format", "json")), &d))
	require.True(t, d.Failures[0].Reproduced)
	require.False(t, d.Failures[1].Fits)

	out, errOut, status := heddle(t, "replay", "gone.json", account.String())
	require.Equal(t, statusError, status)
	require.Equal(t, `heddle: cannot repeat gone.json: "gone.json" is neither a token, which starts with heddle1_, nor a file that can be read`+"\n", errOut)
	require.Contains(t, out, "error  gone.json: ")
	require.Contains(t, out, "FAIL   heddle1_", "the others are repeated all the same")
	_, errOut, status = heddle(t, "replay", account.String(), forks.String(), "--explain")
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: --until, --log and --explain are about the trace of one failure, and several were given\n", errOut)
}
