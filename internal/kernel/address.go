package kernel

import "unsafe"

// address is what the race detector knows the object by.
func (o *Object) address() unsafe.Pointer { return unsafe.Pointer(&o.count) }

// readers is a second such address, for what readers leave to the next writer.
func (o *Object) readers() unsafe.Pointer { return unsafe.Pointer(&o.capacity) }

func (a *Actor) address() unsafe.Pointer { return unsafe.Pointer(&a.random) }
