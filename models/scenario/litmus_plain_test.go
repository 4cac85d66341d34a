//go:build !race

package scenario

// everySchedule says whether tests that make millions of runs do so.
const everySchedule = true
