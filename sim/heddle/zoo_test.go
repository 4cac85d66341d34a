package heddle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

// zooProgram stands for the command of a module with mutants: it prints what heddle run would. A mutant changes its finds: for
// each seed the failures, each a property and the index of its run.
const zooProgram = `package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/agent"
)

const finds = ""

const plain = ""

const token = "heddle1_eAGUFESlDLQi1Da9FGiVaCP08umlvgA-K0UABwAIZGVhZGxvY2sAFWxpdG11cy9hYi1iYS1kZWFkbG9jawEDb2NrAAxtYWluL3BheXJvbGwFBnJlZnVuZAAFcGN0OjMAC3NldHVwOm11dGV4AQAFAAEEAgYBAAMaFX5RMh8"

func main() {
	seed := os.Args[slices.Index(os.Args, "--seed")+1]
	only := slices.Index(os.Args, "--only")
	text := finds
	if slices.Contains(os.Args, "--no-faults") {
		text = seed + plain
	}
	var failures []string
	for _, find := range strings.Fields(text) {
		for i, failure := range strings.Split(find, ",") {
			if i == 0 && failure != seed {
				break
			}
			if property, run, ok := strings.Cut(failure, "@"); ok && (only < 0 || os.Args[only+1] == property) {
				small := ""
				if slices.Contains(os.Args, "--out") {
					small = fmt.Sprintf(",\"steps\":300,\"shrunk\":{\"steps\":%s,\"inputs\":3,\"faults\":1,\"context_switches\":2}", run)
				}
				failures = append(failures, fmt.Sprintf("{\"property\":%q,\"run\":%s,\"token\":\"t\"%s}", property, run, small))
			}
		}
	}
	if out := slices.Index(os.Args, "--out"); out >= 0 {
		for _, f := range failures {
			var property string
			var run int
			fmt.Sscanf(f, "{\"property\":%q,\"run\":%d", &property, &run)
			file := fmt.Sprintf("{\"format\":\"heddle failure 1\",\"token\":%q,\"property\":%q,\"steps\":%d,\"exhibits\":[\"picture\"]}", token, property, run)
			os.WriteFile(fmt.Sprintf("%s/%s-%s-%d.json", os.Args[out+1], seed, property, run), []byte(file), 0o600)
		}
	}
	if agent.Stuck {
		fmt.Fprintln(os.Stderr, "heddle: scenario x is stuck")
		os.Exit(2)
	}
	fmt.Printf("{\"scenarios\":[{\"name\":%q,\"runs\":500,\"failures\":[%s]}]}", os.Args[2], strings.Join(failures, ","))
}
`

const zooAgent = `package agent

const Works = true

const Stuck = false
`

const zooAgentTest = `package agent

import "testing"

func TestWorks(t *testing.T) {
	if !Works {
		t.Fatal()
	}
}
`

// zooPatch replaces a line of a file.
func zooPatch(header, file, before, after string) string {
	return header + "\n\ndiff --git a/" + file + " b/" + file + "\n--- a/" + file + "\n+++ b/" + file + "\n@@ -1,1 +1,1 @@\n-" + before + "\n+" + after + "\n"
}

func zooFinds(header, finds string) string {
	return zooPatch(header, "cmd/heddle/main.go", `const finds = ""`, `const finds = "`+finds+`"`)
}

