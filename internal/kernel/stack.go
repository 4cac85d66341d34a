package kernel

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
)

// Stacks of tasks, as their programmers know them: without the frames of Heddle and of Go's runtime, and with nothing that differs from
// run to run or from machine to machine, such as addresses, arguments, numbers of goroutines and folders.

// mostFrames bounds a stack as text; of a deeper one the middle is left out.
const mostFrames = 100

// Code knows where the code of this process comes from.
type Code struct {
	library string // the folder that Heddle was compiled from
	golang  string // that of Go's own library; empty if paths are trimmed
	module  string // the path of the main module, and of the command that runs; empty if not known
	command string
	root    string // the folder of the main module, with a slash behind; empty if not known
}

// root is the folder of the main module as whoever began has told it (Begins). It is one for a process, as its build information is.
var root atomic.Pointer[string]

// Begins tells where the main module is: so many callers up is a function of it that no other package's is inlined into. Without that, code is
// known by the package in the name of its function, and a literal in a function that the compiler has inlined is named after another package.
func Begins(callers int) {
	pcs := make([]uintptr, 1)
	if runtime.Callers(callers+2, pcs) == 0 {
		return
	}
	f, _ := runtime.CallersFrames(pcs).Next()
	c := NewCode()
	c.root = ""
	if inside, own := c.InModule(f.Function, f.File); own {
		if folder, found := strings.CutSuffix(f.File, "/"+inside); found {
			folder += "/"
			root.Store(&folder)
		}
	}
}

// NewCode finds out.
func NewCode() *Code {
	c := &Code{}
	_, file, _, _ := runtime.Caller(0)
	c.library = strings.TrimSuffix(file, "internal/kernel/stack.go")
	collect := runtime.FuncForPC(reflect.ValueOf(runtime.GC).Pointer())
	file, _ = collect.FileLine(collect.Entry())
	c.golang = file[:strings.LastIndex(file, "runtime/")]
	if build, ok := debug.ReadBuildInfo(); ok {
		c.module = build.Main.Path
		if _, own := below(build.Path, c.module); own {
			c.command = build.Path
		}
	}
	if folder := root.Load(); folder != nil {
		c.root = *folder
	}
	return c
}

// stack is that of the caller, a line for each function and one for its place.
func (c *Code) stack() string {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(2, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 4*n)
		n = runtime.Callers(2, pcs)
	}
	var kept []string
	frames := runtime.CallersFrames(pcs[:n])
	for more := n > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if !ofRuntime(f.Function) && !c.OfLibrary(f.File) {
			kept = append(kept, f.Function+"\n\t"+c.short(f.Function, f.File)+":"+strconv.Itoa(f.Line))
		}
	}
	if out := len(kept) - mostFrames; out > 0 {
		left := fmt.Sprintf("...\n\t%d frames are left out", out)
		kept = append(append(append([]string(nil), kept[:mostFrames/2]...), left), kept[len(kept)-mostFrames/2:]...)
	}
	return strings.Join(kept, "\n")
}

// entry is where a function begins, as a stack of one frame.
func (c *Code) entry(f func()) string {
	function := runtime.FuncForPC(reflect.ValueOf(f).Pointer())
	file, line := function.FileLine(function.Entry())
	return fmt.Sprintf("%s\n\t%s:%d", function.Name(), c.short(function.Name(), file), line)
}

// short is a file as it is called on any machine: from the folder of the main module on or, of other code, from its import path on.
func (c *Code) short(function, file string) string {
	if inside, own := c.InModule(function, file); own {
		return inside
	}
	if c.golang != "" {
		if inside, ok := strings.CutPrefix(file, c.golang); ok {
			return inside
		}
	}
	if _, inside, ok := strings.Cut(file, "/pkg/mod/"); ok {
		return inside
	}
	return file
}

// InModule says whether a function in a file is of the main module, and where the file is in its folder, with slashes.
func (c *Code) InModule(function, file string) (inside string, own bool) {
	if c.root != "" {
		inside, own = strings.CutPrefix(file, c.root)
		return inside, own && !strings.HasPrefix(inside, "vendor/") && !strings.Contains(inside, "/pkg/mod/")
	}
	name := packageOf(function, file)
	if name == "main" && c.command != "" {
		name = c.command
	}
	folder, own := below(name, c.module)
	if !own || c.golang != "" && strings.HasPrefix(file, c.golang) || !strings.HasSuffix(path.Dir(file), folder) {
		return "", false
	}
	return path.Join(folder, path.Base(file)), true
}

// OfLibrary says whether a file is of the packages that programs under test are written against or simulated by. Function names do not
// tell: a literal of sched that the compiler has inlined is named after the function of the program that it is inlined into.
func (c *Code) OfLibrary(file string) bool {
	inside, ok := strings.CutPrefix(file, c.library)
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

// OfGo says whether a function is of Go's own library: the first word of its package's path is no domain.
func OfGo(function string) bool {
	first, _, _ := strings.Cut(packageOf(function, ""), "/")
	return first != "main" && !strings.Contains(first, ".")
}

// ofRuntime says whether a function is of what every stack of a task begins or ends with.
func ofRuntime(function string) bool {
	for _, prefix := range [...]string{"runtime.", "runtime/", "internal/runtime/", "iter."} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return function == ""
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

// firstPlace names the first place on a stack, for a message of one line; empty if there is none.
func firstPlace(stack string) string {
	_, place, ok := strings.Cut(stack, "\n\t")
	if !ok {
		return ""
	}
	place, _, _ = strings.Cut(place, "\n")
	return " (" + place + ")"
}

// Describe prints the value of a panic, or another one, the same in every run. fmt catches what its methods panic with.
func Describe(value any) string {
	switch value.(type) {
	case error, fmt.Stringer, string:
		return fmt.Sprint(value)
	}
	return withoutAddresses(fmt.Sprintf("%+v", value))
}

// withoutAddresses writes ... for what fmt shows of a pointer, a channel or a function below the top, which differs from run to run.
func withoutAddresses(text string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "0x")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		rest := strings.TrimLeft(after, digits)
		if n := len(after) - len(rest); n >= 6 {
			b.WriteString("0x...")
		} else {
			b.WriteString("0x" + after[:n])
		}
		text = rest
	}
}
