package mutant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Builder builds a command of a module with mutants laid over its sources. What it has built is kept in a folder, under a hash of all
// that went into it, and found there by the next Builder. Its methods may be called concurrently.
type Builder struct {
	root    string
	command string // a package, such as ./cmd/heddle
	cache   cache

	mutex   sync.Mutex
	sources string // hash of the environment and of the command's sources, as they were last looked at

	compiling sync.Mutex
	program   program
}

// NewBuilder makes a builder for a command of the module at root. The error, one line, is that of the go tool or of the folder in
// which the commands are kept: heddle/zoo in the user's cache folder.
func NewBuilder(ctx context.Context, root, command string) (*Builder, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("there is no folder to keep mutants in: %w", err)
	}
	b := &Builder{root: root, command: command, cache: cache{filepath.Join(folder, "heddle", "zoo")}}
	if err := b.cache.open(); err != nil {
		return nil, fmt.Errorf("cannot keep mutants in %s: %w", b.cache.folder, cause(err))
	}
	b.sources, err = b.hashSources(ctx)
	return b, err
}

// attempts is how often a mutant is built anew because somebody edits its sources meanwhile.
const attempts = 5

// testTime is how long the tests of a package may take before a mutant counts as caught by them: it hangs.
const testTime = "30s"

// Build builds the command with the mutant in it and answers the path of the binary, which is there for ten minutes at least. The
// error is one line that names the mutant: it does not apply, or does not build.
func (b *Builder) Build(ctx context.Context, m *Mutant) (binary string, err error) {
	for range attempts {
		b.mutex.Lock()
		sources := b.sources
		b.mutex.Unlock()
		changes, err := m.apply(b.root)
		if err != nil {
			return "", err
		}
		binary, err := b.cache.file("heddle", key(sources, changes), func(path string) error { return b.build(ctx, m, changes, sources, path) })
		if !errors.Is(err, errEdited) {
			return binary, err
		}
	}
	return "", fmt.Errorf("mutant %s cannot be built: the sources are edited all the time", m.Name)
}

var errEdited = errors.New("the sources were edited")

// build builds the changed command. It fails with errEdited if its sources are not, or not any more, those that it should be built from.
func (b *Builder) build(ctx context.Context, m *Mutant, changes []change, sources, path string) error {
	err := b.relink(ctx, changes, sources, path)
	if err != nil {
		// Neither symbols for a debugger nor the state of the repository: that is half of the time to link.
		err = b.overlaid(ctx, changes, "build", "-o", path, "-buildvcs=false", "-ldflags=-s -w", b.command)
	}
	var failed *goError
	if errors.As(err, &failed) {
		what := "mutant " + m.Name
		if m.Name == "" {
			what = "the program as it is"
		}
		return fmt.Errorf("%s does not build: %w", what, err)
	}
	if err != nil {
		return err
	}
	now, err := b.hashSources(ctx)
	if err != nil {
		return err
	}
	if now != sources {
		b.mutex.Lock()
		b.sources = now
		b.mutex.Unlock()
		return errEdited
	}
	return nil
}

// Test runs the tests of packages with the mutant in them. failed is nil if they pass, and else says in one line what
// failed. The error is one line: the mutant does not apply, or the go tool could not be run.
func (b *Builder) Test(ctx context.Context, m *Mutant, packages ...string) (failed, err error) {
	changes, err := m.apply(b.root)
	if err != nil {
		return nil, err
	}
	err = b.overlaid(ctx, changes, "test", append([]string{"-failfast", "-timeout", testTime}, packages...)...)
	var broken *goError
	if errors.As(err, &broken) {
		return broken, nil
	}
	return nil, err
}

