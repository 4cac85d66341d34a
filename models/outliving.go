package models

import "github.com/heddle-go/heddle/agent/command"

// Outliving is a store whose data outlives the processes that open it, one after another: the world's. What is done in its transactions is told to nobody but
// the world.
func Outliving[T command.Tx](w World, inner command.Store[T]) command.Store[T] {
	return outliving[T]{inner, w}
}

type outliving[T command.Tx] struct {
	inner command.Store[T]
	world World
}

// Update implements command.Store.
func (o outliving[T]) Update(f func(T) error) error {
	return o.inner.Update(func(tx T) (err error) {
		o.world.Inline(func() { err = f(tx) })
		return err
	})
}

// View implements command.Store.
func (o outliving[T]) View(f func(T) error) error {
	return o.inner.View(func(tx T) (err error) {
		o.world.Inline(func() { err = f(tx) })
		return err
	})
}
