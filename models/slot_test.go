package models_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/models"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// slotScenario has tasks that create, fill, read and remove the variable of one slot, each behind its lock, and judges what they saw.
// unguarded leaves the comparison out of the removal, as an agent might.
func slotScenario(unguarded bool) *sim.Scenario {
	return &sim.Scenario{Name: "slot", Setup: func(w *sim.World) func() {
		h := models.NewHistory(models.Variables(), 256)
		key := h.Key("slot")
		s := w.Host().Scheduler()
		mu := sched.NewMutex(s)
		var slot session.Slot[int]
		call := func(process int, open models.VariableCall, f func() models.VariableCall) {
			var id models.CallID
			w.Observe(func() { id = h.Call(key, process, w.Step(), open) })
			mu.Lock()
			c := f()
			mu.Unlock()
			c.Known = true
			w.Observe(func() { h.Return(id, w.Step(), c) })
		}
		use := func(process, rounds int) {
			for range rounds {
				var v *session.Var[int]
				call(process, models.VariableCall{Op: models.GetOrCreate}, func() models.VariableCall {
					var created bool
					v, created = slot.GetOrCreate(s)
					return models.VariableCall{Op: models.GetOrCreate, ID: v.ID(), Yes: created}
				})
				call(process, models.VariableCall{Op: models.Fill, ID: v.ID()}, func() models.VariableCall {
					if _, filled := v.Read(); filled {
						return read(&slot)
					}
					v.Fill(process)
					return models.VariableCall{Op: models.Fill, ID: v.ID()}
				})
				call(process, models.VariableCall{Op: models.TryRead}, func() models.VariableCall { return read(&slot) })
				call(process, models.VariableCall{Op: models.Remove, ID: v.ID()}, func() models.VariableCall {
					removed := slot.Remove(v)
					if current := slot.Get(); unguarded && current != nil {
						removed = slot.Remove(current)
					}
					return models.VariableCall{Op: models.Remove, ID: v.ID(), Yes: removed}
				})
			}
		}
		tasks, rounds := 2+w.Value("tasks", 3), 1+w.Value("rounds", 3)
		return func() {
			wait := sched.NewWaitGroup(s)
			for i := range tasks {
				wait.Add(1)
				s.Go("user", func() {
					defer wait.Done()
					use(i, rounds)
				})
			}
			wait.Wait()
			w.Inline(func() {
				if v := h.Check(0); v.Illegal != "" {
					w.Fail("linearizable", "%s", v.Story)
				}
			})
		}
	}}
}

func read(slot *session.Slot[int]) models.VariableCall {
	v := slot.Get()
	if v == nil {
		return models.VariableCall{Op: models.TryRead}
	}
	_, filled := v.Read()
	return models.VariableCall{Op: models.TryRead, ID: v.ID(), Yes: filled}
}

func TestSlotIsLinearizable(t *testing.T) {
	runner := sim.NewRunner()
	rapid.Check(t, func(t *rapid.T) {
		if result, _ := runDrawn(t, runner, slotScenario(false)); result.Failure != nil {
			t.Fatalf("%s: %s", result.Failure.Property, result.Failure.Message)
		}
	})
}

func TestSlotThatRemovesWithoutComparingIsNot(t *testing.T) {
	runner, found := sim.NewRunner(), 0
	rapid.Check(t, func(t *rapid.T) {
		if result, _ := runDrawn(t, runner, slotScenario(true)); result.Failure != nil && result.Failure.Property == "linearizable" {
			found++
		}
	})
	if found == 0 {
		t.Fatal("no history was refused")
	}
}
