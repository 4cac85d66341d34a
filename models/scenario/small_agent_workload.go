package scenario

import (
	"fmt"
	"strings"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/sim"
)

// Workload is all that a run of the small agent is asked to do, as plain data: who draws it, decisions of the world or rapid, can
// print and shrink it. What the schedule and the faults do to it is decided while it runs.
type Workload struct {
	Party   protocol.Party
	Routers int
	// Queues are subscribed singly, ServiceQueues belong to the service from the beginning; both are for each router.
	Queues, ServiceQueues int
	// Linger is how long faults go on when the applications have done all they were told.
	Linger time.Duration
	// Applications compete for the same queues, each with an agent on a node of its own.
	Applications []Application
}

// Application is an agent, how it is configured, and what is done with it.
type Application struct {
	Config agent.Config
	// Events and Messages say how each is consumed.
	Events, Messages Consumer
	// CloseAt is the number of the event at which its consumer closes the agent; 0 for never.
	CloseAt int
	// Tasks are what the application does, in concurrent tasks.
	Tasks [][]Op
}

// Consumer says how a queue of events or messages is consumed, while faults strike; afterwards everybody consumes at once.
type Consumer uint8

const (
	Prompt  Consumer = iota // takes what there is
	Slow                    // rests after each
	Stopped                 // takes nothing
)

// String is the way in a word.
func (c Consumer) String() string {
	return [...]string{"promptly", "slowly", "not at all"}[c]
}

// OpKind is what an application does with its agent.
type OpKind uint8

const (
	Subscribe        OpKind = iota // queues, with a key
	Remove                         // queues
	SubscribeService               // as the application last knew it
	Lookup                         // a connected client, and a client by session
	Connect                        // wait for a client
	Deliver                        // somebody sends messages to queues
	Close                          // the agent
)

// String is the kind in a word.
func (k OpKind) String() string {
	return [...]string{"subscribe", "remove", "subscribe service", "look up", "connect", "deliver", "close"}[k]
}

// Never is for a call that is not cancelled.
const Never time.Duration = -1

// Op is one thing that an application does.
type Op struct {
	Pause        time.Duration // before it
	Kind         OpKind
	Router       int
	First, Count int           // the queues: Count of them from First on, round and round
	Key          int           // which of keys
	Cancel       time.Duration // when its context is cancelled, after its beginning; Never
}

// keys are what queues are subscribed with; the last fits no queue.
var keys = [...]protocol.AuthKey{"key", "new key", "wrong key"}

// String is the operation in one line.
func (o Op) String() string {
	var b strings.Builder
	if o.Pause > 0 {
		fmt.Fprintf(&b, "after %v ", o.Pause)
	}
	fmt.Fprintf(&b, "%v", o.Kind)
	switch o.Kind {
	case Subscribe, Remove, Deliver:
		fmt.Fprintf(&b, " %d queues from %d", o.Count, o.First)
	}
	if o.Kind != Close {
		fmt.Fprintf(&b, " at router %d", o.Router)
	}
	if o.Kind == Subscribe {
		fmt.Fprintf(&b, " with %q", string(keys[o.Key]))
	}
	if o.Cancel != Never {
		fmt.Fprintf(&b, " cancelled after %v", o.Cancel)
	}
	return b.String()
}

// scale says how much there is of everything.
type scale struct {
	routers, queues, serviceQueues, tasks, ops []int
	pauses                                     []time.Duration
	keys                                       []int
}

// scales: what happens at one router makes little difference at another; and where several tasks do little to the same one or two
// queues, as soon as they can, they meet in ways that are rare among many queues.
var scales = [...]scale{
	{
		routers: []int{1}, queues: []int{1, 1, 2}, serviceQueues: []int{0, 1}, tasks: []int{1, 2, 2, 3}, ops: []int{1, 2, 3, 5},
		pauses: []time.Duration{0, 0, 0, 0, 0, 0, time.Millisecond, time.Second, 5 * time.Second, 31 * time.Second},
		keys:   []int{0, 0, 0, 0, 0, 0, 1, 2},
	},
	{
		routers: []int{1, 1, 1, 2, 3}, queues: []int{1, 2, 3, 1, 2, 4, 9, 22}, serviceQueues: []int{0, 0, 1, 2, 5}, tasks: []int{1, 1, 2, 3},
		ops:    []int{1, 3, 4, 6, 10},
		pauses: []time.Duration{0, 0, 0, 0, time.Millisecond, time.Second, 4 * time.Second, 31 * time.Second, 70 * time.Second},
		keys:   []int{0, 0, 0, 0, 1, 1, 1, 2},
	},
}

