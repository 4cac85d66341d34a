package heddle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// failing is a token of a failure of that scenario.
func failing(t *testing.T, scenario string) choice.Token {
	out := found(t, "run", scenario, "--runs", "1000", "--seed", "7", "--format", "json")
	var d runDocument
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	token, err := choice.ParseToken(d.Scenarios[0].Failures[0].Token)
	require.NoError(t, err)
	return token
}

func TestReplayShowsTheTrace(t *testing.T) {
	token := failing(t, "account")
	out := found(t, "replay", token.String())
	require.Regexp(t, `(?m)^ +step +time +task +operation$`, out)
	require.Regexp(t, `(?m)^ +1 +0s +main +start$`, out)
	require.Regexp(t, `(?m)^ +# balance was 0$`, out)
	require.Contains(t, out, "must hold: Every deposit is in the balance.")
	require.Equal(t, out, found(t, "replay", token.String()), "a replay is the same every time")
	require.Contains(t, found(t, "replay", token.BySeed().String()), "reproduced: ")
}

func TestReplayUntilAStep(t *testing.T) {
	out := found(t, "replay", failing(t, "account").String(), "--until", "3")
	require.Regexp(t, `(?m)^ +3 +0s`, out)
	require.NotRegexp(t, `(?m)^ +4 +0s`, out)
	require.Contains(t, out, "shown until step 3; the run has ")
	require.Contains(t, out, "\nafter step 3, at 0s; next is step 4: ")
	require.Regexp(t, `(?m)^task main of node main is about to spawn\n      .*account.*\n          sim/heddle/scenarios_test.go:\d+$`, out)
	require.NotContains(t, out, "sched/")
	require.Contains(t, out, "reproduced: the same property failed")
	require.Equal(t, out, found(t, "replay", failing(t, "account").String(), "--until", "3"), "the same every time")
}

func TestReplayUntilEachStep(t *testing.T) {
	token := failing(t, "stuck-forks")
	var whole replayDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "replay", token.String(), "--format", "json")), &whole))
	require.Nil(t, whole.State)
	for step := range whole.Steps + 1 {
		var d replayDocument
		require.NoError(t, json.Unmarshal([]byte(found(t, "replay", token.String(), "--until", strconv.FormatInt(step, 10), "--format", "json")), &d))
		require.Equal(t, step, d.State.Step)
		require.Equal(t, step, *d.Until)
		require.True(t, d.Reproduced)
		if step < whole.Steps {
			require.Equal(t, whole.Trace[slices.IndexFunc(whole.Trace, func(e search.Event) bool { return e.Step == step+1 })].Operation, d.State.Next.Operation)
			continue
		}
		require.Nil(t, d.State.Next)
		require.Len(t, d.State.Tasks, 2)
		for _, task := range d.State.Tasks {
			require.Len(t, task.Holds, 1)
			require.Regexp(t, `^locked by main`, task.Waits[0].State)
		}
	}
	require.Contains(t, found(t, "replay", token.String(), "--until", strconv.FormatInt(whole.Steps, 10)), "; no step follows\n")
}

func TestDebugNeedsDebugInformation(t *testing.T) {
	if ours.canDebug() == nil {
		t.Skip("this test was built with debug information, as go test -c does")
	}
	_, errOut, status := heddle(t, "replay", failing(t, "account").String(), "--until", "3", "--debug")
	require.Equal(t, statusError, status)
	require.Regexp(t, `^heddle: --debug needs (debug information, which go run leaves out: go build .* -o heddle ./cmd/heddle, and use that|Linux.*)\n$`, errOut)
}

func TestReplayShowsWhatTheProgramLogs(t *testing.T) {
	token := failing(t, "shop").String()
	out := found(t, "replay", token, "--log")
	require.Regexp(t, `(?m)^ +\d+ +0s +main/customer +counter: INFO sold shop=corner order.item="a lamp" order.pieces=2$`, out)
	require.Regexp(t, `(?m)^ +\d+ +0s +main +counter: DEBUG wrapped up shop=corner pieces=2$`, out)
	require.Contains(t, out, "reproduced: the same property failed")
	require.NotContains(t, found(t, "replay", token), "INFO")
	require.NotContains(t, found(t, "replay", token, "--log", "--until", "3"), "wrapped up")

	var d replayDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "replay", token, "--log", "--format", "json")), &d))
	i := slices.IndexFunc(d.Trace, func(e search.Event) bool { return e.Log != nil })
	require.Equal(t, search.Event{Step: d.Trace[i-1].Step, Actor: "main/customer", Log: d.Trace[i].Log}, d.Trace[i])
	require.Equal(t, &sim.LogRecord{Node: "counter", Level: "INFO", Message: "sold", Attributes: []sim.LogAttribute{{Key: "shop", Value: "corner"}, {Key: "order.item", Value: "a lamp"}, {Key: "order.pieces", Value: "2"}}}, d.Trace[i].Log)
	require.Contains(t, found(t, "replay", token, "--log", "--format", "jsonl"), `"log":{"node":"counter","level":"INFO","message":"sold"`)
	require.Contains(t, found(t, "replay", token, "--log", "--format", "chrome"), `"cat":"log"`)
}

