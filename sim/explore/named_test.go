package explore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parsed makes a program of tasks that each are instructions, such as "send 0 1; close 0 0".
func parsed(t *testing.T, capacities []int, added int, tasks ...string) source {
	p := source{capacities: capacities, added: added, late: make([]bool, len(tasks))}
	for _, task := range tasks {
		var list []instruction
		for _, text := range strings.Split(task, "; ") {
			var in instruction
			_, err := fmt.Sscan(text, &in.op, &in.a, &in.b)
			require.NoError(t, err, text)
			list = append(list, in)
		}
		p.tasks = append(p.tasks, list)
	}
	return p
}

// Each of these was explored wrongly once: a class or a final state was lost, or a class was made twice.
func TestProgramsThatWereExploredWronglyOnce(t *testing.T) {
	for _, c := range []struct {
		name       string
		capacities []int
		added      int
		tasks      []string
	}{
		{"a wait that was possible before several additions", []int{1, 2}, 1,
			[]string{"group-add 0 0; group-add 0 0; group-done 0 0", "group-done 0 0; group-add 0 0", "group-add 0 0; group-done 0 0; group-wait 0 0"}},
		{"a writer among readers", []int{1, 1}, 0,
			[]string{"write-lock 1 0", "read-lock 1 0", "read-lock 1 0"}},
		{"readers that try", []int{1, 1}, 0,
			[]string{"try-read-lock 1 0", "write-lock 1 1", "try-read-lock 1 2"}},
		{"a reader and a writer that try", []int{1, 1}, 0,
			[]string{"try-read-lock 0 1", "try-write-lock 0 0", "write-lock 0 1"}},
		{"a send that waits for room, or finds the channel closed", []int{1}, 0,
			[]string{"send 0 1; close 0 0", "len 0 1; send 0 0", "try-send 0 1; recv 0 1"}},
		{"a send that a close has made possible, and room that comes later", []int{2}, 0,
			[]string{"close 0 0", "try-send 0 0", "try-send 0 1; read-lock 0 1; send 0 0", "write-lock 0 0; recv 0 0; lock 1 1"}},
		{"a close among sends to a full channel", []int{2, 1}, 1,
			[]string{"recv 1 1", "send 0 1; send 1 1; try-send 0 0", "send 1 1; close 1 0", "send 1 1; send 1 1; send 0 1"}},
		{"two that close", []int{1}, 0,
			[]string{"close 0 0; recv 0 0; store 0 0", "try-recv 0 0; select 0 0; send 0 1", "recv 0 1; recv 0 1", "close 0 0"}},
		{"a close that finds values", []int{1}, 2,
			[]string{"close 0 1", "len 0 1; len 0 0; recv 0 0", "try-send 0 0; try-send 0 0; recv 0 0", "send 0 1; send 0 1"}},
		{"selects that meet and take from a buffer", []int{0, 1, 1}, 1,
			[]string{"default 0 2; send 0 1; select 2 1; recv 2 1", "send 2 0", "send 2 1", "select 0 2", "select 0 2"}},
		{"a crash of who could move", []int{0, 0}, 2,
			[]string{"crash 1 1; crash 1 0", "store 1 1; load 0 0", "store 0 0; lock 1 0"}},
		{"a crash of who waits for a lock", []int{2, 2}, 0,
			[]string{"lock 1 0; crash 1 1; store 0 1", "store 0 1; lock 1 0; load 0 1; lock 0 0", "load 1 0"}},
		{"a crash of who has met another one", []int{0, 2, 1}, 0,
			[]string{"send 2 1; inline 0 1; send 0 0; inline 1 0", "recv 0 1; inline 0 1", "inline 2 1; crash 0 0; send 0 1; recv 2 2", "crash 1 0; send 1 2"}},
		{"a send that waits and turns out to crash a node", []int{2, 2}, 1,
			[]string{"send 0 0", "send 1 1; send 0 0; send 0 1", "send 0 1; crash 1 1; recv 0 1", "send 1 0"}},
		{"a crash between two that have met", []int{1, 0}, 2,
			[]string{"send 1 1; crash 1 0; recv 1 1", "recv 1 1"}},
		{"a step with a value to draw that was planned as one that may touch more than it does", []int{1, 1}, 0,
			[]string{"part 1 0; store 0 0", "load 0 0", "load 0 1; value 0 1; part-if 0 0"}},
		{"a stall of who selects", []int{0, 2, 1}, 0,
			[]string{"select 0 2; send 0 1", "store 1 2", "send 0 1; send 2 0", "select 1 2; stall 0 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := parsed(t, c.capacities, c.added, c.tasks...)
			s := shape{variables: 2, locks: 2, channels: len(c.capacities)}
			require.True(t, compared(t, src.String(), src, s, 10_000, everyState))
		})
	}
}
