package command_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// The world of a test: an application that adds commands and takes events, an executor whose effects are outside, and what there must be in
// the end. It is simulated, with many seeds, and its process crashes.

type tx = *store.MemoryTx

// outside is what commands have done: it outlives the process.
type outside struct {
	w        *sim.World
	effects  map[command.Correlation]int // that were made anew, not found to be there
	order    map[command.Key][]command.Correlation
	inKey    map[command.Key]int // commands of the key that are being executed
	overlap  bool
	attempts map[command.Correlation]int
	panics   map[command.Correlation]int // so many times
	failures map[command.Correlation]error
	times    map[command.Correlation]int // that it fails so
	moves    map[command.Correlation]command.Key
	commits  map[command.Correlation]int // beside events
	lasts    map[command.Correlation]time.Duration
}

func newOutside(w *sim.World) *outside {
	return &outside{
		w: w, effects: map[command.Correlation]int{}, order: map[command.Key][]command.Correlation{}, inKey: map[command.Key]int{},
		attempts: map[command.Correlation]int{}, panics: map[command.Correlation]int{}, failures: map[command.Correlation]error{},
		times: map[command.Correlation]int{}, moves: map[command.Correlation]command.Key{}, commits: map[command.Correlation]int{}, lasts: map[command.Correlation]time.Duration{},
	}
}

// executor is the executor of one process.
type executor struct {
	*outside
	node *sim.Node
}

func (e executor) Execute(_ context.Context, c command.Command) (o command.Outcome[tx], err error) {
	breaks, lasts := false, time.Duration(0)
	e.w.Inline(func() {
		lasts = e.lasts[c.Correlation]
		e.attempts[c.Correlation]++
		e.inKey[c.Key]++
		e.overlap = e.overlap || e.inKey[c.Key] > 1
		attempt, panics := e.attempts[c.Correlation], e.panics[c.Correlation]
		if breaks = attempt <= panics; attempt <= panics+e.times[c.Correlation] {
			err = e.failures[c.Correlation]
		}
		if to, moves := e.moves[c.Correlation]; moves && c.Key != to {
			o.Moved = &to
		}
	})
	defer e.w.Inline(func() { e.inKey[c.Key]-- })
	if lasts > 0 {
		_ = e.node.Clock().Sleep(context.Background(), lasts)
	}
	sched.Yield(e.node)
	switch {
	case breaks:
		panic("the executor is broken")
	case err != nil, o.Moved != nil:
		return o, err
	}
	e.w.Inline(func() {
		if !slices.Contains(e.order[c.Key], c.Correlation) {
			e.order[c.Key] = append(e.order[c.Key], c.Correlation)
			e.effects[c.Correlation]++
		}
	})
	sched.Yield(e.node)
	return command.Outcome[tx]{Kind: command.Joined, Body: c.Body, Commit: func(*command.Change[tx]) error {
		e.commits[c.Correlation]++
		return nil
	}}, nil
}

// application is what outlives the process of an application: what it has stored. It deals with an event once.
type application struct {
	data  *store.Data
	dealt map[command.Correlation][]command.EventKind
	order map[command.Connection][]command.Correlation
}

func newApplication() *application {
	return &application{store.NewData(), map[command.Correlation][]command.EventKind{}, map[command.Connection][]command.Correlation{}}
}

// run is the process: it deals with events until it is closed or crashes.
func (a *application) run(t *testing.T, n *sim.Node, o *outside, observer command.Observer) *command.Queue[tx] {
	q, err := command.New(environment(n, observer), config(), models.Outliving[tx](o.w, store.OpenMemory(n, a.data)), command.Executor[tx](executor{o, n}))
	require.NoError(t, err)
	n.Go("application", func() {
		for {
			r, ok := q.Events().Recv()
			if !ok {
				return
			}
			sched.Yield(n)
			err := q.Update(func(c *command.Change[tx]) error {
				if found, err := c.Tx.TakeEvent(r.Number); !found {
					return err
				}
				a.dealt[r.Correlation] = append(a.dealt[r.Correlation], r.Kind)
				a.order[r.Connection] = append(a.order[r.Connection], r.Correlation)
				return nil
			})
			require.NoError(t, err)
		}
	})
	return q
}

func environment(n *sim.Node, observer command.Observer) command.Environment {
	return command.Environment{Scheduler: n, Clock: n.Clock(), Observer: observer}
}

func config() command.Config {
	return command.Config{Retry: retry.Interval{Initial: time.Second, GrowAfter: 3 * time.Second, Max: 4 * time.Second}, Events: 1, Restarts: 5}
}

var (
	routerA, routerB = protocol.Router{KeyHash: "k", Hosts: "a"}, protocol.Router{KeyHash: "k", Hosts: "b"}
	temporary        = &protocol.Error{Kind: protocol.Network}
	permanent        = &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}
)

func join(id string, key command.Key) command.Command {
	return command.Command{Correlation: command.Correlation(id), Key: key, Kind: command.Join, Body: []byte(id)}
}

// add adds commands, one transaction for each.
func add(t *testing.T, q *command.Queue[tx], commands ...command.Command) {
	for _, c := range commands {
		require.NoError(t, q.Update(func(change *command.Change[tx]) error { return change.Add(c) }))
	}
}

// world is a world whose processes are killed in the end.
type world struct {
	*sim.World
	processes []*sim.Node
}

func (w *world) process(name string) *sim.Node {
	n := w.Node(name)
	w.processes = append(w.processes, n)
	return n
}

// simulated runs main with many seeds, and then what main answers, which looks at what has come of it.
func simulated(t *testing.T, seeds int, main func(t *testing.T, w *world) (look func())) {
	runner := sim.NewRunner()
	defer runner.Close()
	for seed := range seeds {
		var look func()
		scenario := &sim.Scenario{Name: "queue", Setup: func(w *sim.World) func() {
			return func() {
				world := &world{World: w}
				look = main(t, world)
				for _, n := range world.processes {
					n.Crash()
				}
			}
		}}
		r, err := runner.Run(scenario, sim.RunConfig{Source: conformance.Random(uint64(seed)), DataSeed: uint64(seed), MaxSteps: 100_000})
		require.NoError(t, err)
		require.Nil(t, r.Failure, "seed %d", seed)
		look()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func rest(w *world, d time.Duration) {
	_ = w.Host().Clock().Sleep(context.Background(), d)
}

// counts are how many times commands were begun to be executed, and how many are.
func (o *outside) counts() (begun, executing int) {
	o.w.Inline(func() {
		for _, times := range o.attempts {
			begun += times
		}
		for _, times := range o.inKey {
			executing += times
		}
	})
	return begun, executing
}

// observed are the transitions of a queue.
type observed struct {
	w   *sim.World
	all []command.Transition
}

func (o *observed) Observe(t command.Transition) { o.w.Inline(func() { o.all = append(o.all, t) }) }

// failing is a store that fails some times.
type failing struct {
	command.Store[tx]
	left *sched.AtomicInt64
}

func (f failing) Update(do func(tx) error) error {
	if f.left.Add(-1) >= 0 {
		return errors.New("the disk is full")
	}
	return f.Store.Update(do)
}

func (f failing) View(do func(tx) error) error {
	if f.left.Add(-1) >= 0 {
		return errors.New("the disk is broken")
	}
	return f.Store.View(do)
}
