package simtest_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These tests are a stranger's module, in a folder of its own, under the go command: what they say is what such a person sees.

// module is a stranger's module with one package, example.com/bank/ledger.
type module struct {
	t   testing.TB
	dir string // of the package
	env []string
}

// newModule makes the module out of the program of the package's own example, with some test functions.
func newModule(t testing.TB, tests string) *module {
	if testing.Short() || raceDetector {
		t.Skip("builds a module, of which the race detector would see nothing")
	}
	heddle, err := filepath.Abs("../..")
	require.NoError(t, err)
	root := t.TempDir()
	m := &module{t: t, dir: filepath.Join(root, "ledger")}
	require.NoError(t, os.Mkdir(m.dir, 0o755))
	definition := strings.Replace(m.read(filepath.Join(heddle, "go.mod")), "module github.com/heddle-go/heddle", "module example.com/bank", 1) +
		"\nrequire github.com/heddle-go/heddle v0.0.0\nreplace github.com/heddle-go/heddle => " + heddle + "\n"
	m.write("../go.mod", definition)
	m.write("../go.sum", m.read(filepath.Join(heddle, "go.sum")))
	program, _, _ := strings.Cut(m.read(filepath.Join(heddle, "sim/simtest/example_test.go")), "// A program, the world")
	m.write("ledger_test.go", strings.Replace(program, "package simtest_test", "package ledger", 1)+tests)
	return m
}

const testOfTheExample = "func TestTwoWithdrawals(t *testing.T) { simtest.Run(t, twoWithdrawals) }\n"

func (m *module) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(m.dir, name)
}

func (m *module) read(name string) string {
	content, err := os.ReadFile(m.path(name))
	require.NoError(m.t, err)
	return string(content)
}

func (m *module) write(name, content string) {
	require.NoError(m.t, os.MkdirAll(filepath.Dir(m.path(name)), 0o755))
	require.NoError(m.t, os.WriteFile(m.path(name), []byte(content), 0o644))
}

// edit changes the tests, and the program with them.
func (m *module) edit(old, new string) {
	text := m.read("ledger_test.go")
	require.Contains(m.t, text, old)
	m.write("ledger_test.go", strings.Replace(text, old, new, 1))
}

// fix mends the program: the lock is held throughout.
func (m *module) fix() {
	before, rest, _ := strings.Cut(m.read("ledger_test.go"), "	enough :=")
	_, after, _ := strings.Cut(rest, "// twoWithdrawals is")
	m.write("ledger_test.go", before+`	if a.balance >= amount {
		a.balance -= amount
	}
	a.mu.Unlock()
}

// twoWithdrawals is`+after)
}

// run runs a command in the root of the module, and answers what it says and its exit status.
func (m *module) run(name string, args ...string) (output string, status int) {
	m.t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = filepath.Dir(m.dir), append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off"), m.env...)
	text, err := c.CombinedOutput()
	if c.ProcessState == nil {
		require.NoError(m.t, err)
	}
	return string(text), c.ProcessState.ExitCode()
}

// fails and passes run go test on the package with some flags.
func (m *module) fails(flags ...string) string {
	m.t.Helper()
	output, status := m.run("go", append([]string{"test", "./ledger"}, flags...)...)
	require.Equal(m.t, 1, status, output)
	require.NotContains(m.t, output, "goroutine ", "nothing crashes")
	require.NotContains(m.t, output, "build failed")
	return output
}

func (m *module) passes(flags ...string) string {
	m.t.Helper()
	output, status := m.run("go", append([]string{"test", "./ledger"}, flags...)...)
	require.Zero(m.t, status, output)
	return output
}

// binary is the path of the test, built.
func (m *module) binary() string {
	m.t.Helper()
	path := filepath.Join(filepath.Dir(m.dir), "ledger.test")
	output, status := m.run("go", "test", "-c", "-o", path, "./ledger")
	require.Zero(m.t, status, output)
	return path
}

// age makes all below testdata an hour old: of a test that reads what was written in the last two seconds the go command caches no result.
func (m *module) age() {
	m.t.Helper()
	hourAgo := time.Now().Add(-time.Hour)
	require.NoError(m.t, filepath.WalkDir(m.path("testdata"), func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, hourAgo, hourAgo))
	}))
}

