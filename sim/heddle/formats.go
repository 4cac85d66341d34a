package heddle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/sim/search"
)

// output is where a format goes.
type output struct {
	format string
	file   string // empty: standard output
}

// parseOutputs reads the values of --format, each F or F=FILE. Every F must be one of known; the first of those is the default.
// No two may share a place.
func parseOutputs(values []string, known ...string) ([]output, error) {
	if len(values) == 0 {
		return []output{{format: known[0]}}, nil
	}
	var outputs []output
	taken := map[string]string{}
	for _, value := range values {
		format, file, hasFile := strings.Cut(value, "=")
		if !slices.Contains(known, format) {
			return nil, fmt.Errorf("unknown format %q: there are %s, each alone or with =FILE", format, strings.Join(known, ", "))
		}
		if hasFile && file == "" {
			return nil, fmt.Errorf("--format %s names no file after the =", value)
		}
		if hasFile {
			file = filepath.Clean(file)
		}
		if other, ok := taken[file]; ok {
			place := "standard output"
			if file != "" {
				place = file
			}
			return nil, fmt.Errorf("formats %s and %s would both go to %s: give one a file, such as --format %s=FILE", other, format, place, format)
		}
		taken[file] = format
		outputs = append(outputs, output{format, file})
	}
	return outputs, nil
}

// placesOf are the outputs of a command that prints text or JSON, or more formats, all of which can be written.
func placesOf(formats []string, more ...string) ([]output, error) {
	outputs, err := parseOutputs(formats, append([]string{"text", "json"}, more...)...)
	if err != nil {
		return nil, err
	}
	return outputs, checkOutputs(outputs)
}

// rendering is how a format that not every command has is written.
type rendering struct {
	format string
	render func(io.Writer) error
}

// print makes all outputs of a document, as text, as JSON, or in one of the other formats. One that fails keeps none of the others back.
func (a *app) print(outputs []output, document any, text func(io.Writer) error, more ...rendering) (failed error) {
	renderings := append([]rendering{{"text", text}, {"json", func(w io.Writer) error { return writeJSON(w, document) }}}, more...)
	for _, o := range outputs {
		i := slices.IndexFunc(renderings, func(r rendering) bool { return r.format == o.format })
		failed = errors.Join(failed, a.write(o, renderings[i].render))
	}
	return failed
}

// makeFolder makes a folder, if there is none, in which files can be made.
func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder %s: %w", folder, cause(err))
	}
	return checkWritable(folder)
}

// checkWritable says, before any work is done, whether a file can be made in the folder.
func checkWritable(folder string) error {
	probe, err := os.CreateTemp(folder, ".heddle-*")
	if err != nil {
		return fmt.Errorf("cannot write to %s: %w", folder, cause(err))
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// cause is the error without the name of the temporary file.
func cause(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// checkOutputs says whether all files of the outputs can be written, and no two are the same.
func checkOutputs(outputs []output) error {
	for i, o := range outputs {
		if o.file == "" {
			continue
		}
		if err := checkFile(o.file); err != nil {
			return err
		}
		for _, other := range outputs[:i] {
			if other.file != "" && sameFile(other.file, o.file) {
				return fmt.Errorf("%s and %s would both go to %s: give each a file of its own", other.format, o.format, o.file)
			}
		}
	}
	return nil
}

// sameFile says whether two paths lead to one file, which may not be there yet.
func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && one.Mode().IsRegular() && os.SameFile(one, other)
}

// apart says whether what is read from a file, if it is one, is written over by an output.
func apart(read string, outputs []output) error {
	for _, o := range outputs {
		if o.file != "" && sameFile(read, o.file) {
			return fmt.Errorf("%s would be written over %s, which is read: give it a file of its own", o.format, read)
		}
	}
	return nil
}

// checkFile says whether a file can be written, and changes nothing.
func checkFile(file string) error {
	switch info, err := os.Stat(file); {
	case err != nil:
		return checkWritable(filepath.Dir(file))
	case info.IsDir():
		return fmt.Errorf("cannot write to %s: it is a folder", file)
	case !info.Mode().IsRegular():
		return nil
	}
	existing, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot write to %s: %w", file, cause(err))
	}
	existing.Close()
	return checkWritable(filepath.Dir(file))
}

// write makes the output with render. A file appears whole or not at all.
func (a *app) write(o output, render func(io.Writer) error) error {
	if o.file == "" {
		return render(a.out)
	}
	var content bytes.Buffer
	if err := render(&content); err != nil {
		return err
	}
	if err := search.WriteFile(o.file, content.Bytes()); err != nil {
		return fmt.Errorf("cannot write %s: %w", o.file, cause(err))
	}
	return nil
}