// zooIn makes the module, with mutants by name, and goes there.
func zooIn(t *testing.T, mutants map[string]string) {
	t.Helper()
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(goCache)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	root := t.TempDir()
	files := map[string]string{
		"go.mod":              "module " + ours.module + " // in any form\r\n\r\ngo 1.26\r\n",
		"cmd/heddle/main.go":  zooProgram,
		"agent/agent.go":      zooAgent,
		"agent/agent_test.go": zooAgentTest,
	}
	for name, patch := range mutants {
		files[zooFolder+"/"+name+".patch"] = patch
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	t.Chdir(filepath.Join(root, "agent"))
}

// rowsOf are the rows of a scorecard, without the seconds.
func rowsOf(out string) string {
	return regexp.MustCompile(`[0-9.]+ s\n`).ReplaceAllString(out, "# s\n")
}

func TestZooScoresMutants(t *testing.T) {
	zooIn(t, map[string]string{
		"in-all-searches": zooFinds("Properties: S1 L1", "zoo-1,S1@4 zoo-2,L1@99 zoo-3,S1@9"),
		"in-one-search":   zooFinds("Properties: S1", "zoo-2,S3@3,S1@7"),
		"known-to-hide":   zooFinds("Properties: S1\nMissed: too deep", ""),
		"not-so-hidden":   zooFinds("Properties: S1\nMissed: too deep", "zoo-1,S1@1 zoo-2,S1@1 zoo-3,S1@1"),
		"by-any-property": zooFinds("Breaks it.", "zoo-1,S4@0 zoo-2,S4@0 zoo-3,S4@0"),
	})
	args := []string{"zoo", "--runs", "500", "--workers", "2"}
	out := clean(t, args...)
	require.Equal(t, `seeds zoo-1 to zoo-3, 500 runs for each, 2 workers

mutant           property  mix
by-any-property  S4        1
in-all-searches  S1        10
in-one-search    S1        > 500 (1 of 3)  noticed by S3, header names S1
known-to-hide    -         missed          as its header says: too deep
not-so-hidden    S1        2               found: take "Missed:" out of its header

killed 4 of 5 mutants; within 2,000 runs 80 %; median above 50 runs 1; # s
`, rowsOf(out))

	out = found(t, append(args, "in-all-searches", "in-one-search", "--strategies", "pct:3,random", "--seeds", "1", "--format", "json")...)
	var d struct{ Mutants []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.Len(t, d.Mutants, 2)
	require.Equal(t, "in-all-searches", d.Mutants[0]["name"])
	require.Equal(t, true, d.Mutants[0]["killed"])
	require.Equal(t, "S1", d.Mutants[0]["property"])
	require.Equal(t, "pct:3", d.Mutants[0]["strategy"])
	require.Equal(t, 5.0, d.Mutants[0]["runs_to_detect"])
	require.Len(t, d.Mutants[0]["strategies"], 2)
	require.Equal(t, false, d.Mutants[1]["killed"])
	require.Nil(t, d.Mutants[1]["runs_to_detect"])
}

func TestZooFailsForASurvivor(t *testing.T) {
	zooIn(t, map[string]string{
		"survivor": zooFinds("Properties: S1", "zoo-1,S2@3"),
		"victim":   zooFinds("Properties: S1", "zoo-1,S1@3"),
	})
	out := found(t, "zoo", "--seeds", "1")
	require.Contains(t, out, "survivor  -         missed  noticed by S2, header names S1\n")
	require.Contains(t, out, "killed 1 of 2 mutants")
	clean(t, "zoo", "--seeds", "1", "victim.patch")
	found(t, "zoo", "--quick")
}

func TestZooNamesWhatItCannotScore(t *testing.T) {
	zooIn(t, nil)
	folder := t.TempDir()
	for name, patch := range map[string]string{
		"gone":   zooPatch("Properties: S1", "agent/agent.go", "const Gone = true", ""),
		"broken": zooPatch("Properties: S1", "agent/agent.go", "const Works = true", "const Works = maybe"),
		"stuck":  zooPatch("Properties: S1", "agent/agent.go", "const Stuck = false", "const Stuck = true"),
		"words":  "only words\n",
		"victim": zooFinds("Properties: S1", "zoo-1,S1@3"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+".patch"), []byte(patch), 0o600))
	}
	out, errOut, status := heddle(t, "zoo", "--dir", folder, "--seeds", "1")
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: 4 mutants could not be scored: broken, gone, stuck, words\n", errOut)
	require.Contains(t, out, "mutant broken does not build: agent/agent.go:3:15: undefined: maybe\n")
	require.Contains(t, out, "mutant gone does not apply to agent/agent.go: hunk 1 of 1, ")
	require.Contains(t, out, "mutant stuck cannot be searched with mix from seed zoo-1: scenario x is stuck\n")
	require.Contains(t, out, "mutant words changes nothing: its patch names no file\n")
	require.Contains(t, out, "victim  S1        4\n")
}

