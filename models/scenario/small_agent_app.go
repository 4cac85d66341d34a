package scenario

import (
	"context"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// app is an application with its agent, on a node.
type app struct {
	*smallAgent
	Application
	number    int
	node      *sim.Node
	scheduler sched.Scheduler
	agent     *agent.Agent
	resume    *sched.Chan[struct{}] // closed when consumers that have stopped go on
	finished  *sched.Chan[struct{}] // gets one item when all tasks have ended, or the node has crashed
	crashed   bool
	closed    bool // or about to be
	waiting   int  // events delivered and not yet consumed
	monitor   *models.Monitor
	part      *sim.Shared // all of this that is not fixed, and the monitor; but for
	handed    *sim.Shared // what waits
	dialer    protocol.Dialer
	books     []book // of each router
}

func newApp(s *smallAgent, number int, a Application, node *sim.Node, dialer protocol.Dialer) *app {
	host := s.world.Host().Scheduler()
	part := s.world.Shared(node.Name())
	p := &app{
		part: part, handed: s.world.Shared("handed"), smallAgent: s, Application: a, number: number, node: node, scheduler: node.Scheduler(),
		resume: sched.NewChan[struct{}](host, 0), finished: sched.NewChan[struct{}](host, 1),
		monitor: models.NewMonitor(models.Options{World: part, Part: func(name string) models.Part { return s.world.Shared(name) }, Config: a.Config, FreeSince: node.FreeSince}),
	}
	p.dialer = p.monitor.Dialer(dialer)
	part.AfterStep(func() {
		if !p.crashed {
			p.monitor.Tick()
		}
	})
	p.openBooks()
	return p
}

// run is the main task of the node.
func (p *app) run() {
	a, err := agent.New(agent.Environment{
		Scheduler: p.scheduler, Clock: p.node.Clock(), Dialer: p.dialer, Observer: p,
	}, p.Config)
	if err != nil {
		panic(err)
	}
	p.part.Inline(func() { p.agent = a })
	p.scheduler.Go("events", p.consumeEvents)
	p.scheduler.Go("messages", p.consumeMessages)
	tasks := sched.NewWaitGroup(p.scheduler)
	for _, ops := range p.Tasks {
		tasks.Add(1)
		p.scheduler.Go("app", func() {
			defer tasks.Done()
			for _, op := range ops {
				p.do(op)
			}
		})
	}
	tasks.Wait()
	p.finished.TrySend(struct{}{})
}

// crash is the end of the node.
func (p *app) crash() bool {
	if p.crashed || p.agent == nil {
		return false
	}
	p.crashed = true
	p.world.Effect("crash")
	p.node.Crash()
	p.monitor.Crashed()
	p.finished.TrySend(struct{}{})
	return true
}

// open says whether the agent was made, and neither it nor its node has come to its end.
func (p *app) open() (open bool) {
	p.part.Inline(func() { open = p.agent != nil && !p.crashed && !p.closed })
	return open
}

func (p *app) sleep(d time.Duration) {
	if d > 0 {
		_ = p.node.Clock().Sleep(context.Background(), d)
	}
}

// do carries out an operation.
func (p *app) do(op Op) {
	p.sleep(op.Pause)
	p.world.Logf("application %d: %v", p.number, op)
	ctx, cancel := sched.WithCancel(p.scheduler, context.Background())
	switch {
	case op.Cancel == 0:
		p.scheduler.Go("cancel", cancel)
	case op.Cancel > 0:
		defer p.node.Clock().AfterFunc(op.Cancel, cancel).Stop()
	}
	switch op.Kind {
	case Subscribe:
		p.subscribe(ctx, op.Router, p.subscribable(op), keys[op.Key])
	case Remove:
		p.remove(op.Router, p.chosen(op))
	case SubscribeService:
		p.subscribeService(ctx, op.Router)
	case Lookup:
		p.lookup(op.Router)
	case Connect:
		p.connect(ctx, op.Router)
	case Deliver:
		p.parts[op.Router].Inline(func() {
			for _, q := range p.chosen(op) {
				p.routers[op.Router].Deliver(p.load.Party, q)
			}
		})
	case Close:
		p.close()
	}
	if op.Cancel != 0 {
		cancel()
	}
}

// subscribe subscribes queues singly, and says whether nothing is left pending.
func (p *app) subscribe(ctx context.Context, router int, ids []protocol.QueueID, key protocol.AuthKey) bool {
	if len(ids) == 0 {
		return true
	}
	queues := make([]agent.QueueSub, len(ids))
	for i, q := range ids {
		queues[i] = agent.QueueSub{Queue: q, Key: key}
	}
	call := p.monitor.Subscribe(routerName(router), queues)
	err := p.agent.SubscribeQueues(ctx, routerName(router), queues)
	call.Return(err)
	if ctx.Err() != nil && err != nil {
		p.world.Sometimes("call-cancelled")
	}
	return err == nil
}

// subscribeService subscribes the service as the application last knew it.
func (p *app) subscribeService(ctx context.Context, router int) {
	b := &p.books[router]
	var sub protocol.ServiceSub
	p.part.Inline(func() { sub = b.service })
	if sub.Service == (protocol.ServiceID{}) {
		return
	}
	p.part.Inline(func() { p.monitor.HandOver(routerName(router), b.handedOver(router)) })
	call := p.monitor.SubscribeService(routerName(router), sub)
	call.Return(p.agent.SubscribeService(ctx, routerName(router), sub))
}

func (p *app) remove(router int, ids []protocol.QueueID) {
	call := p.monitor.Remove(routerName(router), ids)
	call.Return(p.agent.RemoveQueues(routerName(router), ids))
}

func (p *app) close() {
	p.part.Inline(func() { p.closed = true })
	call := p.monitor.Close()
	p.agent.Close()
	call.Return(nil)
}

// connect waits for a client.
func (p *app) connect(ctx context.Context, router int) {
	start := p.world.Elapsed()
	_, err := p.agent.Client(ctx, routerName(router))
	if d, bound := p.world.Elapsed()-start, p.Config.ConnectTimeout; d > bound && p.slack == 0 {
		p.world.Fail("L4", "the wait for a client of %v took %v; its bound is %v", routerName(router), d, bound)
	}
	if err != nil && ctx.Err() != nil {
		p.world.Sometimes("connect-cancelled")
	}
}

// lookup looks a client up in both ways; neither waits, and both agree. Then it looks at everything.
func (p *app) lookup(router int) {
	if c, _ := p.agent.ConnectedClient(routerName(router)); c != nil {
		if found := p.agent.ClientBySession(c.Session()); found != nil && found != c {
			p.world.Fail("S4", "session %s is that of two clients", c.Session())
		}
	}
	p.monitor.Compare(p.agent.Snapshot)
}

// consumers are the tasks that an application leaves running: of events and of messages.
const consumers = 2

// consumeEvents is the task that takes events, and reacts to them as the application owes it.
func (p *app) consumeEvents() {
	for n := 1; ; n++ {
		p.hold(p.Events)
		e, ok := p.agent.Events().Recv()
		if !ok {
			return
		}
		p.monitor.Consumed(e)
		p.handed.Inline(func() { p.waiting-- })
		p.react(e)
		if n == p.CloseAt {
			p.world.Sometimes("close-from-consumer")
			p.close()
		}
	}
}

func (p *app) consumeMessages() {
	for {
		p.hold(p.Messages)
		if _, ok := p.agent.Messages().Recv(); !ok {
			return
		}
	}
}

// hold is how a consumer that is slow or has stopped spends its time, until faults end.
func (p *app) hold(c Consumer) {
	if c == Prompt {
		return
	}
	var healed bool
	p.world.Inline(func() { healed = p.world.Healed() })
	switch {
	case healed:
	case c == Slow:
		p.sleep(time.Second)
	default:
		p.resume.Recv()
	}
}