// TestReplayOfAScenarioThatTellsMegabytes: not all of it is kept in memory, and what is shown of a line is short.
func TestReplayOfAScenarioThatTellsMegabytes(t *testing.T) {
	folder := t.TempDir()
	out := found(t, "run", "talkative", "--runs", "1", "--shrink", "0", "--out", folder)
	files, err := filepath.Glob(folder + "/*.json")
	require.NoError(t, err)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1_000_000))
	require.Less(t, len(out), 10_000)

	out, errOut, status := heddle(t, "replay", files[0])
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: what the program tells until step 68 is more than 64 MB: --until shows the trace of a shorter part\n", errOut)
	require.Empty(t, out)
	out = found(t, "replay", files[0], "--until", "50")
	require.Less(t, len(out), 100_000)
	require.Contains(t, out, "... (1000000 bytes)")
}

func TestReplayExplains(t *testing.T) {
	token := failing(t, "account").String()
	out := found(t, "replay", token, "--explain")
	require.Regexp(t, `(?m)^  +step +time +task +what happened `, out)
	require.NotRegexp(t, `(?m)^ +step +time +task +operation$`, out)
	require.Contains(t, out, "\nthe nearest run that passes is ")
	require.Contains(t, out, "reproduced: the same property failed")

	var d replayDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "replay", token, "--explain", "--format", "json")), &d))
	require.NotEmpty(t, d.Explanation.Bug)
	require.NotEmpty(t, d.Trace)

	_, errOut, status := heddle(t, "replay", token, "--explain", "--until", "3")
	require.Equal(t, statusError, status)
	require.Equal(t, "heddle: --explain and --until exclude each other: the one tells the story of the whole run, the other shows the beginning of its trace\n", errOut)
	other := failing(t, "account")
	other.Hash++
	require.Contains(t, found(t, "replay", other.String(), "--explain"), "not reproduced: ", "and the trace instead of a story")
}

func TestReplayJSON(t *testing.T) {
	token := failing(t, "stuck-forks")
	var d replayDocument
	require.NoError(t, json.Unmarshal([]byte(found(t, "replay", token.String(), "--format", "json")), &d))
	require.True(t, d.Reproduced)
	require.Equal(t, "deadlock", d.Property)
	require.NotEmpty(t, d.Tasks)
	require.Equal(t, d.Steps, d.Trace[len(d.Trace)-1].Step)
}

func TestReplayOnChangedCodeSaysWhereItStoppedFitting(t *testing.T) {
	token := failing(t, "account")
	token.Scenario = "account-fixed" // the code as it is after the fix
	out := clean(t, "replay", token.String())
	require.Contains(t, out, "nothing was violated in ")
	require.Contains(t, out, "not reproduced: expected all-counted with trace ")
	require.Regexp(t, `decision \d+ of \d+ in the token: .*; here: `, out)
	require.Regexp(t, `(?m)^  went on by the default policy, with \d+ of \d+ decisions, those that fit$`, out)
}

func TestReplayWritesAPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "failure.html")
	token := failing(t, "account").String()
	out := found(t, "replay", token, "--html", file)
	require.Equal(t, found(t, "replay", token), out, "what is printed is the same")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{"is violated", "heddle replay " + token, "The bug needs"} {
		require.Contains(t, string(page), want)
	}
	t.Setenv(mutant.Variable, "locks-in-two-orders")
	found(t, "replay", token, "--html", file)
	onMutant, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(onMutant), "heddle replay "+token+" --mutant locks-in-two-orders")

	t.Setenv(mutant.Variable, "")
	found(t, "replay", token, "--html", file)
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, page, again)
}

func TestThePageOfAFailureOnChangedCodeIsThatOfThisBuild(t *testing.T) {
	file := filepath.Join(t.TempDir(), "failure.html")
	changed := failing(t, "account")
	changed.Hash++
	found(t, "replay", changed.String(), "--html", file)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "This build violates it, too, but in another run")
	require.Contains(t, string(page), "The bug needs")
	mended := failing(t, "account")
	mended.Scenario = "account-fixed"
	clean(t, "replay", mended.String(), "--html", file)
	page, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "Nothing is violated")
}

