package strategy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
	"github.com/heddle-go/heddle/sim/choice"
)

// Two pairs of tasks, each with a race of its own: four partial orders, whatever the steps that race with nothing do in between.
func TestPOSIsUniformOverPartialOrders(t *testing.T) {
	counts := map[string]int{}
	for schedule, n := range (program{"yyyx", "yyyx", "yyyyyz", "yyyyyz", "yyyyyyyyy"}).schedules(t, "pos", 8000, "xz") {
		counts[string(first(schedule, 'x'))+string(first(schedule, 'z'))] += n
	}
	requireUniform(t, counts, 4)
}

// first is the task of the first step at an object.
func first(schedule string, at byte) byte {
	for i := 0; ; i += 2 {
		if schedule[i] == at {
			return schedule[i+1]
		}
	}
}

// One task is to come last although it has one step to make and the other has n before. A random walk does that in one of 2^n
// runs, pos in about one of n: the one priority need only be lower than all others.
func TestPOSKeepsATaskBehind(t *testing.T) {
	const n, runs = 30, 8000
	late := func(name string) int {
		return (program{"x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyx"}).schedules(t, name, runs, "x")["xbxa"]
	}
	require.Greater(t, late("pos"), runs/(n+4)*3/4)
	require.Less(t, late("random"), 2)
}

// checkedPOS compares the priorities around each choice.
type checkedPOS struct {
	*pos
	t     *testing.T
	races int
}

func (c *checkedPOS) Schedule(current *choice.Actor, enabled, armed []*choice.Actor) int {
	var before []uint64
	for _, a := range enabled {
		before = append(before, c.priority(a))
	}
	i := c.pos.Schedule(current, enabled, armed)
	for j, a := range enabled {
		switch changed := c.priority(a) != before[j]; {
		case j == i:
			require.True(c.t, changed, "the step is made")
		case a == current: // it may have moved without a choice
		default:
			require.Equal(c.t, choice.Conflict(enabled[i], a), changed)
			if changed {
				c.races++
			}
		}
	}
	return i
}

func TestPOSDrawsAgainWhatRaces(t *testing.T) {
	k := kernel.New()
	defer k.Close()
	c := &checkedPOS{&pos{}, t, 0}
	for seed := range uint64(50) {
		c.Begin(scramble(seed), 0)
		program{"xyzx", "zxyx", "yyxz", "zzz"}.schedule(k, c, "")
	}
	require.Greater(t, c.races, 100)
}
