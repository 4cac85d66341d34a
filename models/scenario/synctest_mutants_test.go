package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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
	"github.com/heddle-go/heddle/internal/mutant"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/strategy"
)

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

func (b *bubble) Exhibit(string, string, func() ([]byte, error)) {}

func (b *bubble) Sometimes(string)       {}
func (b *bubble) Reached(string, uint64) {}
func (b *bubble) Step() int64            { return 0 }
func (b *bubble) Elapsed() time.Duration { return time.Since(b.begin) }
func (b *bubble) Inline(f func())        { f() }
func (b *bubble) Observe(f func())       { f() }
func (b *bubble) Touch()                 {}

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
