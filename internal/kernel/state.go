package kernel

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// State is a run between two steps, for a person: where each task is and what it waits for, who holds what, what is in channels, and what
// may happen next. Objects are given by their paths, as in a trace, and by the names that people know them by, if they have one.
type State struct {
	Step    int64         `json:"step"` // made last; 0: only the set-up has run
	Time    time.Duration `json:"time_ns"`
	Next    *NextStep     `json:"next"` // made next; nil: the run is over
	Tasks   []TaskState   `json:"tasks"`
	Objects []ObjectState `json:"objects"` // that are held, waited for, or not empty
	Timers  []TimerState  `json:"timers"`  // that are armed
	Others  []NextStep    `json:"others"`  // what may move beside tasks and timers: deliveries and faults
}

// NextStep is a step that could be made.
type NextStep struct {
	Actor     string `json:"actor"`
	Operation string `json:"operation"`
	Object    string `json:"object,omitempty"`
}

// TaskState is where a task is that has not finished.
type TaskState struct {
	Task      string      `json:"task"` // spawn path
	Node      string      `json:"node"`
	Operation string      `json:"operation"` // what it is about to do, once it is chosen
	Object    string      `json:"object,omitempty"`
	Name      string      `json:"name,omitempty"`
	Ready     bool        `json:"ready"`   // that is possible now
	Stalled   bool        `json:"stalled"` // a fault holds it up
	Waits     []WaitState `json:"waits"`   // what that depends on: one object, or the arms of a select
	Holds     []string    `json:"holds"`   // locks, by their names
	Stack     string      `json:"stack"`
}

// WaitState is an object that the operation of a task depends on.
type WaitState struct {
	Operation string `json:"operation"`
	Object    string `json:"object"`
	Name      string `json:"name,omitempty"`
	State     string `json:"state"` // of the object, in words
}

// ObjectState is what is to be said of an object.
type ObjectState struct {
	Object   string   `json:"object"`
	Name     string   `json:"name,omitempty"`
	Kind     string   `json:"kind"`
	State    string   `json:"state"`              // in words
	Holders  []string `json:"holders"`            // of a lock: who is inside
	Waiting  []string `json:"waiting"`            // the tasks whose next operation depends on it
	Contents []string `json:"contents,omitempty"` // the first values in a channel, or the value of an atomic
}

// TimerState is a timer that is armed.
type TimerState struct {
	Timer    string        `json:"timer"`
	Node     string        `json:"node,omitempty"`
	Deadline time.Duration `json:"deadline_ns"`
	Due      bool          `json:"due"`               // it may fire now
	Channel  string        `json:"channel,omitempty"` // that it sends to
}

// mostContents is how many values of a channel a state shows.
const mostContents = 10

// inspector keeps, in a run whose state is wanted, what no object keeps: who has locked it, and what is in it.
type inspector struct {
	seen     map[*Object]struct{}
	kept     []kept // by tasks, who must touch no map, which the race detector would see
	contents map[*Object]func(most int) []string
	holders  map[*Object][]*Actor
	writer   map[*Object]*Actor // of a reader/writer mutex: who has announced itself
	last     holding            // the step under way: it is not known yet whether it will be made
}

// kept is what Keep was given.
type kept struct {
	object   *Object
	contents func(most int) []string
}

// holding is a step that may take a lock, or give it back.
type holding struct {
	actor  *Actor
	op     Op
	object *Object
	takes  bool // what it tries, or does once, will be
}

func newInspector() *inspector {
	return &inspector{
		seen: map[*Object]struct{}{}, contents: map[*Object]func(int) []string{}, holders: map[*Object][]*Actor{}, writer: map[*Object]*Actor{},
	}
}

// Inspected says whether somebody wants the state of the run.
//
//go:norace
func (k *Kernel) Inspected() bool { return k.inspector != nil }

// Keep lets the state of the run show what is in an object: at most so many values, oldest first, each by ValueText.
//
//go:norace
func (k *Kernel) Keep(o *Object, contents func(most int) []string) {
	k.inspector.kept = append(k.inspector.kept, kept{o, contents})
}

