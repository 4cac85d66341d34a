package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

// BenchmarkBesideSynctest gives the same time to the same small program (see program) in three ways:
//
//   - synctest: goroutines, the in-process network and the wall clock in a bubble of testing/synctest;
//   - local: the same on the simulator, in-process network included, under the random strategy;
//   - sim: the same with the simulated network, as scenarios have it.
//
// It reports runs and distinct schedules per second of each, and how many times the schedules of synctest the others reach
// (bar: 10). A schedule is the order of the agent's transitions, as order hashes it. Where there are few, they run out: rates
// fall with -benchtime. What synctest reaches depends on -cpu: on one processor it is nearly always the same schedule, on more
// it is what their clocks and caches make of it. The simulator has one worker, a bubble all of GOMAXPROCS.
//
//	go test ./models/scenario -run '^$' -bench BesideSynctest -benchtime 300x -cpu 1,2
func BenchmarkBesideSynctest(b *testing.B) {
	for _, p := range sizes() {
		b.Run(fmt.Sprintf("routers=%d/callers=%d", p.routers, p.callers), func(b *testing.B) { besideSynctest(b, p) })
	}
}

// sizes are those of the program that are compared.
func sizes() []program {
	return []program{{routers: 1, callers: 2}, {routers: 2, callers: 4}, {routers: 3, callers: 9}}
}

func besideSynctest(b *testing.B, p program) {
	withT(b, func(t *testing.T) {
		sides := []*side{
			{name: "synctest", run: func(uint64) (hash uint64) {
				synctest.Test(t, func(t *testing.T) {
					hash = p.converse(t.Errorf, onGoroutines(p, faultless))
				})
				return hash
			}},
			{name: "local", run: newConversation(t, p, onLocalNetwork)}, {name: "sim", run: newConversation(t, p, onSimulatedNetwork)},
		}
		for _, s := range sides {
			s.seen = map[uint64]struct{}{}
		}
		for range b.N {
			for range 10 {
				sides[0].once()
			}
			for _, s := range sides[1:] {
				for s.spent < sides[0].spent {
					s.once()
				}
			}
		}
		b.ReportMetric(0, "ns/op")
		for _, s := range sides {
			b.ReportMetric(s.rate(s.runs), s.name+"-runs/s")
			b.ReportMetric(s.rate(len(s.seen)), s.name+"-schedules/s")
			if s != sides[0] {
				b.ReportMetric(s.rate(len(s.seen))/sides[0].rate(len(sides[0].seen)), s.name+"-x-synctest")
			}
		}
	})
}

// withT runs f with a testing.T, which synctest.Test needs and a benchmark has not, as a test of its own that no flag
// deselects. It runs once, with the benchmark's GOMAXPROCS, whatever -count and -cpu have RunTests do.
func withT(b *testing.B, f func(*testing.T)) {
	procs, ran := runtime.GOMAXPROCS(0), false
	defer runtime.GOMAXPROCS(procs)
	everything := func(string, string) (bool, error) { return true, nil }
	ok := testing.RunTests(everything, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) {
		if !ran {
			ran = true
			runtime.GOMAXPROCS(procs)
			f(t)
		}
	}}})
	if !ok || !ran {
		b.Fatal("the test within the benchmark has failed")
	}
}

// side is one of the ways to run the program.
type side struct {
	name  string
	run   func(seed uint64) uint64
	runs  int
	spent time.Duration
	seen  map[uint64]struct{}
}

func (s *side) once() {
	begin := time.Now()
	hash := s.run(uint64(s.runs))
	s.spent += time.Since(begin)
	s.runs++
	s.seen[hash] = struct{}{}
}

func (s *side) rate(n int) float64 { return float64(n) / s.spent.Seconds() }

// newConversation runs the program on the simulator and answers the hash of its schedule.
func newConversation(t *testing.T, p program, on func(*sim.World, program, options) surroundings) func(seed uint64) uint64 {
	var hash uint64
	run := newSimulated(t, "random", func(w *sim.World, _ uint64) func() {
		e := on(w, p, faultless)
		return func() {
			hash = p.converse(func(format string, args ...any) { w.Fail("converse", format, args...) }, e)
		}
	})
	return func(seed uint64) uint64 {
		if f := run(seed).Failure; f != nil {
			t.Fatalf("seed %d: %+v", seed, f)
		}
		return hash
	}
}

