package models

import (
	"testing"

	"pgregory.net/rapid"
)

func TestCorrelationSpecification(t *testing.T) {
	checkSpec(t, Correlations(), func(t *rapid.T, s CorrelationState) CorrelationCall {
		return CorrelationCall{
			Op: CorrelationOp(rapid.IntRange(0, int(CorrelationTake)).Draw(t, "op")), Number: rapid.Int64Range(1, 3).Draw(t, "number"), Known: true,
			Yes: rapid.Bool().Draw(t, "yes"), Failed: rapid.IntRange(0, 3).Draw(t, "failed") == 0,
		}
	}, func(c CorrelationCall) CorrelationCall {
		if c.Op == CorrelationAdd || c.Op == CorrelationTake {
			c.Known, c.Yes, c.Failed = false, false, false
		}
		return c
	}, CorrelationCall{Op: CorrelationTake, Number: 7, Known: true, Yes: true})
}