// kept are the files below testdata.
func (m *module) kept() (files []string) {
	_ = filepath.WalkDir(m.path("testdata"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			relative, _ := filepath.Rel(m.dir, path)
			files = append(files, relative)
		}
		return nil
	})
	return files
}

// replayLine is the line to copy out of an output.
func (m *module) replayLine(output string) string {
	m.t.Helper()
	line := regexp.MustCompile(`(?m)^ +(go test .*)$`).FindStringSubmatch(output)
	require.NotNil(m.t, line, output)
	return line[1]
}

// masked are the lines of an output without what differs from time to time.
func masked(output string) (lines []string) {
	for _, mask := range [][2]string{{`heddle1_[A-Za-z0-9_-]+`, "TOKEN"}, {`\b[0-9a-f]{16}\b`, "SEED"}, {`\d+\.\d+s\b`, "TIME"}, {`_test.go:\d+`, "_test.go:LINE"}} {
		output = regexp.MustCompile(mask[0]).ReplaceAllString(output, mask[1])
	}
	for line := range strings.Lines(output) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func TestAFailureIsToldKeptAndRepeated(t *testing.T) {
	m := newModule(t, testOfTheExample)

	found := m.fails()
	require.Equal(t, []string{
		"--- FAIL: TestTwoWithdrawals (TIME)",
		"--- FAIL: TestTwoWithdrawals/seed=1 (TIME)",
		"ledger_test.go:LINE: runs: 1, steps: 17, strategy mix, seed 1, trace SEED",
		"ledger_test.go:LINE: two-withdrawals violates no-overdraft: the balance is -60",
		"must hold: no account is overdrawn",
		"found by random, seed SEED; made smaller, from 4 decisions and 17 steps to 1 and 17",
		"the bug needs:",
		"main/withdrawal#2's start (step 8) until unlock setup:mutex (step 12) between main/withdrawal's unlock setup:mutex (step 7) and lock setup:mutex (step 14)",
		"kept in testdata/heddle/TestTwoWithdrawals/two-withdrawals-no-overdraft-SEED.json",
		"go test example.com/bank/ledger -run '^TestTwoWithdrawals$' -v -heddle.replay=TOKEN",
		"FAIL", "FAIL	example.com/bank/ledger	TIME", "FAIL",
	}, masked(found))
	kept := m.kept()
	require.Len(t, kept, 1)

	// The line, word for word, elsewhere: without what was kept.
	content := m.read(kept[0])
	require.NoError(t, os.RemoveAll(m.path("testdata")))
	line := m.replayLine(found)
	again, status := m.run("sh", "-c", line)
	require.Equal(t, 1, status, again)
	require.Contains(t, again, "two-withdrawals violates no-overdraft: the balance is -60")
	require.Contains(t, again, "14            0s  main/withdrawal: lock setup:mutex", "the trace")
	require.Equal(t, line, m.replayLine(again))
	require.Empty(t, m.kept(), "a replay keeps nothing")

	// The file does as well, and so does the variable, for all packages.
	m.write(kept[0], content)
	require.Equal(t, line, m.replayLine(m.fails("-run", "TestTwo", "-heddle.replay="+kept[0])))
	m.env = []string{"HEDDLE_REPLAY=" + kept[0]}
	require.Equal(t, line, m.replayLine(m.fails()))
	m.env = nil

	// What is kept is repeated first, and alone while it fails.
	repeated := m.fails()
	require.Contains(t, repeated, "--- FAIL: TestTwoWithdrawals/two-withdrawals-no-overdraft-")
	require.Contains(t, repeated, "no search while failures that are kept in testdata/heddle/TestTwoWithdrawals still fail")
	require.Equal(t, line, m.replayLine(repeated))
	require.Contains(t, repeated, "the bug needs:")
	require.Equal(t, kept, m.kept())
	require.Equal(t, content, m.read(kept[0]))

	// A program that is mended passes. The failure does not fit it any more, in one line, and that is no failure.
	m.fix()
	passed := m.passes("-v")
	require.Contains(t, passed, "nothing is violated any more; the failure does not fit the code any more: decision 1 of 1 in the token: ")
	require.Contains(t, passed, "--- PASS: TestTwoWithdrawals/two-withdrawals-no-overdraft-")
	require.Contains(t, passed, "runs: 1000, steps: 13000, strategy mix, seed 1")
	m.age()
	require.NotContains(t, m.passes(), "cached")
	require.Contains(t, m.passes(), "cached", "the go command knows what the result depends on")
	m.write(kept[0], strings.Replace(content, `"message": "`, `"message": "again, `, 1))
	require.NotContains(t, m.passes(), "cached")
}

func TestAKeptFailureThatFitsAndPasses(t *testing.T) {
	m := newModule(t, testOfTheExample)
	m.fails()
	m.edit("a.balance < 0", "a.balance < -100")
	require.Contains(t, m.passes("-v"), "nothing is violated any more; each of its decisions fits the code")
	m.edit(`w.Fail("no-overdraft"`, `w.Fail("another"`)
	m.edit("a.balance < -100", "a.balance < 0")
	output := m.fails()
	require.Contains(t, output, "not the run that was kept, which violated no-overdraft; each of its decisions fits the code")
	require.Contains(t, output, "two-withdrawals violates another: the balance is -60")
}

func TestFlagsOfTheGoCommand(t *testing.T) {
	m := newModule(t, testOfTheExample+"func TestParallel(t *testing.T) { t.Parallel(); simtest.Run(t, twoWithdrawals, simtest.Runs(50)) }\n")
	m.fix()

	t.Run("-run", func(t *testing.T) {
		output := m.passes("-v", "-run", "TestTwoWithdrawals/seed")
		require.Contains(t, output, "=== RUN   TestTwoWithdrawals/seed=1")
		require.NotContains(t, output, "TestParallel")
	})
	t.Run("-count", func(t *testing.T) {
		output := m.passes("-v", "-count=2")
		require.Equal(t, 2, strings.Count(output, "--- PASS: TestTwoWithdrawals ("))
		require.Equal(t, 2, strings.Count(output, "--- PASS: TestParallel ("))
		require.Equal(t, 2, strings.Count(output, "runs: 50,"))
	})
	t.Run("-race", func(t *testing.T) {
		compilesMuch(t)
		line := regexp.MustCompile(`runs: 1000, steps: 13000, strategy mix, seed 1, trace [0-9a-f]{16}`)
		with, without := m.passes("-v", "-race", "-run", "TestTwo"), m.passes("-v", "-run", "TestTwo")
		require.Regexp(t, line, with)
		require.Equal(t, line.FindString(without), line.FindString(with), "the same runs, step for step")
	})
	t.Run("-json", func(t *testing.T) {
		tests := map[string]string{}
		for line := bufio.NewScanner(strings.NewReader(m.passes("-json"))); line.Scan(); {
			var event struct{ Action, Test string }
			require.NoError(t, json.Unmarshal(line.Bytes(), &event), line.Text())
			tests[event.Test] = event.Action
		}
		require.Equal(t, "pass", tests["TestTwoWithdrawals/seed=1"])
		require.Equal(t, "pass", tests["TestParallel/seed=1"])
	})
	t.Run("-heddle", func(t *testing.T) {
		output := m.passes("-v", "-heddle.seed=any text", "-heddle.runs=70", "-heddle.strategy=pct:3")
		require.Equal(t, 2, strings.Count(output, "runs: 70,"), "it goes before what the test says")
		require.Contains(t, output, "strategy pct:3, seed any text")
		require.Contains(t, output, "--- PASS: TestTwoWithdrawals/seed=any_text")
		require.Contains(t, m.passes("-v", "-heddle.for=500ms"), "--- PASS: TestTwoWithdrawals/seed=1")
	})
	t.Run("HEDDLE", func(t *testing.T) {
		m.env = []string{"HEDDLE_SEED=7", "HEDDLE_RUNS=70", "HEDDLE_STRATEGY=random"}
		defer func() { m.env = nil }()
		require.Equal(t, 2, strings.Count(m.passes("-v"), "runs: 70,"))
		output := m.passes("-v", "-heddle.runs=30")
		require.Equal(t, 2, strings.Count(output, "runs: 30,"), "a flag wins")
		require.Contains(t, output, "strategy random, seed 7")
		require.NotContains(t, m.passes("-v", "-heddle.for=500ms"), "runs: 70,", "also one that says it otherwise")
	})
	require.Empty(t, m.kept(), "what passes leaves nothing behind")
}

func TestBadSettingsAreOneLine(t *testing.T) {
	m := newModule(t, testOfTheExample)
	binary := m.binary()
	for flag, want := range map[string]string{
		"-heddle.runs=x":                  "-heddle.runs=x is no number of runs: give 1 or more, such as 10000",
		"-heddle.runs=0":                  "-heddle.runs=0 is no number of runs: give 1 or more, such as 10000",
		"-heddle.for=-1s":                 "-heddle.for=-1s is no time to search for: give a duration above 0, such as 30s",
		"-heddle.for=1h":                  "-heddle.for=1h0m0s is longer than what -timeout leaves to the test: give -timeout 0, or a longer one",
		"-heddle.strategy=luck":           `-heddle.strategy=luck: unknown strategy "luck": there are mix, `,
		"-heddle.replay=heddle1_AA":       "nothing to replay: the token is cut off",
		"-heddle.replay=ledger_test.go":   "nothing to replay: ledger_test.go is no failure that heddle has kept",
		"-heddle.replay=nowhere":          `nothing to replay: "nowhere" is neither a token, which starts with heddle1_, nor a file that can be read from the folder of the test`,
		"-heddle.runs=1 -heddle.for=1s":   "-heddle.runs and -heddle.for exclude each other: give one budget",
		"-heddle.runs=1 -heddle.replay=.": "nothing to replay: read .: is a directory",
	} {
		c := exec.Command(binary, append(strings.Fields(flag), "-test.timeout=10m")...)
		c.Dir = m.dir
		text, _ := c.CombinedOutput()
		output := string(text)
		require.Equal(t, 1, c.ProcessState.ExitCode(), output)
		require.Regexp(t, `ledger_test.go:\d+: `+regexp.QuoteMeta(want), output)
		require.Equal(t, 3, strings.Count(output, "\n"), "the test, the line, FAIL")
	}
	m.edit("twoWithdrawals)", "twoWithdrawals, simtest.Runs(0))")
	require.Contains(t, m.fails(), "simtest.Runs(0) would explore nothing: give 1 or more")
	require.Empty(t, m.kept())
}

func TestDamagedFilesOfTheCorpus(t *testing.T) {
	m := newModule(t, testOfTheExample)
	m.fails()
	whole := m.kept()[0]
	content := m.read(whole)
	damage := map[string]string{
		"empty":   "",
		"cut":     content[:len(content)/2],
		"altered": strings.Replace(content, `"token": "heddle1_d`, `"token": "heddle1_e`, 1),
		"foreign": `{"name": "something else"}`,
		"newer":   strings.Replace(content, "heddle failure 1", "heddle failure 2", 1),
	}
	require.NoError(t, os.Remove(m.path(whole)))
	for name, text := range damage {
		m.write("testdata/heddle/TestTwoWithdrawals/"+name+".json", text)
	}
	m.write("testdata/heddle/TestTwoWithdrawals/notes.txt", "no failure")
	m.write("testdata/heddle/TestTwoWithdrawals/sub/other.json", "of another test")
	output := m.fails()
	for name := range damage {
		require.Regexp(t, `--- FAIL: TestTwoWithdrawals/`+name+` .*\n +ledger_test.go:\d+: testdata/heddle/TestTwoWithdrawals/`+name+`.json.*: restore or delete it\n`, output)
	}
	require.Equal(t, len(damage), strings.Count(output, "restore or delete it"))
	require.Len(t, m.kept(), len(damage)+2, "nothing is added and nothing taken away")

	// One of another scenario is passed over.
	require.NoError(t, os.RemoveAll(m.path("testdata")))
	m.write(whole, content)
	m.edit(`Name:       "two-withdrawals"`, `Name:       "renamed"`)
	m.fix()
	require.Contains(t, m.passes("-v"), "is a failure of scenario two-withdrawals, and this is renamed")
	require.Contains(t, m.passes("-v", "-heddle.replay="+whole), "nothing to replay: the failure is one of scenario two-withdrawals, and this is renamed")
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	m := newModule(t, testOfTheExample)
	t.Run("a file in its place", func(t *testing.T) {
		m.write("testdata", "a file")
		output := m.fails()
		require.Contains(t, output, "cannot read the failures that are kept: open testdata/heddle/TestTwoWithdrawals: not a directory")
		require.NoError(t, os.Remove(m.path("testdata")))
	})
	for _, folder := range []string{"", "testdata/heddle/TestTwoWithdrawals"} {
		t.Run("read-only "+folder, func(t *testing.T) {
			binary := m.binary()
			require.NoError(t, os.MkdirAll(m.path(folder), 0o755))
			require.NoError(t, os.Chmod(m.path(folder), 0o555))
			defer os.Chmod(m.path(folder), 0o755)
			c := exec.Command(binary, "-test.run=TestTwo")
			c.Dir = m.dir
			if os.Getuid() == 0 { // who may write anywhere
				for d := m.dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
					require.NoError(t, os.Chmod(d, 0o755))
				}
				c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			text, _ := c.CombinedOutput()
			require.Equal(t, 1, c.ProcessState.ExitCode(), string(text))
			require.Contains(t, string(text), "cannot be kept in testdata/heddle/TestTwoWithdrawals: permission denied\n")
			require.Contains(t, string(text), "the balance is -60")
			require.NotContains(t, string(text), "goroutine ")
			require.Empty(t, m.kept())
			again, status := m.run("sh", "-c", m.replayLine(string(text)))
			require.Equal(t, 1, status)
			require.Contains(t, again, "two-withdrawals violates no-overdraft: the balance is -60")
		})
	}
}

func TestAScenarioThatSaysVeryMuch(t *testing.T) {
	m := newModule(t, testOfTheExample)
	m.edit(`w.Fail("no-overdraft", "the balance is %d", a.balance)`, `w.Fail("no-overdraft", "%s", strings.Repeat("overdrawn! ", 200_000))`)
	m.edit("			done.Wait()\n", "			done.Wait()\n			w.Logf(\"%s\", strings.Repeat(\"noted! \", 200_000))\n			fmt.Print(strings.Repeat(\"printed! \", 20_000))\n")
	m.edit(`import (`, "import (\n\t\"fmt\"\n\t\"strings\"")
	output := m.fails()
	require.Contains(t, output, "... (2200000 characters in all)\n")
	require.Less(t, strings.Count(output, "overdrawn!"), 1000)
	require.NotContains(t, output, "noted!")
	require.Len(t, m.kept(), 1)
	output = m.fails("-heddle.replay=" + m.kept()[0])
	require.Less(t, strings.Count(output, "noted!"), 1000)
	var file map[string]any
	require.NoError(t, json.Unmarshal([]byte(m.read(m.kept()[0])), &file), "the file is whole")
}

func TestNamesOfAllKinds(t *testing.T) {
	m := newModule(t, `
func TestMany(t *testing.T) {
	for _, name := range []string{"it's 100% (safe)", "../../elsewhere", "a/b", "A$(touch harm)", ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unnamed := *twoWithdrawals
			unnamed.Name = ""
			simtest.Run(t, &unnamed)
		})
	}
}
`)
	output := m.fails()
	require.Len(t, m.kept(), 5)
	require.Contains(t, output, "TestMany/a/b violates no-overdraft", "a scenario without a name has the test's")
	for _, file := range m.kept() {
		require.Regexp(t, `^testdata/heddle/TestMany/[A-Za-z0-9_.=+/-]+\.json$`, file)
	}
	lines := regexp.MustCompile(`(?m)^ +(go test .*)$`).FindAllStringSubmatch(output, -1)
	require.Len(t, lines, 5)
	for _, line := range lines {
		again, status := m.run("sh", "-c", line[1])
		require.Equal(t, 1, status, again)
		require.Equal(t, 1, strings.Count(again, "violates no-overdraft"), "%s\n%s", line[1], again)
	}
	all, err := filepath.Glob(filepath.Join(filepath.Dir(m.dir), "*"))
	require.NoError(t, err)
	require.Len(t, all, 3, "go.mod, go.sum, ledger: nothing lies elsewhere")
}

func TestTwoScenariosInATest(t *testing.T) {
	m := newModule(t, `
func TestBoth(t *testing.T) {
	other := *twoWithdrawals
	other.Name = "other"
	simtest.Run(t, twoWithdrawals)
	simtest.Run(t, &other)
}
`)
	output := m.fails()
	lines := regexp.MustCompile(`(?m)^ +(go test .*)$`).FindAllStringSubmatch(output, -1)
	require.Len(t, lines, 2)
	for i, line := range lines {
		again, status := m.run("sh", "-c", line[1])
		require.Equal(t, 1, status)
		require.Equal(t, 1, strings.Count(again, "violates no-overdraft"))
		require.Contains(t, again, []string{"two-withdrawals violates", "other violates"}[i])
	}
	require.Len(t, m.kept(), 2)
}

func TestWhatFailsTheSearchItself(t *testing.T) {
	m := newModule(t, testOfTheExample)
	m.fix()
	m.edit("	Setup: func", "	Sometimes: []string{\"broke\"},\n	Setup: func")
	require.Contains(t, m.passes("-v"), "not seen yet: broke")
	output := m.fails("-heddle.runs=10000", "-heddle.seed=it's")
	require.Contains(t, output, "two-withdrawals violates sometimes: not seen in 10000 runs: broke")
	line := m.replayLine(output)
	require.Equal(t, `go test example.com/bank/ledger -run '^TestTwoWithdrawals$' -heddle.runs=10000 -heddle.seed='it'\''s' -heddle.strategy=mix`, line)
	again, status := m.run("sh", "-c", line)
	require.Equal(t, 1, status)
	require.Contains(t, again, "not seen in 10000 runs: broke")
	require.Empty(t, m.kept())

	m.edit("a.balance < 0", "runs++; runs%2 == 0")
	m.edit("var twoWithdrawals", "var runs int\n\nvar twoWithdrawals")
	require.Regexp(t, `ledger_test.go:\d+: scenario two-withdrawals is not deterministic: the run of seed .*\n`, m.fails("-cpu=1"))

	m.edit("		return func() {", "		panic(\"no world\")\n		return func() {")
	require.Regexp(t, `ledger_test.go:\d+: scenario two-withdrawals panicked outside a task: no world .*\n`, m.fails("-vet=off"))
}

func TestTheTagsOfTheTestAreInItsLine(t *testing.T) {
	m := newModule(t, testOfTheExample)
	m.edit("package ledger", "//go:build slow && big\n\npackage ledger")
	line := m.replayLine(m.fails("-tags", "slow,big"))
	require.Contains(t, line, "go test -tags 'slow,big' example.com/bank/ledger -run ")
	_, status := m.run("sh", "-c", line)
	require.Equal(t, 1, status)
}

// Whatever departs from the default fails here, so that it does not matter what the fuzzer draws.
// compilesMuch leaves a test out where HEDDLE_QUICK is set, as in CI: on a new machine Go's own packages are compiled once more for it.
func compilesMuch(t *testing.T) {
	if os.Getenv("HEDDLE_QUICK") != "" {
		t.Skip("compiles Go's own packages once more")
	}
}

func TestTheFuzzerFindsAndKeeps(t *testing.T) {
	compilesMuch(t)
	m := newModule(t, `
var coins = &sim.Scenario{Name: "coins", Setup: func(w *sim.World) func() {
	return func() {
		for i := range 200 {
			if w.Value("coin", 2) == 1 {
				w.Fail("tails", "coin %d shows heads", i)
			}
		}
	}
}}

func FuzzCoins(f *testing.F) { simtest.Fuzz(f, coins) }
`)
	m.passes("-v")
	output := m.fails("-run", "^$", "-fuzz", "Fuzz", "-fuzztime", "50x", "-fuzzminimizetime", "50x")
	require.Contains(t, output, "coins violates tails: coin ")
	require.Contains(t, output, "Failing input written to testdata/fuzz/FuzzCoins/")
	require.Len(t, m.kept(), 1)
	repeated := m.fails()
	require.Contains(t, repeated, "coins violates tails: coin ")
	line := m.replayLine(repeated)
	require.Contains(t, line, "go test example.com/bank/ledger -run '^FuzzCoins$/^"+filepath.Base(m.kept()[0])+"$' -v")
	_, status := m.run("sh", "-c", line)
	require.Equal(t, 1, status)
	m.edit("== 1", "== 2")
	m.passes()
}

func TestAPageOfAFailureIsAmongTheArtifacts(t *testing.T) {
	m := newModule(t, testOfTheExample)
	out := t.TempDir()
	flags := []string{"-artifacts", "-outputdir", out}
	require.NotContains(t, m.fails(), "shown in", "they do not stay")
	for _, more := range [][]string{nil, {"-heddle.replay=" + m.kept()[0]}} { // of what is kept, and repeated
		output := m.fails(append(flags, more...)...)
		page := regexp.MustCompile(`(?m)^ +shown in (.*)$`).FindStringSubmatch(output)
		require.NotNil(t, page, output)
		require.Contains(t, page[1], out)
		text := m.read(page[1])
		require.Contains(t, text, "no account is overdrawn")
		require.Contains(t, text, "-heddle.replay=heddle1_")
	}
}
