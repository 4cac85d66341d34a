// Package mutant keeps programs that are broken on purpose: patches to this module's sources, each with the properties that
// should notice. A patch is laid over the sources when the program is built, and never applied to the tree.
package mutant

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Extension is how the file of a mutant ends.
const Extension = ".patch"

// Mutant is a patch and what its header says. The header is the text before the first file of the patch: what it breaks, in
// any words, and these lines, of which only Properties is expected:
//
//	Origin: where the slip comes from
//	Properties: S1 L2
//	Scenario: small-agent
//	Missed: why no search finds it
//
// The zero Mutant changes nothing: it is the program itself.
type Mutant struct {
	Name       string
	Origin     string
	Properties []string // those that should notice; empty: any
	Scenario   string   // to search it in; empty: the usual one
	Missed     string   // why no search has found it; empty if one has

	files []*gitdiff.File
}

// List is the paths of the patches in a folder, by name. The error is one line.
func List(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("cannot read the patches of %s: %w", folder, cause(err))
	}
	var paths []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), Extension) && !e.IsDir() {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no mutants: they are files NAME%s", folder, Extension)
	}
	return paths, nil
}

// Name is the name of the mutant in a file.
func Name(path string) string { return strings.TrimSuffix(filepath.Base(path), Extension) }

// Read reads a patch. The error is one line that names it.
func Read(path string) (*Mutant, error) {
	m := &Mutant{Name: Name(path)}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mutant %s cannot be read: %w", m.Name, cause(err))
	}
	files, header, err := gitdiff.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("mutant %s is no patch: %w", m.Name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("mutant %s changes nothing: its patch names no file", m.Name)
	}
	m.files = files
	for line := range strings.Lines(header) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Origin":
			m.Origin = value
		case "Properties":
			m.Properties = append(m.Properties, strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' })...)
		case "Scenario":
			m.Scenario = value
		case "Missed":
			m.Missed = value
			if value == "" {
				m.Missed = "no reason given"
			}
		}
	}
	return m, nil
}

// Names says whether the header names the property. One that names none is content with any.
func (m *Mutant) Names(property string) bool {
	return len(m.Properties) == 0 || slices.Contains(m.Properties, property)
}

// Files are the files that the mutant changes or adds, by their paths below the root of the module.
func (m *Mutant) Files() []string {
	var paths []string
	for _, f := range m.files {
		paths = append(paths, f.NewName)
	}
	return paths
}

// change is a file as the mutant has it.
type change struct {
	path    string // below the root of the module
	content []byte
}

// Applies answers what is wrong with the patch for the sources of the module in root, in one line.
func (m *Mutant) Applies(root string) error {
	_, err := m.apply(root)
	return err
}

// Write writes the changed files of the module in root into another folder, under their paths below root. The error is one line.
func (m *Mutant) Write(root, folder string) error {
	changes, err := m.apply(root)
	if err != nil {
		return err
	}
	for _, c := range changes {
		path := filepath.Join(folder, filepath.FromSlash(c.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("mutant %s cannot be written to %s: %w", m.Name, folder, cause(err))
		}
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			return fmt.Errorf("mutant %s cannot be written to %s: %w", m.Name, path, cause(err))
		}
	}
	return nil
}

// apply makes the changed files from those below root.
func (m *Mutant) apply(root string) ([]change, error) {
	var changes []change
	for _, f := range m.files {
		path := f.NewName
		if f.IsDelete || f.IsRename || f.IsCopy || f.IsBinary {
			return nil, fmt.Errorf("mutant %s does not apply: it moves, removes or holds bytes of %s, and a mutant can only change lines and add files", m.Name, f.OldName)
		}
		if !filepath.IsLocal(path) {
			return nil, fmt.Errorf("mutant %s does not apply: %s is outside the module", m.Name, path)
		}
		source, err := os.ReadFile(filepath.Join(root, path))
		switch {
		case f.IsNew && err == nil:
			return nil, fmt.Errorf("mutant %s does not apply: it adds %s, which exists", m.Name, path)
		case f.IsNew && errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("mutant %s does not apply: cannot read %s: %w", m.Name, path, cause(err))
		}
		content, err := patched(source, f)
		if err != nil {
			return nil, fmt.Errorf("mutant %s does not apply to %s: %w", m.Name, path, err)
		}
		changes = append(changes, change{path, content})
	}
	return changes, nil
}

// cause is the error without the name of the file, which the caller has said.
func cause(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