func TestZooVetsMutants(t *testing.T) {
	zooIn(t, map[string]string{
		"tested": zooPatch("Properties: S1", "agent/agent.go", "const Works = true", "const Works = false"),
		"plain":  zooPatch("Properties: S1", "cmd/heddle/main.go", `const plain = ""`, `const plain = ",S7@0"`),
		"fine":   zooFinds("Properties: S1", "zoo-1,S1@3"),
	})
	out := found(t, "zoo", "--vet", "--seeds", "1")
	require.Contains(t, out, "fine    S1        4\n")
	require.Contains(t, out, "plain   -         -    fails without faults: S7\n")
	require.Contains(t, out, "tested  -         -    caught by unit tests: --- FAIL: TestWorks (")
}

func TestZooScoresProperties(t *testing.T) {
	zooIn(t, map[string]string{
		"at-once":   zooFinds("Properties: S2 S1 S3", "zoo,S1@4"),
		"another":   zooFinds("Properties: S3", "zoo,S3@7"),
		"unnamed":   zooFinds("Breaks all.", "zoo,S2@0"),
		"no-patch":  "Properties: S4\n",
		"elsewhere": zooFinds("Scenario: elsewhere\nProperties: Q1", "zoo,Q1@2"),
	})
	score := func(args ...string) (string, string, int) {
		var out, errOut bytes.Buffer
		judged := []sim.Property{{ID: "S1"}, {ID: "S2"}, {ID: "S3"}}
		status := ours.execute(context.Background(), []*sim.Scenario{
			{Name: "small-agent", Setup: nothing, Properties: judged}, {Name: "elsewhere", Setup: nothing, Properties: []sim.Property{{ID: "Q1"}}}, {Name: "without mutants", Setup: nothing, Properties: []sim.Property{{ID: "Z1"}}},
		}, append([]string{"zoo", "--properties"}, args...), &out, &errOut)
		return out.String(), errOut.String(), status
	}
	out, errOut, status := score("--runs", "700")
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: 1 mutant could not be searched: mutant no-patch changes nothing: its patch names no file\n", errOut)
	require.Contains(t, out, "seed zoo, 700 runs for each, strategy mix, ")
	require.Contains(t, out, "\nS1         at-once                     5\n")
	require.Contains(t, out, "\nS2         -                           none of 1\n")
	require.Contains(t, out, "\nS3         another                     8\n")
	require.Contains(t, out, "\nsometimes  -                           none of 0\n")
	require.Contains(t, out, "\nQ1         elsewhere                   3\n")
	require.NotContains(t, out, "Z1")
	require.Contains(t, out, "\n3 of ")

	require.NoError(t, os.Remove(filepath.Join("..", zooFolder, "no-patch.patch")))
	out, errOut, status = score("--format", "json")
	require.Equal(t, statusFound, status)
	require.Empty(t, errOut)
	var d struct{ Properties []propertyRow }
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.Equal(t, "deadlock", d.Properties[0].Property)
	require.False(t, d.Properties[0].Killed)
}

func TestInterruptedZooPrintsWhatItHas(t *testing.T) {
	zooIn(t, map[string]string{"victim": zooFinds("Properties: S1", "")})
	ctx, cancel := context.WithCancel(context.Background())
	h, err := (&app{program: ours, scenarios: testScenarios()}).newHunt(ctx, zooFlags{runs: 1, seeds: 1, workers: 1, strategies: []string{"mix"}}, "..", nil, terminalLine{})
	require.NoError(t, err)
	cancel()
	s := h.score(ctx, []string{"../" + zooFolder + "/victim.patch"})
	require.Empty(t, s.Mutants)
	require.True(t, s.Interrupted)
	require.EqualError(t, s.failed(), "nothing was explored: the zoo was interrupted before it was done with its first mutant")
	var text strings.Builder
	require.NoError(t, s.writeText(&text))
	require.Contains(t, text.String(), "interrupted: 1 mutant of 1 were not done with\n")
}

