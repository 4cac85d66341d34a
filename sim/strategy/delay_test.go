package strategy

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

func TestDelayZeroIsOneSchedule(t *testing.T) {
	require.Equal(t, map[string]int{"aaaabbbbccc": 500}, program{"xyx", "xyx", "yy"}.schedules(t, "delay:0", 500, ""))
}

// With one delay there are as many schedules as places for it, and the one without.
func TestDelayOneIsEveryPlaceOnce(t *testing.T) {
	counts := program{"yyy", "yyy"}.schedules(t, "delay:1", 4000, "")
	require.Equal(t, []string{"aaaabbbb", "aaabbbba", "aabbbbaa", "abbbbaaa", "bbbbaaaa"}, slices.Sorted(maps.Keys(counts)))
}

// A schedule departs from the default policy at no more places than it has delays.
func TestDelaysAreTheDeviations(t *testing.T) {
	k := kernel.New()
	defer k.Close()
	s, most := newDelay(3), 0
	var recorder choice.Recorder
	for seed := range uint64(500) {
		s.Begin(scramble(seed), 20)
		recorder.Begin(s, nil)
		k.Begin(kernel.Options{Source: &recorder, Tracer: recorder.Tracer()})
		for range 3 {
			k.Spawn(nil, "task", func() {
				for range 6 {
					k.Yield()
				}
			})
		}
		k.Run(nil)
		k.End()
		require.LessOrEqual(t, len(recorder.Deviations()), 3)
		most = max(most, len(recorder.Deviations()))
	}
	require.Equal(t, 3, most)
}
