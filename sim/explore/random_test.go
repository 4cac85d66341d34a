package explore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// A random program: tasks that each do some operations on a few objects and note what they have seen.
type instruction struct {
	op   string
	a, b int
}

type source struct {
	tasks      [][]instruction
	late       []bool // the task is started by the one before, at its end
	capacities []int
	added      int
}

func (s source) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "channels %v, wait group at %d\n", s.capacities, s.added)
	for i, t := range s.tasks {
		fmt.Fprintf(&b, "task %d (late %t): %v\n", i, s.late[i], t)
	}
	return b.String()
}

// shape bounds random programs.
type shape struct {
	tasks, length, variables, locks, channels int
	plain, faults                             bool
}

var repertoires = [][]string{
	{"lock", "lock", "load", "store", "add"},
	{"lock", "read-lock", "write-lock", "load", "store"},
	{"send", "recv", "load", "store"},
	{"send", "recv", "select", "store"},
	{"send", "recv", "select", "default", "try-send", "try-recv", "close", "len"},
	{"group-add", "group-done", "group-wait", "load", "store"},
	{"try-lock", "lock", "try-read-lock", "try-write-lock", "write-lock", "store", "swap", "cas"},
	{"sleep", "timer", "stop", "await", "load", "store"},
	{"tick", "tick", "tick-stop", "tick-reset", "sleep", "store", "load"},
	{"cancel", "done", "err", "select-done", "load", "store", "after"},
	{"once", "store", "load", "inline", "value"},
	{"part", "part-within", "lock", "load", "store", "inline"},
	{"part-if", "inline-if", "part", "inline", "load", "store", "add"},
	{"part-if", "part", "store", "lock", "part-check", "cas", "part-within"},
	{"part-if", "inline-if", "value", "load", "store", "part", "inline"},
	{"part", "part-check", "send", "recv", "select", "part-later", "sleep"},
	{"part-within", "part-later", "part-check", "inline", "group-done", "group-wait", "write-lock", "read-lock"},
	{"lock", "send", "recv", "store", "load", "check", "select", "group-done", "group-wait", "read-lock", "value"},
}

// points are what the first step of a task is over after, which is not enumerated, nor are those that a task goes on with at an unbuffered channel.
var points = map[string]bool{
	"lock": true, "load": true, "store": true, "add": true, "read-lock": true, "write-lock": true, "group-done": true, "group-wait": true,
	"swap": true, "cas": true, "len": true, "try-send": true, "try-recv": true, "try-lock": true, "default": true, "timer": true, "stop": true, "part": true,
	"tick-stop": true, "tick-reset": true,
}

// plain are those without selects, unbuffered channels and misuse.
var plain = [][]string{
	{"lock", "lock", "load", "store", "add"},
	{"lock", "read-lock", "write-lock", "load", "store"},
	{"send", "recv", "load", "store"},
	{"group-wait", "load", "store", "lock", "send", "recv"},
	{"try-lock", "lock", "write-lock", "store", "swap", "cas"},
	{"send", "recv", "try-send", "try-recv", "len"},
	{"part", "part", "lock", "load", "send", "recv", "inline"},
}

// faults are those in which a node stalls or crashes, and a rule strikes.
var faults = [][]string{
	{"stall", "load", "store", "lock", "sleep"},
	{"stall", "send", "recv", "select", "store"},
	{"crash", "lock", "store", "load"},
	{"crash", "send", "recv", "inline"},
	{"strike", "load", "store", "add", "part"},
	{"stall", "crash", "part", "part-within", "part-later", "lock", "recv", "send"},
	{"strike", "lock", "group-wait", "group-done", "sleep"},
	{"stall", "stall", "timer", "stop", "await", "load"},
	{"stall", "crash", "tick", "tick-reset", "tick-stop", "store"},
	{"stall", "crash", "read-lock", "write-lock", "after", "cancel"},
}

func randomSource(r *rand.Rand, s shape) (p source) {
	repertoires := repertoires
	if s.plain {
		repertoires = plain
	}
	if s.faults {
		repertoires = faults
	}
	repertoire := repertoires[r.IntN(len(repertoires))]
	if r.IntN(3) == 0 {
		repertoire = append(slices.Clone(repertoire), repertoires[r.IntN(len(repertoires))]...)
	}
	for range s.channels {
		capacity := r.IntN(3)
		if s.plain {
			capacity = 1 + r.IntN(2)
		}
		p.capacities = append(p.capacities, capacity)
	}
	p.added = r.IntN(3)
	for i := range 2 + r.IntN(s.tasks-1) {
		var list []instruction
		for range 1 + r.IntN(s.length) {
			n := max(s.variables, s.locks, s.channels)
			in := instruction{repertoire[r.IntN(len(repertoire))], r.IntN(n), r.IntN(n)}
			list = append(list, in)
		}
		p.tasks = append(p.tasks, list)
		p.late = append(p.late, i > 0 && r.IntN(5) == 0)
	}
	return p
}

