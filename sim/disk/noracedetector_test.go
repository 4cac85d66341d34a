//go:build !race

package disk_test

const seeds = 60
