package search

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/internal/kernel"
)

func TestThePlaceInAStack(t *testing.T) {
	_, here, _, _ := runtime.Caller(0)
	code, library := kernel.NewCode(), strings.TrimSuffix(here, "sim/search/placein_test.go")
	for name, c := range map[string]struct{ stack, file string }{
		"the program's":                  {"github.com/heddle-go/heddle/agent.(*Agent).Close\n\t/src/heddle/agent/agent.go:7", "agent/agent.go"},
		"trimmed":                        {"github.com/heddle-go/heddle/agent.f\n\tgithub.com/heddle-go/heddle/agent/agent.go:7", "agent/agent.go"},
		"below the library":              {"x.f\n\t" + library + "sim/world.go:3\ngithub.com/heddle-go/heddle/agent.f\n\t/src/agent/agent.go:7", "agent/agent.go"},
		"the library inlined":            {"github.com/heddle-go/heddle/agent.f.(*Mutex).Lock.1\n\t" + library + "sched/lock.go:3\ngithub.com/heddle-go/heddle/agent.f\n\t/src/agent/agent.go:7", "agent/agent.go"},
		"Go inlined":                     {"github.com/heddle-go/heddle/agent.f.SortFunc.1\n\t/usr/go/src/slices/sort.go:3\ngithub.com/heddle-go/heddle/agent.f\n\t/src/agent/agent.go:7", "agent/agent.go"},
		"generic":                        {"github.com/heddle-go/heddle/agent.(*Set[go.shape.struct { x example.org/y.T }]).Add\n\t/src/agent/set.go:7", "agent/set.go"},
		"a dot in the path":              {"github.com/heddle-go/heddle/v2/my%2ecode.f\n\t/src/v2/my.code/a.go:7", "v2/my.code/a.go"},
		"tests beside a package":         {"github.com/heddle-go/heddle/sim/search_test.f\n\t" + library + "sim/search/a_test.go:7", "sim/search/a_test.go"},
		"before another module's":        {"example.org/queue.(*Queue).Put\n\t/mod/queue/queue.go:1\ngithub.com/heddle-go/heddle/agent.f\n\t/src/agent/agent.go:7", "agent/agent.go"},
		"another module's, and not Go's": {"sort.Sort\n\t/usr/go/src/sort/sort.go:1\nexample.org/queue.(*Queue).Put\n\t/mod/queue/queue.go:7", "/mod/queue/queue.go"},
	} {
		p := placeIn(code, c.stack)
		require.NotNil(t, p, name)
		require.Equal(t, c.file, p.File, name)
		require.Equal(t, 7, p.Line, name)
	}
	for _, none := range []string{"", "x", "x.f\n\tno place", "sort.Sort\n\t/usr/go/src/sort/sort.go:1", "x.f\n\t" + library + "net/dial.go:3"} {
		require.Nil(t, placeIn(code, none), none)
	}
}
