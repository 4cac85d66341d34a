// Package other is a library that shows its locks to others.
package other

import "sync"

type Guarded struct {
	sync.Mutex
	Inner sync.RWMutex
}

var Lock sync.Mutex
