package choice_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// program is a small concurrent program: for each task its operations.
type program struct {
	tasks  [][]operation
	faults int
}

type operation struct {
	kind string // lock, value, send, receive, fork, sleep
	on   int    // which object
}

func programs() *rapid.Generator[program] {
	op := rapid.Custom(func(t *rapid.T) operation {
		return operation{rapid.SampledFrom([]string{"lock", "value", "send", "receive", "fork", "sleep"}).Draw(t, "kind"), rapid.IntRange(0, 2).Draw(t, "on")}
	})
	return rapid.Custom(func(t *rapid.T) program {
		return program{
			tasks:  rapid.SliceOfN(rapid.SliceOfN(op, 0, 12), 1, 5).Draw(t, "tasks"),
			faults: rapid.IntRange(0, 2).Draw(t, "faults"),
		}
	})
}

// run lets the program run and answers its hash.
func (p program) run(k *kernel.Kernel, source choice.Source, tracer choice.Tracer) uint64 {
	k.Begin(kernel.Options{Source: source, Tracer: tracer, MaxSteps: 100_000})
	var locks, chans [3]*kernel.Object
	for i := range locks {
		locks[i] = k.NewObject(kernel.MutexObject, "")
		chans[i] = &kernel.Object{}
		k.InitChan(chans[i], i, fmt.Sprintf("pipe%d", i))
	}
	for range p.faults {
		var fault *kernel.Actor
		fault = k.NewActor(kernel.FaultActor, "fault", kernel.OpStrike, nil, func() { k.Disarm(fault) })
		k.Arm(fault)
	}
	for _, operations := range p.tasks {
		k.Spawn(nil, "task", func() {
			for _, op := range operations {
				switch op.kind {
				case "lock":
					locks[op.on].Lock()
					k.Yield()
					locks[op.on].Unlock()
				case "value":
					k.Value("site", locks[op.on], op.on+1)
				case "send", "receive":
					k.Select([]kernel.Arm{{Object: chans[op.on], Send: op.kind == "send"}}, op.on == 2)
				case "fork":
					k.Spawn(nil, "child", func() { k.Yield() })
				case "sleep":
					k.After(nil, "alarm", time.Duration(op.on), func() { k.Note("alarm") })
				}
			}
		})
	}
	k.Run(nil)
	hash := k.Hash()
	k.End()
	return hash
}

// dice decides uniformly at random, strikes included.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0))} }

func (d dice) Schedule(_ *choice.Actor, enabled, armed []*choice.Actor) int {
	return d.IntN(len(enabled) + len(armed))
}

func (d dice) Value(_ choice.Site, n int) int { return d.IntN(n) }