// newSimulated makes runs on the simulator under the strategy of that name, of as many lengths as they turn out to have.
func newSimulated(t *testing.T, name string, setup func(w *sim.World, seed uint64) func()) func(seed uint64) sim.Result {
	how, err := strategy.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	sources, runner := map[string]strategy.Source{}, sim.NewRunner()
	t.Cleanup(runner.Close)
	var lengths strategy.Lengths
	var shares strategy.Shares
	return func(seed uint64) sim.Result {
		part := shares.Part(how, int64(seed), seed)
		source := sources[part.Name()]
		if source == nil {
			source = part.Source()
			sources[part.Name()] = source
		}
		source.Begin(seed, lengths.Draw(part, seed))
		sc := &sim.Scenario{Name: "beside-synctest", Setup: func(w *sim.World) func() {
			w.Heal() // the simulated network does nothing wrong, since the in-process one cannot
			return setup(w, seed)
		}}
		result, err := runner.Run(sc, sim.RunConfig{Source: source, DataSeed: seed})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		lengths.Add(source.Choices())
		return result
	}
}

// program is what all sides run: callers of one agent at routers that restart.
type program struct{ routers, callers int }

// queues are those of each router: two for each caller.
func (p program) queues() int { return 2 * p.callers }

func queueOf(i int) protocol.QueueID { return protocol.QueueID{'q', byte(i)} }

func routerOf(i int) protocol.Router {
	return protocol.Router{KeyHash: "key", Hosts: fmt.Sprintf("r%d.example.org", i)}
}

// surroundings are where the program runs.
type surroundings struct {
	scheduler sched.Scheduler
	clock     clock.Clock
	dialer    protocol.Dialer
	at        func(router int, f func(*router.Router)) // lets f do something with a router, between the network's calls of it
	end       func()
}

// options are those of a router of the program, which has that Env.
type options func(router int, env router.Env) router.Options

// faultless are the options of routers that do nothing wrong.
func faultless(_ int, env router.Env) router.Options { return router.Options{Env: env} }

// listen makes the routers of the program.
func (p program) listen(o options, env func(net.Address) router.Env, listen func(net.Address, net.Handler[[]protocol.Request, []protocol.Response]) error) []*router.Router {
	routers := make([]*router.Router, p.routers)
	for i := range routers {
		at := routerOf(i).Address()
		o := o(i, env(at))
		o.Name = routerOf(i).Hosts
		routers[i] = router.New(o)
		for q := range p.queues() {
			routers[i].NewQueue(protocol.NotifierService, queueOf(q), "key", "new key")
		}
		if err := listen(at, routers[i]); err != nil {
			panic(err)
		}
	}
	return routers
}

func onGoroutines(p program, o options) surroundings {
	return inProcess(p, o, sched.Goroutines(), clock.Wall())
}

func onLocalNetwork(w *sim.World, p program, o options) surroundings {
	return inProcess(p, o, w.Host().Scheduler(), w.Host().Clock())
}

func inProcess(p program, o options, s sched.Scheduler, c clock.Clock) surroundings {
	n := net.NewLocal[[]protocol.Request, []protocol.Response](s)
	routers := p.listen(o, func(at net.Address) router.Env { return router.LocalEnv(n, at, c) }, n.Listen)
	return surroundings{
		scheduler: s, clock: c, dialer: n, end: n.Close,
		at: func(i int, f func(*router.Router)) {
			done := sched.NewChan[struct{}](s, 1)
			n.Do(routerOf(i).Address(), func() {
				f(routers[i])
				done.Send(struct{}{})
			})
			done.Recv()
		},
	}
}

func onSimulatedNetwork(w *sim.World, p program, o options) surroundings {
	n := sim.NewNetwork[[]protocol.Request, []protocol.Response](w)
	routers := p.listen(o, func(net.Address) router.Env { return w }, n.Listen)
	node := w.Node("agent")
	return surroundings{
		scheduler: node.Scheduler(), clock: node.Clock(), dialer: n.Dialer(node), end: func() {},
		at: func(i int, f func(*router.Router)) { w.Inline(func() { f(routers[i]) }) },
	}
}

