package escapes

import (
	"fmt"
	"unsafe"
)

var (
	count  int
	cache  = map[string]int{}
	latest node
	table  [3]int
)

func states(p *int) {
	count++               // want `a write to the package variable count is seen by other runs: keep it in a value that each run makes anew`
	cache["x"] = 1        // want `a write to the package variable cache`
	latest.depth = 3      // want `a write to the package variable latest`
	table[1] += 2         // want `a write to the package variable table`
	delete(cache, "x")    // want `a write to the package variable cache`
	for count = range 3 { // want `a write to the package variable count`
	}
	_ = uintptr(unsafe.Pointer(p))          // want `uintptr of a pointer gives an address`
	_ = fmt.Sprintf("at %p", p)             // want `%p prints an address`
	_ = fmt.Errorf("%d %% and %-10p", 1, p) // want `%p prints an address`
	logf("%[1]p", p)                        // want `%p prints an address`
}

func logf(format string, args ...any) {}