// step is told each step before it is made.
//
//go:norace
func (i *inspector) step(a *Actor) {
	i.made()
	for j := range a.waits {
		i.seen[a.waits[j].object] = struct{}{}
	}
	o := a.object
	if o == nil {
		return
	}
	i.seen[o] = struct{}{}
	i.last = holding{actor: a, op: a.Op, object: o}
	switch a.Op {
	case OpTryLock, OpTryRLock:
		i.last.takes = !o.held
	case OpTryWLock:
		i.last.takes = !o.held && o.count == 0
	case OpOnce:
		i.last.takes = !o.done
	}
}

// made says that the step last told was made.
//
//go:norace
func (i *inspector) made() {
	h := i.last
	i.last = holding{}
	switch h.op {
	case OpTryLock, OpTryRLock, OpTryWLock, OpOnce:
		if !h.takes {
			return
		}
		i.holders[h.object] = append(i.holders[h.object], h.actor)
	case OpLock, OpRLock:
		i.holders[h.object] = append(i.holders[h.object], h.actor)
	case OpAnnounce:
		i.writer[h.object] = h.actor
	case OpDrain:
		delete(i.writer, h.object)
		i.holders[h.object] = []*Actor{h.actor}
	case OpUnlock, OpWUnlock, OpOnceDone:
		delete(i.holders, h.object)
	case OpRUnlock:
		list := i.holders[h.object]
		if at := max(slices.Index(list, h.actor), 0); at < len(list) {
			i.holders[h.object] = slices.Delete(list, at, at+1)
		}
	}
}

// State is the state of a run that was asked for it (Options.State) and is over, or was ended by Options.Until: parked tasks are resumed once
// to take their stacks.
//
//go:norace
func (k *Kernel) State() *State {
	i := k.inspector
	s := &State{
		Step: k.steps, Time: k.now, Tasks: []TaskState{}, Objects: []ObjectState{}, Timers: []TimerState{}, Others: []NextStep{},
	}
	if k.reached {
		s.Step--
		s.Next = &NextStep{k.last.Path(), k.last.Op.String(), k.last.object.Path()}
	} else {
		i.made()
	}
	tasks := k.unfinished()
	stacks := make([]string, len(tasks))
	for n, t := range tasks {
		stacks[n] = k.stackOf(t)
	}
	raceAcquire(k.endAddress()) // all that the tasks did is seen from here on
	for _, kept := range i.kept {
		i.seen[kept.object], i.contents[kept.object] = struct{}{}, kept.contents
	}
	waiting := map[*Object][]string{}
	for n, t := range tasks {
		task := TaskState{
			Task: t.Path(), Operation: t.Op.String(), Object: t.object.Path(), Name: t.object.called(), Ready: t.ready, Stalled: t.stalls > 0,
			Waits: []WaitState{}, Holds: []string{}, Stack: stacks[n],
		}
		if t.node != nil {
			task.Node = t.node.Name
		}
		for j := range t.waits {
			o := t.waits[j].object
			i.seen[o] = struct{}{}
			waiting[o] = append(waiting[o], task.Task)
			task.Waits = append(task.Waits, WaitState{t.waits[j].op.String(), o.Path(), o.called(), i.state(o)})
		}
		for _, o := range i.sorted() {
			if slices.Contains(i.holders[o], t) {
				task.Holds = append(task.Holds, o.Name())
			}
		}
		s.Tasks = append(s.Tasks, task)
	}
	for _, o := range i.sorted() {
		if entry := i.entry(o, waiting[o]); entry != nil {
			s.Objects = append(s.Objects, *entry)
		}
	}
	k.addActors(s)
	return s
}

// addActors adds what can move beside tasks, or will in time.
func (k *Kernel) addActors(s *State) {
	timers := append([]*Timer(nil), k.heap...)
	sort.Slice(timers, func(i, j int) bool {
		return cmp.Or(cmp.Compare(timers[i].deadline, timers[j].deadline), cmp.Compare(timers[i].sequence, timers[j].sequence)) < 0
	})
	for _, a := range k.enabled {
		switch a.Kind {
		case TimerActor:
			s.Timers = append(s.Timers, timerState(a, a.channel(), k.now, true))
		case TaskActor:
		default:
			s.Others = append(s.Others, NextStep{a.Path(), a.Op.String(), a.object.Path()})
		}
	}
	for _, t := range timers {
		s.Timers = append(s.Timers, timerState(t.actor, t.channel, t.deadline, false))
	}
	for _, a := range k.armed {
		s.Others = append(s.Others, NextStep{a.Path(), a.Op.String(), a.object.Path()})
	}
}