// converse is the program: each caller subscribes two queues of a router and removes one of them; each router restarts
// meanwhile; a minute later what is left must be subscribed, and the agent is closed. It answers the hash of its schedule.
func (p program) converse(fail func(format string, args ...any), e surroundings) uint64 {
	o := &order{hash: fnv.New64a()}
	a, err := agent.New(agent.Environment{Scheduler: e.scheduler, Clock: e.clock, Dialer: e.dialer, Observer: o}, smallQueues())
	if err != nil {
		fail("%v", err)
		return 0
	}
	consumers, callers := sched.NewWaitGroup(e.scheduler), sched.NewWaitGroup(e.scheduler)
	start := func(name string, group *sched.WaitGroup, f func()) {
		group.Add(1)
		e.scheduler.Go(name, func() {
			defer group.Done()
			f()
		})
	}
	start("events", &consumers, func() { drain(a.Events()) })
	start("messages", &consumers, func() { drain(a.Messages()) })
	for i := range p.callers {
		at := routerOf(i % p.routers)
		start("caller", &callers, func() {
			subs := []agent.QueueSub{{Queue: queueOf(2 * i), Key: "key"}, {Queue: queueOf(2*i + 1), Key: "key"}}
			if err := a.SubscribeQueues(context.Background(), at, subs); err != nil && !errors.Is(err, agent.ErrPending) {
				fail("subscribe: %v", err)
			}
			if err := a.RemoveQueues(at, []protocol.QueueID{queueOf(2 * i)}); err != nil {
				fail("remove: %v", err)
			}
		})
	}
	for i := range p.routers {
		start("restart", &callers, func() { e.at(i, (*router.Router).Restart) })
	}
	callers.Wait()
	_ = e.clock.Sleep(context.Background(), time.Minute) // virtual on all sides
	active := 0
	for _, r := range a.Snapshot().Routers {
		active += len(r.Active)
	}
	if active != p.callers {
		fail("after a minute, %d queues are active of %d", active, p.callers)
	}
	a.Close()
	consumers.Wait()
	e.end()
	return o.hash.Sum64()
}

// smallQueues is the configuration of the agent.
func smallQueues() agent.Config {
	c := agent.DefaultConfig(protocol.NotifierService)
	c.EventQueue, c.MessageQueue, c.SendQueue = 4, 4, 4
	return c
}

func drain[T any](c *sched.Chan[T]) {
	for {
		if _, ok := c.Recv(); !ok {
			return
		}
	}
}

// order hashes the transitions of an agent in the order in which they are observed: their kinds, their routers, and which queues
// they are about, since sessions and correlation ids are random.
type order struct {
	mu   sync.Mutex // of no primitive of sched: an observer is no part of the program
	hash hash.Hash64
}

// Observe is called in the critical sections of the agent.
func (o *order) Observe(t agent.Transition) {
	var room [256]byte
	note := append(room[:0], reflect.TypeOf(t).Name()...)
	if v := reflect.ValueOf(t); v.NumField() > 0 {
		if r, ok := v.Field(0).Interface().(protocol.Router); ok {
			note = append(note, r.Hosts...)
		}
	}
	switch t := t.(type) {
	case agent.EventQueued:
		note = append(note, byte(t.Event.Kind))
	case agent.EventDelivered:
		note = append(note, byte(t.Event.Kind))
	case agent.QueuesWanted:
		for _, q := range t.Queues {
			note = append(note, q.Queue[1])
		}
	case agent.QueuesRemoved:
		for _, q := range t.Queues {
			note = append(note, q[1])
		}
	case agent.RequestsSent:
		for i := range t.Requests {
			note = append(note, t.Requests[i].Queue[1])
		}
	case agent.RequestAnswered:
		note = append(note, t.Response.Queue[1])
	case agent.ResultsCommitted:
		for i := range t.Results {
			note = append(note, t.Results[i].Queue[1], byte(t.Results[i].Outcome))
		}
	case agent.WaitEnded:
		note = append(note, byte(t.Outcome))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hash.Write(note)
}

// TestTheProgramBesideSynctest holds what BenchmarkBesideSynctest compares: it is one program, and its schedules vary.
func TestTheProgramBesideSynctest(t *testing.T) {
	p := sizes()[1]
	for _, on := range []func(*sim.World, program, options) surroundings{onLocalNetwork, onSimulatedNetwork} {
		run, seen := newConversation(t, p, on), map[uint64]bool{}
		for seed := range uint64(100) {
			seen[run(seed)] = true
		}
		if len(seen) < 50 {
			t.Errorf("%d schedules in 100 runs", len(seen))
		}
	}
	synctest.Test(t, func(t *testing.T) { p.converse(t.Errorf, onGoroutines(p, faultless)) })
}
