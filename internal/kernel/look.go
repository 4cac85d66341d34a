package kernel

// What a person who goes through a run step by step may want to know of an object: it decides nothing.

// Look is the state of a primitive, as far as it decides which operations are possible.
type Look struct {
	Held     bool  // mutex: locked; rwmutex: a writer is announced or inside; once: running; chan: closed
	Done     bool  // once
	Count    int32 // rwmutex: readers inside; chan: elements; waitgroup: the count
	Capacity int32 // chan
}

// Look answers the state of the object.
//
//go:norace
func (o *Object) Look() Look { return Look{o.held, o.done, o.count, o.capacity} }

// Waiting calls f for the tasks that wait at the object, in order of arrival, and cannot go on.
//
//go:norace
func (o *Object) Waiting(f func(*Actor)) {
	for w := o.first; w != nil; w = w.next {
		if !w.task.ready || w.task.parked {
			f(w.task)
		}
	}
}
