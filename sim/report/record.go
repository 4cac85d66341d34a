package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// The kinds of lanes: whose steps stand in one column.
const (
	taskLane    = iota
	addressLane // what happens at an address of a network
	timerLane   // timers that fire, of one node
	faultLane   // rules of faults that strike
	timeLane    // virtual time that passes
)

// primitives is the part of the state that every program has: its locks, channels and wait groups.
const primitives = "locks and channels"

// record is a run, written down for the page: a column for each thing that a step has, and strings by their numbers. What not every step
// has is a flat list that begins with the row; the set-up is row 0, and row i the i-th step that is kept.
type record struct {
	Strings  []string  `json:"strings"`
	Lanes    [][4]int  `json:"lanes"` // name, kind, name of the node, path of the task
	First    int64     `json:"first"` // the number of the step in row 1
	Time     []float64 `json:"time"`  // microseconds since the row before
	Lane     []int     `json:"lane"`
	Op       []int     `json:"op"`
	Object   []int     `json:"object"`
	Notes    []int     `json:"notes"`    // row, text
	Values   []int     `json:"values"`   // row, text
	Faults   []int     `json:"faults"`   // row, fault
	Messages []int     `json:"messages"` // row that sends, row in which it arrives or -1, address, 1 to the address or 0 from it, text
	States   []int     `json:"states"`   // row, part, field, value; an empty value: there is no such field
}

// recorder watches a run and writes it down. Steps beyond most are not kept: the last ones are.
type recorder struct {
	record
	kernel  *kernel.Kernel
	world   *sim.World
	strings map[string]int
	lanes   map[string]int
	actors  map[int32]int     // lanes of actors
	tasks   map[string]string // names of tasks, by their paths
	objects map[int32]int     // names of objects
	skip    int64             // steps at the beginning that are not kept

	steps    int64
	last     *kernel.Actor // whose step is under way
	at       time.Duration
	touched  []*kernel.Object // by the step under way
	holders  map[int32]*kernel.Actor
	shown    map[[2]int]int     // the state, as it was written down; none of it is empty
	seen     [2]map[[2]int]bool // of it, what the world has described after this step, and after the one before
	messages map[int64]int      // of those under way, positions in Messages; of one that was sent before the first row, -1 less its address
}

// newRecorder makes a recorder that does not keep so many steps at the beginning.
func newRecorder(skip int64) *recorder {
	r := &recorder{
		strings: map[string]int{}, lanes: map[string]int{}, actors: map[int32]int{}, tasks: map[string]string{}, objects: map[int32]int{}, skip: skip,
		holders: map[int32]*kernel.Actor{}, shown: map[[2]int]int{}, seen: [2]map[[2]int]bool{{}, {}}, messages: map[int64]int{},
	}
	r.First = skip + 1
	r.Notes, r.Values, r.Faults, r.Messages, r.States = []int{}, []int{}, []int{}, []int{}, []int{}
	r.Time, r.Lane, r.Op, r.Object = []float64{0}, []int{r.laneOf("set-up", timeLane, "", "")}, []int{r.text("")}, []int{r.text("")}
	return r
}

var (
	_ sim.Tracer      = (*recorder)(nil)
	_ sim.Watcher     = (*recorder)(nil)
	_ kernel.Listener = (*listener)(nil)
)

func (r *recorder) text(s string) int {
	n, ok := r.strings[s]
	if !ok {
		n = len(r.Strings)
		r.strings[s], r.Strings = n, append(r.Strings, s)
	}
	return n
}

func (r *recorder) laneOf(name string, kind int, node, path string) int {
	n, ok := r.lanes[name]
	if !ok {
		n = len(r.Lanes)
		r.lanes[name], r.Lanes = n, append(r.Lanes, [4]int{r.text(name), kind, r.text(node), r.text(path)})
	}
	return n
}

// kept says whether what happens now is written down.
func (r *recorder) kept() bool { return r.steps > r.skip || r.skip == 0 }

// now is the row of the step under way. What comes before the first one that is kept belongs to row 0.
func (r *recorder) now() int { return len(r.Op) - 1 }

// Step implements [sim.Tracer].
func (r *recorder) Step(step int64, now time.Duration, a *choice.Actor) {
	r.look()
	if !r.kept() && step > r.skip {
		for _, key := range sortedKeys(r.shown) {
			r.States = append(r.States, 0, key[0], key[1], r.shown[key])
		}
	}
	r.steps, r.last = step, a
	for i := range a.Accesses() {
		if o, _ := a.Access(i); o != nil {
			r.touched = append(r.touched, o)
		}
	}
	if !r.kept() {
		return
	}
	passed := now - r.at
	r.at = now
	r.Time = append(r.Time, float64(passed)/1e3)
	r.Lane, r.Op, r.Object = append(r.Lane, r.actor(a)), append(r.Op, r.text(a.Op.String())), append(r.Object, r.object(a.Object()))
}

