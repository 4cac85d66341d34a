package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

const (
	fileFormat = "heddle failure 1"
	// fileEvents is how many events of the trace a file keeps, the last ones.
	fileEvents = 10_000
	// fileNote is how many bytes of a note it keeps.
	fileNote = 1000
)

// File is a kept failure: one JSON object. Token decides the replay; the rest is for people and for comparing.
type File struct {
	Format   string           `json:"format"`
	Token    string           `json:"token"`
	Scenario string           `json:"scenario"`
	Property string           `json:"property"`
	Message  string           `json:"message"`
	Seed     string           `json:"seed"`
	Strategy string           `json:"strategy"`
	Steps    int64            `json:"steps"`
	Hash     string           `json:"trace_hash"`
	Stack    string           `json:"stack,omitempty"`
	Tasks    []sim.TaskReport `json:"tasks,omitempty"`
	Exhibits []string         `json:"exhibits,omitempty"` // files beside this one
	Omitted  int64            `json:"trace_omitted"`      // events before the first one below
	Trace    []Event          `json:"trace"`              // an event on each line
}

// content is the JSON of the file.
func (f File) content() ([]byte, error) {
	trace := f.Trace
	f.Trace = []Event{}
	content, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, err
	}
	content = bytes.TrimSuffix(content, []byte("[]\n}"))
	separator := "[\n  "
	for _, e := range trace {
		line, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		content = append(append(content, separator...), line...)
		separator = ",\n  "
	}
	if len(trace) == 0 {
		content = append(content, '[')
	}
	return append(content, "\n ]\n}\n"...), nil
}

// Save keeps a failure in a folder, under a name of its own, and answers the path of its file; see SaveAs.
func Save(folder string, sc *sim.Scenario, f *Failure) (path string, err error) {
	path = filepath.Join(folder, fileName(f)+".json")
	return path, SaveAs(path, sc, f)
}

// SaveShrunk is Save for the smaller version of a failure.
func SaveShrunk(folder string, sc *sim.Scenario, f *Shrunk) (path string, err error) {
	path = filepath.Join(folder, fileName(f.Failure)+"-shrunk.json")
	return path, SaveAs(path, sc, f.Failure)
}

// fileName is a name that every file system and shell takes as it is.
func fileName(f *Failure) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.=+", r) {
			return r
		}
		return '-'
	}, f.Scenario+"-"+f.Property) + "-" + f.Seed
}

// SaveAs keeps a failure in a file. Exhibits lie beside it, under its name and theirs. Each file appears whole or not at all, the
// failure's last.
func SaveAs(path string, sc *sim.Scenario, f *Failure) error {
	trace := lastEvents{most: fileEvents}
	replayed, err := Replay(sc, f.Full, NewTracer(func(e Event) {
		e.Note = Shortened(e.Note, fileNote)
		trace.add(e)
	}))
	if err != nil {
		return err
	}
	if !replayed.Same {
		return fmt.Errorf("scenario %s is not deterministic: the run of seed %s came out differently while its trace was taken", f.Scenario, f.Seed)
	}
	var exhibits []string
	for _, e := range replayed.Failure.Exhibits {
		exhibit := strings.TrimSuffix(path, ".json") + "-" + e.Name
		if err := WriteFile(exhibit, e.Content); err != nil {
			return err
		}
		exhibits = append(exhibits, filepath.Base(exhibit))
	}
	return File{
		Format: fileFormat, Token: f.Full.String(), Scenario: f.Scenario, Property: f.Property, Message: f.Message, Seed: f.Seed,
		Strategy: f.Strategy, Steps: f.Steps, Hash: f.Hash, Stack: f.Stack, Tasks: f.Tasks, Exhibits: exhibits, Omitted: trace.missed, Trace: trace.events(),
	}.Write(path)
}

// Write writes the file to a path, where it appears whole or not at all.
func (f File) Write(path string) error {
	content, err := f.content()
	if err != nil {
		return err
	}
	return WriteFile(path, content)
}

