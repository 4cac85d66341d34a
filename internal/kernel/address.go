package kernel

import "unsafe"

// address is what the race detector knows the object by.
//
//go:norace
func (o *Object) address() unsafe.Pointer { return unsafe.Pointer(&o.count) }

// readers is a second such address, for what readers leave to the next writer.
//
//go:norace
func (o *Object) readers() unsafe.Pointer { return unsafe.Pointer(&o.capacity) }

//go:norace
func (a *Actor) address() unsafe.Pointer { return unsafe.Pointer(&a.random) }

// endAddress is where the ends of tasks meet the end of the run.
//
//go:norace
func (k *Kernel) endAddress() unsafe.Pointer { return unsafe.Pointer(&k.made) }
