package search

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// Place is a line of the program under test.
type Place struct {
	File     string `json:"file"` // from the folder of the main module on, with slashes; a whole path for code of other modules
	Line     int    `json:"line"`
	Function string `json:"function"`       // with its package
	Step     int64  `json:"step,omitempty"` // that the task is about to make there
	Task     string `json:"task,omitempty"`
}

// String is the place as compilers write it.
func (p Place) String() string { return p.File + ":" + strconv.Itoa(p.Line) }

// PlaceOf says from where in the program a step of the token's run is made. A step that no task makes (a timer, a delivery, a fault), or
// one whose task has no code of the program's on its stack, has the place of the task that moved last before and is still there. No
// place, and no error: there is none such. The run is repeated up to that step, and the tasks' stacks are taken there; so nothing is
// paid for it while a search runs. The error is as that of [Replay].
func PlaceOf(sc *sim.Scenario, token choice.Token, step int64) (place *Place, err error) {
	r, err := NewReplayer(sc, token)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	last := map[string]int64{} // step of each actor
	source, tracer := r.Decide(NewTracer(func(e Event) {
		if e.Operation != "" {
			last[e.Actor] = e.Step
		}
	}))
	tasks, err := r.Until(source, tracer, step)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		moved := last[t.Path]
		if moved == 0 || place != nil && moved < place.Step {
			continue
		}
		if p := placeIn(t.Stack); p != nil {
			p.Step, p.Task = moved, t.Path
			place = p
		}
	}
	return place, nil
}

// PlaceOfSetup is where the set-up of a scenario begins: what there is to show of a failure of the search as a whole.
func PlaceOfSetup(sc *sim.Scenario) *Place {
	f := runtime.FuncForPC(reflect.ValueOf(sc.Setup).Pointer())
	file, line := f.FileLine(f.Entry())
	return placeIn(fmt.Sprintf("%s\n\t%s:%d", f.Name(), file, line))
}

// placeIn is the first frame of a stack that is of the main module or, without one, of a package that is neither Heddle's nor Go's; nil
// if there is none. The stack is a line for each function and one for its place, as in a [sim.TaskReport].
func placeIn(stack string) (foreign *Place) {
	main, library := mainPackages(), libraryFolder()
	lines := strings.Split(stack, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		file, number, ok := cutLast(strings.TrimSpace(lines[i+1]), ":")
		line, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		p := &Place{File: file, Line: line, Function: lines[i]}
		name := packageOf(p.Function, file)
		if name == "main" && main.command != "" {
			name = main.command
		}
		inside, own := below(name, main.module)
		switch {
		case ofLibrary(library, file):
		case own && strings.HasSuffix(path.Dir(file), inside):
			p.File = path.Join(inside, path.Base(file))
			return p
		case foreign == nil && !ofGo(name):
			foreign = p
		}
	}
	return foreign
}

// packages are the path of the main module and of the command that runs, as far as they are known.
type packages struct{ module, command string }

func mainPackages() packages {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return packages{}
	}
	p := packages{module: build.Main.Path}
	if _, own := below(build.Path, p.module); own {
		p.command = build.Path
	}
	return p
}

// packageOf is the path of the package that declares a function. That of tests beside a package is the package's.
func packageOf(function, file string) string {
	function, _, _ = strings.Cut(function, "[") // what a generic one is made for
	slash := strings.LastIndex(function, "/") + 1
	last, _, _ := strings.Cut(function[slash:], ".")
	name := function[:slash] + strings.ReplaceAll(last, "%2e", ".")
	if strings.HasSuffix(file, "_test.go") {
		name = strings.TrimSuffix(name, "_test")
	}
	return name
}

// libraryFolder is where Heddle was compiled from.
func libraryFolder() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "sim/search/place.go")
}

// ofLibrary says whether a file is of the packages that programs under test are written against or simulated by. Function names do not
// tell: a literal of sched that the compiler has inlined is named after the function of the program that it is inlined into.
func ofLibrary(folder, file string) bool {
	inside, ok := strings.CutPrefix(file, folder)
	if !ok || strings.HasSuffix(file, "_test.go") {
		return false
	}
	for _, library := range [...]string{"sched", "clock", "net", "sim", "internal/kernel"} {
		if _, of := below(inside, library); of {
			return true
		}
	}
	return false
}

// ofGo says whether a package is of Go's own library: the first word of its path is no domain.
func ofGo(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return name != "main" && !strings.Contains(first, ".")
}

// below says whether a path is another one or below it, and where.
func below(name, folder string) (inside string, ok bool) {
	if name == folder {
		return "", true
	}
	if folder == "" {
		return "", false
	}
	return strings.CutPrefix(name, folder+"/")
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}
