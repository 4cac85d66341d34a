//go:build race

package explore

// slowdown is by how much fewer programs the tests make do with: here each task is a goroutine of its own.
const slowdown = 10
