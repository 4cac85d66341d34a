package search

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/heddle-go/heddle/internal/kernel"
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
	state, err := r.Until(source, tracer, step)
	if err != nil {
		return nil, err
	}
	code := kernel.NewCode()
	for _, t := range state.Tasks {
		moved := last[t.Task]
		if moved == 0 || place != nil && moved < place.Step {
			continue
		}
		if p := placeIn(code, t.Stack); p != nil {
			p.Step, p.Task = moved, t.Task
			place = p
		}
	}
	return place, nil
}

// PlaceOfSetup is where the set-up of a scenario begins: what there is to show of a failure of the search as a whole.
func PlaceOfSetup(sc *sim.Scenario) *Place {
	f := runtime.FuncForPC(reflect.ValueOf(sc.Setup).Pointer())
	file, line := f.FileLine(f.Entry())
	return placeIn(kernel.NewCode(), fmt.Sprintf("%s\n\t%s:%d", f.Name(), file, line))
}

// placeIn is the first frame of a stack that is of the main module or, without one, of a package that is neither Heddle's nor Go's; nil
// if there is none. The stack is a line for each function and one for its place, as in a [sim.TaskReport].
func placeIn(code *kernel.Code, stack string) (foreign *Place) {
	lines := strings.Split(stack, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		file, number, ok := cutLast(strings.TrimSpace(lines[i+1]), ":")
		line, err := strconv.Atoi(number)
		if !ok || err != nil || code.OfLibrary(file) {
			continue
		}
		p := &Place{File: file, Line: line, Function: lines[i]}
		if inside, own := code.InModule(p.Function, file); own {
			p.File = inside
			return p
		}
		if foreign == nil && !kernel.OfGo(p.Function) {
			foreign = p
		}
	}
	return foreign
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}
