package search

import "fmt"

// firstSeed turns the text of a search's seed into a number, another one for each scenario (FNV-1a over both).
func firstSeed(text, scenario string) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range [...]string{text, "\x00", scenario} {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
	}
	return h
}

// runSeed is the seed of a run of a scenario: SplitMix64, so that no two runs of a scenario share one.
func runSeed(first uint64, run int64) uint64 {
	return scramble(first + uint64(run+1)*0x9E3779B97F4A7C15)
}

// dataSeed is the seed of the random bytes of a run.
func dataSeed(seed uint64) uint64 { return scramble(seed ^ 0x64617461) }

func scramble(v uint64) uint64 {
	v = (v ^ v>>30) * 0xBF58476D1CE4E5B9
	v = (v ^ v>>27) * 0x94D049BB133111EB
	return v ^ v>>31
}

// mergeHash folds the hash of the next run into that of all runs before it.
func mergeHash(all, run uint64) uint64 { return scramble(all*0x9E3779B97F4A7C15 + run) }

// seedText is a seed, or a hash, as reports show it.
func seedText(v uint64) string { return fmt.Sprintf("%016x", v) }
