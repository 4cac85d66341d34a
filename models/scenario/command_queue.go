package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// CommandQueue is the durable queue of commands (seed 000, "Proposal 2") alone: an application that adds, cancels and is answered, an executor whose effects
// outlive the process, a store in memory that outlives it too, crashes at any step. Then the world heals, and everything that is stored must be done with
// within a bound.
func CommandQueue() *sim.Scenario {
	return &sim.Scenario{
		Name: "command-queue", Summary: "the queue of commands alone: crashes, a failing store, executors that fail, block and panic; then it heals and settles",
		Properties: models.CommandProperties(),
		Sometimes: append(models.CommandSometimes(),
			"failed-for-good", "not-decoded", "moved-to-nowhere", "new-queue-in-the-process", "added-by-a-continuation", "added-by-a-command"),
		Setup: func(w *sim.World) func() { return newCommandQueue(w, drawCommands(w)).run },
	}
}

// commandQueue is one run. All of it that is not fixed when the run begins is part's.
type commandQueue struct {
	world   *sim.World
	part    *sim.Shared
	load    commandLoad
	disk    *store.Memory // outlives the process, as do the effects of commands, which judge knows
	judge   *models.Commands
	process *commandProcess
	started int         // processes
	next    []int       // of each task, what it does next
	poisons []poisoning // commands that make the executor panic again and again
	down    *sched.Chan[struct{}]
	resume  *sched.Chan[struct{}] // closed when consumers that have stopped go on
}

// poisoning is how often a command is still to panic.
type poisoning struct {
	command int64
	left    int
}

// How often each fault may strike, or out of how many times once.
const (
	crashesEach  = 3
	storeOdds    = 8
	executorOdds = 3
	poisonMost   = 8
)

func newCommandQueue(w *sim.World, l commandLoad) *commandQueue {
	host := w.Host().Scheduler()
	s := &commandQueue{
		world: w, part: w.Shared("commands"), load: l, disk: store.OpenMemory(sched.Goroutines(), store.NewData()), next: make([]int, len(l.tasks)),
		down: sched.NewChan[struct{}](host, 1), resume: sched.NewChan[struct{}](host, 0),
	}
	if w.Tracing() {
		l.tell(w.Logf)
	}
	s.judge = models.NewCommands(models.CommandOptions{World: s.part, Config: l.config})
	s.part.AfterStep(s.judge.Tick)
	w.OnState("stored", s.judge.Describe)
	w.Rule("crash", crashesEach, s.crash)
	w.OnHeal(func() { s.poisons = nil })
	return s
}

// crash is the end of the process.
func (s *commandQueue) crash() bool {
	p := s.process
	if p == nil || p.node.Crashed() {
		return false
	}
	s.part.Touch()
	s.world.Effect("crash")
	if p.judged != nil {
		p.judged.Crashed()
	}
	p.node.Crash()
	s.down.TrySend(struct{}{})
	return true
}

// run is the main task: work, heal, settle, close.
func (s *commandQueue) run() {
	s.start()
	s.down.Recv()
	for s.restarted() {
		s.down.Recv()
	}
	s.sleep(s.load.linger)
	s.world.Heal()
	s.resume.Close()
	if s.restarted() {
		s.down.Recv()
	}
	s.sleep(time.Millisecond) // in which what is to panic does so
	s.process.node.Go("resume", s.process.resumes)
	s.settle()
	s.process.node.Go("close", s.process.closes)
	s.down.Recv()
	if undecided := s.judge.Finish(); len(undecided) > 0 {
		s.world.Fail("linearizable", "the history of correlation id %s is undecided", undecided[0])
	}
}

func (s *commandQueue) sleep(d time.Duration) {
	if d > 0 {
		_ = s.world.Host().Clock().Sleep(context.Background(), d)
	}
}

// start starts the process anew. Its tasks go on with what they were doing.
func (s *commandQueue) start() {
	s.down.TryRecv() // of a process that had done all, and then crashed
	s.part.Inline(func() {
		s.started++
		node := s.world.Node(fmt.Sprintf("process-%d", s.started))
		s.process = &commandProcess{commandQueue: s, node: node, mu: sched.NewRWMutex(node)}
		s.process.store = s.process.open()
	})
	s.process.node.Go("main", s.process.run)
}

// restarted says whether the process had crashed, and starts it anew.
func (s *commandQueue) restarted() (again bool) {
	s.part.Inline(func() { again = s.process.node.Crashed() })
	if again {
		s.sleep(s.load.restart)
		s.start()
	}
	return again
}

// bound is for how long, after healing, something may be owed (Q2, Q10): a command that is being executed, one pause, and one event that is being dealt with.
func (s *commandQueue) bound() time.Duration {
	return slowTimes[len(slowTimes)-1] + s.load.config.Retry.Max + 2*slowConsumer
}

// settle waits until nothing is owed.
func (s *commandQueue) settle() {
	start := s.world.Elapsed()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		property, what := s.judge.Owed()
		if what == "" {
			return
		}
		if d := s.world.Elapsed() - start; d > s.bound() {
			s.world.Fail(property, "%v after the world has healed (bound %v): %s", d, s.bound(), what)
			return
		}
		s.sleep(pause)
	}
}
