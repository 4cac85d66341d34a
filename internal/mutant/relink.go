package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// program is what the go tool has compiled of the command as it is, without a mutant.
type program struct {
	sources  string // the hash of what it was compiled from
	settings map[string]string
	packages []compiledPackage // each behind those that it imports, the command last
}

// compiledPackage is a package of a program as `go list -export` tells of it.
type compiledPackage struct {
	Dir, ImportPath, Export string // Export is the archive of what was compiled
	Name                    string
	GoFiles                 []string
	Module                  *struct{ GoVersion string }
	DefaultGODEBUG          string
}

// harmless are the flags of the go tool that do not change what it compiles or how it links.
var harmless = []string{"-buildvcs", "-mod", "-modcacherw", "-p", "-v"}

// relink builds the changed command from what is compiled of the command as it is: it compiles only the packages that are
// changed, not those that import them, and links. That is sound because the linker refuses an archive that was compiled against
// other export data (signatures, inlined bodies, positions, escapes) than that of the archive it imports from; most
// mutants change none of these. It is a shortcut, and fails for whatever it does not know: the go tool then does the whole.
func (b *Builder) relink(ctx context.Context, changes []change, sources, path string) error {
	p, err := b.compiled(ctx, sources)
	if err != nil {
		return err
	}
	overlaid := map[string]string{} // where the go tool looks for a source, and where it is
	for _, c := range changes {
		at, err := b.source(c)
		if err != nil {
			return err
		}
		overlaid[filepath.Join(b.root, filepath.FromSlash(c.path))] = at
	}
	var imports bytes.Buffer
	config := filepath.Join(filepath.Dir(path), "importcfg") // a folder of this build alone
	tool := func(name string, arguments ...string) error {
		if err := os.WriteFile(config, imports.Bytes(), 0o600); err != nil {
			return err
		}
		run := exec.CommandContext(ctx, filepath.Join(p.settings["GOTOOLDIR"], name), append([]string{"-importcfg", config}, arguments...)...)
		run.Dir, run.Env = b.root, environment()
		for k, v := range p.settings {
			run.Env = append(run.Env, k+"="+v)
		}
		output, err := run.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, output)
		}
		return nil
	}
	var command compiledPackage
	for i, pkg := range p.packages {
		var files, trim []string
		for _, name := range pkg.GoFiles {
			file := filepath.Join(pkg.Dir, name)
			if at, changed := overlaid[file]; changed {
				delete(overlaid, file)
				trim = append(trim, at+"=>"+file)
				file = at
			}
			files = append(files, file)
		}
		if len(trim) > 0 && pkg.Module != nil {
			archive := filepath.Join(filepath.Dir(path), fmt.Sprintf("%d.a", i))
			importPath := pkg.ImportPath
			if pkg.Name == "main" {
				importPath = "main"
			}
			err := tool("compile", append([]string{"-o", archive, "-trimpath", strings.Join(trim, ";"), "-p", importPath, "-lang", version.Lang("go" + pkg.Module.GoVersion),
				"-complete", "-nolocalimports", "-pack"}, files...)...)
			if err != nil {
				return err
			}
			pkg.Export = archive
		}
		if pkg.Export != "" { // unsafe has none
			fmt.Fprintf(&imports, "packagefile %s=%s\n", pkg.ImportPath, pkg.Export)
		}
		command = pkg
	}
	if len(overlaid) > 0 {
		return errors.New("a file that the command did not have, or that none of its packages is compiled from")
	}
	return tool("link", "-o", path, "-s", "-w", "-X=runtime.godebugDefault="+command.DefaultGODEBUG, command.Export)
}

// compiled is the program as it is, compiled when it is first asked for.
func (b *Builder) compiled(ctx context.Context, sources string) (program, error) {
	b.compiling.Lock()
	defer b.compiling.Unlock()
	if b.program.sources == sources {
		return b.program, nil
	}
	p := program{sources: sources}
	settings, err := b.goTool(ctx, "env", "-json", "GOFLAGS", "GOROOT", "GOTOOLDIR", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "CGO_ENABLED")
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(settings, &p.settings); err != nil {
		return p, err
	}
	if p.settings["GOOS"] != "linux" { // elsewhere programs are position-independent, or more
		return p, fmt.Errorf("what %s asks of the linker is not known here", p.settings["GOOS"])
	}
	for _, flag := range strings.Fields(p.settings["GOFLAGS"]) {
		if name, _, _ := strings.Cut(flag, "="); !slices.Contains(harmless, name) {
			return p, fmt.Errorf("what %s in GOFLAGS asks of the compiler is not known here", flag)
		}
	}
	listed, err := b.goTool(ctx, "list", "-deps", "-export", "-json=Dir,ImportPath,Export,Name,GoFiles,Module,DefaultGODEBUG", b.command)
	if err != nil {
		return p, err
	}
	for packages := json.NewDecoder(bytes.NewReader(listed)); ; {
		var pkg compiledPackage
		if err := packages.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			return p, err
		}
		p.packages = append(p.packages, pkg)
	}
	now, err := b.hashSources(ctx)
	if err != nil {
		return p, err
	}
	if now != sources {
		return p, errEdited
	}
	b.program = p
	return p, nil
}
