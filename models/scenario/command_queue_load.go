package scenario

import (
	"fmt"
	"strings"
	"time"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/sim"
)

// commandLoad is all that a run of the command queue is asked to do, as plain data.
type commandLoad struct {
	config   command.Config
	keys     []command.Key
	consumer Consumer
	linger   time.Duration // for how long faults go on when the application has done all
	restart  time.Duration // how long a process is down
	tasks    [][]commandOp
	reopens  bool // some operation closes the queue
}

// commandOpKind is what an application does with its queue.
type commandOpKind uint8

const (
	addCommands    commandOpKind = iota // in one transaction
	addAgain                            // a command under the correlation id of an earlier one
	addAndAbort                         // commands, in a transaction that is given up
	deleteTheirs                        // cancel the commands of a connection, and add one that deletes it
	suspendQueue                        // and resume it after a while, unless another operation does
	resumeQueue                         //
	closeAndReopen                      // the queue, in the same process
)

// commandOp is one thing that the application does.
type commandOp struct {
	pause    time.Duration // before it
	kind     commandOpKind
	commands []plannedCommand
	lasts    time.Duration // of a suspension that is not left to others; Never
	patience time.Duration // of who waits for it; Never
}

// behaviour is what a command is: its body says so.
type behaviour byte

const (
	plain   behaviour = iota
	moving            // to another key, and is carried out there
	silent            // ends without an event
	adding            // its end adds another command, and tells of its connection
	replied           // its continuation adds another command
	garbled           // cannot be decoded
	astray            // moves to a key that is none
)

// plannedCommand is a command to be added.
type plannedCommand struct {
	correlation command.Correlation
	key         int
	behaviour   behaviour
	to          int // the key that it moves to, or that of the command which it adds
}

var (
	commandRouters = [...]protocol.Router{{KeyHash: "key", Hosts: hosts[0]}, {KeyHash: "key", Hosts: hosts[1]}, {}}
	commandKeys    = [...]command.Key{
		{Connection: "alice", Router: commandRouters[0]}, {Connection: "alice", Router: commandRouters[1]}, {Connection: "bob", Router: commandRouters[0]},
		{Connection: "bob", Router: commandRouters[2]},
	}
	commandOps = [...][]commandOpKind{
		{
			addCommands, addCommands, addCommands, addCommands, addCommands, addCommands, addAgain, addAndAbort, deleteTheirs, deleteTheirs,
			suspendQueue, suspendQueue, resumeQueue, closeAndReopen,
		},
		{addCommands, addCommands, suspendQueue, suspendQueue, resumeQueue, resumeQueue}, // what is rare among much else
	}
	commandBehaviours = [...]behaviour{plain, plain, plain, plain, moving, moving, silent, adding, replied, garbled, astray}
	commandPauses     = [...]time.Duration{0, 0, 0, 0, 0, 10 * time.Millisecond, time.Second, 2 * time.Second}
	commandLingers    = [...]time.Duration{0, time.Second, 10 * time.Second, 80 * time.Second}
	eventCapacities   = [...]int{2048, 0, 1, 2}
	commandRestarts   = [...]int{5, 5, 5, 1, 0}
	suspensions       = [...]time.Duration{time.Second, 0, 5 * time.Second, Never}
	patiences         = [...]time.Duration{Never, Never, 0, time.Second}
	slowTimes         = [...]time.Duration{10 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second}
)

// slowConsumer is how long a slow consumer rests after each event.
const slowConsumer = time.Second

// drawCommands draws what is to be done, by decisions.
func drawCommands(w *sim.World) commandLoad {
	l := commandLoad{
		config: command.Config{
			Retry:    retry.Interval{Initial: time.Second, GrowAfter: 2 * time.Second, Max: 3 * time.Second},
			Events:   eventCapacities[w.Value("events", len(eventCapacities))],
			Restarts: commandRestarts[w.Value("restarts", len(commandRestarts))],
		},
		keys:     commandKeys[:1+w.Value("keys", len(commandKeys))],
		consumer: drawConsumer(w, "consumer"),
		linger:   oneOf(w, "linger", commandLingers[:]),
		restart:  oneOf(w, "down", commandPauses[:]),
		tasks:    make([][]commandOp, 1+w.Value("tasks", 3)),
	}
	kinds := commandOps[w.Value("operations", len(commandOps))]
	var names []command.Correlation
	for i := range l.tasks {
		l.tasks[i] = make([]commandOp, 1+w.Value("ops", 4))
		for j := range l.tasks[i] {
			l.tasks[i][j] = drawCommandOp(w, &l, kinds, &names)
		}
	}
	return l
}

// drawCommandOp draws an operation. Each decision is asked whether it matters or not, so that changing one of them shifts none of the others.
func drawCommandOp(w *sim.World, l *commandLoad, kinds []commandOpKind, names *[]command.Correlation) commandOp {
	o := commandOp{
		pause:    oneOf(w, "pause", commandPauses[:]),
		kind:     oneOf(w, "op", kinds),
		lasts:    oneOf(w, "suspension", suspensions[:]),
		patience: oneOf(w, "patience", patiences[:]),
	}
	for range 1 + w.Value("count", 2) {
		c := plannedCommand{
			correlation: command.Correlation(fmt.Sprint("c", len(*names)+1)),
			key:         w.Value("key", len(l.keys)),
			behaviour:   oneOf(w, "behaviour", commandBehaviours[:]),
			to:          w.Value("to", len(l.keys)),
		}
		*names = append(*names, c.correlation)
		o.commands = append(o.commands, c)
	}
	switch o.kind {
	case addAgain:
		o.commands = o.commands[:1]
		o.commands[0].correlation = (*names)[w.Value("again", len(*names))]
	case closeAndReopen:
		l.reopens = true
	}
	return o
}

// String is the operation in one line.
func (o commandOp) String() string {
	text := [...]string{"add", "add again", "add, and give the transaction up:", "delete the connection of", "suspend", "resume", "close, and make a new queue"}[o.kind]
	if o.kind <= deleteTheirs {
		for _, c := range o.commands {
			text += " " + c.String()
		}
	}
	if o.kind == suspendQueue && o.lasts != Never {
		text += fmt.Sprintf(" for %v", o.lasts)
	}
	if o.pause > 0 {
		return fmt.Sprintf("after %v %s", o.pause, text)
	}
	return text
}

// String is the command in a few words.
func (c plannedCommand) String() string {
	what := [...]string{"", ", moves to key %d", ", silent", ", adds one for key %d", ", whose continuation adds one for key %d", ", garbled", ", moves to nowhere"}[c.behaviour]
	if strings.Contains(what, "%d") {
		what = fmt.Sprintf(what, c.to)
	}
	return fmt.Sprintf("%s (key %d%s)", c.correlation, c.key, what)
}

// tell adds the load to the trace, a line for each part of it.
func (l *commandLoad) tell(logf func(format string, args ...any)) {
	logf("room for %d events, taken %v; %d restarts a minute; down for %v; faults strike until %v after the last operation",
		l.config.Events, l.consumer, l.config.Restarts, l.restart, l.linger)
	for i, k := range l.keys {
		logf("key %d: %v", i, k)
	}
	for i, ops := range l.tasks {
		said := make([]string, len(ops))
		for j, op := range ops {
			said[j] = op.String()
		}
		logf("task %d: %s", i+1, strings.Join(said, "; "))
	}
}