func TestReplayOfAFileOnChangedCodeNamesTheStep(t *testing.T) {
	folder := t.TempDir()
	found(t, "run", "account", "--runs", "100", "--seed", "7", "--out", folder, "--shrink", "0")
	files, err := filepath.Glob(folder + "/*.json")
	require.NoError(t, err)
	kept, token, err := search.LoadFile(files[0])
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	token.Scenario = "account-fixed"
	require.NoError(t, os.WriteFile(files[0], []byte(strings.Replace(string(content), kept.Token, token.String(), 1)), 0o644))

	out := clean(t, "replay", files[0])
	require.Regexp(t, `(?m)^  step \d+ was main\S*: .+, and here it is main\S*: .+$`, out)
	require.Equal(t, out[strings.Index(out, "not reproduced"):], func() string {
		short := clean(t, "replay", files[0], "--until", "2")
		return short[strings.Index(short, "not reproduced"):]
	}(), "whatever is shown of the trace")
	var d replayDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, "replay", files[0], "--format", "json")), &d))
	require.NotEmpty(t, d.Difference)
	require.NotEmpty(t, d.WentOn)
	require.False(t, d.Reproduced)
}

func TestReplayOfASeedOnChangedCode(t *testing.T) {
	token := failing(t, "account").BySeed()
	token.Hash++
	out := found(t, "replay", token.String())
	require.Contains(t, out, "not reproduced: expected all-counted with trace ")
	require.Contains(t, out, "exact on the same build only")
}

