//go:build race

package disk_test

// seeds are few, since the detector makes the engine ten times slower.
const seeds = 15
