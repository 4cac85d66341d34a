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
	GoFiles, Imports        []string
	Module                  *struct{ Path, GoVersion string }
	DefaultGODEBUG          string
}

// harmless are the flags of the go tool that do not change what it compiles, of the files that it lists, or how it links.
var harmless = []string{"-buildvcs", "-mod", "-modcacherw", "-p", "-tags", "-v"}

// buildInfo is what a program answers who asks it of what it was built from (runtime/debug.ReadBuildInfo): its command and its module. The
// marks at its ends are those by which the go tool finds it in a binary (cmd/go/internal/modload, ModInfoData).
func buildInfo(command compiledPackage) string {
	const begin, end = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6", "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	text := "path\t" + command.ImportPath + "\n"
	if command.Module != nil {
		text += "mod\t" + command.Module.Path + "\t(devel)\n"
	}
	return begin + text + end
}

// relink builds the changed command from what is compiled of the command as it is. It compiles only the packages that are changed, and those
// that import one whose export data (signatures, inlined bodies, positions, escapes) has become another by that: for most
// mutants there are none. The linker refuses what was compiled against other export data than that of the archive it imports
// from, so nothing wrong is built. It is a shortcut, and fails for whatever it does not know: the go tool then does the whole.
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
	differs := map[string]bool{} // by the import path of a package: its export data is another
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
		if pkg.Module != nil && (len(trim) > 0 || slices.ContainsFunc(pkg.Imports, func(path string) bool { return differs[path] })) {
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
			same, err := sameExportData(archive, pkg.Export)
			if err != nil {
				return err
			}
			differs[pkg.ImportPath] = !same
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
	fmt.Fprintf(&imports, "modinfo %q\n", buildInfo(command))
	return tool("link", "-o", path, "-s", "-w", "-X=runtime.godebugDefault="+command.DefaultGODEBUG, command.Export)
}

// sameExportData says whether two archives of compiled packages look alike to whoever imports them.
func sameExportData(a, b string) (bool, error) {
	one, err := exportData(a)
	if err != nil {
		return false, err
	}
	other, err := exportData(b)
	return bytes.Equal(one, other), err
}

// exportData is what an archive tells those who import it, without the build's name before it.
func exportData(archive string) ([]byte, error) {
	content, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	_, data, begun := bytes.Cut(content, []byte("\n$$B"))
	data, _, ended := bytes.Cut(data, []byte("\n$$\n"))
	if !begun || !ended {
		return nil, fmt.Errorf("%s has no export data", archive)
	}
	return data, nil
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
	listed, err := b.goTool(ctx, "list", "-deps", "-export", "-json=Dir,ImportPath,Export,Name,GoFiles,Imports,Module,DefaultGODEBUG", b.command)
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