// WriteFile writes a file that appears whole or not at all, with the rights of the one that was there. A link stays, and what it names is
// written. A device or a pipe, such as /dev/stdout, is written to, as it must not be replaced by a file.
func WriteFile(path string, content []byte) error {
	if isDevice(path) {
		return appendTo(path, content)
	}
	path = linked(path)
	temporary, err := temporaryBeside(path)
	if err != nil {
		return err
	}
	if old, missing := os.Stat(path); missing == nil {
		err = temporary.Chmod(old.Mode().Perm())
	}
	if err == nil {
		_, err = temporary.Write(content)
	}
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// linked is the path behind links, also if nothing is there yet.
func linked(path string) string {
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

// temporaryBeside makes a new file in the folder of another one, with the rights that a new file has here.
func temporaryBeside(path string) (file *os.File, err error) {
	for i := range 1000 {
		name := fmt.Sprintf(".heddle-%d-%d", os.Getpid(), i)
		file, err = os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, os.ErrExist) {
			break
		}
	}
	return file, err
}

// isDevice says whether something is at the path that is no file. What is below /dev may be a link to a file that is open already.
func isDevice(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return false
	}
	if !info.Mode().IsRegular() {
		return true
	}
	_, err = os.Readlink(path)
	return err == nil && strings.HasPrefix(filepath.Clean(path), "/dev/")
}

func appendTo(path string, content []byte) error {
	device, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = device.Write(content)
	return errors.Join(err, device.Close())
}

// LoadFile reads a kept failure and its token. The error is one line.
func LoadFile(path string) (f File, token choice.Token, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return f, token, err
	}
	if err := json.Unmarshal(content, &f); err != nil || !strings.HasPrefix(f.Format, "heddle failure ") {
		return f, token, fmt.Errorf("%s is no failure that heddle has kept", path)
	}
	if f.Format != fileFormat {
		return f, token, fmt.Errorf("%s is of format %q and this build reads %q: replay it with the heddle that wrote it", path, f.Format, fileFormat)
	}
	token, err = choice.ParseToken(f.Token)
	if err != nil {
		return f, token, fmt.Errorf("%s: %w", path, err)
	}
	return f, token, nil
}

// Difference names the first step or value of the kept trace that another trace of the run, a whole one, does not have in its
// place; empty if there is none. Notes are only words.
func (f File) Difference(trace []Event) string {
	kept := withoutNotes(f.Trace)
	if f.Omitted > 0 {
		for len(kept) > 0 && kept[0].Operation == "" {
			kept = kept[1:] // of a step that is omitted
		}
	}
	trace = withoutNotes(trace)
	if len(kept) > 0 && f.Omitted > 0 {
		for len(trace) > 0 && trace[0].Step < kept[0].Step {
			trace = trace[1:]
		}
	}
	for i, e := range kept {
		switch {
		case i >= len(trace):
			return fmt.Sprintf("step %d was %s, and here the run had ended", e.Step, e)
		case e.String() == trace[i].String() && e.Step == trace[i].Step && e.Time != trace[i].Time:
			return fmt.Sprintf("step %d was %s at %s, and here it is at %s", e.Step, e, e.Time, trace[i].Time)
		case e != trace[i]:
			return fmt.Sprintf("step %d was %s, and here it is %s", e.Step, e, trace[i])
		}
	}
	if len(trace) > len(kept) {
		return fmt.Sprintf("the run had ended, and here step %d is %s", trace[len(kept)].Step, trace[len(kept)])
	}
	return ""
}

// withoutNotes leaves out what is text, names too: it may show an address or a time without any harm.
func withoutNotes(trace []Event) (kept []Event) {
	for _, e := range trace {
		if e.Note == "" && e.Log == nil {
			e.Name = ""
			kept = append(kept, e)
		}
	}
	return kept
}
