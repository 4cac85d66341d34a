package heddle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/sim/search"
)

// vetRuns is how many runs without faults an interesting mutant passes.
const vetRuns = 20

// hunt builds and searches mutants, several at a time. Each search is a process of its own, a heddle run with one worker.
type hunt struct {
	zooFlags
	root    string
	usual   string   // the scenario in which a mutant is searched whose header names none
	tests   []string // the packages whose tests an interesting mutant passes
	builder *mutant.Builder
	slots   chan struct{} // as many as may work at a time
	started time.Time

	line   terminalLine
	total  int // mutants
	killed atomic.Int64
	over   atomic.Int64 // mutants that are done with
}

// newHunt makes a hunt, and sees to it that the program itself builds, and passes --vet.
func (a *app) newHunt(ctx context.Context, f zooFlags, root string, tests []string, line terminalLine) (*hunt, error) {
	h := &hunt{zooFlags: f, root: root, usual: a.usual(), tests: tests, slots: make(chan struct{}, f.workers), started: time.Now(), line: line}
	line.write("building the program as it is")
	defer line.clear()
	var err error
	if h.builder, err = mutant.NewBuilder(ctx, root, a.command); err != nil {
		return nil, err
	}
	binary, err := h.builder.Build(ctx, &mutant.Mutant{})
	if err != nil || !f.vet {
		return h, err
	}
	line.write("vetting the program as it is")
	v, err := h.vetted(ctx, &mutant.Mutant{}, binary)
	if err == nil && !v.Passed() {
		err = fmt.Errorf("the program as it is does not pass --vet, so no mutant can: %s", v)
	}
	return h, err
}

// score hunts all mutants. Those that an interruption leaves unfinished are not in the score.
func (h *hunt) score(ctx context.Context, paths []string) *zooScore {
	h.total = len(paths)
	rows := make([]zooRow, len(paths))
	open := make(chan struct{}, h.workers+1) // one more than can work, so that there is always work
	var wait sync.WaitGroup
	h.progress()
	for i, path := range paths {
		select {
		case open <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-open }()
			rows[i] = h.mutant(ctx, path)
			h.over.Add(1)
			if rows[i].Killed {
				h.killed.Add(1)
			}
			h.progress()
		})
	}
	wait.Wait()
	return newZooScore(h, slices.DeleteFunc(rows, func(r zooRow) bool { return !r.finished }), ctx.Err() != nil)
}

// progress shows how far the hunt is.
func (h *hunt) progress() {
	over, elapsed := int(h.over.Load()), time.Since(h.started)
	text := fmt.Sprintf("%d of %s  %d killed  %s", over, plural(int64(h.total), "mutant"), h.killed.Load(), elapsed.Round(time.Second))
	if over > 0 {
		left := time.Duration(float64(elapsed) / float64(over) * float64(h.total-over))
		text += fmt.Sprintf("  %s left", left.Round(time.Second))
	}
	h.line.write(text)
}

// work does f when a slot is free, unless ctx is done before.
func (h *hunt) work(ctx context.Context, f func()) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
		if ctx.Err() == nil {
			f()
		}
	case <-ctx.Done():
	}
}

// mutant builds a mutant, vets it if that is asked for, and searches it with each strategy from each seed.
func (h *hunt) mutant(ctx context.Context, path string) zooRow {
	m, err := mutant.Read(path)
	if err != nil {
		return zooRow{Name: mutant.Name(path), Problem: err.Error(), finished: true}
	}
	row := zooRow{Name: m.Name, Origin: m.Origin, Names: m.Properties, Missed: m.Missed}
	var binary string
	h.work(ctx, func() {
		if binary, err = h.builder.Build(ctx, m); err == nil && h.vet {
			var v vetting
			v, err = h.vetted(ctx, m, binary)
			row.Vet = &v
		}
	})
	if err == nil && (row.Vet == nil || row.Vet.Passed()) {
		row.Strategies, err = h.hunted(ctx, m, binary)
	}
	if err != nil {
		row.Problem = err.Error()
	}
	row.finish(h.runs)
	row.finished = ctx.Err() == nil
	return row
}

// keptShrink is how many steps may be made for the smallest failure of a search that is to be kept.
const keptShrink = 20_000_000

