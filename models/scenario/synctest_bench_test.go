package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/models"
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
	return func(seed uint64) sim.Result {
		part := how.Part(int64(seed))
		source := sources[part.Name()]
		if source == nil {
			source = part.Source()
			sources[part.Name()] = source
		}
		source.Begin(seed, lengths.Draw(seed))
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

// hunted is the small program in which mutants are hunted.
var hunted = program{routers: 2, callers: 3}

// chances are what a run is drawn from: dice with the seed of the run, so that all sides have the same workloads and the same
// faults, and differ in their schedules alone.
type chances struct{ *rand.Rand }

func newChances(seed uint64) chances { return chances{rand.New(rand.NewPCG(seed, 0))} }

func one[T any](c chances, of ...T) T { return of[c.IntN(len(of))] }

func (c chances) pause() time.Duration {
	return one(c, 0, 0, 0, 0, time.Millisecond, time.Second, 4*time.Second, 31*time.Second)
}

// diced is the Env, the Faults and the Rules of a router whose faults are drawn by dice. Each kind may strike in one run of four:
// while the router answers, or when a task lets one of the strikes happen.
type diced struct {
	router.Env
	chances
	strikes []func() bool
}

func (d *diced) Value(_ string, n int) int { return d.IntN(n) }

func (d *diced) Swarm(string) bool { return d.IntN(4) == 0 }

func (d *diced) Fired(string) {}

func (d *diced) Effect(string) {}

func (d *diced) Rule(fault string, _ int, strike func() bool) {
	if d.Swarm(fault) {
		d.strikes = append(d.strikes, strike)
	}
}

// judge is a Monitor that may be told things by several goroutines at once: it has a lock, which is let go while the agent's network
// or the agent itself waits. It is the same on all sides; on the simulator nobody ever waits for the lock.
type judge struct {
	mu      sync.Mutex
	monitor *models.Monitor
	bubble  *bubble // nil on the simulator, where the monitor hears of each step
}

// told lets f tell the monitor something.
func (j *judge) told(f func(m *models.Monitor)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bubble != nil && j.bubble.advanced() {
		j.monitor.Tick()
	}
	f(j.monitor)
}

// unlocked runs f, which waits, for the monitor.
func (j *judge) unlocked(f func()) {
	j.mu.Unlock()
	defer j.mu.Lock()
	f()
}

func (j *judge) Observe(t agent.Transition) { j.told(func(m *models.Monitor) { m.Observe(t) }) }

// dialer is the network as the monitor sees it.
func (j *judge) dialer(inner protocol.Dialer) protocol.Dialer {
	return judgedDialer{j.told, j.monitor.Dialer(judgedDialer{func(f func(*models.Monitor)) { j.unlocked(func() { f(nil) }) }, inner})}
}

// judgedDialer and judgedConn do all they do within a function.
type judgedDialer struct {
	within func(func(*models.Monitor))
	inner  protocol.Dialer
}

func (d judgedDialer) Dial(ctx context.Context, to net.Address, credential string) (conn protocol.Conn, err error) {
	d.within(func(*models.Monitor) { conn, err = d.inner.Dial(ctx, to, credential) })
	if err != nil {
		return nil, err
	}
	return judgedConn{conn, d.within}, nil
}

type judgedConn struct {
	protocol.Conn
	within func(func(*models.Monitor))
}

func (c judgedConn) Send(ctx context.Context, block []protocol.Request) (err error) {
	c.within(func(*models.Monitor) { err = c.Conn.Send(ctx, block) })
	return err
}

func (c judgedConn) Receive() (block []protocol.Response, err error) {
	c.within(func(*models.Monitor) { block, err = c.Conn.Receive() })
	return block, err
}

func (c judgedConn) Close() (err error) {
	c.within(func(*models.Monitor) { err = c.Conn.Close() })
	return err
}

// bubble is the World of a judge in a bubble of testing/synctest.
type bubble struct {
	begin    time.Time
	now      time.Duration // as advanced last knew it
	property string        // the first that was violated
}

// advanced says whether time has advanced, for which all of the bubble must have waited: so no critical section was under way.
func (b *bubble) advanced() bool {
	before := b.now
	b.now = b.Elapsed()
	return b.now != before
}

// Fail passes over the refinement, which is judged step by step: a bubble has no steps.
func (b *bubble) Fail(property, _ string, _ ...any) {
	if b.property == "" && property != "refinement" {
		b.property = property
	}
}

func (b *bubble) Sometimes(string)       {}
func (b *bubble) Step() int64            { return 0 }
func (b *bubble) Elapsed() time.Duration { return time.Since(b.begin) }
func (b *bubble) Inline(f func())        { f() }
func (b *bubble) Observe(f func())       { f() }

// counted counts its tasks.
type counted struct {
	sched.Scheduler
	tasks atomic.Int64
}

func (c *counted) Go(name string, f func()) {
	c.tasks.Add(1)
	c.Scheduler.Go(name, func() {
		defer c.tasks.Add(-1)
		f()
	})
}

// hunt is the program in which mutants are hunted: callers subscribe, with two keys, and remove queues of routers that do wrong;
// then the routers heal, everything owed must happen within its bound, and the agent is closed. All of it is judged by a monitor.
func (p program) hunt(seed uint64, world models.World, on func(options) surroundings) (run func()) {
	c := newChances(seed)
	config := smallQueues()
	config.PersistError = one(c, 0, 30*time.Second)
	config.BatchSize, config.BlockSize = one(c, 1360, 2), one(c, 136, 1)
	j := &judge{monitor: models.NewMonitor(models.Options{World: world, Config: config})}
	switch w := world.(type) {
	case *bubble:
		j.bubble = w
	case *sim.World:
		w.OnStep(j.monitor.Tick)
	}
	dice := make([]*diced, p.routers)
	e := on(func(i int, env router.Env) router.Options {
		dice[i] = &diced{Env: env, chances: newChances(c.Uint64())}
		tell := j.monitor.Owner(routerOf(i))
		return router.Options{
			Env: dice[i], Faults: dice[i], Timeout: config.RPCTimeout,
			OnOwner: func(o router.Ownership) {
				j.told(func(*models.Monitor) { world.Inline(func() { tell(o) }) }) // the router may be of a task's
			},
		}
	})
	return func() { p.run(c, config, j, e, dice) }
}

func (p program) run(c chances, config agent.Config, j *judge, e surroundings, dice []*diced) {
	tasks := &counted{Scheduler: e.scheduler}
	a, err := agent.New(agent.Environment{Scheduler: tasks, Clock: e.clock, Dialer: j.dialer(e.dialer), Observer: j}, config)
	if err != nil {
		panic(err)
	}
	sleep := func(d time.Duration) {
		if d > 0 {
			_ = e.clock.Sleep(context.Background(), d)
		}
	}
	consumers, callers := sched.NewWaitGroup(e.scheduler), sched.NewWaitGroup(e.scheduler)
	start := func(name string, group *sched.WaitGroup, f func()) {
		group.Add(1)
		e.scheduler.Go(name, func() {
			defer group.Done()
			f()
		})
	}
	start("events", &consumers, func() {
		for {
			event, ok := a.Events().Recv()
			if !ok {
				return
			}
			j.told(func(m *models.Monitor) { m.Consumed(event) })
		}
	})
	start("messages", &consumers, func() { drain(a.Messages()) })
	for range p.callers {
		c := newChances(c.Uint64())
		start("caller", &callers, func() {
			for range 1 + c.IntN(4) {
				sleep(c.pause())
				p.call(c, j, a)
			}
		})
	}
	for i := range p.routers {
		c := newChances(c.Uint64())
		e.at(i, func(r *router.Router) { r.Arm(dice[i], 0) })
		start("faults", &callers, func() {
			for range 3 {
				sleep(c.pause())
				if strikes := dice[i].strikes; len(strikes) > 0 {
					e.at(i, func(*router.Router) { one(c, strikes...)() })
				}
			}
		})
	}
	callers.Wait()
	for i := range p.routers {
		e.at(i, (*router.Router).Heal)
	}
	j.told((*models.Monitor).Healed)
	type place struct {
		router protocol.Router
		queue  protocol.QueueID
	}
	for pause, left := 100*time.Millisecond, time.Duration(1); left > 0; pause = min(2*pause, time.Minute) {
		sleep(pause)
		owners := map[place]net.SessionID{}
		for i := range p.routers {
			e.at(i, func(r *router.Router) {
				r.Owners(func(q router.QueueName, s net.SessionID) { owners[place{routerOf(i), q.ID}] = s })
			})
		}
		j.told(func(m *models.Monitor) {
			left = m.Live(func(r protocol.Router, q protocol.QueueID) net.SessionID { return owners[place{r, q}] })
		})
	}
	sleep(time.Millisecond) // in which whoever has something left to do does it
	j.told(func(m *models.Monitor) {
		m.Settled(func() (s agent.Snapshot) {
			j.unlocked(func() { s = a.Snapshot() })
			return s
		}, func() int { return int(tasks.tasks.Load()) })
	})
	var closing *models.Call
	j.told(func(m *models.Monitor) { closing = m.Close() })
	a.Close()
	j.told(func(m *models.Monitor) { closing.Return(nil) })
	consumers.Wait()
	e.end()
	j.told(func(m *models.Monitor) { m.Finish() })
}

// call is one call of the agent.
func (p program) call(c chances, j *judge, a *agent.Agent) {
	at, first, count := routerOf(c.IntN(p.routers)), c.IntN(p.queues()), 1+c.IntN(3)
	key := one[protocol.AuthKey](c, "key", "key", "new key")
	var subs []agent.QueueSub
	var queues []protocol.QueueID
	for i := range count {
		queues = append(queues, queueOf((first+i)%p.queues()))
		subs = append(subs, agent.QueueSub{Queue: queues[i], Key: key})
	}
	var call *models.Call
	var err error
	if c.IntN(4) == 0 {
		j.told(func(m *models.Monitor) { call = m.Remove(at, queues) })
		err = a.RemoveQueues(at, queues)
	} else {
		j.told(func(m *models.Monitor) { call = m.Subscribe(at, subs) })
		err = a.SubscribeQueues(context.Background(), at, subs)
	}
	j.told(func(*models.Monitor) { call.Return(err) })
}

// mutants are those of testdata/mutants that the program can meet: the slips in what is neither about services nor about consumers
// that stop. One of them, blocking-events, is left out for what it does in a bubble: a task waits for a mutex for ever, and that
// is no deadlock to synctest, which waits with it.
var mutants = []string{
	"demote-every-session", "end-before-commit-lost", "error-answered-at-expiry", "no-session-validation", "publish-after-start",
	"remove-without-compare", "result-of-an-old-key", "temporary-error-is-final", "worker-ends-outside", "worker-with-nothing-to-ask",
}

// huntFor is how long each side hunts a mutant.
const huntFor = 5 * time.Second

// huntVariable names the file for what TestHunt finds.
const huntVariable = "HEDDLE_HUNT"

// catch is what a side has found of one mutant.
type catch struct {
	Runs, Failed int
	Spent        time.Duration
	Property     string // that the first failed run violated
}

func (c catch) rate(n int) float64 { return float64(n) / c.Spent.Seconds() }

// BenchmarkMutantsBesideSynctest hunts mutants on the sides of BenchmarkBesideSynctest: the same program (see hunt) with the same
// workloads and faults, drawn by dice, judged by the same Monitor, for the same time; sides take turns. It reports how often a second a
// side fails a mutant, and the ratio; then, of all, how many mutants a side finds for each second that it takes to find each
// once: a mutant that it never fails costs it the whole time. Where synctest never does, the ratio is a bound, and says so.
//
// What differs is who decides the schedule: Go's scheduler, or the simulator with one worker and its default strategy. A simulated
// run ends with the first violation, one in a bubble goes on to its end. A bubble has no steps, so there the Monitor judges
// no refinement, and what belongs to one critical section (an event that is missing, S10) only when time advances. The
// simulator is held back: faults strike when dice, not its decisions, say so.
//
// Each mutant is built anew, and hunted on one core and on all, whatever -cpu says. All of it takes about ten minutes:
//
//	go test ./models/scenario -run '^$' -bench MutantsBesideSynctest -timeout 1h
func BenchmarkMutantsBesideSynctest(b *testing.B) {
	root, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	builder, err := mutant.NewBuilder(b.Context(), root, "./models/scenario")
	if err != nil {
		b.Fatal(err)
	}
	for _, cores := range slices.Compact([]int{1, runtime.NumCPU()}) {
		b.Run(fmt.Sprintf("cores=%d", cores), func(b *testing.B) { mutantsBesideSynctest(b, builder, root, cores) })
	}
}

func mutantsBesideSynctest(b *testing.B, builder *mutant.Builder, root string, cores int) {
	found, spent := map[string]int{}, map[string]time.Duration{} // by side, of all mutants
	for _, name := range mutants {
		b.Run(name, func(b *testing.B) {
			m, err := mutant.Read(filepath.Join(root, "testdata", "mutants", name+mutant.Extension))
			if err != nil {
				b.Fatal(err)
			}
			catches := huntIn(b, builder, m, cores)
			synctest := catches["synctest"]
			for _, side := range sides {
				c := catches[side]
				spent[side] += c.Spent / time.Duration(max(c.Failed, 1))
				if c.Failed > 0 {
					found[side]++
				}
				b.ReportMetric(c.rate(c.Failed), side+"-found/s")
				switch {
				case side == "synctest":
				case synctest.Failed == 0:
					b.ReportMetric(c.rate(c.Failed)/synctest.rate(1), side+"-x-synctest-at-least")
				default:
					b.ReportMetric(c.rate(c.Failed)/synctest.rate(synctest.Failed), side+"-x-synctest")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
	b.Run("all", func(b *testing.B) {
		rate := func(side string) float64 { return float64(found[side]) / spent[side].Seconds() }
		for _, side := range sides {
			b.ReportMetric(float64(found[side]), side+"-mutants")
			b.ReportMetric(rate(side), side+"-mutants/s")
			if side != "synctest" {
				b.ReportMetric(rate(side)/rate("synctest"), side+"-x-synctest")
			}
		}
		b.ReportMetric(0, "ns/op")
	})
}

// huntIn lets TestHunt hunt in a build with the mutant.
func huntIn(b *testing.B, builder *mutant.Builder, m *mutant.Mutant, cores int) (catches map[string]catch) {
	report := filepath.Join(b.TempDir(), "catches")
	b.Setenv(huntVariable, report)
	b.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -run=^TestHunt$ -count=1")
	b.Setenv("GOMAXPROCS", strconv.Itoa(cores))
	failed, err := builder.Test(b.Context(), m, "./models/scenario")
	if err = errors.Join(err, failed); err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(text, &catches)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, side := range sides {
		b.Logf("%s: %d of %d runs failed in %v %s", side, catches[side].Failed, catches[side].Runs, catches[side].Spent, catches[side].Property)
	}
	return catches
}

// TestHunt hunts the mutant that this binary is built with, for BenchmarkMutantsBesideSynctest.
func TestHunt(t *testing.T) {
	report := os.Getenv(huntVariable)
	if report == "" {
		t.Skip("is part of BenchmarkMutantsBesideSynctest")
	}
	run, catches := hunters(t), map[string]*catch{}
	for _, side := range sides {
		catches[side] = &catch{}
	}
	for spent := huntFor / 100; spent <= huntFor; spent += huntFor / 100 {
		for _, side := range sides {
			for c := catches[side]; c.Spent < spent; {
				begin := time.Now()
				property := run[side](uint64(c.Runs))
				c.Spent += time.Since(begin)
				c.Runs++
				if property == "" {
					continue
				}
				if c.Failed++; c.Failed == 1 {
					c.Property = property
				}
			}
		}
	}
	text, err := json.Marshal(catches)
	if err == nil {
		err = os.WriteFile(report, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sides are the names of the ways to run the program.
var sides = []string{"synctest", "local", "sim"}

// hunters are the sides: each makes one run, and answers the property that it violates.
func hunters(t *testing.T) map[string]func(seed uint64) (property string) {
	simulated := func(on func(*sim.World, program, options) surroundings) func(uint64) string {
		run := newSimulated(t, strategy.Default, func(w *sim.World, seed uint64) func() {
			return hunted.hunt(seed, w, func(o options) surroundings { return on(w, hunted, o) })
		})
		return func(seed uint64) string {
			if f := run(seed).Failure; f != nil {
				return f.Property
			}
			return ""
		}
	}
	return map[string]func(uint64) string{
		"synctest": func(seed uint64) string {
			w := &bubble{}
			func() {
				defer func() {
					if recover() != nil {
						w.Fail("panic", "") // of the bubble, as for a deadlock
					}
				}()
				synctest.Test(t, func(*testing.T) {
					w.begin = time.Now()
					hunted.hunt(seed, w, func(o options) surroundings { return onGoroutines(hunted, o) })()
				})
			}()
			return w.property
		},
		"local": simulated(onLocalNetwork), "sim": simulated(onSimulatedNetwork),
	}
}

// TestTheHuntBesideSynctest holds what BenchmarkMutantsBesideSynctest compares: on no side is anything wrong with the agent itself.
func TestTheHuntBesideSynctest(t *testing.T) {
	for side, run := range hunters(t) {
		for seed := range uint64(50) {
			if property := run(seed); property != "" {
				t.Errorf("%s, seed %d: %s is violated", side, seed, property)
			}
		}
	}
}
