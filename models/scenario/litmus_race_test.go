//go:build race

package scenario

// everySchedule says whether tests that make millions of runs do so: a build with -race takes minutes for them.
const everySchedule = false