// build makes a program of it.
func (src source) build(s shape) program {
	var state func() string
	scenario := &sim.Scenario{Name: "random", Setup: func(w *sim.World) func() {
		h := w.Host()
		sc := h.Scheduler()
		var variables []*sched.AtomicInt64
		var locks []*sched.Mutex
		var rw []*sched.RWMutex
		var channels []*sched.Chan[int]
		for range s.variables {
			variables = append(variables, sched.NewAtomicInt64(sc, 0))
		}
		for range s.locks {
			m, n := sched.NewMutex(sc), sched.NewRWMutex(sc)
			locks, rw = append(locks, &m), append(rw, &n)
		}
		for _, c := range src.capacities {
			channels = append(channels, sched.NewChan[int](sc, c))
		}
		group, once := sched.NewWaitGroup(sc), sched.NewOnce(sc)
		group.Add(src.added)
		parent, cancelParent := sched.WithCancel(sc, context.Background())
		child, cancelChild := sched.WithCancel(sc, parent)
		contexts := []context.Context{parent, child}
		cancels := []func(){cancelParent, cancelChild}
		shared, parted := 0, [2]int{}
		parts := [...]*sim.Shared{w.Shared("part"), w.Shared("part")}
		notes := make([]string, len(src.tasks))
		closed := make([]bool, len(channels))
		var timer *clock.Timer
		var ticker *clock.Ticker
		nodes, struck, watched := []*sim.Node{h, h}, false, false
		for _, t := range src.tasks {
			for _, in := range t {
				if in.op == "strike" && !struck {
					struck = true
					w.Rule("rule", 1, func() bool {
						variables[0].Store(99)
						return true
					})
				}
				if nodes[1] == h && (in.op == "stall" || in.op == "crash") {
					nodes[1] = w.Node("other")
				}
				if in.op == "part-check" && !watched {
					watched = true
					parts[0].AfterStep(func() {
						if parted[0]%4 == 3 {
							w.Fail("part-check", "%d", parted[0])
						}
					})
				}
				if timer == nil && (in.op == "timer" || in.op == "stop" || in.op == "await") {
					timer = h.Clock().NewTimer(time.Second)
				}
				if ticker == nil && strings.HasPrefix(in.op, "tick") {
					ticker = h.Clock().NewTicker(time.Second)
				}
			}
		}
		var body func(t int) func()
		body = func(t int) func() {
			note := func(v any) { notes[t] += fmt.Sprint(v, ";") }
			return func() {
				defer func() {
					if p := recover(); p != nil {
						text, ok := p.(string)
						if !ok {
							panic(p)
						}
						note("panic " + text)
					}
				}()
				for i, in := range src.tasks[t] {
					v := variables[in.a%len(variables)]
					l, m := locks[in.a%len(locks)], locks[in.b%len(locks)]
					q := rw[in.a%len(rw)]
					c, d := channels[in.a%len(channels)], channels[in.b%len(channels)]
					tag := t*10 + i + 1
					switch in.op {
					case "lock":
						l.Lock()
						if l != m {
							m.Lock()
							m.Unlock()
						}
						l.Unlock()
					case "try-lock":
						if ok := l.TryLock(); ok {
							note("locked")
							v.Load()
							l.Unlock()
						}
					case "read-lock":
						q.RLock()
						note(v.Load())
						q.RUnlock()
					case "write-lock":
						q.Lock()
						v.Store(int64(tag))
						q.Unlock()
					case "try-read-lock":
						if q.TryRLock() {
							note("read")
							q.RUnlock()
						}
					case "try-write-lock":
						if q.TryLock() {
							note("written")
							v.Load()
							q.Unlock()
						}
					case "load":
						note(v.Load())
					case "store":
						v.Store(int64(tag))
					case "add":
						note(v.Add(1))
					case "swap":
						note(v.Swap(int64(tag)))
					case "cas":
						note(v.CompareAndSwap(0, int64(tag)))
					case "send":
						c.Send(tag)
					case "recv":
						note(fmt.Sprint(c.Recv()))
					case "select":
						x, y := sched.Recv(c), sched.Send(d, tag)
						note(fmt.Sprint(sched.Select2(&x, &y), x.Value, x.OK))
					case "default":
						x, y := sched.Recv(c), sched.Recv(d)
						note(fmt.Sprint(sched.TrySelect2(&x, &y), x.Value, y.Value))
					case "try-send":
						note(c.TrySend(tag))
					case "try-recv":
						note(fmt.Sprint(c.TryRecv()))
					case "close":
						c.Close()
						closed[in.a%len(channels)] = true
					case "len":
						note(c.Len())
					case "group-add":
						group.Add(1)
					case "group-done":
						group.Done()
					case "group-wait":
						group.Wait()
					case "sleep":
						h.Clock().Sleep(context.Background(), time.Duration(in.a+1)*time.Second/2)
					case "timer":
						note(timer.Reset(time.Duration(in.a) * time.Second))
					case "stop":
						note(timer.Stop())
					case "await":
						timer.C.Recv()
					case "tick":
						at, _ := ticker.C.Recv()
						note(at.Unix() % 100)
					case "tick-stop":
						ticker.Stop()
					case "tick-reset":
						ticker.Reset(time.Duration(in.a+1) * time.Second / 2)
					case "cancel":
						cancels[in.a%2]()
					case "done":
						sched.Done(contexts[in.a%2]).Recv()
					case "err":
						note(contexts[in.a%2].Err())
					case "select-done":
						x, y := sched.Recv(sched.Done(contexts[in.a%2])), sched.Recv(c)
						note(fmt.Sprint(sched.Select2(&x, &y), y.Value))
					case "after":
						sched.AfterFunc(sc, contexts[in.a%2], func() { v.Store(int64(tag)) })
					case "once":
						once.Do(func() { v.Store(int64(tag)) })
					case "inline":
						sched.Yield(sc) // or it could be in the first step of the task, which is not enumerated
						w.Inline(func() {
							shared = shared*3 + t + 1 + parted[0]%5 + parted[1]%7
							note(shared)
						})
					case "part", "part-within": // in the course of a step of its own, or of the one that the task is in
						if in.op == "part" || i == 0 || !points[src.tasks[t][i-1].op] {
							sched.Yield(sc)
						}
						parts[in.a%2].Inline(func() {
							parted[in.a%2] = parted[in.a%2]*3 + t + 1
							note(parted[in.a%2])
						})
					case "part-if": // whether it is touched depends on what came before
						if v.Load()%2 == 0 {
							parts[in.b%2].Inline(func() {
								parted[in.b%2] = parted[in.b%2]*3 + t + 1
								note(parted[in.b%2])
							})
						}
					case "inline-if":
						if v.Load() > 0 {
							w.Inline(func() {
								shared = shared*3 + t + 1 + parted[0]%5 + parted[1]%7
								note(shared)
							})
						}
					case "part-later":
						sched.Yield(sc)
						parts[in.a%2].After(0, func() { parted[in.a%2] = parted[in.a%2]*3 + tag })
					case "stall":
						nodes[1].Stall(time.Duration(in.a+1) * time.Second / 2)
					case "crash":
						nodes[1].Crash()
					case "strike":
						v.Load()
					case "value":
						note(w.Value("draw", 2+in.a%2))
					case "check":
						if got := v.Load(); got > int64(in.b*10) {
							w.Fail(fmt.Sprintf("check-%d-%d", t, i), "%d", got)
						}
					}
				}
				if t+1 < len(src.late) && src.late[t+1] {
					nodes[(t+1)%2].Go("task", body(t+1))
				}
			}
		}
		state = func() string {
			all := fmt.Sprint(notes, closed, shared, parted)
			for _, v := range variables {
				all += fmt.Sprint(v.Load(), ",")
			}
			for _, c := range channels {
				all += fmt.Sprint(c.Object().Count())
				for c.Object().Count() > 0 {
					v, _, received := c.TryRecv()
					if !received {
						break
					}
					all += fmt.Sprint("|", v)
				}
			}
			return all
		}
		for t := range src.tasks {
			if !src.late[t] {
				nodes[t%2].Go("task", body(t))
			}
		}
		return func() {}
	}}
	return program{scenario, func() string { return state() }, sim.Options{}, src.watched()}
}

// depends says whether what commutes with what is not the same in all runs of a class. Tasks that meet at an unbuffered channel make
// other steps if the other one comes first, and a select that is parked there is touched through others.
func (src source) depends() bool {
	for _, list := range src.tasks {
		for _, in := range list {
			switch in.op {
			case "send", "recv", "select", "default", "try-send", "try-recv", "close", "len":
				if slices.Contains(src.capacities, 0) {
					return true
				}
			case "part-if", "inline-if", "part-within": // that a step which waits for something touches the part shows only when it is made
				return true
			case "done", "select-done", "stall", "crash", "strike": // who waits, or may move, is not the same in all runs of a class
				return true
			}
		}
	}
	return false
}

// watched says whether faults can tell that a task has started.
func (src source) watched() bool {
	return slices.ContainsFunc(src.tasks, func(list []instruction) bool {
		return slices.ContainsFunc(list, func(in instruction) bool { return in.op == "stall" || in.op == "crash" || in.op == "strike" })
	})
}