// hunted is searched, and keeps the smallest failure that was found, if that is asked for.
func (h *hunt) hunted(ctx context.Context, m *mutant.Mutant, binary string) ([]zooColumn, error) {
	if h.out == "" {
		return h.searched(ctx, m, binary, "--shrink", "0"), nil
	}
	folder, err := os.MkdirTemp("", "heddle-zoo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	columns := h.searched(ctx, m, binary, "--out", folder, "--shrink", strconv.Itoa(keptShrink))
	return columns, h.keep(m, folder)
}

// keep keeps a failure that a property noticed which the mutant's header names: of those that were made smaller, if any was, the one with
// the fewest steps.
func (h *hunt) keep(m *mutant.Mutant, folder string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	if small, err := filepath.Glob(filepath.Join(folder, "*-shrunk.json")); err == nil && len(small) > 0 {
		paths = append(small, paths...)
	}
	var smallest *search.File
	shrunk := false
	for _, path := range paths {
		f, _, err := search.LoadFile(path)
		if err != nil {
			return err
		}
		if isShrunk := strings.HasSuffix(path, "-shrunk.json"); m.Names(f.Property) && (smallest == nil || isShrunk == shrunk && f.Steps < smallest.Steps) {
			smallest, shrunk = &f, isShrunk
		}
	}
	if smallest == nil {
		return nil
	}
	smallest.Exhibits = nil // they stay behind
	return smallest.Write(filepath.Join(h.out, m.Name+".json"))
}

// searched searches a mutant with each strategy from each seed.
func (h *hunt) searched(ctx context.Context, m *mutant.Mutant, binary string, arguments ...string) []zooColumn {
	columns := make([]zooColumn, len(h.strategies))
	seeds := h.seeds
	if m.Missed != "" {
		seeds = 1 // enough to see that it is not missed any more
	}
	var wait sync.WaitGroup
	for i, name := range h.strategies {
		columns[i] = zooColumn{Strategy: name, Searches: make([]zooSearch, seeds)}
		for k := range seeds {
			wait.Go(func() {
				h.work(ctx, func() {
					columns[i].Searches[k] = h.search(ctx, m, binary, name, h.seed+"-"+strconv.Itoa(k+1), arguments)
				})
			})
		}
	}
	wait.Wait()
	return columns
}

// search searches a mutant until a property fails that its header names.
func (h *hunt) search(ctx context.Context, m *mutant.Mutant, binary, strategy, seed string, arguments []string) zooSearch {
	arguments = append(slices.Clip(arguments), "--runs", strconv.FormatInt(h.runs, 10), "--seed", seed, "--strategy", strategy)
	for _, id := range m.Properties {
		arguments = append(arguments, "--stop-at", id)
	}
	s := zooSearch{Seed: seed}
	found, err := h.run(ctx, m, binary, arguments...)
	if err != nil {
		s.Error = err.Error()
		return s
	}
	s.Runs = found.Runs
	for i, f := range found.Failures {
		whole := f.Token == "" // of the search as a whole
		switch {
		case whole && !slices.Contains(m.Properties, f.Property):
		case m.Names(f.Property):
			s.Killed, s.Property, s.RunSeed = true, f.Property, f.Seed
			if !whole {
				s.Runs, s.Steps, s.Shrunk = f.Run+1, f.Steps, zooSizeOf(f.Shrunk)
			}
		case i == 0:
			s.First = f.Property
		}
	}
	return s
}

// run runs the scenario of the mutant and answers what the search came to. The error is one line.
func (h *hunt) run(ctx context.Context, m *mutant.Mutant, binary string, arguments ...string) (*search.ScenarioReport, error) {
	scenario := m.Scenario
	if scenario == "" {
		scenario = h.usual
	}
	arguments = append([]string{"run", scenario, "--workers", "1", "--format", "json"}, arguments...)
	command := exec.CommandContext(ctx, binary, arguments...)
	command.Dir = h.root
	command.Env = append(os.Environ(), "GOMAXPROCS=1")
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	err := command.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return nil, err
	}
	var d runDocument
	if err := json.Unmarshal(out.Bytes(), &d); err == nil && d.Error == "" && len(d.Scenarios) == 1 {
		return d.Scenarios[0], nil
	}
	line, _, _ := strings.Cut(strings.TrimSpace(errOut.String()), "\n")
	line = strings.TrimPrefix(line, "heddle: ")
	if line == "" {
		line = fmt.Sprintf("it ended with %v and no result", err)
	}
	return nil, errors.New(line)
}

// vetting says what notices a mutant that is too plain to be of interest. Both are empty for one that passed.
type vetting struct {
	Tests    string `json:"tests"`    // what failed of the unit tests
	Property string `json:"property"` // that failed without faults
}

// Passed says whether neither the unit tests nor runs without faults have noticed the mutant.
func (v vetting) Passed() bool { return v == vetting{} }

// String says what has noticed it.
func (v vetting) String() string {
	switch {
	case v.Tests != "":
		return "caught by unit tests: " + v.Tests
	case v.Property != "":
		return "fails without faults: " + v.Property
	default:
		return "passed"
	}
}

// vetted lets the unit tests and some runs without faults look at a mutant.
func (h *hunt) vetted(ctx context.Context, m *mutant.Mutant, binary string) (v vetting, err error) {
	failed, err := h.builder.Test(ctx, m, h.tests...)
	if err != nil {
		return v, err
	}
	if failed != nil {
		v.Tests = failed.Error()
	}
	found, err := h.run(ctx, m, binary, "--runs", strconv.Itoa(vetRuns), "--seed", h.seed, "--no-faults", "--shrink", "0")
	if err != nil {
		return v, err
	}
	if len(found.Failures) > 0 {
		v.Property = found.Failures[0].Property
	}
	return v, nil
}
