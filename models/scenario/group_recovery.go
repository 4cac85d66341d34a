package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// GroupRecovery is a group whose members find each other (seed 000) over networks and routers that fail, while any of them crashes and is restarted at
// any step; then the world heals, and what is left to do is done. Stores are in memory: what was committed survives a crash.
func GroupRecovery() *sim.Scenario {
	return GroupRecoveryOn("group-recovery", "a host and its members, who crash and restart, connect with each other; stores in memory", memoryStores)
}

func memoryStores(w *sim.World) Stores[*store.MemoryTx] {
	data := map[string]*store.Data{}
	return func(name string, node *sim.Node) (command.Store[*store.MemoryTx], error) {
		var kept *store.Data
		w.Inline(func() {
			if data[name] == nil {
				data[name] = store.NewData()
			}
			kept = data[name]
		})
		return models.Outliving[*store.MemoryTx](w, store.OpenMemory(node, kept)), nil
	}
}

// Stores opens the store of somebody, as it was when the process before ended, on the node of the next.
type Stores[T group.Tx] func(name string, node *sim.Node) (command.Store[T], error)

// GroupRecoveryOn is GroupRecovery with other stores.
func GroupRecoveryOn[T group.Tx](name, summary string, stores func(*sim.World) Stores[T]) *sim.Scenario {
	return &sim.Scenario{
		Name: name, Summary: summary, Properties: groupProperties(), Sometimes: groupSometimes(),
		Setup: func(w *sim.World) func() { return newRecovery(w, drawGroup(w), stores(w)).run },
	}
}

// theGroup is the id of the group of every run.
const theGroup group.ID = "group"

// recovery is one run.
type recovery[T group.Tx] struct {
	world   *sim.World
	load    GroupWorkload
	network *sim.Network[[]protocol.Request, []protocol.Response]
	routers []*router.Router
	people  []*person[T]      // the host first
	broken  bool              // something has failed for good, so that some may never be connected
	lost    *group.Invitation // of the guest; nil: there is none yet
	over    bool              // nobody is restarted any more
	crashes int
	checks  groupChecks
}

func newRecovery[T group.Tx](w *sim.World, l GroupWorkload, stores Stores[T]) *recovery[T] {
	r := &recovery[T]{world: w, load: l, network: sim.NewNetwork[[]protocol.Request, []protocol.Response](w)}
	r.checks = newGroupChecks()
	inWords(r.network)
	w.Logf("%d members, %d routers, at most %d crashes, each for %v; pauses %v; %d leave or are removed", l.Members, l.Routers, l.Crashes, l.Down, l.Pauses, len(l.Ends))
	faults := mailFaults{World: w, broken: &r.broken}
	for i := range l.Routers {
		x := router.New(router.Options{Name: routerName(i).Hosts, Env: w, Faults: faults, Timeout: l.Small.RPCTimeout, Mailboxes: true})
		if err := r.network.Listen(routerName(i).Address(), x); err != nil {
			panic(err)
		}
		x.Arm(faults, rulesEach)
		w.OnHeal(x.Heal)
		r.routers = append(r.routers, x)
	}
	host := w.Host().Scheduler()
	for i := range l.Members + 1 {
		name := group.MemberID("host")
		if i > 0 {
			name = group.MemberID(fmt.Sprint("member-", i))
		}
		r.people = append(r.people, &person[T]{
			recovery: r, number: i, name: name, stores: stores, crashed: sched.NewChan[struct{}](host, 1), finished: sched.NewChan[struct{}](host, 1),
		})
	}
	r.show()
	w.Rule("crash", l.Crashes, r.crash)
	w.OnStep(func() {
		if len(l.CrashAfter) > 0 && w.Step() >= slices.Min(l.CrashAfter) {
			l.CrashAfter = slices.DeleteFunc(l.CrashAfter, func(step int64) bool { return w.Step() >= step })
			if w.MayFail() && !w.Healed() && r.crash() {
				w.Fired("crash")
			}
		}
	})
	return r
}

// crash lets somebody's process crash.
func (r *recovery[T]) crash() bool {
	var running []*person[T]
	for _, p := range r.people {
		if p.node != nil && !p.node.Crashed() {
			running = append(running, p)
		}
	}
	if len(running) == 0 {
		return false
	}
	running[r.world.Value("who crashes", len(running))].crash()
	return true
}

// mailFaults are the faults of routers that have no services. It notes those after which a connection is lost for good.
type mailFaults struct {
	*sim.World
	broken *bool
}

var (
	faultsOfServices = map[string]bool{
		"service-refused": true, "service-ignored": true, "service-lent": true, "service-taken": true, "service-changed": true, "router-downgraded": true,
	}
	faultsForGood = map[string]bool{
		"command-refused": true, "error-permanent": true, "handshake-refused": true, "queue-deleted": true, "taken-behind": true,
	}
)

func (f mailFaults) Swarm(fault string) bool { return !faultsOfServices[fault] && f.World.Swarm(fault) }

func (f mailFaults) Fired(fault string) {
	*f.broken = *f.broken || faultsForGood[fault]
	f.World.Fired(fault)
}

func (f mailFaults) Rule(fault string, times int, strike func() bool) {
	if faultsOfServices[fault] {
		return
	}
	f.World.Rule(fault, times, func() bool {
		struck := strike()
		*f.broken = *f.broken || struck && faultsForGood[fault]
		return struck
	})
}

// run is the main task: work, heal, settle, close.
func (r *recovery[T]) run() {
	host := r.world.Host()
	keepers := sched.NewWaitGroup(host)
	for _, p := range r.people {
		keepers.Add(1)
		host.Go("keeper", func() {
			defer keepers.Done()
			p.keep()
		})
	}
	var stranger *sim.Node
	if r.load.Intruder > 0 {
		stranger = r.world.Node("intruder")
		stranger.Go("main", (&intruder[T]{r, stranger}).main)
	}
	r.wait()
	r.sleep(r.load.Linger)
	r.world.Heal()
	r.settle()
	r.world.Inline(func() { r.over = true })
	for _, p := range r.people {
		n := p.ask(func(_ command.Store[T], small *agent.Agent, g *group.Agent[T]) {
			small.Close()
			g.Close()
		})
		if left := n.Tasks(); left > 0 {
			r.world.Fail("S12", "%s has closed its agent, and has %d tasks left", p.name, left)
		}
		n.Crash()
		p.crashed.TrySend(struct{}{})
	}
	keepers.Wait()
	if stranger != nil {
		stranger.Crash()
	}
}

// wait waits until all users have done what they do, as long as there is patience: with faults, that can take for ever.
func (r *recovery[T]) wait() {
	host := r.world.Host()
	patience, cancel := sched.WithCancel(host, context.Background())
	defer cancel()
	defer host.Clock().AfterFunc(r.load.Patience, cancel).Stop()
	for _, p := range r.people {
		finished, over := sched.Recv(p.finished), sched.Recv(sched.Done(patience))
		if sched.Select2(&finished, &over) == 1 {
			return
		}
	}
}

func (r *recovery[T]) sleep(d time.Duration) {
	if d > 0 {
		_ = r.world.Host().Clock().Sleep(context.Background(), d)
	}
}