// actor is the lane of an actor.
func (r *recorder) actor(a *choice.Actor) int {
	lane, ok := r.actors[a.ID]
	if ok {
		return lane
	}
	node := ""
	if a.Node() != nil {
		node = a.Node().Name
	}
	switch a.Kind {
	case kernel.TaskActor:
		lane = r.laneOf(r.taskName(a), taskLane, node, a.Path())
	case kernel.FaultActor:
		lane = r.laneOf("faults", faultLane, "", "")
	case kernel.ClockActor:
		lane = r.laneOf("time", timeLane, "", "")
	default: // a delivery is moved to where it arrives
		lane = r.laneOf(strings.TrimSpace(node+" timers"), timerLane, node, "")
	}
	r.actors[a.ID] = lane
	return lane
}

// taskName is what the page calls a task: the path from where its node begins, behind the name of the node.
func (r *recorder) taskName(a *choice.Actor) string {
	path := a.Path()
	name, ok := r.tasks[path]
	if ok {
		return name
	}
	first := a
	for p := a.Parent(); p != nil && p.Kind == kernel.TaskActor && p.Node() == a.Node(); p = p.Parent() {
		first = p
	}
	outside := first.Path()
	name = path[strings.LastIndexByte(outside, '/')+1:]
	if a.Node() != nil && strings.Contains(outside, "/") {
		name = a.Node().Name + "/" + name
	}
	r.tasks[path] = name
	return name
}

// pathInText is what may be the path of a task.
var pathInText = regexp.MustCompile(`[^\s/:;,()"']+(/[^\s/:;,()"']+)+`)

// named is a text in which tasks have the names that the page gives them.
func (r *recorder) named(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	return pathInText.ReplaceAllStringFunc(text, func(path string) string {
		for at := len(path); at > 0; at = strings.LastIndexByte(path[:at], '/') {
			if name, ok := r.tasks[path[:at]]; ok {
				return name + path[at:]
			}
		}
		return path
	})
}

func (r *recorder) object(o *choice.Object) int {
	if o == nil {
		return r.text("")
	}
	n, ok := r.objects[o.ID()]
	if !ok {
		n = r.text(r.named(o.Name()))
		r.objects[o.ID()] = n
	}
	return n
}

// Value implements [sim.Tracer].
func (r *recorder) Value(site choice.Site, n, value int) {
	if !r.kept() {
		return
	}
	of := ""
	if site.Object != nil {
		of = " of " + r.named(site.Object.Name())
	}
	r.Values = append(r.Values, r.now(), r.text(fmt.Sprintf("%s%s = %d (below %d)", site.Name, of, value, n)))
}

// Note implements [sim.Tracer].
func (r *recorder) Note(text string) {
	if r.kept() || r.steps == 0 {
		r.Notes = append(r.Notes, r.now(), r.text(r.named(text)))
	}
}

// Begin implements [sim.Watcher].
func (r *recorder) Begin(w *sim.World) { r.world = w }

// Sent implements [sim.Watcher].
func (r *recorder) Sent(m sim.Message) {
	if !r.kept() {
		r.messages[m.ID] = -1 - r.text(m.Address)
		return
	}
	to := 0
	if m.ToAddress {
		to = 1
	} else if r.now() > 0 && r.last != nil && r.last.Kind == kernel.TimerActor {
		r.moveTo(m.Address, addressLane, "", "") // a timer of whoever listens there
	}
	r.messages[m.ID] = len(r.Messages)
	r.Messages = append(r.Messages, r.now(), -1, r.text(m.Address), to, r.text(m.Text))
}

// Arrived implements [sim.Watcher].
func (r *recorder) Arrived(id int64, reader string) {
	i, ok := r.messages[id]
	delete(r.messages, id)
	if !ok || !r.kept() {
		return
	}
	address := -1 - i
	if i >= 0 {
		address, r.Messages[i+1] = r.Messages[i+2], r.now()
	}
	if reader == "" {
		r.moveTo(r.Strings[address], addressLane, "", "")
		return
	}
	if name, ok := r.tasks[reader]; ok {
		r.moveTo(name, taskLane, "", reader) // which has made steps: the lane is there
	} else {
		r.moveTo(reader, taskLane, reader, "")
	}
}

// moveTo puts the step under way into another lane.
func (r *recorder) moveTo(lane string, kind int, node, path string) {
	r.Lane[r.now()] = r.laneOf(lane, kind, node, path)
}

// Fault implements [sim.Watcher].
func (r *recorder) Fault(name string) {
	if r.kept() {
		r.Faults = append(r.Faults, r.now(), r.text(name))
	}
}

