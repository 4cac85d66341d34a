package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/agent/store"
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
		return outliving[*store.MemoryTx]{store.OpenMemory(node, kept), w}, nil
	}
}

// outliving is a store whose data outlives processes: it is the world's.
type outliving[T group.Tx] struct {
	command.Store[T]
	w *sim.World
}

// Update implements command.Store.
func (o outliving[T]) Update(f func(T) error) error {
	return o.Store.Update(func(tx T) (err error) {
		o.w.Inline(func() { err = f(tx) })
		return err
	})
}

// View implements command.Store.
func (o outliving[T]) View(f func(T) error) error {
	return o.Store.View(func(tx T) (err error) {
		o.w.Inline(func() { err = f(tx) })
		return err
	})
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

// GroupWorkload is what the members of a group do, as plain data.
type GroupWorkload struct {
	Routers, Members int
	// Pauses are before each invitation. Faults go on until the last user has done what he does, or for Patience, and then for Linger.
	Pauses           []time.Duration
	Patience, Linger time.Duration
	// CrashAfter are the steps after which somebody crashes, beside those whom the fault crash strikes, at most Crashes times. Down is how long
	// each then stays away.
	CrashAfter []int64
	Crashes    int
	Down       time.Duration
	// Ends are those who leave or are removed, and when.
	Ends []GroupEnd
	// Intruder is who joins by the invitation of a further member: 0 for nobody, else how he introduces himself.
	Intruder int
	Small    agent.Config
	Config   group.Config
}

// GroupEnd is the end of a membership.
type GroupEnd struct {
	Member  int
	After   time.Duration // since the user of the member, or of the host, has begun
	Removed bool          // by the host; else it leaves
}

// drawGroup draws a workload.
func drawGroup(w *sim.World) GroupWorkload {
	l := GroupWorkload{Routers: 1 + w.Value("routers", 3), Members: []int{2, 3, 3, 4, 5, 8}[w.Value("members", 6)]}
	pauses := []time.Duration{0, 0, time.Second, 10 * time.Second, time.Minute}
	l.Patience = 2 * time.Minute
	for range l.Members {
		pause := pauses[w.Value("pause", len(pauses))]
		l.Pauses, l.Patience = append(l.Pauses, pause), l.Patience+pause
	}
	l.Linger = []time.Duration{0, time.Second, 10 * time.Second, 2 * time.Minute}[w.Value("linger", 4)]
	for range w.Value("crashes at steps", 4) {
		l.CrashAfter = append(l.CrashAfter, int64(w.Value("crash at step", 8000)))
	}
	l.Crashes = []int{1, 2, 4, 8}[w.Value("crashes", 4)]
	l.Down = []time.Duration{0, time.Second, time.Minute}[w.Value("down", 3)]
	if w.Value("ends", 4) == 3 {
		afters := []time.Duration{0, time.Second, 10 * time.Second, 2 * time.Minute, 10 * time.Minute}
		for range 1 + w.Value("how many end", 2) {
			l.Ends = append(l.Ends, GroupEnd{
				Member: 1 + w.Value("who ends", l.Members), After: afters[w.Value("end", len(afters))], Removed: w.Value("removed", 2) == 1,
			})
		}
	}
	if w.Value("intruder", 6) == 5 {
		l.Intruder = 1 + w.Value("intruder says", len(says))
	}
	small := agent.DefaultConfig(protocol.RecipientService)
	small.PersistError = []time.Duration{0, 30 * time.Second}[w.Value("persist-error", 2)]
	small.PingInterval, small.PingTimeouts, small.Silence = 2*time.Minute, 2, 4*time.Minute
	l.Small = small
	commands := command.DefaultConfig()
	commands.Retry = retry.Interval{Initial: 2 * time.Second, GrowAfter: 10 * time.Second, Max: 30 * time.Second}
	commands.Events = []int{2048, 0, 1}[w.Value("events", 3)]
	l.Config = group.Config{Connections: connection.Config{Commands: commands}, Timeout: time.Hour}
	for i := range l.Routers {
		l.Config.Connections.Routers = append(l.Config.Connections.Routers, routerName(i))
	}
	return l
}

// stalled is how many people's first processes may stall, the host's and a member's: what they have to do with each other is what all have.
const stalled = 2

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

// person is the host or a member: a user with an agent, in one process after the other.
type person[T group.Tx] struct {
	*recovery[T]
	number   int
	name     group.MemberID
	stores   Stores[T]
	crashed  *sched.Chan[struct{}] // gets an item for each crash
	finished *sched.Chan[struct{}] // gets an item when the user has done all that he does

	node       *sim.Node
	agent      *group.Agent[T] // nil while there is none
	small      *agent.Agent
	store      command.Store[T]
	invitation group.Invitation
	done       bool // the user of this process has done all that he does
	isInvited  bool
	isNot      bool // and never will be
}

func (p *person[T]) crash() {
	p.crashes++
	p.world.Effect("crash")
	p.world.Logf("%s crashes", p.name)
	p.node.Crash()
	p.agent, p.done = nil, false
	p.crashed.TrySend(struct{}{})
}

// keep keeps somebody's process running, until all is over.
func (p *person[T]) keep() {
	for first := true; ; first = false {
		node := p.world.Node(string(p.name))
		if first && p.number < stalled {
			node.Stalls(1)
		}
		p.world.Inline(func() { p.node = node })
		node.Go("main", func() { p.main(node) })
		p.crashed.Recv()
		over := false
		p.world.Inline(func() { over = p.over })
		if over {
			return
		}
		p.sleep(p.load.Down)
	}
}

func (r *recovery[T]) sleep(d time.Duration) {
	if d > 0 {
		_ = r.world.Host().Clock().Sleep(context.Background(), d)
	}
}

// main is a process.
func (p *person[T]) main(n *sim.Node) {
	rest := func() { _ = n.Clock().Sleep(context.Background(), time.Second) }
	var kept command.Store[T]
	for {
		var err error
		if kept, err = p.stores(string(p.name), n); err == nil {
			break
		}
		p.world.Logf("%s: %v", p.name, err)
		rest()
	}
	var g *group.Agent[T]
	for {
		small, err := agent.New(agent.Environment{
			Scheduler: n.Scheduler(), Clock: n.Clock(), Dialer: p.network.Dialer(n), Observer: p.smallObserver(),
		}, p.load.Small)
		if err != nil {
			panic(err)
		}
		g, err = group.Start(group.Environment{
			Scheduler: n.Scheduler(), Clock: n.Clock(), Small: small, Observer: groupObserver[T]{p}, Connections: connectionObserver[T]{p}, Commands: commandObserver[T]{p},
		}, p.load.Config, kept)
		if err == nil {
			p.world.Inline(func() { p.agent, p.small, p.store = g, small, kept })
			break
		}
		p.world.Logf("%s: %v", p.name, err)
		small.Close()
		rest()
	}
	u := user[T]{p, n, g, kept}
	if p.number == 0 {
		u.host()
	} else {
		u.member()
	}
	p.world.Inline(func() { p.done = true })
	p.finished.TrySend(struct{}{})
}

// user is somebody's user in one process.
type user[T group.Tx] struct {
	*person[T]
	on    *sim.Node
	agent *group.Agent[T]
	kept  command.Store[T]
}

func (u user[T]) rest(d time.Duration) { _ = u.on.Clock().Sleep(context.Background(), d) }

// update asks for something, again and again while the store fails. What was asked for before a crash is there.
func (p user[T]) update(f func(*command.Change[T]) error) {
	for {
		switch err := p.agent.Update(f); {
		case err == nil, errors.Is(err, group.ErrKnown), errors.Is(err, group.ErrUnknownGroup), errors.Is(err, group.ErrUnknownMember):
			return
		default:
			p.world.Logf("%s: %v", p.name, err)
		}
		p.rest(time.Second)
	}
}

// host founds the group, invites its members and hands them their invitations.
func (p user[T]) host() {
	g := p.agent
	p.update(func(c *command.Change[T]) error { return g.Found(c, theGroup, p.name) })
	tasks := sched.NewWaitGroup(p.on)
	for i := range p.load.Members {
		m := p.people[i+1]
		given := false
		p.world.Inline(func() { given = m.isInvited || m.isNot })
		if given {
			continue
		}
		p.rest(p.load.Pauses[i])
		p.update(func(c *command.Change[T]) error { return g.Invite(c, theGroup, m.name) })
		tasks.Add(1)
		p.on.Go("courier", func() {
			defer tasks.Done()
			p.bring(m)
		})
	}
	if p.load.Intruder > 0 {
		p.loseInvitation()
	}
	for _, end := range p.load.Ends {
		if end.Removed {
			p.rest(end.After)
			p.update(func(c *command.Change[T]) error { return g.Remove(c, theGroup, p.people[end.Member].name) })
		}
	}
	tasks.Wait()
}

// bring brings somebody his invitation, once it is there, or there will be none.
func (p user[T]) bring(to *person[T]) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		var i group.Invitation
		found, ended := false, false
		err := p.kept.View(func(tx T) (err error) {
			if i, found, err = group.InvitationFor(tx, theGroup, to.name); err != nil {
				return err
			}
			m, _, err := tx.Member(theGroup, to.name)
			ended = m.Status.Ended() || m.Error != ""
			return err
		})
		switch {
		case err != nil:
			p.world.Logf("%s: %v", p.name, err)
		case found:
			p.world.Inline(func() { to.invitation, to.isInvited = i, true })
			return
		case ended:
			p.world.Inline(func() { to.isNot = true })
			return
		}
		p.rest(pause)
	}
}

// member joins the group as soon as he is invited, and perhaps leaves it.
func (p user[T]) member() {
	g := p.agent
	var i group.Invitation
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		is, isNot := false, false
		p.world.Inline(func() { i, is, isNot = p.invitation, p.isInvited, p.isNot })
		if isNot {
			return
		}
		if is {
			break
		}
		p.rest(pause)
	}
	p.update(func(c *command.Change[T]) error { return g.Accept(c, i) })
	for _, end := range p.load.Ends {
		if !end.Removed && end.Member == p.number {
			p.rest(end.After)
			p.update(func(c *command.Change[T]) error { return g.Leave(c, theGroup) })
		}
	}
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

// ask runs f in somebody's process, and answers where that is.
func (p *person[T]) ask(f func(command.Store[T], *agent.Agent, *group.Agent[T])) (n *sim.Node) {
	var run func()
	p.world.Inline(func() {
		kept, small, g := p.store, p.small, p.agent
		n, run = p.node, func() { f(kept, small, g) }
	})
	done := sched.NewChan[struct{}](p.world.Host(), 1)
	n.Go("asked", func() {
		run()
		done.TrySend(struct{}{})
	})
	done.Recv()
	return n
}
