package sim

import (
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Shared is the World as seen by code that shares a part of its state with tasks: a model, a handler, the notes of an application.
// Its Inline, Observe, After and AfterStep are the World's for an f that touches that part only. So a search that reduces by partial order
// (package explore) knows that what two parts do can be done in either order; the World's own methods stand for all parts at
// once. To any other run it makes no difference.
//
// A part is what the scenario says: a variable, a model, a model's view of one router. Whoever touches it must say so, by one
// of these methods or by Touch: what nobody says, no search can know.
type Shared struct {
	*World
	object    *kernel.Object
	afterStep []func()
	touched   bool // since afterStep has run
}

// Shared makes a part of the state that tasks share with models and checks. The name is for a person.
func (w *World) Shared(name string) *Shared {
	return &Shared{World: w, object: w.kernel.NewShared(name)}
}

// Touch says that the step under way reads or writes this part.
//
//go:norace
func (s *Shared) Touch() {
	s.kernel.Touch(kernel.OpTouch, s.object)
	if s.afterStep != nil {
		s.touched = true
		s.kernel.Due()
	}
}

// Inline is World.Inline for an f that touches this part only.
func (s *Shared) Inline(f func()) {
	s.Touch()
	s.kernel.Covered(f)
}

// Observe is World.Observe for an f that touches this part only.
func (s *Shared) Observe(f func()) {
	s.Touch()
	s.kernel.ObserveCovered(f)
}

// After is World.After for an f that touches this part only.
func (s *Shared) After(d time.Duration, f func()) {
	s.kernel.After(nil, "after", d, func() {
		s.Touch()
		f()
	})
}

// AfterStep lets f run, outside any task, after each step that has touched this part, and after each advance of time. It may touch
// nothing else.
func (s *Shared) AfterStep(f func()) {
	if s.afterStep == nil {
		s.watched = append(s.watched, s)
		s.kernel.SetOnDue(s.World.due)
	}
	s.afterStep = append(s.afterStep, f)
}

// due runs what AfterStep has registered.
func (w *World) due() {
	advanced := w.dueAt != w.kernel.Now()
	w.dueAt = w.kernel.Now()
	for _, s := range w.watched {
		if s.touched || advanced {
			s.touched = false
			for _, f := range s.afterStep {
				f()
			}
		}
	}
}