func TestBadInputGetsOneLine(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o644))
	good := failing(t, "account").String()
	kept := filepath.Join(folder, "kept.json")
	small := filepath.Join(t.TempDir(), "kept.json")
	found(t, "shrink", good, "--out", small)
	require.NoError(t, os.Rename(small, kept))
	gone := choice.Token{Scenario: "accounts", Property: "all-counted", Strategy: "random"}.String()
	option := choice.Token{Scenario: "account", Strategy: "random", Options: []choice.Option{{Name: "store", Value: "x"}}}.String()
	other := choice.Token{Scenario: "account", Strategy: "dream"}.String()

	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":       {[]string{"explode"}, `unknown command "explode" for "heddle"`},
		"unknown flag":          {[]string{"run", "--fast"}, `unknown flag: --fast`},
		"unknown scenario":      {[]string{"run", "acount"}, `unknown scenario "acount": did you mean account? heddle list shows those there are`},
		"nothing like it":       {[]string{"run", "zzz"}, `unknown scenario "zzz": heddle list shows those there are`},
		"unknown strategy":      {[]string{"run", "--strategy", "guess"}, `unknown strategy "guess": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`},
		"strategy out of range": {[]string{"run", "--strategy", "pct:0"}, `strategy "pct:0": pct needs the depth of the bugs that it looks for, from 1 to 16, such as pct:3`},
		"no runs":               {[]string{"run", "--runs", "0"}, `--runs 0 would explore nothing: give 1 or more`},
		"runs below zero":       {[]string{"run", "--runs", "-5"}, `--runs -5 would explore nothing: give 1 or more`},
		"runs that are no number": {[]string{"run", "--runs", "many"},
			`invalid argument "many" for "--runs" flag: strconv.ParseInt: parsing "many": invalid syntax`},
		"no time":                     {[]string{"run", "--for", "0s"}, `--for 0s would explore nothing: give a duration above 0, such as 30s`},
		"two budgets":                 {[]string{"run", "--runs", "5", "--for", "5s"}, `--runs and --for exclude each other: give one budget`},
		"no workers":                  {[]string{"run", "--workers", "0"}, `--workers 0 could run nothing: give 1 or more`},
		"unknown property":            {[]string{"run", "account", "--only", "S99"}, `unknown property "S99": there are deadlock, leak, panic, `},
		"no property":                 {[]string{"run", "account", "--only", ""}, `unknown property "": there are deadlock, `},
		"unknown property to stop at": {[]string{"run", "account", "--stop-at", "S99"}, `unknown property "S99": there are deadlock, leak, panic, `},
		"unknown format":              {[]string{"run", "--format", "xml"}, `unknown format "xml": there are text, json, junit, sarif, github, each alone or with =FILE`},
		"format without its file":     {[]string{"run", "--format", "json="}, `--format json= names no file after the =`},
		"two formats in one place":    {[]string{"run", "--format", "json", "--format", "text"}, `formats json and text would both go to standard output: give one a file, such as --format text=FILE`},
		"format file in no folder":    {[]string{"run", "--format", "json=" + folder + "/no/such/x"}, `cannot write to ` + folder + `/no/such: no such file or directory`},
		"format file is a folder":     {[]string{"run", "--format", "json=" + folder}, `cannot write to ` + folder + `: it is a folder`},
		"output folder is a file":     {[]string{"run", "--runs", "1000000000", "--out", file}, `cannot make the folder ` + file + `: not a directory`},
		"scenario without a set-up":   {[]string{"run", "broken", "--runs", "5000"}, `scenario broken panicked outside a task: no configuration`},
		"no failure to replay":        {[]string{"replay"}, `heddle replay takes failures, each a token or a file, and was given none`},
		"neither token nor file":      {[]string{"replay", "deadbeef"}, `"deadbeef" is neither a token, which starts with heddle1_, nor a file that can be read`},
		"token cut off":               {[]string{"replay", good[:40]}, `the token is cut off: it should have `},
		"token altered":               {[]string{"replay", strings.Replace(good, good[30:31], string(good[30]^1), 1)}, `the token is altered: `},
		"token of another version":    {[]string{"replay", "heddle9_" + good[8:]}, `the token is of format 9 and this build reads format 1: replay it with the heddle that printed it`},
		"token of a scenario that is gone": {[]string{"replay", gone},
			`the failure is of a scenario that this build does not have: unknown scenario "accounts": did you mean account? heddle list shows those there are`},
		"token with an unknown option":   {[]string{"replay", option}, `the token sets option "store", which scenario account of this build does not have`},
		"token with an unknown strategy": {[]string{"replay", other}, `the token cannot be replayed: unknown strategy "dream": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`},
		"file that is no failure":        {[]string{"replay", file}, file + ` is no failure that heddle has kept`},
		"no failure to shrink":           {[]string{"shrink"}, `heddle shrink takes one failure, a token or a file, and was given 0`},
		"nothing that can be shrunk":     {[]string{"shrink", "deadbeef"}, `"deadbeef" is neither a token, which starts with heddle1_, nor a file that can be read`},
		"shrink an altered token":        {[]string{"shrink", strings.Replace(good, good[30:31], string(good[30]^1), 1)}, `the token is altered: `},
		"shrink with an unknown option":  {[]string{"shrink", option}, `the token sets option "store", which scenario account of this build does not have`},
		"shrink with another strategy":   {[]string{"shrink", other}, `the token cannot be replayed: unknown strategy "dream": there are mix, random, guided, pct:D, pos, urw, surw, delay:D, fair`},
		"no time to shrink":              {[]string{"shrink", good, "--for", "0s"}, `--for 0s would try nothing: give a duration above 0, such as 30s`},
		"a page that is a folder":        {[]string{"replay", good, "--html", folder}, `cannot write to ` + folder + `: it is a folder`},
		"a page in no folder":            {[]string{"replay", good, "--html", folder + "/no/such/x"}, `cannot write to ` + folder + `/no/such: no such file or directory`},
		"a page of several":              {[]string{"replay", good, good, "--html", folder + "/x"}, `--html shows one failure, and several were given`},
		"a page over a format":           {[]string{"replay", good, "--html", folder + "/./x", "--format", "json=" + folder + "/x"}, `json and the page would both go to ` + folder + `/./x: give each a file of its own`},
		"a page over what is read":       {[]string{"replay", kept, "--html", kept}, `the page would be written over ` + kept + `, which is read: give it a file of its own`},
		"a format over what is read":     {[]string{"replay", kept, "--format", "json=" + kept}, `json would be written over ` + kept + `, which is read: give it a file of its own`},
		"a format over what is shrunk":   {[]string{"shrink", kept, "--format", "json=" + kept}, `json would be written over ` + kept + `, which is read: give it a file of its own`},
		"a format over the result":       {[]string{"shrink", good, "--out", folder + "/x.json", "--format", "json=" + folder + "/x.json"}, `json and the failure would both go to ` + folder + `/x.json: give each a file of its own`},
		"a format over its page":         {[]string{"shrink", good, "--out", folder + "/x.json", "--format", "json=" + folder + "/x.html"}, `json and its page would both go to ` + folder + `/x.html: give each a file of its own`},
		"no mutant":                      {[]string{"replay", good, "--mutant", ""}, `unknown mutant "": `},
		"a mutant that is no file":       {[]string{"replay", good, "--mutant", folder + "/x.patch"}, `mutant x cannot be read: no such file or directory`},
		"a debugger in a mutant":         {[]string{"replay", good, "--mutant", "x", "--until", "1", "--debug"}, `--debug and --mutant exclude each other: mutants are built without what a debugger needs; `},
		"help with what there is not":    {[]string{"help", "nosuch"}, `unknown command "nosuch": heddle --help shows those there are`},
		"completion of no shell":         {[]string{"completion"}, `heddle completion takes the name of a shell, bash, zsh, fish or powershell, and was given []`},
		"a page without a name":          {[]string{"replay", good, "--html", ""}, `--html names no file`},
		"shrunk to a folder":             {[]string{"shrink", good, "--out", folder}, `cannot write to ` + folder + `: it is a folder`},
		"shrunk to no folder":            {[]string{"shrink", good, "--out", folder + "/no/such/x"}, `cannot write to ` + folder + `/no/such: no such file or directory`},
		"shrink below nothing":           {[]string{"run", "--shrink", "-1"}, `--shrink -1 is no number of steps: give 0 or more`},
		"step before the first":          {[]string{"replay", good, "--until", "-1"}, `--until -1 is no step: 0 is before the first one`},
		"step beyond the end":            {[]string{"replay", good, "--until", "1000"}, `--until 1000 is beyond the end: the run has 1`},
		"step beyond all ends":           {[]string{"replay", good, "--until", "9223372036854775807"}, `--until 9223372036854775807 is beyond the end: the run has 1`},
		"step that is too large":         {[]string{"replay", good, "--until", "9223372036854775808"}, `invalid argument "9223372036854775808" for "--until" flag: `},
		"step that is no number":         {[]string{"replay", good, "--until", "last"}, `invalid argument "last" for "--until" flag: strconv.ParseInt: parsing "last": invalid syntax`},
		"debug at no step":               {[]string{"replay", good, "--debug"}, `--debug needs a step to wait at: give --until STEP as well`},
		"debug of several":               {[]string{"replay", good, good, "--until", "3", "--debug"}, `--until, --log and --explain are about the trace of one failure, and several were given`},
		"a story with a log":             {[]string{"replay", good, "--explain", "--log"}, `--explain and --log exclude each other: `},
		"list takes nothing":             {[]string{"list", "x"}, `unknown command "x" for "heddle list"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, status := heddle(t, c.args...)
			require.Equal(t, statusError, status)
			require.True(t, strings.HasPrefix(errOut, "heddle: "+c.want), "got %q", errOut)
			require.Equal(t, 1, strings.Count(errOut, "\n"), "one line: %q", errOut)
			if name != "scenario without a set-up" {
				require.Empty(t, out)
			}
		})
	}
}

func TestListShowsWhatThereIs(t *testing.T) {
	out := clean(t, "list")
	require.Contains(t, out, "two deposits without a lock (fails on purpose: all-counted, depth 2, 31 % of its runs under random; runs by name only)")
	require.Regexp(t, `(?m)^  all-counted +Every deposit is in the balance\.$`, out)
	require.Equal(t, 1, len(regexp.MustCompile(`(?m)^  all-counted `).FindAllString(out, -1)), "a property of two scenarios is listed once")
	require.Regexp(t, `(?m)^  pct:D +random priorities`, out)
	require.Regexp(t, `(?m)^  lightning +faulty$`, out)
	var d listDocument
	require.NoError(t, json.Unmarshal([]byte(clean(t, "list", "--format", "json")), &d))
	require.Len(t, d.Scenarios, len(testScenarios()))
	require.Equal(t, []listedFault{{"flood", []string{"faulty"}}, {"lightning", []string{"faulty"}}}, d.Faults)
}

func TestAFailureOfAMutantIsReplayedThere(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a mutant")
	}
	const name = "demoted-before-it-is-removed"
	file := filepath.Join("..", "..", "testdata", "failures", name+".json")
	require.Contains(t, found(t, "replay", file, "--mutant", name), "\nreproduced: ")
	require.Contains(t, found(t, "shrink", "--mutant="+name, file), "! refinement is violated: ")

	_, errOut, status := heddle(t, "replay", file+"-gone", "--mutant", name)
	require.Equal(t, statusError, status)
	require.Equal(t, 1, strings.Count(errOut, "\n"), "the mutant has said what is wrong: %q", errOut)

	_, errOut, status = heddle(t, "shrink", file, "--mutant", "demoted-before-it-is-remove")
	require.Equal(t, statusError, status)
	require.True(t, strings.HasPrefix(errOut, `heddle: unknown mutant "demoted-before-it-is-remove": did you mean demoted-before-it-is-removed? `), errOut)
}
