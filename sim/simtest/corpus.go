package simtest

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// corpus is what is kept of the failures of a scenario in a test.
type corpus struct {
	scenario *sim.Scenario
	test     string // its full name
	folder   string
}

func newCorpus(t testing.TB, scenario *sim.Scenario) *corpus {
	t.Helper()
	if scenario == nil || scenario.Setup == nil {
		t.Fatal("a test needs a scenario that has a Setup")
	}
	c := &corpus{scenario: scenario, test: t.Name(), folder: filepath.Join("testdata", "heddle", folderName(t.Name()))}
	if scenario.Name == "" {
		named := *scenario
		named.Name = t.Name()
		c.scenario = &named
	}
	return c
}

// folderName makes a path of the name of a test: a folder for each part of it. A part that could be no folder everywhere is told
// apart by its hash from others that look alike.
func folderName(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		safe := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-=+", r) {
				return r
			}
			return '_'
		}, part)
		if safe != part || part == "" {
			h := fnv.New32a()
			h.Write([]byte(part))
			safe = fmt.Sprintf("%s-%08x", safe, h.Sum32())
		}
		parts[i] = safe
	}
	return filepath.Join(parts...)
}

// repeat makes the runs of the failures that are kept, a subtest for each, and says whether all of them pass.
func (c *corpus) repeat(t *testing.T) bool {
	t.Helper()
	entries, err := os.ReadDir(c.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("cannot read the failures that are kept: %v", err)
	}
	passed := true
	for _, e := range entries {
		name, isFailure := strings.CutSuffix(e.Name(), ".json")
		if !isFailure || e.IsDir() {
			continue
		}
		ok := t.Run(name, func(t *testing.T) {
			t.Helper()
			path := filepath.Join(c.folder, e.Name())
			_, token, err := search.LoadFile(path)
			if err != nil {
				t.Fatalf("%v: restore or delete it", err)
			}
			if token.Scenario != c.scenario.Name {
				t.Skipf("%s is a failure of scenario %s, and this is %s", path, token.Scenario, c.scenario.Name)
			}
			c.once(t, token, path, nil)
		})
		passed = passed && ok
	}
	return passed
}

// replay repeats one failure, a token or a file, and shows its trace.
func (c *corpus) replay(t *testing.T, failure string) {
	t.Helper()
	var token choice.Token
	var err error
	path := ""
	if choice.IsToken(failure) {
		token, err = choice.ParseToken(failure)
	} else if _, missing := os.Stat(failure); missing != nil {
		err = fmt.Errorf("%.60q is neither a token, which starts with heddle1_, nor a file that can be read from the folder of the test", failure)
	} else {
		path = failure
		_, token, err = search.LoadFile(failure)
	}
	if err != nil {
		t.Fatalf("nothing to replay: %v", err)
	}
	if token.Scenario != c.scenario.Name {
		t.Logf("nothing to replay: the failure is one of scenario %s, and this is %s", token.Scenario, c.scenario.Name)
		return
	}
	trace := &trace{}
	c.once(t, token, path, trace)
}

// once makes the run of a token, which is kept in a file if path is not empty, and fails the test if the run violates something.
// Its trace, if it is wanted, goes to the log.
func (c *corpus) once(t *testing.T, token choice.Token, path string, trace *trace) {
	t.Helper()
	replayer, err := search.NewReplayer(c.scenario, token)
	if err != nil {
		t.Logf("the failure does not fit any more: %v", err)
		return
	}
	defer replayer.Close()
	var tracer sim.Tracer
	if trace != nil {
		tracer = search.NewTracer(trace.add)
	}
	source, tracer := replayer.Decide(tracer)
	f, replayed, err := record(replayer, token, source, tracer)
	if err != nil {
		t.Fatal(withStack(err))
	}
	if trace != nil {
		t.Log(trace)
	}
	if !replayed.Same {
		t.Log(unlike(token, replayed, replayer.Fit()))
	}
	if f == nil {
		return
	}
	err = explain(t, c.scenario, f)
	page, undrawn := c.draw(t, f, path)
	t.Error(c.text(f, kept{path: path, page: page}) + "\n  " + c.replayLine(f, path))
	if err = errors.Join(err, undrawn); err != nil {
		t.Fatal(withStack(err))
	}
}

// record makes a run of the token's scenario by any source. A failure, nil if there is none, holds the token that repeats it.
func record(replayer *search.Replayer, token choice.Token, source choice.Source, tracer sim.Tracer) (*search.Failure, search.Replayed, error) {
	var recorder choice.Recorder
	recorder.Begin(source, tracer)
	replayed, err := replayer.Run(&recorder, recorder.Tracer(), 0)
	if err != nil || replayed.Failure == nil {
		return nil, replayed, err
	}
	token.Property, token.Hash = replayed.Failure.Property, replayed.Hash
	token.Deviations = append([]choice.Deviation{}, recorder.Deviations()...)
	return search.NewFailure(token, replayed.Steps, replayed.Failure), replayed, nil
}

// explain puts what package shrink says of a failure beside it, as it is.
func explain(t *testing.T, sc *sim.Scenario, f *search.Failure) error {
	explanation, err := shrink.Explain(t.Context(), sc, f.Full, shrink.Limits{Steps: shrink.UsualSteps})
	if tooLong := new(shrink.TooLongError); errors.As(err, &tooLong) {
		return nil
	}
	if err == nil {
		f.Shrunk = &search.Shrunk{Failure: f, Ended: shrink.Complete, Explanation: explanation}
	}
	return err
}

// kept is where a failure is kept, or why it is not, and where a page shows it.
type kept struct {
	path string
	err  error
	page string // empty: there is none
}

// draw writes the page that shows a failure to where the test's artifacts stay, if they do: go test -artifacts.
func (c *corpus) draw(t *testing.T, found *search.Failure, path string) (page string, err error) {
	if stay := flag.Lookup("test.artifacts"); stay == nil || stay.Value.String() != "true" {
		return "", nil
	}
	f := smallest(found)
	name := "failure"
	if path != "" {
		name = strings.TrimSuffix(filepath.Base(path), ".json")
	}
	p := report.Page{Scenario: c.scenario, Token: f.Full, Replay: c.replayLine(found, path), Statement: search.StatementOf(c.scenario, f.Property)}
	if found.Shrunk != nil {
		p.Explanation, _ = found.Shrunk.Explanation.(*shrink.Explanation)
	}
	page = filepath.Join(t.ArtifactDir(), name+".html")
	if err := p.WriteHTML(page); err != nil {
		return "", fmt.Errorf("a page cannot be written to the artifacts: %w", err)
	}
	return page, nil
}

// keep writes a failure, the smallest that is known, into the corpus.
func (c *corpus) keep(f *search.Failure) kept {
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return kept{err: err}
	}
	path, err := search.Save(c.folder, c.scenario, smallest(f))
	if err != nil {
		return kept{err: err}
	}
	return kept{path: path}
}

// smallest is the failure itself, or what was made of it.
func smallest(f *search.Failure) *search.Failure {
	if f.Shrunk != nil {
		return f.Shrunk.Failure
	}
	return f
}
