// Package protocol holds the SMP types that the small agent speaks: routers,
// queues, services, transmissions and errors.
//
// They are plain values: nothing here connects, waits or locks, and all of it
// may be used from any task. Bytes that the agent only passes on (keys,
// certificate hashes, message bodies) stay opaque.
package protocol