func timerState(a *Actor, channel *Object, deadline time.Duration, due bool) TimerState {
	t := TimerState{Timer: a.Path(), Deadline: deadline, Due: due, Channel: channel.Name()}
	if a.node != nil {
		t.Node = a.node.Name
	}
	return t
}

// channel is what a timer sends to, if it does.
func (a *Actor) channel() *Object {
	if len(a.waits) > 1 {
		return a.waits[1].object
	}
	return nil
}

// sorted are the objects in order of creation.
func (i *inspector) sorted() []*Object {
	list := make([]*Object, 0, len(i.seen))
	for o := range i.seen {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b *Object) int { return cmp.Compare(a.id, b.id) })
	return list
}

// entry is what is to be said of an object; nil if nothing is.
func (i *inspector) entry(o *Object, waiting []string) *ObjectState {
	e := ObjectState{Object: o.Path(), Name: o.called(), Kind: o.kind.String(), State: i.state(o), Holders: i.names(i.holders[o]), Waiting: waiting}
	if e.Waiting == nil {
		e.Waiting = []string{}
	}
	if c := i.contents[o]; c != nil {
		e.Contents = c(mostContents)
	}
	busy := len(waiting) > 0
	switch o.kind {
	case MutexObject, OnceObject:
		busy = busy || o.held
	case RWMutexObject, WaitGroupObject:
		busy = busy || o.held || o.count != 0
	case ChanObject:
		busy = busy || o.count != 0
	case AtomicObject:
		busy = busy || len(e.Contents) > 0
	}
	if !busy {
		return nil
	}
	return &e
}

// state is the state of an object in words.
func (i *inspector) state(o *Object) string {
	inside := strings.Join(i.names(i.holders[o]), ", ")
	if inside == "" {
		inside = "code outside any task"
	}
	switch o.kind {
	case MutexObject:
		if !o.held {
			return "free"
		}
		return "locked by " + inside
	case RWMutexObject:
		switch w := i.writer[o]; {
		case o.done:
			return "locked for writing by " + inside
		case w != nil && o.count > 0:
			return "read by " + inside + "; " + w.Path() + " waits to write"
		case w != nil:
			return "free for " + w.Path() + ", which is to write"
		case o.count > 0:
			return "read by " + inside
		}
		return "free"
	case OnceObject:
		switch {
		case o.held:
			return "run by " + inside
		case o.done:
			return "done"
		}
		return "not run yet"
	case WaitGroupObject:
		return fmt.Sprintf("counter %d", o.count)
	case ChanObject:
		closed := ""
		if o.held {
			closed = ", closed"
		}
		switch {
		case o.signal && o.held:
			return "closed"
		case o.signal:
			return "not closed"
		case o.capacity == 0:
			return "unbuffered" + closed
		}
		return fmt.Sprintf("%d of %d%s", o.count, o.capacity, closed)
	}
	return ""
}

// names are the paths of tasks; one that has ended, such as by a crash, can hold a lock for ever.
func (i *inspector) names(tasks []*Actor) []string {
	names := []string{}
	for _, t := range tasks {
		name := t.Path()
		if t.finished {
			name += " (ended)"
		}
		names = append(names, name)
	}
	return names
}

// called is the name that SetName has given; empty if it has not.
func (o *Object) called() string {
	if o == nil {
		return ""
	}
	return o.name
}

// mostText bounds how a value is shown.
const mostText = 200

// ValueText is a value for a person: the same in every run, and not long.
func ValueText(value any) string {
	text := strings.ToValidUTF8(Describe(value), "?")
	if len(text) > mostText {
		return strings.ToValidUTF8(text[:mostText], "") + fmt.Sprintf("... (%d bytes)", len(text))
	}
	return text
}
