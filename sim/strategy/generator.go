package strategy

import "math/bits"

// generator is SplitMix64 (Steele, Lea and Flood 2014): 64 bits of state, a full period, and one multiplication chain for a
// number, which is what a decision may cost.
type generator uint64

func (g *generator) next() uint64 {
	*g += 0x9E3779B97F4A7C15
	return scramble(uint64(*g))
}

// below draws from [0, n) by multiplication (Lemire 2019), without the rejection step: its bias is below n/2^64.
func (g *generator) below(n int) int {
	high, _ := bits.Mul64(g.next(), uint64(n))
	return int(high)
}

// logUniform draws from [1, 2^width): first how many digits, each number of digits alike, then the digits.
func (g *generator) logUniform(width int) int64 {
	leading := int64(1) << g.below(width)
	return leading + int64(g.below(int(leading)))
}

// scramble is a bijection of 64-bit numbers in which each bit of the result depends on all of v.
func scramble(v uint64) uint64 {
	v = (v ^ v>>30) * 0xBF58476D1CE4E5B9
	v = (v ^ v>>27) * 0x94D049BB133111EB
	return v ^ v>>31
}