// overlaid runs a command of the go tool over the changed sources. These, and the file that tells the go tool of them, have paths
// of their own for each content, so that Go's cache of compiled packages knows them again.
func (b *Builder) overlaid(ctx context.Context, changes []change, command string, arguments ...string) error {
	replace := map[string]string{}
	var back []string // pairs: where a source is, and where it belongs
	for _, c := range changes {
		at, err := b.source(c)
		if err != nil {
			return err
		}
		replace[filepath.Join(b.root, filepath.FromSlash(c.path))] = at
		if relative, err := filepath.Rel(b.root, at); err == nil {
			back = append(back, relative, c.path)
		}
		back = append(back, at, c.path)
	}
	content, err := json.Marshal(struct{ Replace map[string]string }{replace})
	if err != nil {
		return err
	}
	overlay, err := b.cache.file("overlay", hashOf(content), func(path string) error { return os.WriteFile(path, content, 0o600) })
	if err != nil {
		return err
	}
	_, err = b.goTool(ctx, append([]string{command, "-overlay", overlay}, arguments...)...)
	var failed *goError
	if errors.As(err, &failed) {
		return &goError{strings.NewReplacer(back...).Replace(failed.text)}
	}
	return err
}

// source is where the content of a changed file is.
func (b *Builder) source(c change) (path string, err error) {
	return b.cache.file("source", hashOf(c.content), func(path string) error { return os.WriteFile(path, c.content, 0o600) })
}

// key is the hash of all that goes into the binary of a mutant.
func key(sources string, changes []change) string {
	h := sha256.New()
	add(h, sources)
	for _, c := range changes {
		add(h, c.path, string(c.content))
	}
	return text(h)
}

// hashSources hashes the go tool's settings and every file that the command is built from, beside the standard library. A
// package that only a mutant imports is not among them, so mutants keep to what the program uses.
func (b *Builder) hashSources(ctx context.Context) (string, error) {
	h := sha256.New()
	settings, err := b.goTool(ctx, "env", "GOVERSION", "GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "CGO_ENABLED")
	if err != nil {
		return "", err
	}
	add(h, string(settings), b.root, b.command)
	listed, err := b.goTool(ctx, "list", "-deps", "-json=Dir,ImportPath,Standard,GoFiles,CgoFiles,CFiles,HFiles,SFiles,EmbedFiles", b.command)
	if err != nil {
		return "", err
	}
	for packages := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p struct {
			Dir, ImportPath                                       string
			Standard                                              bool
			GoFiles, CgoFiles, CFiles, HFiles, SFiles, EmbedFiles []string
		}
		if err := packages.Decode(&p); err == io.EOF {
			return text(h), nil
		} else if err != nil {
			return "", fmt.Errorf("cannot read what go list tells: %w", err)
		}
		if p.Standard {
			continue
		}
		for _, files := range [][]string{p.GoFiles, p.CgoFiles, p.CFiles, p.HFiles, p.SFiles, p.EmbedFiles} {
			for _, name := range files {
				content, err := os.ReadFile(filepath.Join(p.Dir, name))
				if err != nil {
					return "", err
				}
				add(h, p.ImportPath, name, string(content))
			}
		}
	}
}

// add hashes the parts, each with its length, so that no two lists of parts have one hash.
func add(h hash.Hash, parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(h, "%d %s", len(p), p)
	}
}

// text is a hash as the name of a file.
func text(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:16]) }

// hashOf is the hash of one content.
func hashOf(content []byte) string {
	h := sha256.New()
	h.Write(content)
	return text(h)
}

// goError is what the go tool had to say against a program.
type goError struct{ text string }

// Error is the first line that says what is wrong and where.
func (e *goError) Error() string {
	for line := range strings.Lines(e.text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "ok ") && !strings.HasPrefix(line, "?") {
			return line
		}
	}
	return "the go tool gives no reason"
}

// Tag is the build tag of mutants. It leaves SQLite out of the command: that would be most of what there is to link, for each of them.
const Tag = "nosqlite"

// Variable is set where a mutant is tested or runs, to its name where that matters. Package simtest leaves simulations out under it.
const Variable = "HEDDLE_MUTANT"

// environment is that of the go tool and of its compiler and linker: they are gone before their garbage matters, and to collect less of
// it is a fifth less to compute.
func environment() []string {
	variables := append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -tags="+Tag), Variable+"=any")
	if os.Getenv("GOGC") != "" {
		return variables
	}
	return append(variables, "GOGC=400")
}

// goTool runs the go tool in the module and answers what it printed on standard output.
func (b *Builder) goTool(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir, command.Env = b.root, environment()
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	err := command.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &ended):
		return nil, &goError{errOut.String() + out.String()}
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no go tool in the PATH, and mutants must be built")
	default:
		return nil, err
	}
}