func TestZooNeedsTheModuleAndGoodFlags(t *testing.T) {
	zooIn(t, map[string]string{"victim": zooFinds("Properties: S1", "")})
	elsewhere := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "file"), nil, 0o600))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown mutant":    {[]string{"victims"}, `unknown mutant "victims": did you mean victim? `},
		"no folder":         {[]string{"--dir", elsewhere + "/gone"}, "cannot read the patches of " + elsewhere + "/gone: no such file or directory"},
		"empty folder":      {[]string{"--dir", elsewhere}, elsewhere + " holds no mutants: they are files NAME.patch"},
		"no runs":           {[]string{"--runs", "0"}, "--runs 0 would explore nothing: give 1 or more"},
		"no seeds":          {[]string{"--seeds", "0"}, "--seeds 0 would explore nothing: give 1 or more"},
		"both scores":       {[]string{"--properties", "--quick"}, "--properties scores properties: --quick and --vet are for mutants"},
		"no strategy":       {[]string{"--strategies="}, "--strategies names none: give one or more of those that heddle list shows"},
		"no folder to keep": {[]string{"--out", filepath.Join(elsewhere, "file", "below")}, "cannot make the folder " + elsewhere + "/file/below: not a directory"},
		"no workers":        {[]string{"--workers", "0"}, "--workers 0 could run nothing: give 1 or more"},
		"unknown strategy":  {[]string{"--strategy", "guess"}, `unknown strategy "guess": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`},
		"twice":             {[]string{"--strategy", "mix", "--strategy", "mix"}, "--strategies mix is given twice: each is a column of its own"},
		"unknown format":    {[]string{"--format", "xml"}, `unknown format "xml": there are text, json, each alone or with =FILE`},
	} {
		t.Run(name, func(t *testing.T) { requireOneLine(t, c.want, append([]string{"zoo"}, c.args...)) })
	}
	t.Run("another module", func(t *testing.T) {
		t.Chdir(elsewhere)
		requireOneLine(t, "heddle builds mutants of the sources of "+ours.module+": run it in a folder of that module, which "+elsewhere+" is not", []string{"zoo"})
	})
	t.Run("no go tool", func(t *testing.T) {
		t.Setenv("PATH", elsewhere)
		requireOneLine(t, "there is no go tool in the PATH, and mutants must be built", []string{"zoo"})
	})
}

func requireOneLine(t *testing.T, want string, args []string) {
	t.Helper()
	out, errOut, status := heddle(t, args...)
	require.Equal(t, statusError, status)
	require.Empty(t, out)
	require.True(t, strings.HasPrefix(errOut, "heddle: "+want), "got %q", errOut)
	require.Equal(t, 1, strings.Count(errOut, "\n"), "one line: %q", errOut)
}

func TestZooKeepsTheSmallestFailureOfAMutant(t *testing.T) {
	zooIn(t, map[string]string{
		"found":  zooFinds("Properties: S1 S2", "zoo-1,S1@90,L1@3 zoo-2,S2@40"),
		"missed": zooFinds("Properties: S1", "zoo-1,L1@3"),
	})
	out, _, status := heddle(t, "zoo", "--out", "kept")
	require.Equal(t, 1, status)
	require.Contains(t, out, `
made 2 failures smaller: in the median from 300 steps to 90, with 3 inputs, 1 fault and 2 context switches
at most a quarter of the steps: 1 of them, and 0 of the 0 that were found with more than 360
`)

	kept, err := filepath.Glob("kept/*")
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join("kept", "found.json")}, kept)
	f, _, err := search.LoadFile(kept[0])
	require.NoError(t, err)
	require.EqualValues(t, "S2", f.Property, "of those that the header names the one with the fewest steps")
	require.Empty(t, f.Exhibits, "which are not there")
}

// interruptedProgram says when it is there, and what an interrupt has made of it.
const interruptedProgram = `package main

import (
	"fmt"
	"os"
	"os/signal"
)

const finds = ""

func main() {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt)
	fmt.Println("there")
	<-interrupts
	fmt.Println("the smallest so far", len(interrupts))
	os.Exit(1)
}
`

// A mutant that works when the command is interrupted is told so once, and not killed: it says what it has done until then.
func TestAnInterruptReachesAMutant(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be interrupted there")
	}
	zooIn(t, map[string]string{"victim": zooFinds("Properties: S1", "something")})
	require.NoError(t, os.WriteFile("../cmd/heddle/main.go", []byte(interruptedProgram), 0o600))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- ours.execute(ctx, testScenarios(), []string{"shrink", "heddle1_any", "--mutant", "victim"}, writer, io.Discard)
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	require.True(t, lines.Scan())
	require.Equal(t, "there", lines.Text())
	interrupt()
	require.True(t, lines.Scan(), "it was killed")
	require.Equal(t, "the smallest so far 0", lines.Text())
	require.False(t, lines.Scan())
	require.Equal(t, statusFound, <-status)
}
