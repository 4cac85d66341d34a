package protocol

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
)

// QueueID names a queue on its router.
type QueueID [24]byte

// ServiceID names a service on a router. A router that was downgraded and
// upgraded gives the same certificate another one.
type ServiceID [24]byte

// CorrelationID ties a response to its request. The zero value marks a push.
type CorrelationID [24]byte

// AuthKey is the private key that authorizes commands to a queue, as opaque
// bytes. It never appears in text: String hides it.
type AuthKey string

// String hides the key.
func (AuthKey) String() string { return "key" }

// GoString hides the key.
func (AuthKey) GoString() string { return "key" }

// IsZero reports whether id is that of a push.
func (id CorrelationID) IsZero() bool { return id == CorrelationID{} }

// String is the id in hexadecimal.
func (id QueueID) String() string { return hex.EncodeToString(id[:]) }

// String is the id in hexadecimal.
func (id ServiceID) String() string { return hex.EncodeToString(id[:]) }

// String is the id in hexadecimal.
func (id CorrelationID) String() string { return hex.EncodeToString(id[:]) }

// Compare orders queue ids as bytes.
func (id QueueID) Compare(other QueueID) int { return bytes.Compare(id[:], other[:]) }

// IDsHash stands for a set of queue ids: the XOR of their MD5 sums, zero for the
// empty set. Adding a queue and taking it out are the same operation.
type IDsHash [16]byte

// HashOf is the hash of the set that holds queue alone.
func HashOf(queue QueueID) IDsHash { return md5.Sum(queue[:]) }

// Xor is the hash of the symmetric difference of two sets.
func (h IDsHash) Xor(other IDsHash) IDsHash {
	for i := range h {
		h[i] ^= other[i]
	}
	return h
}

// String is the hash in hexadecimal.
func (h IDsHash) String() string { return hex.EncodeToString(h[:]) }
