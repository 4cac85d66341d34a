package explore

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/heddle-go/heddle/sim"
)

func TestDebug(t *testing.T) {
	seed := number(t, "HEDDLE_SEED", -1)
	if seed < 0 {
		t.Skip()
	}
	s := shape{tasks: 4, length: 3, variables: 2, locks: 2, channels: 2}
	src := randomSource(rand.New(rand.NewPCG(uint64(seed), 1)), s)
	fmt.Println(src)
	p := src.build(s)
	x, runner := new(tree), sim.NewRunner()
	for more := true; more; more = x.next() {
		x.start()
		r, err := runner.Run(p.scenario, sim.RunConfig{Source: x, Listener: x})
		fmt.Println("run", x.blocked, x.fresh, p.end(r), err)
		for i, e := range x.events {
			fmt.Print("  ", e.actor, " ", e.op, " {")
			for _, a := range x.accesses[e.from:e.to] {
				fmt.Print(a.object, ":", a.op, ":", a.before, ">", a.after, " ")
			}
			fmt.Print("} w", e.world, " a", e.all, " cand:")
			if i < len(x.nodes) {
				to := len(x.candidates)
				if i+1 < len(x.nodes) {
					to = int(x.nodes[i+1].candidates)
				}
				fmt.Printf("%+v", x.candidates[x.nodes[i].candidates:to])
			}
			fmt.Println(" clock", x.clocks[e.clock:e.clock+e.width])
		}
	}
}

func TestDebugCalls(t *testing.T) {
	if number(t, "HEDDLE_CALLS", 0) == 0 {
		t.Skip()
	}
	p := calls("a")
	x, runner := new(tree), sim.NewRunner()
	n := 0
	for more := true; more && n < 3000; more = x.next() {
		n++
		x.start()
		r, err := runner.Run(p.scenario, sim.RunConfig{Source: x, Listener: x})
		if n > 2 && n < 2990 {
			continue
		}
		fmt.Println("run", x.blocked, x.fresh, p.end(r), err, len(x.values))
		for _, v := range x.values {
			fmt.Println("value", v)
		}
		for i, e := range x.events {
			fmt.Print("  ", e.actor, " ", e.op, " {")
			for _, a := range x.accesses[e.from:e.to] {
				fmt.Print(a.object, ":", a.op, ":", a.before, ">", a.after, " ")
			}
			fmt.Print("} w", e.world, " a", e.all, " cand:")
			if i < len(x.nodes) {
				to := len(x.candidates)
				if i+1 < len(x.nodes) {
					to = int(x.nodes[i+1].candidates)
				}
				fmt.Printf("%+v", x.candidates[x.nodes[i].candidates:to])
			}
			fmt.Println(" clock", x.clocks[e.clock:e.clock+e.width])
		}
	}
}