// look writes down what the step that has ended has changed in the state.
func (r *recorder) look() {
	part := r.text(primitives)
	if a := r.last; a != nil && a.Kind == kernel.TaskActor {
		for i := range a.Accesses() { // what it is about to do, and may have to wait for
			if o, _ := a.Access(i); o != nil {
				r.touched = append(r.touched, o)
			}
		}
	}
	for _, o := range r.touched {
		r.show(part, r.object(o), r.text(r.describe(o)))
	}
	r.touched = r.touched[:0]
	if r.world == nil {
		return
	}
	now, before := r.seen[0], r.seen[1]
	r.world.State(func(part, field, value string) {
		p, f := r.text(part), r.text(field)
		now[[2]int{p, f}] = true
		r.show(p, f, r.text(value))
	})
	gone := before
	for key := range gone {
		if now[key] {
			delete(gone, key)
		}
	}
	for _, key := range sortedKeys(gone) {
		r.show(key[0], key[1], r.text(""))
	}
	clear(before)
	r.seen[0], r.seen[1] = before, now
}

// show writes down that a field of the state has a value, if that is another one than it was.
func (r *recorder) show(part, field, value int) {
	key, none := [2]int{part, field}, r.text("")
	before, ok := r.shown[key]
	if !ok {
		before = none
	}
	if value == before {
		return
	}
	if value == none {
		delete(r.shown, key)
	} else {
		r.shown[key] = value
	}
	if r.kept() {
		r.States = append(r.States, r.now(), part, field, value)
	}
}

// unbounded is the capacity from which on a channel has none that matters.
const unbounded = math.MaxInt32 / 4

// describe says in words how a primitive is; empty for one that nobody has, that holds nothing and at which nobody waits.
func (r *recorder) describe(o *kernel.Object) string {
	look := o.Look()
	if !look.Held {
		delete(r.holders, o.ID())
	} else if _, known := r.holders[o.ID()]; !known && r.last != nil && r.last.Kind == kernel.TaskActor {
		r.holders[o.ID()] = r.last
	}
	var said []string
	switch o.Kind() {
	case kernel.MutexObject:
		if look.Held {
			said = append(said, "locked by "+r.holder(o))
		}
	case kernel.RWMutexObject:
		if look.Count > 0 {
			said = append(said, countOf(int64(look.Count), "reader"))
		}
		if look.Held && look.Count == 0 {
			said = append(said, "locked by "+r.holder(o))
		} else if look.Held {
			said = append(said, r.holder(o)+" waits to write")
		}
	case kernel.ChanObject:
		if look.Count > 0 && look.Capacity < unbounded {
			said = append(said, fmt.Sprintf("%d of %d", look.Count, look.Capacity))
		} else if look.Count > 0 {
			said = append(said, countOf(int64(look.Count), "element"))
		}
		if look.Held {
			said = append(said, "closed")
		}
	case kernel.WaitGroupObject:
		if look.Count > 0 {
			said = append(said, fmt.Sprintf("waits for %d", look.Count))
		}
	case kernel.OnceObject:
		if look.Held {
			said = append(said, "run by "+r.holder(o))
		} else if look.Done {
			said = append(said, "done")
		}
	default:
		return ""
	}
	var waiting []string
	o.Waiting(func(a *kernel.Actor) { waiting = append(waiting, r.taskName(a)) })
	if a := r.last; a != nil && a.Kind == kernel.TaskActor && !a.Ready() && r.announces(a, o) && (len(waiting) == 0 || waiting[len(waiting)-1] != r.taskName(a)) {
		waiting = append(waiting, r.taskName(a)) // it is put in the list when another one goes on
	}
	switch {
	case len(waiting) == 1:
		said = append(said, waiting[0]+" waits")
	case len(waiting) > 1:
		said = append(said, strings.Join(waiting, ", ")+" wait")
	}
	return strings.Join(said, "; ")
}

func (r *recorder) holder(o *kernel.Object) string {
	if a := r.holders[o.ID()]; a != nil {
		return r.taskName(a)
	}
	return "somebody"
}

// announces says whether the next step of the actor is at the object.
func (r *recorder) announces(a *kernel.Actor, o *kernel.Object) bool {
	for i := range a.Accesses() {
		if at, _ := a.Access(i); at == o {
			return true
		}
	}
	return false
}

// because says of an object at which a task waits how it is at the end, if it is locked.
func (r *recorder) because(object string) string {
	state := r.Strings[r.shown[[2]int{r.text(primitives), r.text(object)}]]
	if how, _, _ := strings.Cut(state, ";"); strings.HasPrefix(how, "locked by ") {
		return ", which is " + how
	}
	return ""
}

// sortedKeys are the keys of a map, in order.
func sortedKeys[V any](m map[[2]int]V) [][2]int {
	return slices.SortedFunc(maps.Keys(m), func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
}

// listener hears what steps touch beside what they announce.
type listener struct{ *recorder }

func (listener) Begin(*kernel.Kernel) {}
func (listener) Step(*kernel.Actor)   {}
func (l listener) Touch(_ kernel.Op, o *kernel.Object) {
	if o != nil && o.Kind() != kernel.SharedObject {
		l.touched = append(l.touched, o)
	}
}
func (listener) TouchWorld()        {}
func (listener) TouchAll()          {}
func (listener) Halt(*kernel.Actor) {}
func (listener) Wake(*kernel.Actor) {}

// Over comes before the tasks that are left are unwound to tell where they are.
func (l listener) Over() { l.look() }