// The tables of what is drawn at any scale; the first of each is the simplest.
var (
	cancels = [...]time.Duration{Never, Never, Never, Never, 0, time.Millisecond, time.Second, 30 * time.Second, 46 * time.Second}
	lingers = [...]time.Duration{0, 0, time.Second, 20 * time.Second, 100 * time.Second}
	kinds   = [...]OpKind{
		Subscribe, Subscribe, Subscribe, Subscribe, Subscribe, Subscribe, SubscribeService, SubscribeService, SubscribeService,
		SubscribeService, Remove, Remove, Lookup, Connect, Deliver, Deliver,
	}
	capacities = [...]int{2048, 1, 2, 5}
	batches    = [...]int{1360, 1, 2, 4}
	blocks     = [...]int{136, 1, 2, 3}
)

// DrawWorkload draws a workload by decisions. Each decision of an operation is asked whether it matters or not, so that changing
// one of them shifts none of the others.
func DrawWorkload(w *sim.World) Workload {
	s := &scales[w.Value("scale", len(scales))]
	l := Workload{
		Party:         protocol.RecipientService,
		Routers:       oneOf(w, "routers", s.routers),
		Queues:        oneOf(w, "queues", s.queues),
		ServiceQueues: oneOf(w, "service-queues", s.serviceQueues),
		Linger:        oneOf(w, "linger", lingers[:]),
	}
	if w.Value("party", 2) == 1 {
		l.Party = protocol.NotifierService
	}
	service := w.Value("service", 3) > 0
	for range 1 + w.Value("applications", 5)/4 {
		l.Applications = append(l.Applications, drawApplication(w, s, &l, service))
		service = service && w.Value("second-service", 2) == 0
	}
	return l
}

func oneOf[T any](w *sim.World, site string, table []T) (one T) {
	if len(table) == 1 {
		return table[0]
	}
	return table[w.Value(site, len(table))]
}

func drawApplication(w *sim.World, s *scale, l *Workload, service bool) Application {
	a := Application{
		Config:   drawConfig(w, l.Party, service),
		Events:   drawConsumer(w, "events"),
		Messages: drawConsumer(w, "messages"),
	}
	if w.Value("close-by-consumer", 8) == 7 {
		a.CloseAt = 1 + w.Value("close-at-event", 6)
	}
	closing := w.Value("close", 4) == 3
	a.Tasks = make([][]Op, oneOf(w, "tasks", s.tasks))
	together := w.Value("together", 3) > 0
	for i := range a.Tasks {
		if i > 0 && together {
			a.Tasks[i] = a.Tasks[0]
			continue
		}
		ops := make([]Op, oneOf(w, "ops", s.ops))
		for j := range ops {
			ops[j] = drawOp(w, s, l, service)
		}
		if closing && (i == 0 || w.Value("close-again", 2) == 1) {
			ops[len(ops)-1].Kind = Close
		}
		a.Tasks[i] = ops
	}
	return a
}

func drawConsumer(w *sim.World, site string) Consumer {
	return [...]Consumer{Prompt, Prompt, Prompt, Slow, Stopped}[w.Value(site, 5)]
}

func drawConfig(w *sim.World, party protocol.Party, service bool) agent.Config {
	c := agent.DefaultConfig(party)
	if service {
		c.Credential = protocol.Credential{Role: party.Role(), CertificateHash: "certificate"}
	}
	c.PersistError = [...]time.Duration{0, 30 * time.Second, 5 * time.Second}[w.Value("persist-error", 3)]
	c.EventQueue = capacities[w.Value("event-queue", len(capacities))]
	c.MessageQueue = capacities[w.Value("message-queue", len(capacities))]
	c.MessageBacklog = [...]int{1 << 16, 4, 16}[w.Value("message-backlog", 3)]
	c.BatchSize = batches[w.Value("batch", len(batches))]
	c.BlockSize = blocks[w.Value("block", len(blocks))]
	c.SendQueue = [...]int{64, 1}[w.Value("send-queue", 2)]
	if w.Value("patience", 2) == 1 {
		c.ConnectTimeout, c.RPCTimeout = 15*time.Second, 10*time.Second
	}
	if w.Value("ping", 2) == 1 {
		c.PingInterval, c.PingTimeouts, c.Silence = 20*time.Second, 2, 45*time.Second
	}
	return c
}

func drawOp(w *sim.World, s *scale, l *Workload, service bool) Op {
	o := Op{
		Pause:  oneOf(w, "pause", s.pauses),
		Kind:   oneOf(w, "op", kinds[:]),
		Router: w.Value("router", l.Routers),
		First:  w.Value("first", l.Queues),
		Count:  1 + w.Value("count", l.Queues),
		Key:    oneOf(w, "key", s.keys),
		Cancel: oneOf(w, "cancel", cancels[:]),
	}
	if o.Kind == SubscribeService && !service {
		o.Kind = Subscribe
	}
	return o
}
