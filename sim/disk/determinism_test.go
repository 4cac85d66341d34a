package disk_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/disk"
)

// hashes runs a scenario of crashes with all faults and answers the hash of each run. The engine draws salts and nonces from the system's
// randomness, which cannot be injected; so what they are must make no difference.
func hashes(t *testing.T, pragmas string, seeds int) []uint64 {
	runner := sim.NewRunner()
	defer runner.Close()
	sc := crashing(pragmas).scenario()
	var all []uint64
	for seed := range uint64(seeds) {
		result, err := runner.Run(sc, sim.RunConfig{Source: only{seeded(seed), disk.Faults()}, DataSeed: seed})
		require.NoError(t, err)
		require.Nil(t, result.Failure, "seed %d", seed)
		all = append(all, kernel.Mix(result.Hash, uint64(result.Steps)))
	}
	return all
}

func TestARunIsAFunctionOfItsDecisions(t *testing.T) {
	for name, pragmas := range map[string]string{"wal": wal, "rollback": rollback} {
		t.Run(name, func(t *testing.T) {
			var results [2][]uint64
			var workers sync.WaitGroup // two worlds at once, as in a search
			for i := range results {
				workers.Go(func() { results[i] = hashes(t, pragmas, 20) })
			}
			workers.Wait()
			require.Equal(t, results[0], results[1])
		})
	}
}

// TestBuildsAgree: plain, with the race detector, and on every machine. It is another number with another version of SQLite, or when the
// test's own scenario changes.
func TestBuildsAgree(t *testing.T) {
	sum := uint64(0)
	for _, h := range hashes(t, wal, 10) {
		sum = kernel.Mix(sum, h)
	}
	require.Equal(t, uint64(0x7133de4014333b95), sum)
}
