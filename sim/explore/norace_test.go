//go:build !race

package explore

// slowdown is by how much fewer programs the tests make do with.
const slowdown = 1
